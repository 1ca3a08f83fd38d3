//! The reasons of a score and its components.

use super::life::{Life, start};
use crate::support::{at, config_with, default_config};
use perennial_domain::time::plus_days;
use perennial_domain::{Event, Likelihood, Score};
use perennial_engine::explain::{ReasonKind, What};
use perennial_testkit::EventBuilder;
use serde_json::json;

#[test]
fn a_score_says_which_rule_how_many_events_how_many_points_how_much_decayed_and_under_which_config() {
    let mut life = Life::new(config_with(&[]));
    life.does("Order Completed", json!({"size": "big"}), start());
    life.does("Order Completed", json!({"size": "big"}), start());
    life.does("Order Completed", json!({"size": "big"}), start());
    let now = plus_days(start(), 20);
    let why = life.person.why(&life.config, now, Likelihood::Purchase);
    let reason = |rule: &str| why.reasons.iter().find(|reason| reason.rule == rule).unwrap();
    let bought = reason("bought");
    assert_eq!((bought.events, bought.given, bought.points.round(), bought.decayed.round()), (3, 90.0, 45.0, 45.0));
    let big = reason("big");
    assert_eq!((big.given, big.points, big.capped), (45.0, 40.0, 5.0), "its own cap");
    assert_eq!((why.value.get(), &why.config), (85, &life.config.version));
}

#[test]
fn a_score_has_a_trend() {
    let mut life = Life::new(config_with(&[]));
    let monday = at("2026-03-02T00:00:00Z");
    life.does("Order Completed", json!({}), plus_days(monday, 1));
    life.does("Order Completed", json!({}), plus_days(monday, 8));
    let now = plus_days(monday, 23);
    let trend = life.person.why(&life.config, now, Likelihood::Purchase).trend;
    let told: Vec<_> = trend.iter().map(|point| (point.at, point.value.get())).collect();
    let second =
        life.person.at(&life.config, plus_days(monday, 14)).scores.get(Likelihood::Purchase).unwrap_or_default().get();
    let third =
        life.person.at(&life.config, plus_days(monday, 21)).scores.get(Likelihood::Purchase).unwrap_or_default().get();
    assert_eq!(told, [(plus_days(monday, 7), 24), (plus_days(monday, 14), second), (plus_days(monday, 21), third)]);
    assert!(second > 24 && third < second);
}

#[test]
fn a_history_that_is_read_in_has_a_trend_of_its_newest_weeks() {
    let mut life = Life::new(config_with(&[]));
    let events: Vec<Event> =
        (0..300).step_by(10).map(|day| life.event("Order Completed", json!({}), plus_days(start(), day))).collect();
    let now = plus_days(start(), 300);
    life.person.feed(&life.config, &events, now);
    let trend = life.person.why(&life.config, now, Likelihood::Purchase).trend;
    assert_eq!(trend.len(), 4, "{trend:?}");
    assert!(trend.iter().all(|point| (70..=100).contains(&point.value.get())), "{trend:?}");
}

#[test]
fn a_score_says_what_would_raise_and_lower_it() {
    let mut life = Life::new(default_config());
    life.does("Signed Up", json!({}), start());
    let why = life.person.why(&life.config, start(), Likelihood::Purchase);
    let first = &why.changes[0];
    assert_eq!(
        first.what,
        What::Event { event: "Demo Requested".into(), rule: "purchase_demo".into(), condition: None }
    );
    assert_eq!((first.by, first.value), (35, Score::from(35)));
    // The predicted event happens.
    life.does("Demo Requested", json!({}), start());
    assert_eq!(life.score(Likelihood::Purchase, start()), 35);
    let why = life.person.why(&life.config, start(), Likelihood::Purchase);
    let quiet = why.changes.iter().find(|change| change.what == What::Quiet { days: 28 }).unwrap();
    assert_eq!(quiet.value.get(), life.score(Likelihood::Purchase, plus_days(start(), 28)));
    assert!(quiet.by < 0);
}

#[test]
fn points_decay_are_negative_and_are_capped_by_category() {
    let mut life = Life::new(default_config());
    for day in 0..10 {
        life.does("White Paper Downloaded", json!({}), plus_days(start(), day));
        life.does("Webinar Attended", json!({}), plus_days(start(), day));
    }
    let now = plus_days(start(), 10);
    assert_eq!(life.score(Likelihood::Purchase, now), 40, "reading alone makes nobody ready");
    let why = life.person.why(&life.config, now, Likelihood::Purchase);
    let cut = why.reasons.iter().find(|reason| reason.kind == ReasonKind::Category).unwrap();
    assert_eq!((cut.rule.as_str(), cut.points), ("content", -8.0));
    let careers = EventBuilder::page("careers", "x").user("u").properties(json!({"path": "/careers"})).at(now).build();
    life.person.feed(&life.config, &[careers], now);
    assert_eq!(life.score(Likelihood::Purchase, now), 25, "who reads the job offers looks for work");
    assert!(life.score(Likelihood::Purchase, plus_days(now, 300)) < 20);
}

#[test]
fn tallies_count_what_was_taken_in_each_stage_of_the_journey() {
    let mut life = Life::new(default_config());
    for name in ["Content Viewed", "Content Viewed", "Campaign Clicked", "White Paper Downloaded", "Demo Requested"] {
        life.does(name, json!({}), start());
    }
    let view = life.person.profile.view();
    let tallies: Vec<_> = view.tallies.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(tallies, [("awareness", 3), ("consideration", 1), ("decision", 1)]);
}
