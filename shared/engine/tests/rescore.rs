//! Rescoring has the same result as the new rules from the start, and triggers no messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config, config_with};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::{Event, Likelihood};
use perennial_engine::rescore::Rebuild;
use perennial_engine::trend::trend;
use perennial_engine::{Action, Moment, Profile, evaluate};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;

const NOW: &str = "2026-06-17T10:00:00Z";
const SEGMENTS: &str = r#"
    [[segment]]
    name = "buyers"
    when = 'scores.purchase >= 30'
    [[segment]]
    name = "busy"
    when = 'count("Complained", 14) >= 1'
"#;

fn before() -> Config {
    config_with(&[("segments.toml", "[[segment]]\nname = \"buyers\"\nwhen = 'scores.purchase >= 60'")])
}

/// Other points, another half-life, another condition, a new rule, a rule less, other tallies, milestones and history.
fn after() -> Config {
    let scoring = r#"!
        [base]
        churn = 20
        [[rule]]
        id = "bought"
        score = "purchase"
        event = "Order Completed"
        points = 12
        half_life_days = 7
        [[rule]]
        id = "big"
        score = "purchase"
        event = "Order Completed"
        where = 'properties.size != "big"'
        points = 5
        [[rule]]
        id = "read"
        score = "purchase"
        event = "$page"
        points = 2
        half_life_days = 30
        [[signal]]
        id = "complains"
        score = "churn"
        measure = 'count("Complained", 28)'
        from = 0
        to = 3
        points = 60
        [[tally]]
        name = "awareness"
        events = ["$page"]
    "#;
    let lifecycle = r#"!
        [milestones]
        lead = ["$page"]
        customer = ["Order Completed"]
        churned = ["Complained"]
        [customer]
        onboarding_days = 5
        adopting_days = 20
        at_risk_after_idle_days = 10
        [activity]
        passive = ["Complained"]
    "#;
    config_with(&[("scoring.toml", scoring), ("lifecycle.toml", lifecycle), ("segments.toml", SEGMENTS)])
}

/// Events of a user and a browser of theirs, over half a year, in the order of their times.
fn events() -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec((0..5_u8, 0..15_500_000_i64, any::<bool>()), 1..120).prop_map(|mut parts| {
        parts.sort_by_key(|(_, second, _)| *second);
        parts.into_iter().enumerate().map(|(i, part)| event(i, part)).collect()
    })
}

fn event(i: usize, (kind, second, big): (u8, i64, bool)) -> Event {
    let id = format!("m{i}");
    let builder = match kind {
        0 => EventBuilder::identify(&id, "u", None).with_trait("plan", i % 3),
        1 => EventBuilder::page(&id, "a"),
        2 => EventBuilder::group(&id, "u", if big { "g1" } else { "g2" }),
        3 => EventBuilder::track(&id, "u", "Complained"),
        _ => EventBuilder::track(&id, "u", "Order Completed").property("size", if big { "big" } else { "small" }),
    };
    builder.at(at("2025-12-20T00:00:00Z") + SignedDuration::from_secs(second)).build()
}

/// Counts the events at their own times, and evaluates once more at the end.
fn lived(config: &Config, events: &[Event]) -> Person {
    let mut person = Person::new("u");
    for event in events {
        person.feed(config, std::slice::from_ref(event), event.timestamp);
    }
    perennial_engine::tick(&Moment::new(config, at(NOW)), &mut person.profile);
    person
}

fn trends(config: &Config, profile: &Profile) -> Vec<Vec<(Timestamp, u8)>> {
    let (view, facts, moment) = (profile.view(), profile.facts(), Moment::new(config, at(NOW)));
    let of = |likelihood| trend(&moment, &view, &facts, likelihood);
    Likelihood::ALL
        .map(|likelihood| of(likelihood).into_iter().map(|point| (point.at, point.value.get())).collect())
        .into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_profile_is_as_if_the_rules_had_always_held(
        events in events(),
        repeats in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let (old, new) = (before(), after());
        let mut profile = lived(&old, &events).profile;
        let expected = lived(&new, &events).profile;
        let mut rebuild = Rebuild::new(&new, at(NOW)).against(&old);
        // An archive contains them in another order, and some twice.
        events.iter().rev().chain(repeats.iter().map(|index| index.get(&events))).for_each(|event| rebuild.count(event));
        prop_assert!(rebuild.is_whole(&profile));
        profile.outbox.clear();
        let rescored = rebuild.rescore(&mut profile, None);
        prop_assert_eq!(profile.derived_bytes().unwrap(), expected.derived_bytes().unwrap());
        let moment = Moment::new(&new, at(NOW));
        prop_assert_eq!(&rescored.evaluation, &evaluate(&moment, &expected.view()));
        prop_assert_eq!(&rescored.was, &lived(&old, &events).at(&old, at(NOW)));
        let (is, should) = (profile.facts(), expected.facts());
        prop_assert_eq!(&is.above, &should.above);
        prop_assert!(is.segments.keys().eq(should.segments.keys()));
        prop_assert_eq!(trends(&new, &profile), trends(&new, &expected));
        prop_assert!(!profile.outbox.iter().any(|action| matches!(action, Action::Send(_))), "nobody is written to");
        // A repetition changes nothing.
        prop_assert!(!rebuild.rescore(&mut profile, None).differs);
    }

    #[test]
    fn under_unchanged_rules_nobody_changes_however_long_ago_they_were_looked_at(events in events(), days in 0..400_i64) {
        let config = before();
        let mut person = Person::new("u");
        for event in &events {
            person.feed(&config, std::slice::from_ref(event), event.timestamp);
        }
        let last = events.iter().map(|event| event.timestamp).max().unwrap();
        let mut rebuild = Rebuild::new(&config, perennial_domain::time::plus_days(last, days));
        events.iter().for_each(|event| rebuild.count(event));
        let rescored = rebuild.rescore(&mut person.profile, None);
        prop_assert_eq!(&rescored.was, &rescored.evaluation);
        let none: [Vec<String>; 4] = Default::default();
        prop_assert_eq!([rescored.rose, rescored.fell, rescored.entered, rescored.left], none);
    }
}

#[test]
fn what_was_decided_and_counted_stays() {
    let config = config();
    let mut person = Person::new("u");
    let now = at(NOW);
    let events: Vec<Event> =
        (0..40).map(|i| EventBuilder::track(&format!("m{i}"), "u", "Trial Started").at(now).build()).collect();
    person.feed(&config, &events, now);
    assert!(!person.sent().is_empty());
    let was = person.profile.clone();
    let new = after();
    let mut rebuild = Rebuild::new(&new, now);
    events.iter().for_each(|event| rebuild.count(event));
    rebuild.rescore(&mut person.profile, None);
    assert_eq!(person.profile.parts[0].seen, was.parts[0].seen);
    assert_eq!(person.profile.facts().entered, was.facts().entered);
    let again = person.feed(&new, &events, now);
    assert_eq!((again.counted, again.duplicates), (0, 40));
}

#[test]
fn a_threshold_that_is_passed_by_the_change_is_noted_and_sets_nothing_off() {
    let old = config_with(&[("scoring.toml", "!")]);
    let events = [EventBuilder::track("m", "u", "Order Completed").at(at("2026-05-28T10:00:00Z")).build()];
    let mut profile = lived(&old, &events).profile;
    profile.outbox.clear();
    let new = config();
    let mut rebuild = Rebuild::new(&new, at(NOW)).against(&old);
    rebuild.count(&events[0]);
    let rescored = rebuild.rescore(&mut profile, None);
    // The lists follow the new scores.
    assert!(matches!(profile.outbox.as_slice(), [Action::List(_)]), "{:?}", profile.outbox);
    assert_eq!(rescored.rose, ["rescue"]);
    profile.outbox.clear();
    perennial_engine::tick(&Moment::new(&new, at(NOW)), &mut profile);
    assert_eq!(profile.outbox, [], "nor at the next look");
}

#[test]
fn an_archive_with_more_or_fewer_events_than_were_counted_is_not_whole() {
    let config = config();
    let events: Vec<Event> =
        (0..3).map(|i| EventBuilder::track(&format!("m{i}"), "u", "Complained").at(at(NOW)).build()).collect();
    let mut person = Person::new("u");
    person.feed(&config, &events[..2], at(NOW));
    let mut rebuild = Rebuild::new(&config, at(NOW));
    rebuild.count(&events[0]);
    assert!(!rebuild.is_whole(&person.profile));
    rebuild.count(&events[1]);
    assert!(rebuild.is_whole(&person.profile));
    rebuild.count(&events[2]);
    assert!(!rebuild.is_whole(&person.profile), "one is archived and not counted yet");
    let identity = person.profile.parts[0].identity.clone();
    let counted = events[..2].iter().map(|event| event.message_id.hash64()).collect();
    let mut exact = Rebuild::only(&config, at(NOW), [(identity, counted)].into());
    events.iter().for_each(|event| exact.count(event));
    assert!(exact.is_whole(&person.profile));
}

#[test]
fn what_is_counted_while_the_archive_is_read_needs_no_second_reading() {
    let config = config();
    let events: Vec<Event> =
        (0..4).map(|i| EventBuilder::track(&format!("m{i}"), "u", "Complained").at(at(NOW)).build()).collect();
    let mut person = Person::new("u");
    person.feed(&config, &events[..1], at(NOW));
    let identity = person.profile.parts[0].identity.clone();
    let counted = |events: &[Event]| {
        std::collections::HashMap::from([(
            identity.clone(),
            events.iter().map(|event| event.message_id.hash64()).collect(),
        )])
    };
    let mut rebuild = Rebuild::only(&config, at(NOW), counted(&events[..1]));
    events[..3].iter().for_each(|event| rebuild.count(event));
    assert!(rebuild.is_whole(&person.profile));
    person.feed(&config, &events[1..2], at(NOW));
    assert!(rebuild.widen(counted(&events[..2])));
    assert!(rebuild.is_whole(&person.profile), "it was passed over before");
    person.feed(&config, &events[2..], at(NOW));
    assert!(rebuild.widen(counted(&events)));
    assert!(!rebuild.is_whole(&person.profile), "one is not read yet");
    rebuild.count(&events[3]);
    assert!(rebuild.is_whole(&person.profile));
    let mut whole = Rebuild::new(&config, at(NOW));
    events.iter().for_each(|event| whole.count(event));
    let mut same = person.profile.clone();
    rebuild.rescore(&mut person.profile, None);
    whole.rescore(&mut same, None);
    assert_eq!(person.profile, same);
    let stranger = perennial_domain::Identity::User(perennial_domain::UserId::parse("v").unwrap());
    assert!(!rebuild.widen([(stranger, Default::default())].into()), "events of others were not kept");
}
