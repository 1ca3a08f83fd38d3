//! Updates of people in the CRM: across crashes, merges and unmerges.

use crate::support::{Bench, Database, at, config_with, tick_body, user};
use perennial_contracts::queue::{EventsPayload, MessagesPayload, Unmerge};
use perennial_domain::{CrmUpdate, Event, Identity, Subject, UserId};
use perennial_lambda_kit::queue::MemoryQueue;
use perennial_testkit::EventBuilder;
use serde_json::json;

async fn bench() -> Bench {
    let channels = "[webhook.crm]\nurl = \"https://crm.example/\"\nsecret_env = \"CRM\"\n";
    let accounts =
        "[crm]\nendpoint = \"crm\"\n[crm.people]\nfields = { stage = \"p_stage\", purchase = \"p_purchase\" }\n";
    let config = config_with(&[("channels.toml", channels), ("accounts.toml", accounts)]);
    Database::start().bench_with("perennial", config).await
}

fn mail(user: &str, address: &str, second: i64) -> Event {
    EventBuilder::identify(&format!("m-{user}-{second}"), user, None)
        .with_trait("email", address)
        .at(at(second))
        .build()
}

fn trial(user: &str) -> Event {
    EventBuilder::track(&format!("t-{user}"), user, "Trial Started").at(at(-60)).build()
}

/// Takes the updates off the queue.
fn updates(queue: &MemoryQueue) -> Vec<CrmUpdate> {
    let payloads = queue.drain().into_iter().map(|(body, _)| serde_json::from_str(&body).unwrap());
    payloads
        .filter_map(|payload| match payload {
            MessagesPayload::PersonUpdate(update) => Some(update),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn when_the_process_dies_before_sending_the_redelivery_sends_the_same_update() {
    let bench = bench().await;
    let events = [vec![mail("u1", "ada@acme.example", -60), trial("u1")]];
    bench.messages.refuse_next(1);
    assert_eq!(bench.feed(&events).await, ["r0"]);
    let written = bench.stored(user("u1")).await.unwrap().profile.written.unwrap();
    assert!(bench.restarted().feed(&events).await.is_empty());
    // An update may be sent again, under its own id, which `deliver` recognizes.
    let sent = updates(&bench.messages);
    let first = sent.first().unwrap().clone();
    assert!(sent.iter().all(|again| *again == first), "{sent:?}");
    assert_eq!((&first.subject, first.number), (&Subject::Person(user("u1")), written.number));
    assert_eq!(first.fields, written.fields);
    assert_eq!((&first.fields["p_stage"], first.endpoint.as_str()), (&json!("trial"), "crm"));
    bench.restarted().feed(&events).await;
    assert!(updates(&bench.messages).iter().all(|again| *again == first));
    let more = EventBuilder::track("w", "u1", "Worked").at(at(-30)).build();
    assert!(bench.restarted().feed(&[vec![more]]).await.is_empty());
    assert!(updates(&bench.messages).iter().all(|again| *again == first), "nothing has changed");
}

#[tokio::test]
async fn after_a_merge_the_survivor_is_written_again_and_after_an_unmerge_both() {
    let bench = bench().await;
    let apart = [vec![mail("u1", "ada@acme.example", -90), trial("u1")], vec![mail("u2", "ada@home.example", -90)]];
    assert!(bench.feed(&apart).await.is_empty());
    let mut subjects: Vec<Subject> = updates(&bench.messages).into_iter().map(|update| update.subject).collect();
    subjects.sort();
    let mut both = [Subject::Person(user("u1")), Subject::Person(user("u2"))];
    both.sort();
    assert_eq!(subjects, both);

    bench.time.set(at(60));
    assert!(bench.feed(&[vec![mail("u2", "ada@acme.example", 50)]]).await.is_empty());
    let survivor = bench.store.follow(user("u2"), perennial_store::Consistency::Strong).await.unwrap().unwrap().profile;
    assert_eq!(survivor.parts.len(), 2);
    let told = updates(&bench.messages);
    let last = told.last().unwrap();
    assert_eq!((&last.subject, &last.fields["p_stage"]), (&Subject::Person(survivor.id), &json!("trial")));
    assert_eq!(Some(last.number), survivor.written.map(|written| written.number), "it is the newest");

    bench.time.set(at(120));
    let identity = Identity::User(UserId::parse("u2").unwrap());
    let unmerge = Unmerge { identity, at: at(110), by: "ada".into(), why: "two people".into(), done_at: None };
    assert!(bench.hand(vec![serde_json::to_string(&EventsPayload::Unmerge(unmerge)).unwrap()]).await.is_empty());
    let told = updates(&bench.messages);
    let mut subjects: Vec<Subject> = told.iter().map(|update| update.subject.clone()).collect();
    subjects.sort();
    assert_eq!(subjects, both);
    assert!(told.iter().all(|update| update.number > last.number), "later than all before: {told:?}");
}

#[tokio::test]
async fn timer_writes_what_decays_in_silence() {
    let bench = bench().await;
    let buys = EventBuilder::track("b", "u1", "Order Completed").at(at(-60)).build();
    assert!(bench.feed(&[vec![mail("u1", "ada@acme.example", -60), buys]]).await.is_empty());
    let [first] = updates(&bench.messages).try_into().unwrap();
    assert_eq!(first.fields["p_purchase"], 30);
    // 30 points with a half-life of 20 days are 20.49 after 11 days.
    let mut due = at(0);
    let second = loop {
        assert!(due < at(12 * 86_400), "nothing is written");
        due = bench.stored(user("u1")).await.unwrap().profile.due_at.unwrap();
        bench.time.set(due);
        assert!(bench.hand(vec![tick_body(user("u1"), due)]).await.is_empty());
        if let Some(update) = updates(&bench.messages).pop() {
            break update;
        }
    };
    assert_eq!(((due.as_second() - at(0).as_second()) / 86_400, &second.fields["p_purchase"]), (11, &json!(20)));
}
