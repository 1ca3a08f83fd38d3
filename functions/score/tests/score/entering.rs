//! Events of an account let people enter journeys: those that the accounts queue found.

use crate::support::{Bench, Database, at, config_with, user};
use perennial_contracts::queue::{AccountsPayload, EventsPayload, MessagesPayload};
use perennial_domain::{AccountId, Cause, DecisionId, Entry, Event, MessageId, PersonId};
use perennial_testkit::EventBuilder;
use std::collections::{BTreeMap, BTreeSet};

async fn bench() -> Bench {
    let journeys = r#"!
        [[journey]]
        id = "payment_failed"
        trigger = { event = "Payment Failed", to = ["billing_contact"] }
        reentry = "always"
        step = [{ channel = "mail", template = "t" }]
        "#;
    let personas = "[[persona]]\nname = \"billing_contact\"\n";
    let config = config_with(&[("journeys.toml", journeys), ("personas.toml", personas)]);
    Database::start().bench_with("perennial", config).await
}

fn entry(message: &str) -> Entry {
    let message_id = MessageId::parse(message).unwrap();
    let cause = Cause::Event { name: "Payment Failed".to_owned(), message_id };
    Entry { journey: "payment_failed".to_owned(), cause, properties: perennial_domain::Properties::new(), at: at(-5) }
}

fn enter(message: &str, people: &[PersonId]) -> String {
    serde_json::to_string(&EventsPayload::Enter { entry: entry(message), people: people.to_vec() }).unwrap()
}

fn seen(id: &str, person: &str) -> Event {
    EventBuilder::track(id, person, "Login").at(at(-60)).build()
}

/// Returns the recipients of messages, by message id.
fn told(bench: &Bench) -> BTreeMap<DecisionId, PersonId> {
    let bodies = bench.messages.drain().into_iter().map(|(body, _)| serde_json::from_str(&body).unwrap());
    let decisions = bodies.map(|payload| match payload {
        MessagesPayload::Decision(decision) => (decision.id, decision.person),
        other => panic!("{other:?}"),
    });
    decisions.collect()
}

fn people(told: &BTreeMap<DecisionId, PersonId>) -> BTreeSet<PersonId> {
    told.values().copied().collect()
}

#[tokio::test]
async fn an_event_of_an_account_is_handed_to_the_accounts_queue_with_whom_it_names() {
    let bench = bench().await;
    let mut failed = EventBuilder::track("m1", "cus_42", "Payment Failed").at(at(-5)).build();
    failed.group_id = Some(AccountId::parse("acme").unwrap());
    assert!(bench.feed(&[vec![failed.clone()], vec![failed]]).await.is_empty());
    let bodies = bench.accounts.drain().into_iter().map(|(body, _)| serde_json::from_str(&body).unwrap());
    let asked: Vec<AccountsPayload> =
        bodies.filter(|payload| matches!(payload, AccountsPayload::Event { .. })).collect();
    let (account, to) = (AccountId::parse("acme").unwrap(), vec!["billing_contact".to_owned()]);
    assert_eq!(asked, [AccountsPayload::Event { account, to, named: user("cus_42"), entry: entry("m1") }]);
    assert!(told(&bench).is_empty());
}

#[tokio::test]
async fn everyone_who_is_to_enter_does_once_however_often_that_is_said() {
    let bench = bench().await;
    assert!(bench.feed(&[vec![seen("a", "ada"), seen("b", "bob"), seen("c", "cleo")]]).await.is_empty());
    let both = [user("ada"), user("bob")];
    let body = enter("m1", &both);
    assert!(bench.hand(vec![body.clone(), body.clone()]).await.is_empty());
    let first = told(&bench);
    assert_eq!((first.len(), people(&first)), (2, both.into()));
    let parts = bench.stored(user("ada")).await.unwrap().profile.parts;
    assert!(bench.restarted().hand(vec![body]).await.is_empty());
    assert_eq!(told(&bench), first, "a process that remembers nothing sends what it finds again, by the same ids");
    let again = bench.stored(user("ada")).await.unwrap().profile;
    assert_eq!((again.parts, again.outbox.len()), (parts, 0), "and lets nobody enter, and writes down that it is done");
    assert!(bench.hand(vec![enter("m2", &[user("ada")])]).await.is_empty());
    let other = told(&bench);
    assert_eq!(people(&other), [user("ada")].into(), "another event");
    assert!(other.keys().all(|id| !first.contains_key(id)));
}

#[tokio::test]
async fn who_became_part_of_another_enters_as_that_other_and_once_for_both() {
    let bench = bench().await;
    let mail = |id: &str, user: &str| {
        EventBuilder::identify(id, user, None).with_trait("email", "ada@mail.example").at(at(-60)).build()
    };
    assert!(bench.feed(&[vec![mail("a", "u1"), mail("b", "u2")]]).await.is_empty());
    let whole = [user("u1"), user("u2")];
    let mut there = Vec::new();
    for person in whole {
        there.extend(bench.stored(person).await.map(|stored| stored.profile.id));
    }
    let [one] = there.as_slice() else { panic!("{there:?}") };
    assert!(bench.hand(vec![enter("m1", &whole)]).await.is_empty());
    let once = told(&bench);
    assert_eq!((once.len(), people(&once)), (1, [*one].into()));
    let other = whole.into_iter().find(|person| person != one).unwrap();
    assert!(bench.hand(vec![enter("m1", &[other])]).await.is_empty());
    assert!(told(&bench).is_empty());
}

#[tokio::test]
async fn an_event_in_the_same_batch_counts_and_someone_unknown_holds_nobody_up() {
    let bench = bench().await;
    assert!(bench.feed(&[vec![seen("a", "ada")]]).await.is_empty());
    let event = serde_json::to_string(&EventsPayload::Events { events: vec![seen("b", "ada")] }).unwrap();
    let body = enter("m1", &[user("nobody"), user("ada")]);
    assert!(bench.hand(vec![event, body]).await.is_empty());
    assert_eq!(people(&told(&bench)), [user("ada")].into());
    assert_eq!(bench.stored(user("ada")).await.unwrap().profile.counted(), 2);
    assert!(bench.stored(user("nobody")).await.is_none());
}
