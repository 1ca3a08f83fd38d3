//! People follow their account.

use crate::support::{ACCOUNTS, Bench, at, drain, id, member, person};
use jiff::Timestamp;
use perennial_contracts::queue::{AccountsPayload, EventsPayload, Joined, WOKEN_AT_ONCE};
use perennial_domain::PersonId;
use serde_json::json;
use std::collections::BTreeSet;

/// Returns who is evaluated again, the number of messages, and the version of the account.
fn woken(bench: &Bench) -> (BTreeSet<PersonId>, usize, u64) {
    let (mut all, mut messages, mut newest) = (BTreeSet::new(), 0, 0);
    for (payload, _) in drain(&bench.events) {
        let EventsPayload::Wake { account, version, people } = payload else { panic!("{payload:?}") };
        assert!(account == id("acme") && people.len() <= WOKEN_AT_ONCE);
        all.extend(people);
        messages += 1;
        newest = newest.max(version);
    }
    (all, messages, newest)
}

#[tokio::test]
async fn what_conditions_can_see_of_an_account_wakes_its_people_and_nothing_else_does() {
    let bench = Bench::new(ACCOUNTS).await;
    let people: Vec<String> = (0..450).map(|i| i.to_string()).collect();
    for name in &people {
        bench.put("acme", &member(name, 0), 1).await;
    }
    bench.group("acme", 1, json!({ "plan": "team" })).await;
    let everyone: BTreeSet<PersonId> = people.iter().map(|name| person(name)).collect();
    assert_eq!(woken(&bench), (everyone.clone(), 3, 1));
    bench.time.set(at(3600));
    bench.group("acme", 2, json!({ "plan": "team" })).await;
    assert_eq!(woken(&bench).1, 0, "a call that says nothing new");
    bench.group("acme", 2, json!({ "city": "Leeds" })).await;
    assert_eq!(woken(&bench).1, 0, "what no condition asks for");
    bench.group("acme", 3, json!({ "plan": "business" })).await;
    assert_eq!(woken(&bench), (everyone, 3, 4));
}

#[tokio::test]
async fn a_storm_of_changes_wakes_people_once_now_and_once_when_it_is_over() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme", &member("a", 1), 1).await;
    bench.group("acme", 0, json!({ "seats": 0 })).await;
    assert_eq!(woken(&bench).1, 1);
    for second in 1..30 {
        bench.time.set(at(second));
        bench.group("acme", second, json!({ "seats": second })).await;
    }
    assert_eq!(woken(&bench).1, 0);
    let again: Vec<(AccountsPayload, _)> = drain(&bench.accounts);
    assert_eq!(again.len(), 1, "one look later: {again:?}");
    let (payload, delay) = &again[0];
    assert_eq!((payload, delay.seconds()), (&AccountsPayload::anew(id("acme")), 300));
    bench.time.set(at(302));
    bench.roll_up("acme").await;
    assert_eq!(woken(&bench).1, 1);
    bench.roll_up("acme").await;
    assert_eq!(woken(&bench).1, 0);
}

/// A person with an event in between was evaluated with the plan of that moment.
#[tokio::test]
async fn change_that_is_taken_back_within_the_pause_wakes_people_when_the_pause_is_over() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme", &member("a", 1), 1).await;
    for (second, plan, messages) in [(0, "team", 1), (10, "business", 0), (20, "team", 0)] {
        bench.time.set(at(second));
        bench.group("acme", second, json!({ "plan": plan })).await;
        assert_eq!(woken(&bench).1, messages, "{plan}");
    }
    bench.time.set(at(301));
    bench.roll_up("acme").await;
    assert_eq!(woken(&bench).0, [person("a")].into());
    bench.time.set(at(700));
    bench.roll_up("acme").await;
    assert_eq!(woken(&bench).1, 0);
}

#[tokio::test]
async fn when_the_process_dies_before_waking_the_redelivery_wakes() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme", &member("a", 1), 1).await;
    bench.events.refuse_next(1);
    assert_eq!(bench.hand(&[crate::support::changed("acme")]).await, ["r0"]);
    let other = bench.restarted();
    other.roll_up("acme").await;
    assert_eq!(woken(&bench), ([person("a")].into(), 1, 1));
    other.roll_up("acme").await;
    assert_eq!(woken(&bench).1, 0);
    bench.time.set(at(7200));
    bench.restarted().roll_up("acme").await;
    assert_eq!(woken(&bench).1, 0, "what has waited for hours was done");
}

/// Returns the message about a person who is new in the account and was evaluated with the facts of this fingerprint.
fn joined(name: &str, saw: Option<u64>, at: Option<Timestamp>) -> String {
    let change = AccountsPayload::people(id("acme"), crate::support::at(0));
    let AccountsPayload::Changed { account, traits, milestones, renewals, subscriptions, .. } = change else {
        panic!("{change:?}")
    };
    let joined = vec![Joined { person: person(name), saw }];
    let change = AccountsPayload::Changed { account, traits, milestones, renewals, subscriptions, joined, at };
    serde_json::to_string(&change).unwrap()
}

#[tokio::test]
async fn who_joined_with_other_facts_than_the_others_were_told_is_evaluated_again_alone() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme", &member("a", 1), 1).await;
    bench.group("acme", 1, json!({ "plan": "team" })).await;
    assert_eq!(woken(&bench), ([person("a")].into(), 1, 1));
    let told = bench.account("acme").await.unwrap().told.unwrap().facts;

    // The others stay: nothing that they see has changed.
    bench.put("acme", &member("b", 1), 1).await;
    bench.put("acme", &member("c", 1), 1).await;
    assert_eq!(bench.hand(&[joined("b", Some(told ^ 1), None), joined("c", Some(told), None)]).await, [""; 0]);
    assert_eq!(woken(&bench).0, [person("b")].into());
    let version = bench.version("acme").await;

    // The account was read after the message was sent: it is not computed again.
    bench.time.set(at(60));
    bench.roll_up("acme").await;
    bench.put("acme", &member("d", 1), 1).await;
    assert_eq!(bench.hand(&[joined("d", None, Some(at(30)))]).await, [""; 0]);
    assert_eq!(woken(&bench), ([person("d")].into(), 1, version));

    // A message that is not accepted is sent again.
    bench.put("acme", &member("e", 1), 1).await;
    bench.events.refuse_next(1);
    assert_eq!(bench.hand(&[joined("e", None, None)]).await, ["r0"]);
    assert_eq!(bench.hand(&[joined("e", None, None)]).await, [""; 0]);
    assert_eq!(woken(&bench).0, [person("e")].into());
}
