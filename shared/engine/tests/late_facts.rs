//! Facts that were made before an event and arrive after it: the journey decides as if they had been there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::at;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::Event;
use perennial_engine::{Action, Mode, Moment, Profile, process, tick};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use std::collections::HashSet;

const NOON: &str = "2026-03-02T12:00:00Z";

fn config(journey: &str) -> Config {
    let files = [
        (
            "journeys.toml",
            format!(
                "![[journey]]\nid = \"told\"\n{journey}\n[[journey.step]]\nchannel = \"in_app\"\ntemplate = \"t\"\n"
            ),
        ),
        ("lifecycle.toml", "trial = [\"Trial Started\"]\ncustomer = [\"Paid\"]\n".to_owned()),
        ("templates/t.toml", "subject = \"s\"\ntext = \"{{ event.properties.sum }}\"\n".to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    ConfigBuilder::least().with(&files).load()
}

/// `second` seconds before noon.
fn made(seconds: i64) -> Timestamp {
    at(NOON).checked_sub(jiff::SignedDuration::from_secs(seconds)).unwrap()
}

fn track(id: &str, name: &str, seconds: i64) -> Event {
    EventBuilder::track(id, "u", name).at(made(seconds)).build()
}

fn says(id: &str, name: &str, value: &str, seconds: i64) -> Event {
    EventBuilder::identify(id, "u", None).with_trait(name, value).at(made(seconds)).build()
}

/// Counts batches, one after another at noon, and returns the number of decided messages.
fn told(config: &Config, profile: &mut Profile, batches: &[&[Event]]) -> usize {
    let mut told = 0;
    for batch in batches {
        process(&Moment::new(config, at(NOON)), profile, batch, &HashSet::new(), Mode::Live);
        told += sent(profile);
    }
    told
}

fn sent(profile: &mut Profile) -> usize {
    let sent = profile.outbox.iter().filter(|action| matches!(action, Action::Send(_))).count();
    profile.outbox.retain(Action::is_held);
    sent
}

fn someone() -> Profile {
    Profile::new(track("x", "X", 0).identity().unwrap())
}

/// Returns every order of `events`.
fn orders(events: &[Event]) -> Vec<Vec<Event>> {
    let [first, rest @ ..] = events else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for order in orders(rest) {
        for place in 0..=order.len() {
            let mut order = order.clone();
            order.insert(place, first.clone());
            all.push(order);
        }
    }
    all
}

#[test]
fn in_every_order_of_arrival_the_journey_starts_as_in_the_order_in_which_its_facts_were_made() {
    let stories: [(&str, Vec<Event>); 5] = [
        (
            "trigger = { event = \"Failed\" }\nstages = [\"onboarding\"]",
            vec![says("i", "plan", "pro", 50), track("p", "Paid", 40), track("f", "Failed", 30)],
        ),
        (
            "trigger = { event = \"Seen\", times = 3, within_days = 7 }\nwhen = 'has(traits.boss)'\nstages = [\"trial\"]",
            vec![
                says("i", "boss", "yes", 50),
                track("t", "Trial Started", 40),
                track("1", "Seen", 30),
                track("2", "Seen", 20),
                track("3", "Seen", 10),
            ],
        ),
        (
            "trigger = { event = \"Asked\" }\nexit = '!has(traits.plan)'",
            vec![says("i", "plan", "pro", 50), track("a", "Asked", 30)],
        ),
        (
            "trigger = { event = \"Asked\" }\nwhen = 'traits.plan == \"pro\"'\nreentry = \"always\"",
            vec![says("i", "plan", "free", 60), says("j", "plan", "pro", 50), track("a", "Asked", 30)],
        ),
        // Equal times: the order is unknown, and nothing contradicts it.
        (
            "trigger = { event = \"Failed\" }\nstages = [\"onboarding\"]",
            vec![track("p", "Paid", 30), track("f", "Failed", 30)],
        ),
    ];
    for (journey, events) in stories {
        let config = config(journey);
        for order in orders(&events) {
            let ids: Vec<&str> = order.iter().map(|event| event.message_id.as_str()).collect();
            let one_by_one: Vec<&[Event]> = order.chunks(1).collect();
            assert_eq!(told(&config, &mut someone(), &one_by_one), 1, "{journey} {ids:?}");
            let pairs: Vec<&[Event]> = order.chunks(2).collect();
            assert_eq!(told(&config, &mut someone(), &pairs), 1, "{journey} {ids:?} in pairs");
            // A redelivery changes nothing.
            let mut profile = someone();
            assert_eq!(told(&config, &mut profile, &[&order, &order]) + told(&config, &mut profile, &one_by_one), 1);
            assert!(profile.outbox.is_empty(), "{journey} {ids:?}: {:?}", profile.outbox);
        }
    }
}

#[test]
fn fact_that_was_made_after_the_event_starts_nothing() {
    let config = config("trigger = { event = \"Asked\" }\nwhen = 'traits.plan == \"pro\"'");
    for order in orders(&[track("a", "Asked", 30), says("i", "plan", "pro", 10)]) {
        // If it arrives first, it is known when the event is processed.
        let expected = usize::from(order[0].message_id.as_str() == "i");
        assert_eq!(told(&config, &mut someone(), &order.chunks(1).collect::<Vec<_>>()), expected);
    }
    let mut profile = someone();
    assert_eq!(told(&config, &mut profile, &[&[track("a", "Asked", 30)], &[says("i", "plan", "pro", 29)]]), 0);
    assert_eq!(told(&config, &mut profile, &[&[track("o", "Other", 29)]]), 0, "nor does any other event after it");
}

#[test]
fn once_started_a_journey_does_not_start_again_for_what_comes_late() {
    let config =
        config("trigger = { event = \"Asked\" }\nwhen = 'traits.plan == \"pro\"'\nreentry = { after_days = 7 }");
    let mut profile = someone();
    let events =
        [track("a", "Asked", 30), track("b", "Asked", 20), says("i", "plan", "pro", 40), says("j", "x", "y", 50)];
    assert_eq!(told(&config, &mut profile, &events.chunks(1).collect::<Vec<_>>()), 1);
}

#[test]
fn what_waits_for_earlier_facts_is_bounded_and_dropped_when_it_is_too_old() {
    let deferred =
        |profile: &Profile| profile.outbox.iter().filter(|action| matches!(action, Action::Defer { .. })).count();
    for (reentry, most) in [("\"once\"", 1), ("\"always\"", 8)] {
        let config =
            config(&format!("trigger = {{ event = \"Asked\" }}\nwhen = 'has(traits.plan)'\nreentry = {reentry}"));
        let mut profile = someone();
        for n in 0..30 {
            assert_eq!(told(&config, &mut profile, &[&[track(&n.to_string(), "Asked", 60 - n)]]), 0);
        }
        assert_eq!(deferred(&profile), most, "{reentry}");
        let later = made(-49 * 3600);
        let other = EventBuilder::track("o", "u", "Other").at(later).build();
        process(&Moment::new(&config, later), &mut profile, &[other], &HashSet::new(), Mode::Live);
        assert_eq!(deferred(&profile), 0, "nothing of two days ago starts anything");
    }
    let config = config("trigger = { event = \"Asked\" }\nwhen = 'has(traits.plan)'");
    let mut profile = someone();
    told(&config, &mut profile, &[&[track("a", "Asked", 0)]]);
    tick(&Moment::new(&config, made(-3600)), &mut profile);
    assert_eq!((sent(&mut profile), deferred(&profile)), (0, 1), "time alone starts nothing");
}
