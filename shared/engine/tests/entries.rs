//! Journeys that are triggered by an account's event: the requested people, and how often they enter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config_with};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::{AccountId, Cause, Entry, Event, MessageId, PersonId};
use perennial_engine::{Action, Mode, Moment, Processed, enter, entry_id, process};
use perennial_testkit::EventBuilder;
use std::collections::HashSet;

const PERSONAS: &str = "[[persona]]\nname = \"billing_contact\"\n[[persona]]\nname = \"administrator\"\n";

fn config(reentry: &str, more: &str) -> Config {
    let journeys = format!(
        r#"!
        [[journey]]
        id = "payment_failed"
        trigger = {{ event = "Payment Failed", to = ["billing_contact", "administrator"] }}
        reentry = {reentry}
        {more}
        step = [{{ channel = "mail", template = "t" }}, {{ event = "Payment Told" }}]
        "#
    );
    config_with(&[("journeys.toml", &journeys), ("personas.toml", PERSONAS)])
}

fn now() -> Timestamp {
    at("2026-03-02T10:00:00Z")
}

fn failed(id: &str, account: Option<&str>) -> Event {
    let mut event = EventBuilder::track(id, "u", "Payment Failed").at(now()).build();
    event.group_id = account.map(|account| AccountId::parse(account).unwrap());
    event
}

fn entry(message: &str) -> Entry {
    let message_id = MessageId::parse(message).unwrap();
    let cause = Cause::Event { name: "Payment Failed".to_owned(), message_id };
    Entry { journey: "payment_failed".to_owned(), cause, properties: perennial_domain::Properties::new(), at: now() }
}

/// Passes entries to a person like `score`.
fn hand(config: &Config, person: &mut Person, entries: &[Entry], now: Timestamp) -> Processed {
    let moment = Moment::new(config, now);
    let mut known: HashSet<(PersonId, u64)> = HashSet::new();
    for part in &person.profile.parts {
        let ids = entries.iter().map(entry_id).filter(|id| part.seen.may_have_left(*id, Some(self::now())));
        known.extend(ids.map(|id| (part.owner(), id)).filter(|key| person.ledger.contains(key)));
    }
    let mut processed = process(&moment, &mut person.profile, &[], &HashSet::new(), Mode::Live);
    enter(&moment, &mut person.profile, entries, &known, &mut processed);
    for block in &processed.rolled {
        person.ledger.extend(block.ids.iter().map(|id| (block.owner, *id)));
    }
    processed
}

fn times(person: &Person) -> u32 {
    person.profile.facts().entered.values().map(|entered| entered.times).sum()
}

fn asked(person: &Person) -> Vec<(&str, &[String], &Entry)> {
    let asks = person.profile.outbox.iter().filter_map(|action| match action {
        Action::ForAccount { account, to, entry } => Some((account.as_str(), to.as_slice(), entry)),
        _ => None,
    });
    asks.collect()
}

#[test]
fn an_event_of_an_account_asks_the_account_and_whom_it_names_does_not_enter() {
    let config = config("\"once\"", "");
    let to = ["billing_contact".to_owned(), "administrator".to_owned()];
    let mut named = Person::new("u");
    named.feed(&config, &[failed("m1", Some("acme"))], now());
    assert_eq!(asked(&named), [("acme", to.as_slice(), &entry("m1"))]);
    assert_eq!((named.sent(), times(&named)), (vec![], 0));

    // Without a groupId it is about the account of the person in it.
    let mut member = Person::new("u");
    member.feed(&config, &[EventBuilder::group("g", "u", "globex").at(now()).build()], now());
    member.feed(&config, &[failed("m1", None)], now());
    assert_eq!(asked(&member), [("globex", to.as_slice(), &entry("m1"))]);
    member.feed(&config, &[failed("m1", None)], now());
    assert_eq!(asked(&member).len(), 1, "a repetition asks nobody");
}

#[test]
fn without_any_account_whom_the_event_names_enters() {
    let mut alone = Person::new("u");
    alone.feed(&config("\"once\"", ""), &[failed("m1", None)], now());
    assert_eq!(asked(&alone), []);
    assert_eq!(alone.sent(), ["payment_failed"]);
}

#[test]
fn an_event_of_the_past_asks_nobody_and_lets_nobody_enter() {
    let config = config("\"always\"", "");
    let late = now() + SignedDuration::from_hours(49);
    let mut person = Person::new("u");
    person.feed(&config, &[failed("m1", Some("acme"))], late);
    assert_eq!(asked(&person), []);
    assert!(!hand(&config, &mut person, &[entry("m1")], late).changed);
    assert_eq!(person.sent(), [""; 0]);
}

#[test]
fn the_same_entry_lets_someone_enter_once_whatever_the_re_entry_rule() {
    for reentry in ["\"once\"", "\"always\"", "{ after_days = 1 }"] {
        let config = config(reentry, "");
        let mut person = Person::new("u");
        assert!(hand(&config, &mut person, &[entry("m1"), entry("m1")], now()).changed);
        assert_eq!(
            (person.sent().as_slice(), times(&person)),
            (["payment_failed".to_owned()].as_slice(), 1),
            "{reentry}"
        );
        assert!(!hand(&config, &mut person, &[entry("m1")], now()).changed, "{reentry}: again");
        // Enough events for the entry's id to move to the ledger.
        for n in 0..80 {
            let used = EventBuilder::track(&format!("x{n}"), "u", "Report Shared").at(now()).build();
            person.feed(&config, &[used], now());
        }
        assert!(!person.profile.parts[0].seen.contains(entry_id(&entry("m1"))));
        assert!(!hand(&config, &mut person, &[entry("m1")], now()).changed, "{reentry}: long after");
        assert_eq!((person.sent(), times(&person)), (vec![], 1), "{reentry}");
    }
}

#[test]
fn each_cause_lets_someone_enter_who_always_may_and_the_window_of_ids_does_not_grow() {
    let config = config("\"always\"", "");
    let mut person = Person::new("u");
    for n in 0..100 {
        hand(&config, &mut person, &[entry(&format!("m{n}"))], now());
        assert!(person.profile.parts[0].seen.recent().count() <= 33);
    }
    assert_eq!((person.sent().len(), times(&person)), (100, 100));
    for n in 0..100 {
        assert!(!hand(&config, &mut person, &[entry(&format!("m{n}"))], now()).changed);
    }
}

#[test]
fn a_journeys_condition_and_stages_hold_for_everyone_whom_the_account_names() {
    let config = config("\"always\"", "when = 'count(\"Login\") >= 1'\nstages = [\"trial\"]");
    let mut person = Person::new("u");
    let done = |name: &str| EventBuilder::track(name, "u", name).at(now()).build();
    for (event, entered) in [("Report Shared", 0), ("Login", 0), ("Trial Started", 1)] {
        // Without the deferred trigger, which the next event would retry.
        person.profile.outbox.clear();
        person.feed(&config, &[done(event)], now());
        hand(&config, &mut person, &[entry("m1")], now());
        assert_eq!(times(&person), entered, "{event}");
    }
    assert_eq!(person.sent(), ["payment_failed"]);
}

#[test]
fn what_the_account_handed_over_too_early_enters_once_when_the_facts_before_it_arrive() {
    let config = config("\"always\"", "when = 'count(\"Login\") >= 1'\nstages = [\"trial\"]");
    let mut person = Person::new("u");
    let done = |name: &str| EventBuilder::track(name, "u", name).at(now()).build();
    hand(&config, &mut person, &[entry("m1")], now());
    person.feed(&config, &[done("Login")], now());
    assert_eq!(times(&person), 0);
    person.feed(&config, &[done("Trial Started")], now());
    assert_eq!(times(&person), 1);
    assert_eq!(person.sent(), ["payment_failed"]);
    hand(&config, &mut person, &[entry("m1")], now());
    assert_eq!(times(&person), 1, "handed over again");
}
