//! Journeys whose trigger held before it could be acted on: for imported people, and for a new journey.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config_with};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_config::journeys::Journey;
use perennial_domain::Event;
use perennial_domain::time::plus_days;
use perennial_engine::{Moment, meet, tick};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};

const RISK: &str = "[[journey]]\nid = \"risk\"\ntrigger = { becomes = 'idle_days >= 30 || traits.plan == \"old\"' }\n";
const STEP: &str = "[[journey.step]]\nchannel = \"in_app\"\ntemplate = \"t\"\n";

fn config(journeys: &[&str]) -> Config {
    config_with(&[("journeys.toml", &format!("!{}", journeys.concat()))])
}

fn now() -> Timestamp {
    at("2026-03-02T10:00:00Z")
}

/// Returns an import of a person who was active last 60 days ago.
fn history(user: &str, plan: &str) -> Vec<Event> {
    let then = plus_days(now(), -60);
    let who = EventBuilder::identify(&format!("i-{user}"), user, None).with_trait("plan", plan).at(then).build();
    vec![who, EventBuilder::track(&format!("t-{user}"), user, "Order Completed").at(then).build()]
}

/// Evaluates the person whenever they are due, for so many days; returns the days after which something was sent.
fn play(config: &Config, person: &mut Person, days: i64) -> Vec<i64> {
    let mut sent = Vec::new();
    let mut moment = now();
    while let Some(due) = person.profile.due_at.filter(|due| *due <= plus_days(now(), days)) {
        moment = due.max(moment + SignedDuration::from_secs(1));
        tick(&Moment::new(config, moment), &mut person.profile);
        sent.extend(person.sent().iter().map(|_| (moment.as_second() - now().as_second()) / 86_400));
        person.profile.outbox.clear();
    }
    sent
}

fn imported(config: &Config, user: &str, plan: &str) -> Person {
    let mut person = Person::new(user);
    person.feed(config, &history(user, plan), now());
    assert_eq!(person.sent().len(), 0, "nothing in the batch that makes them known");
    person.profile.outbox.clear();
    person
}

#[test]
fn imported_profiles_start_once_and_spread_over_two_weeks() {
    let config = config(&[RISK, STEP]);
    let mut days = BTreeSet::new();
    for n in 0..100 {
        let sent = play(&config, &mut imported(&config, &format!("u{n}"), "new"), 60);
        assert_eq!(sent.len(), 1, "u{n}");
        days.extend(sent);
    }
    assert!(days.len() >= 12 && days.iter().all(|day| (0..=14).contains(day)), "{days:?}");
}

#[test]
fn every_trigger_by_a_state_starts_for_those_who_are_imported_and_none_where_config_skips_them() {
    let triggers = [
        "{ idle_days = 30 }",
        "{ score = \"churn\", above = 50 }",
        "{ becomes = 'idle_days >= 30' }",
        "{ segment = \"quiet\", change = \"entered\" }",
    ];
    let segments = "[[segment]]\nname = \"quiet\"\nwhen = 'idle_days >= 30'\n";
    for trigger in triggers {
        for (rule, expected) in [("", 1), ("on_start = \"spread\"\n", 1), ("on_start = \"skip\"\n", 0)] {
            let journeys = format!("![[journey]]\nid = \"j\"\ntrigger = {trigger}\n{rule}{STEP}");
            let config = config_with(&[("journeys.toml", &journeys), ("segments.toml", segments)]);
            let sent = play(&config, &mut imported(&config, "u", "new"), 60);
            assert_eq!(sent.len(), expected, "{trigger} {rule}");
        }
    }
}

#[test]
fn for_whom_the_trigger_does_not_hold_any_more_on_the_day_nothing_starts() {
    let config = config(&[RISK, STEP]);
    let mut person = imported(&config, "u", "old");
    let back = EventBuilder::identify("back", "u", None).with_trait("plan", "new").at(now()).build();
    let seen = EventBuilder::track("seen", "u", "Signed In").at(now()).build();
    person.feed(&config, &[back, seen], now());
    assert_eq!(play(&config, &mut person, 29), Vec::<i64>::new());
    assert_eq!(play(&config, &mut person, 40), [30], "and once it holds again, as for anyone");
}

#[test]
fn who_is_imported_and_active_starts_on_another_day_too_and_what_happens_now_is_answered_at_once() {
    let welcome = "[[journey]]\nid = \"welcome\"\ntrigger = { event = \"Signed In\" }\n";
    let config = config(&[RISK, STEP, welcome, STEP]);
    let lately = plus_days(now(), -1);
    let of_today = |kind: &str| EventBuilder::track("seen", "u", kind).at(lately).build();
    // With a history, the state is older than our data.
    let mut person = Person::new("u");
    person.feed(&config, &[history("u", "old"), vec![of_today("Report Viewed")]].concat(), now());
    assert_eq!(person.sent().len(), 0);
    assert_eq!(play(&config, &mut person, 20).len(), 1);
    // A new action triggers like any event.
    let mut person = Person::new("u");
    person.feed(&config, &[history("u", "old"), vec![of_today("Signed In")]].concat(), now());
    assert_eq!(person.sent().len(), 1);
    // A new person has no history.
    let mut person = Person::new("u");
    let who = EventBuilder::identify("i", "u", None).with_trait("plan", "old").at(lately).build();
    person.feed(&config, &[who, of_today("Report Viewed")], now());
    assert_eq!(person.sent().len(), 1);
}

/// A product that goes live and brings its history in afterwards: the state is as old as if it had come first.
#[test]
fn history_that_follows_the_first_live_events_sends_nothing_at_once() {
    let config = config(&[RISK, STEP]);
    let live = |id: &str| EventBuilder::track(id, "u", "Report Viewed").at(now()).build();
    for batches in [
        vec![vec![live("1")], [history("u", "old"), vec![live("2")]].concat()],
        vec![vec![live("1")], history("u", "old"), vec![live("2")]],
    ] {
        let mut person = Person::new("u");
        for batch in &batches {
            person.feed(&config, batch, now());
        }
        assert_eq!(person.sent().len(), 0, "{batches:?}");
        person.profile.outbox.clear();
        assert_eq!(play(&config, &mut person, 20).len(), 1, "{batches:?}");
    }
    // New actions, and their effect on the state, are current.
    let mut person = Person::new("u");
    person.feed(&config, &[live("1")], now());
    person.feed(&config, &history("u", "new"), now());
    let changed = EventBuilder::identify("2", "u", None).with_trait("plan", "old").at(now()).build();
    person.feed(&config, &[changed], now());
    assert_eq!(person.sent().len(), 1);
}

/// Consequences of an import just after it, as when the account has counted its people, belong to the import; a day
/// later they do not.
#[test]
fn what_comes_to_hold_just_after_an_import_starts_on_another_day() {
    let quiet = "[[journey]]\nid = \"quiet\"\ntrigger = { becomes = 'idle_days >= 8' }\n";
    let config = config(&[quiet, STEP]);
    let seen = |hours: i64| {
        let at = now() - SignedDuration::from_hours(hours);
        EventBuilder::track("t", "u", "Order Completed").at(at).build()
    };
    for (hours, at_once) in [(8 * 24 - 1, false), (8 * 24 - 30, true)] {
        let mut person = Person::new("u");
        person.feed(&config, &[seen(hours)], now());
        let reached = now() + SignedDuration::from_hours(8 * 24 - hours);
        tick(&Moment::new(&config, reached), &mut person.profile);
        assert_eq!(person.sent().len(), usize::from(at_once), "{hours}");
        person.profile.outbox.clear();
        assert_eq!(play(&config, &mut person, 20).len(), usize::from(!at_once), "{hours}");
    }
}

#[test]
fn who_left_long_before_they_are_imported_starts_nothing() {
    let config = config(&[RISK, STEP]);
    let mut person = Person::new("u");
    let then = plus_days(now(), -91);
    person.feed(&config, &[EventBuilder::track("t", "u", "Order Completed").at(then).build()], now());
    assert_eq!(play(&config, &mut person, 60), Vec::<i64>::new());
}

#[test]
fn who_starts_by_themselves_before_their_day_does_not_start_twice() {
    let config = config(&[&RISK.replace("\ntrigger", "\nreentry = \"always\"\ntrigger"), STEP]);
    let mut person = imported(&config, "u", "old");
    let of = |id: &str, plan: &str| EventBuilder::identify(id, "u", None).with_trait("plan", plan).at(now()).build();
    person.feed(&config, &[of("1", "new"), EventBuilder::track("seen", "u", "Signed In").at(now()).build()], now());
    person.feed(&config, &[of("2", "old")], now());
    let at_once = person.sent().len();
    person.profile.outbox.clear();
    assert_eq!(at_once + play(&config, &mut person, 20).len(), 1);
}

#[test]
fn a_new_journey_reaches_quiet_profiles_without_an_event_and_a_second_look_changes_nothing() {
    let before = config(&["[[journey]]\nid = \"other\"\ntrigger = { event = \"X\" }\n", STEP]);
    let after = config(&[RISK, STEP]);
    let keys: HashSet<u32> = after.journeys.all.iter().map(|journey: &Journey| journey.key).collect();
    let mut person = imported(&before, "u", "new");
    person.profile.due_at = None;
    let moment = Moment::new(&after, now());
    assert!(meet(&moment, &mut person.profile, &keys).changed);
    assert!(person.sent().is_empty() && person.profile.due_at.is_some_and(|due| due > now()));
    let known = person.profile.clone();
    assert!(!meet(&moment, &mut person.profile, &keys).changed);
    assert_eq!(person.profile, known);
    assert_eq!(play(&after, &mut person, 20).len(), 1);
}

#[test]
fn a_due_time_only_becomes_earlier() {
    let before = config(&["[[journey]]\nid = \"late\"\ntrigger = { idle_days = 60 }\n", STEP]);
    let after = config(&[
        "[[journey]]\nid = \"soon\"\ntrigger = { idle_days = 7 }\n",
        STEP,
        "[[journey]]\nid = \"late\"\ntrigger = { idle_days = 60 }\n",
        STEP,
    ]);
    let mut person = Person::new("u");
    person.feed(&before, &[EventBuilder::track("t", "u", "Signed In").at(now()).build()], now());
    person.profile.due_at = Some(plus_days(now(), 60));
    let keys = after.journeys.all.iter().map(|journey| journey.key).collect();
    assert!(meet(&Moment::new(&after, plus_days(now(), 1)), &mut person.profile, &keys).changed);
    assert_eq!(person.profile.due_at, Some(plus_days(now(), 7)));
    person.profile.due_at = Some(plus_days(now(), 3));
    assert!(!meet(&Moment::new(&after, plus_days(now(), 1)), &mut person.profile, &keys).changed);
    assert_eq!(person.profile.due_at, Some(plus_days(now(), 3)), "what is known earlier stays");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn however_an_import_is_batched_everyone_starts_exactly_once(cut in 0..=3_usize, order in any::<bool>(), user in 0..50_u32) {
        let config = config(&[RISK, STEP]);
        let user = format!("u{user}");
        let mut events = history(&user, "old");
        events.push(EventBuilder::track("more", &user, "Complained").at(plus_days(now(), -50)).build());
        if order {
            events.reverse();
        }
        let mut person = Person::new(&user);
        for batch in [&events[..cut], &events[cut..], &events[..]] {
            person.feed(&config, batch, now());
        }
        prop_assert!(person.sent().is_empty());
        prop_assert_eq!(play(&config, &mut person, 60).len(), 1);
    }
}

/// Imported as history: it changes the profile, and triggers nothing, however young it is and however often it arrives.
#[test]
fn history_triggers_nothing_however_young_it_is() {
    let welcome = "[[journey]]\nid = \"welcome\"\ntrigger = { event = \"Signed In\" }\n";
    let often = "[[journey]]\nid = \"often\"\ntrigger = { event = \"Price Viewed\", times = 3, within_days = 7 }\n";
    let config = config(&[RISK, STEP, welcome, STEP, often, STEP]);
    let track = |id: &str, name: &str| EventBuilder::track(id, "u", name).at(plus_days(now(), -1)).build();
    let imported = |event: Event| Event { history: true, ..event };
    let who = EventBuilder::identify("i", "u", None).with_trait("plan", "old").at(now()).build();
    let rows = ["1", "2", "3"].map(|id| imported(track(id, "Price Viewed")));
    let rows = [rows.to_vec(), vec![imported(track("4", "Signed In")), imported(who)]].concat();
    let mut person = Person::new("u");
    for _ in 0..2 {
        person.feed(&config, &rows, now());
        assert_eq!(person.sent().len(), 0);
    }
    let soon = now() + SignedDuration::from_hours(1);
    tick(&Moment::new(&config, soon), &mut person.profile);
    assert_eq!(person.sent().len(), 0, "nor does it shortly afterwards");
    // Live events are answered, and count with those before them.
    person.feed(&config, &[track("5", "Price Viewed"), track("6", "Signed In")], soon);
    assert_eq!(person.sent().len(), 2);
}

#[test]
fn who_became_inactive_just_before_the_import_starts_on_another_day() {
    let config = config(&["[[journey]]\nid = \"idle\"\ntrigger = { idle_days = 14 }\n", STEP]);
    for history in [true, false] {
        let seen = now() - SignedDuration::from_hours(14 * 24 + 1);
        let event = Event { history, ..EventBuilder::track("t", "u", "Signed In").at(seen).build() };
        let mut person = Person::new("u");
        person.feed(&config, &[event], now());
        tick(&Moment::new(&config, now() + SignedDuration::from_mins(5)), &mut person.profile);
        assert_eq!(person.sent().len(), 0, "history: {history}");
        assert_eq!(play(&config, &mut person, 20).len(), 1, "history: {history}");
    }
}
