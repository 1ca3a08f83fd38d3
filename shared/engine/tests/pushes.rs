//! The minute in which some instances use a pushed configuration and others the one before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config_with};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::Event;
use perennial_testkit::EventBuilder;

fn pushed() -> Timestamp {
    at("2026-03-02T10:00:00Z")
}

/// Seconds after the push.
fn after(seconds: i64) -> Timestamp {
    pushed() + SignedDuration::from_secs(seconds)
}

/// A journey that starts each time its trigger starts to hold.
fn config(trigger: &str, segment: u32, active_since: Timestamp) -> Config {
    let journeys = format!(
        "![[journey]]\nid = \"offer\"\ntrigger = {trigger}\nreentry = \"always\"\nstep = [{{ channel = \"in_app\", template = \"t\" }}]\n"
    );
    let segments = format!("[[segment]]\nname = \"busy\"\nwhen = 'count(\"Login\") >= {segment}'\n");
    let files = [
        ("journeys.toml", journeys.as_str()),
        ("segments.toml", segments.as_str()),
        ("limits.toml", "gap_hours = 0\n"),
    ];
    Config { active_since: Some(active_since), ..config_with(&files) }
}

fn login(n: i64) -> Event {
    EventBuilder::track(&format!("m{n}"), "u", "Login").at(after(n)).build()
}

/// Returns the number of messages to a user who crosses a threshold of the new rules and none of the old ones, when
/// instances of both process the events in turn.
fn messages(lower: &Config, upper: &Config) -> usize {
    let mut person = Person::new("u");
    person.feed(upper, &[login(-3600)], after(-3600));
    let mut sent = person.sent().len();
    for (n, config) in (1..).zip([lower, upper, lower, upper, lower]) {
        person.feed(config, &[login(n)], after(n));
        sent += person.sent().len();
    }
    for n in [300, 5000, 90_000] {
        person.feed(lower, &[login(n)], after(n));
        sent += person.sent().len();
    }
    sent
}

#[test]
fn threshold_crossed_under_new_rules_and_not_under_old_ones_starts_a_journey_once() {
    let becomes = |times: u32| format!("{{ becomes = 'count(\"Login\") >= {times}' }}");
    let segment = "{ segment = \"busy\", change = \"entered\" }";
    let long_ago = after(-90_000);
    for (new, old) in [
        (config(&becomes(2), 99, pushed()), config(&becomes(50), 99, long_ago)),
        (config(segment, 2, pushed()), config(segment, 50, long_ago)),
    ] {
        assert_eq!(messages(&new, &old), 1);
        // Without a push, the journey starts again each time the threshold is reached again.
        let falling = Config { active_since: None, ..old };
        assert_eq!(messages(&new, &falling), 3);
    }
}

/// The old rules are the lower ones, and see the threshold crossed after the new ones have taken that back.
#[test]
fn threshold_crossed_under_old_rules_before_new_ones_apply_starts_no_journey_again() {
    let becomes = |times: u32| format!("{{ becomes = 'count(\"Login\") >= {times}' }}");
    let old = config(&becomes(2), 99, after(-90_000));
    let new = config(&becomes(50), 99, pushed());
    let mut person = Person::new("u");
    let mut sent = 0;
    for (n, config) in [(1, &old), (2, &old), (3, &new), (4, &old), (5, &new), (6, &old), (7, &new)] {
        person.feed(config, &[login(n)], after(n));
        sent += person.sent().len();
    }
    assert_eq!(sent, 1);
}

#[test]
fn profile_that_an_old_instance_left_alone_is_looked_at_soon_and_forgets_the_push() {
    let becomes = "{ becomes = 'count(\"Login\") >= 2' }";
    let new = config(becomes, 99, pushed());
    let old = config(becomes, 99, after(-90_000));
    let mut person = Person::new("u");
    person.feed(&new, &[login(1)], after(1));
    person.feed(&new, &[login(2)], after(2));
    assert_eq!(person.sent().len(), 1);
    person.feed(&old, &[login(3)], after(3));
    assert!(person.profile.due_at.is_some_and(|due| due <= after(180)), "{:?}", person.profile.due_at);
    person.feed(&new, &[login(5000)], after(5000));
    assert!(person.profile.parts.iter().all(|part| part.facts.noted_under.is_none()));
}
