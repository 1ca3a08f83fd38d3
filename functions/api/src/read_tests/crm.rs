//! The updates of a person's contact in the CRM, and their results.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::access::Access;
use crate::handler::tests::get;
use crate::test_support::{ada, house, now, with_ada};
use perennial_domain::{ConfigVersion, CrmUpdate, Subject};
use perennial_engine::Written;
use perennial_store::messages::{MessageState, Outcome};
use perennial_store::{Consistency, Loaded};
use serde_json::json;

#[tokio::test]
async fn profile_shows_the_updates_of_the_crm_and_the_explanation_says_why_one_was_refused() {
    let house = house(Access::Open).await;
    with_ada(&house).await;
    let (store, person) = (&house.deps.views.store, ada().person_id());
    assert_eq!(get(&house, "/api/profiles/ada@example.com").await.get("crm"), None, "nothing was written");
    let Loaded::Profile(mut stored) = store.load(person, Consistency::Strong).await.unwrap() else { panic!() };
    stored.profile.written = Some(Written { number: 2, ..Written::default() });
    store.save(&mut stored).await.unwrap();
    let subject = Subject::Person(person);
    for (number, state, detail) in
        [(1, MessageState::Sent, None), (2, MessageState::Failed, Some("HubSpot answered 400"))]
    {
        let update = CrmUpdate {
            id: CrmUpdate::id_of(&subject, number),
            subject: subject.clone(),
            number,
            endpoint: "crm".into(),
            fields: [("churn".to_owned(), json!(number))].into(),
            at: now(),
            config: ConfigVersion::parse("v1").unwrap(),
        };
        store.claim_update(&update, "q/1", now()).await.unwrap();
        let outcome = Outcome { detail: detail.map(str::to_owned), ..Outcome::new(state, now()) };
        store.record_update(&subject, update.id, &outcome).await.unwrap();
    }
    let shown = get(&house, "/api/profiles/ada@example.com").await;
    let known: Vec<_> = shown["crm"].as_array().unwrap().iter().map(|one| (&one["number"], &one["state"])).collect();
    assert_eq!(known, [(&json!(2), &json!("failed")), (&json!(1), &json!("sent"))]);
    assert_eq!(shown["crm"][0]["detail"], "HubSpot answered 400");
    assert_eq!(shown["messages"].as_array().unwrap().len(), 1, "they are no messages");
    let explained = get(&house, "/api/profiles/ada@example.com/explain").await;
    let told = explained["person"]["told"].to_string();
    assert!(
        told.contains("The CRM refused the last update, of ") && told.contains(": HubSpot answered 400."),
        "{told}"
    );
}
