//! Changes of what a person pays: plans that cost more or less, and scheduled cancellations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, default_config};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::time::plus_days;
use perennial_domain::{Event, Likelihood};
use perennial_engine::{Evaluation, Moment, stage_history};
use perennial_testkit::EventBuilder;
use serde_json::{Value, json};
use std::sync::LazyLock;

static CONFIG: LazyLock<Config> = LazyLock::new(default_config);

fn day(days: i64) -> Timestamp {
    plus_days(at("2026-03-02T10:00:00Z"), days)
}

fn event(days: i64, name: &str, properties: Value) -> Event {
    let id = format!("{days} {name} {properties}");
    EventBuilder::track(&id, "u", name).at(day(days)).properties(properties).build()
}

fn begun() -> Event {
    event(
        0,
        "Subscription Started",
        json!({ "subscription": "a", "status": "active", "price": 29, "renews_at": day(30).to_string() }),
    )
}

fn updated(days: i64, mut said: Value) -> Event {
    said["subscription"] = json!("a");
    said["renews_at"] = json!(day(30).to_string());
    event(days, "Subscription Updated", said)
}

/// Returns the evaluation of a person with these events, on that day, active then.
fn after(events: &[Event], days: i64) -> Evaluation {
    let mut person = Person::new("u");
    let mut all = events.to_vec();
    all.push(event(days, "Signed In", json!({})));
    person.feed(&CONFIG, &all, day(days));
    person.at(&CONFIG, day(days))
}

fn churn(events: &[Event], days: i64) -> Option<u8> {
    after(events, days).scores.get(Likelihood::Churn).map(|score| score.get())
}

#[test]
fn a_change_of_price_counts_as_an_upgrade_or_a_downgrade() {
    let named = |said: Value| CONFIG.counted_as(&updated(5, said)).to_owned();
    assert_eq!(named(json!({ "status": "active", "price": 49, "previous_price": 29 })), "Subscription Upgraded");
    assert_eq!(named(json!({ "price": 9, "previous_price": 29 })), "Subscription Downgraded");
    assert_eq!(named(json!({ "price": 29, "quantity": 1, "previous_quantity": 3 })), "Subscription Downgraded");
    for neither in [
        json!({ "price": 29 }),
        json!({ "price": 29, "previous_price": 29 }),
        json!({ "status": "trialing", "price": 49, "previous_price": 29 }),
        json!({ "status": "canceled", "price": 9, "previous_price": 29 }),
    ] {
        assert_eq!(named(neither.clone()), "Subscription Updated", "{neither}");
    }
    let other = event(5, "Cart Updated", json!({ "price": 49, "previous_price": 29 }));
    assert_eq!(CONFIG.counted_as(&other), "Cart Updated", "no event of a subscription");
}

#[test]
fn a_downgrade_and_a_cancellation_to_come_each_have_a_weight() {
    let calm = churn(&[begun()], 6).unwrap();
    let down = churn(&[begun(), updated(5, json!({ "price": 9, "previous_price": 29 }))], 6).unwrap();
    assert!((15..=25).contains(&(down - calm)), "{calm} {down}");
    let leaves = [begun(), updated(5, json!({ "status": "active", "cancel_at_period_end": true }))];
    assert!(churn(&leaves, 6).unwrap() >= calm + 55);
    assert_eq!(after(&leaves, 6).stage.as_str(), "onboarding", "until the period ends");
    assert_eq!(after(&leaves, 32).stage.as_str(), "churned", "and no longer");
    let chosen = [begun(), updated(5, json!({ "status": "active", "cancel_at": day(12).to_string() }))];
    assert!(churn(&chosen, 6).unwrap() >= calm + 55);
    assert_eq!(after(&chosen, 14).stage.as_str(), "churned", "a moment before the period's end");
    let stays = [&leaves[..], &[updated(7, json!({ "status": "active", "cancel_at_period_end": false }))]].concat();
    assert_eq!(churn(&stays, 8), churn(&[begun()], 8), "taken back");
}

#[test]
fn an_overdue_payment_weighs_until_it_is_paid() {
    let overdue = [begun(), updated(5, json!({ "status": "past_due" }))];
    let calm = churn(&[begun()], 6).unwrap();
    assert_eq!(churn(&overdue, 6), Some(calm + 20));
    let paid = [&overdue[..], &[updated(7, json!({ "status": "active" }))]].concat();
    assert_eq!(churn(&paid, 8), churn(&[begun()], 8));
}

/// The stage history ends with the current stage, even if a status or time alone caused it.
#[test]
fn history_of_stages_follows_statuses_and_time() {
    let told = |events: &[Event], days: i64| -> Vec<(i64, &str)> {
        let mut person = Person::new("u");
        person.feed(&CONFIG, events, day(days));
        let told = stage_history(&Moment::new(&CONFIG, day(days)), &person.profile.view());
        let since = |at: Timestamp| (at.as_second() - day(0).as_second()) / 86_400;
        told.iter().map(|told| (since(told.at), told.stage.as_str())).collect()
    };
    let active = |days| event(days, "Signed In", json!({}));
    let unpaid = [begun(), updated(5, json!({ "status": "unpaid" })), active(6)];
    assert_eq!(told(&unpaid, 6), [(0, "onboarding"), (5, "churned")]);
    let again = [&unpaid[..], &[updated(8, json!({ "status": "active" })), active(9)]].concat();
    assert_eq!(told(&again, 9).last(), Some(&(8, "won_back")));
    let leaves = [begun(), updated(5, json!({ "status": "active", "cancel_at_period_end": true })), active(29)];
    assert_eq!(told(&leaves, 29), [(0, "onboarding")]);
    let (over, stage) = *told(&leaves, 33).last().unwrap();
    assert!((30..=31).contains(&over) && stage == "churned", "{over} {stage}");
    let trial = [event(0, "Trial Started", json!({ "subscription": "s", "trial_end": day(14).to_string() }))];
    assert_eq!(told(&trial, 13), [(0, "trial")]);
    assert_eq!(told(&trial, 20), [(0, "trial"), (14, "lead")]);
    let bought =
        [&trial[..], &[event(14, "Subscription Started", json!({ "subscription": "t", "price": 29 })), active(15)]]
            .concat();
    assert_eq!(told(&bought, 15), [(0, "trial"), (14, "onboarding")], "no lead for a moment");
}

/// Reports without a subscription id apply to all of a person's subscriptions.
#[test]
fn an_overdue_payment_of_a_subscription_without_an_id_weighs_as_much() {
    let unnamed = |days, name, status: &str| event(days, name, json!({ "status": status }));
    let began = unnamed(0, "Subscription Started", "active");
    let calm = churn(std::slice::from_ref(&began), 6).unwrap();
    let overdue = [began.clone(), unnamed(5, "Subscription Updated", "past_due")];
    assert_eq!(churn(&overdue, 6), Some(calm + 20));
    let again = [&overdue[..], &[unnamed(6, "Subscription Updated", "Past Due")]].concat();
    assert_eq!(churn(&again, 7), Some(churn(std::slice::from_ref(&began), 7).unwrap() + 20));
    for (name, status) in [("Subscription Updated", "active"), ("Subscription Started", "active")] {
        let paid = [&overdue[..], &[unnamed(7, name, status)]].concat();
        assert_eq!(churn(&paid, 8), churn(std::slice::from_ref(&began), 8), "{name}");
        let late = [&paid[1..], &paid[..1]].concat();
        assert_eq!(churn(&late, 8), churn(&paid, 8), "in any order");
    }
}

/// Returns the stage history of a person with these events, as days and stages.
fn history(events: &[Event], days: i64) -> Vec<(i64, &'static str)> {
    let mut person = Person::new("u");
    person.feed(&CONFIG, events, day(days));
    let told = stage_history(&Moment::new(&CONFIG, day(days)), &person.profile.view());
    let since = |at: Timestamp| (at.as_second() - day(0).as_second()) / 86_400;
    told.iter().map(|told| (since(told.at), told.stage.as_str())).collect()
}

#[test]
fn who_begins_to_pay_in_silence_is_at_risk_from_then_on_and_was_not_before() {
    let trial = json!({ "subscription": "a", "status": "trialing", "price": 29, "trial_end": day(120).to_string() });
    let events = [
        event(0, "Trial Started", trial),
        event(120, "Subscription Updated", json!({ "subscription": "a", "status": "active", "price": 29 })),
    ];
    assert_eq!(history(&events, 165), [(0, "trial"), (120, "at_risk")]);
    // A gap between two subscriptions stays one, however long the silence has been.
    let events = [
        event(0, "Subscription Started", json!({ "price": 29 })),
        event(31, "Subscription Cancelled", json!({})),
        event(120, "Subscription Renewed", json!({ "price": 29 })),
    ];
    let told = history(&events, 165);
    assert!(told.contains(&(31, "churned")) && told.last() == Some(&(120, "at_risk")), "{told:?}");
}

#[test]
fn end_of_an_unpaid_trial_ends_nothing_that_is_paid_for_beside_it() {
    let events = [
        event(0, "Trial Started", json!({})),
        event(14, "Seat Assigned", json!({})),
        event(100, "Signed In", json!({})),
        event(108, "Seat Removed", json!({})),
    ];
    let told = history(&events, 130);
    assert!(!told.iter().any(|(since, stage)| *stage == "churned" && *since < 108), "{told:?}");
    assert_eq!(told.last(), Some(&(108, "churned")));
    let lost = history(&[event(0, "Trial Started", json!({}))], 60);
    assert_ne!(lost.last().map(|(_, stage)| *stage), Some("trial"), "without a seat, the trial is over: {lost:?}");
}
