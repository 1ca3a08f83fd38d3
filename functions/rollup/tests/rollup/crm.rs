//! CRM updates.

use crate::support::{ACCOUNTS, Bench, CRM, at, drain, fact, id, member};
use perennial_config::lifecycle::Milestone;
use perennial_contracts::queue::MessagesPayload;
use perennial_domain::{CrmUpdate, Subject};
use serde_json::json;

fn updates(bench: &Bench) -> Vec<CrmUpdate> {
    let update = |(payload, _)| match payload {
        MessagesPayload::AccountUpdate(update) => update,
        other => panic!("{other:?}"),
    };
    drain(&bench.messages).into_iter().map(update).collect()
}

/// Scenario 16: the account score is written to a field of the CRM's account record.
#[tokio::test]
async fn the_crm_hears_of_what_is_worth_it_exactly_once() {
    let bench = Bench::new(&format!("{ACCOUNTS}{CRM}")).await;
    bench.put("acme", &member("a", 4), 1).await;
    bench.roll_up("acme").await;
    assert_eq!(updates(&bench), [], "4 points are not worth a webhook");
    bench.put("acme", &member("b", 30), 1).await;
    for _ in 0..3 {
        bench.roll_up("acme").await;
    }
    let told = updates(&bench);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].id, told[0].at), (CrmUpdate::id_of(&Subject::Account(id("acme")), 1), at(0)));
    let fields = json!({ "score__c": 34, "health__c": null, "touch__c": "none", "stage__c": null });
    assert_eq!(serde_json::to_value(&told[0].fields).unwrap(), fields);
    bench.put("acme", &member("b", 33), 2).await;
    bench.roll_up("acme").await;
    assert_eq!(updates(&bench), []);
    bench.put("acme", &member("b", 65), 3).await;
    bench.roll_up("acme").await;
    assert_eq!(updates(&bench)[0].fields["score__c"], 69);
    bench.put("acme", &member("b", 66), 4).await;
    bench.roll_up("acme").await;
    let ready = updates(&bench);
    assert_eq!((ready[0].number, &ready[0].fields["score__c"]), (3, &json!(70)), "ready: always worth telling");
}

#[tokio::test]
async fn another_touch_level_or_stage_is_always_worth_telling() {
    let bench = Bench::new(&format!("{ACCOUNTS}{CRM}")).await;
    bench.group("acme", 1, json!({ "mrr": 500 })).await;
    assert_eq!(updates(&bench)[0].fields["touch__c"], "low");
    bench.group("acme", 2, json!({ "mrr": "4200.50" })).await;
    assert_eq!(updates(&bench)[0].fields["touch__c"], "high");
    bench.group("acme", 3, json!({ "mrr": 4300 })).await;
    assert_eq!(updates(&bench), []);
    assert!(bench.hand(&[fact("acme", Milestone::Customer, 0)]).await.is_empty());
    assert_eq!(updates(&bench)[0].fields["stage__c"], "onboarding");
}

#[tokio::test]
async fn when_the_process_dies_before_sending_the_redelivery_sends_the_same_update() {
    let bench = Bench::new(&format!("{ACCOUNTS}{CRM}")).await;
    bench.put("acme", &member("a", 50), 1).await;
    bench.messages.refuse_next(1);
    assert_eq!(bench.hand(&[crate::support::changed("acme")]).await, ["r0"]);
    assert_eq!(bench.version("acme").await, 1, "it was written before it was to be sent");
    bench.restarted().roll_up("acme").await;
    let first = updates(&bench);
    assert_eq!(first.len(), 1);
    // Another process has no record that it was sent: it uses the same id, which `deliver` recognizes.
    bench.restarted().roll_up("acme").await;
    assert_eq!(updates(&bench), first);
    assert_eq!(bench.version("acme").await, 1);
}

#[tokio::test]
async fn without_a_crm_nobody_is_told() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme", &member("a", 90), 1).await;
    bench.roll_up("acme").await;
    assert_eq!(updates(&bench), []);
}
