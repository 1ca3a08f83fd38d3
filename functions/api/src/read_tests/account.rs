#![allow(clippy::unwrap_used, clippy::panic)]

use crate::access::Access;
use crate::handler::tests::{call, get};
use crate::test_support::{House, ada, house, now, with_ada};
use http::StatusCode;
use perennial_domain::{
    AccountId, AccountReason, AccountSummary, ConfigVersion, CrmUpdate, Likelihood, Measure, Member, MessageId,
    PersonId, Score, Stage, Subject,
};
use perennial_store::accounts::StoredAccount;
use serde_json::{Value, json};

fn id(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn member(person: PersonId) -> Member {
    Member {
        person,
        stage: Stage::Trial,
        scores: [].into(),
        engagement: Score::from(40),
        last_seen: Some(now()),
        personas: ["buyer".to_owned()].into(),
        curve: None,
        elsewhere: false,
    }
}

async fn save(house: &House, account: &str, traits: Value, change: impl FnOnce(&mut StoredAccount)) {
    let mut stored = StoredAccount::new(id(account));
    let config = crate::test_support::config();
    let traits = traits.as_object().unwrap();
    if !traits.is_empty() {
        stored.account.merge(&config.accounts.domains, traits, now(), &MessageId::parse("m").unwrap());
    }
    change(&mut stored);
    house.deps.views.store.save_account(&mut stored).await.unwrap();
}

/// The touch level by annual value, the owner, and the account score with reasons down to the people.
#[tokio::test]
async fn an_account_shows_what_it_is_worth_who_looks_after_it_and_whose_doing_its_score_is() {
    let house = house(Access::Open).await;
    with_ada(&house).await;
    let person = ada().person_id();
    save(&house, "acme", json!({ "name": "Acme", "mrr": 500.5 }), |stored| {
        stored.account.summary = Some(AccountSummary {
            people: 2,
            score: Score::from(70),
            reasons: vec![
                AccountReason { person: Some(person), measure: Measure::Purchase, points: 60.0, people: 1 },
                AccountReason { person: None, measure: Measure::Purchase, points: 10.0, people: 1 },
            ],
            ..AccountSummary::default()
        });
    })
    .await;
    let subject = Subject::Account(id("acme"));
    let update = CrmUpdate {
        id: CrmUpdate::id_of(&subject, 1),
        subject,
        number: 1,
        endpoint: "crm".into(),
        fields: [("score".to_owned(), json!(70))].into(),
        at: now(),
        config: ConfigVersion::parse("v1").unwrap(),
    };
    house.deps.views.store.claim_update(&update, "q/1", now()).await.unwrap();
    let shown = get(&house, "/api/accounts/acme").await;
    assert_eq!(shown["traits"], json!({ "name": "Acme", "mrr": 500.5 }));
    assert_eq!(
        (&shown["value"], &shown["touch"], &shown["owner"]),
        (&json!({ "minor": 600_600, "currency": "EUR" }), &json!("low"), &json!("success"))
    );
    assert_eq!((&shown["score"], &shown["ready"], &shown["health"]), (&json!(70), &json!(true), &Value::Null));
    assert_eq!(
        shown["reasons"],
        json!([
            { "person": person, "measure": "purchase", "points": 60.0, "people": 1, "text": "is getting ready to buy",
              "identity": "user/1", "profile": format!("/api/profiles/{person}") },
            { "person": null, "measure": "purchase", "points": 10.0, "people": 1, "text": "others who are getting ready to buy" },
        ])
    );
    assert_eq!((&shown["crm"][0]["state"], &shown["crm"][0]["fields"]["score"]), (&json!("claimed"), &json!(70)));
}

#[tokio::test]
async fn all_people_of_an_account_and_of_its_domains_are_shown_page_by_page() {
    let house = house(Access::Open).await;
    let people: Vec<PersonId> = (0..7_u8).map(|i| PersonId::derive(&[&[i]])).collect();
    for (i, person) in people.iter().enumerate() {
        let part = if i < 4 { "acme" } else { "acme.example" };
        house.deps.views.store.put_member(&id(part), &member(*person), 1).await.unwrap();
    }
    house.deps.views.store.leave_account(&id("acme"), people[0], 2, now()).await.unwrap();
    save(&house, "acme", json!({ "domain": "acme.example" }), |stored| {
        stored.account.registered = [("acme.example".to_owned(), Some(now()))].into();
    })
    .await;
    save(&house, "acme.example", json!({}), |stored| {
        stored.account.claimant = Some(id("acme"));
    })
    .await;
    for limit in [1, 2, 3, 6, 100] {
        // The domain is found as the account that has it.
        let (mut path, mut seen) = (format!("/api/accounts/acme.example?limit={limit}"), Vec::new());
        loop {
            let page = get(&house, &path).await;
            assert_eq!((&page["id"], &page["domains"]), (&json!("acme"), &json!(["acme.example"])));
            let members = page["members"].as_array().unwrap();
            assert!(members.len() <= limit);
            seen.extend(members.iter().map(|member| member["person"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/api/accounts/acme?limit={limit}&after={}", next.replace('/', "%2F"));
        }
        seen.sort();
        let mut expected: Vec<String> = people[1..].iter().map(ToString::to_string).collect();
        expected.sort();
        assert_eq!(seen, expected, "pages of {limit}");
    }
    for wrong in ["limit=0", "limit=x", "after=nobody", "after=other%2Fx"] {
        let (status, _, _) = call(&house, "GET", &format!("/api/accounts/acme?{wrong}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

/// The account is shown from the current profiles, not from the last aggregate.
#[tokio::test]
async fn account_of_few_people_shows_what_their_profiles_are_now() {
    let house = house(Access::Open).await;
    with_ada(&house).await;
    let mut entry = member(ada().person_id());
    entry.stage = Stage::Lead;
    entry.scores = [(Likelihood::Purchase, Score::from(90))].into();
    house.deps.views.store.put_member(&id("acme"), &entry, 1).await.unwrap();
    save(&house, "acme", json!({}), |stored| {
        stored.account.summary =
            Some(AccountSummary { people: 1, score: Score::from(90), ..AccountSummary::default() });
    })
    .await;
    let shown = get(&house, "/api/accounts/acme").await;
    let ada = get(&house, "/api/profiles/user%2F1").await;
    assert_eq!(shown["exact"], true);
    let purchase = ada["scores"]["purchase"].as_u64().unwrap_or_default();
    assert_ne!(purchase, 90);
    let pays =
        ["onboarding", "adopting", "established", "at_risk", "won_back"].contains(&ada["stage"].as_str().unwrap());
    assert_eq!(shown["score"], if pays { 0 } else { purchase });
    assert_eq!(shown["members"][0]["stage"], ada["stage"]);
    // More people than one call reads are taken from their curves.
    for i in 0..100_u8 {
        house.deps.views.store.put_member(&id("acme"), &member(PersonId::derive(&[&[i]])), 1).await.unwrap();
    }
    let shown = get(&house, "/api/accounts/acme").await;
    assert_eq!((&shown["exact"], &shown["score"]), (&json!(false), &json!(90)));
}
