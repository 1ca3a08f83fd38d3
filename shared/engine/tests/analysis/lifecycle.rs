//! The lifecycle with its history, and its effect on decisions.

use super::life::{Life, account, start};
use crate::support::{config_with, default_config};
use jiff::SignedDuration;
use perennial_domain::Stage;
use perennial_domain::time::plus_days;
use perennial_engine::{Moment, evaluate, stage_history};
use serde_json::json;

#[test]
fn the_lifecycle_is_told_as_a_history() {
    let mut life = Life::new(default_config());
    life.says(json!({"email": "a@example.com"}), start());
    life.does("White Paper Downloaded", json!({}), plus_days(start(), 1));
    life.does("Trial Started", json!({}), plus_days(start(), 3));
    life.does("Free Plan Started", json!({}), plus_days(start(), 17));
    life.does("Subscription Started", json!({}), plus_days(start(), 20));
    for month in 1..5 {
        life.does("Subscription Renewed", json!({}), plus_days(start(), 20 + month * 30));
        life.does("Signed In", json!({}), plus_days(start(), 20 + month * 30));
    }
    life.does("Subscription Cancelled", json!({}), plus_days(start(), 150));
    life.does("Subscription Started", json!({}), plus_days(start(), 160));
    let now = plus_days(start(), 190);
    let history = stage_history(&Moment::new(&life.config, now), &life.person.profile.view());
    let told: Vec<_> =
        history.iter().map(|step| ((step.at.as_second() - start().as_second()) / 86_400, step.stage)).collect();
    let expected = [
        (1, Stage::Lead),
        (3, Stage::Trial),
        (17, Stage::Freemium),
        (20, Stage::Onboarding),
        (50, Stage::Adopting),
        (110, Stage::Established),
        (150, Stage::Churned),
        (160, Stage::WonBack),
        (181, Stage::AtRisk),
    ];
    assert_eq!(told, expected);
}

#[test]
fn from_the_moment_the_account_pays_no_colleague_is_a_prospect() {
    let mut life = Life::new(default_config());
    life.does("Trial Joined", json!({}), start());
    let stage = |account: Option<Stage>, now| {
        let account = self::account(2, account);
        evaluate(&Moment::new(&life.config, now).with_account(Some(&account)), &life.person.profile.view()).stage
    };
    assert_eq!(stage(None, start()), Stage::Trial);
    assert_eq!(stage(Some(Stage::Trial), start()), Stage::Trial);
    assert_eq!(stage(Some(Stage::Onboarding), start()), Stage::Onboarding);
    assert_eq!(stage(Some(Stage::Onboarding), plus_days(start(), 21)), Stage::AtRisk, "has not come back");
}

#[test]
fn when_the_account_leaves_its_people_have_left() {
    let mut life = Life::new(default_config());
    life.does("Seat Assigned", json!({}), start());
    let account = account(2, Some(Stage::Churned));
    let moment = Moment::new(&life.config, start()).with_account(Some(&account));
    assert_eq!(evaluate(&moment, &life.person.profile.view()).stage, Stage::Churned);
}

#[test]
fn the_stage_gates_every_message() {
    let journeys = "![[journey]]\nid = \"prospects\"\ntrigger = { event = \"Pricing Page Viewed\" }\nstages = [\"lead\", \"trial\"]\nreentry = \"always\"\nstep = [{ channel = \"mail\", template = \"t\" }]\n";
    let mut life = Life::new(config_with(&[("journeys.toml", journeys)]));
    life.does("Trial Started", json!({}), start());
    life.does("Pricing Page Viewed", json!({}), start());
    assert_eq!(life.person.sent(), ["prospects"]);
    life.does("Order Completed", json!({}), plus_days(start(), 1));
    life.does("Pricing Page Viewed", json!({}), plus_days(start(), 1));
    assert_eq!(life.person.sent(), Vec::<String>::new(), "who pays is no prospect");
}

#[test]
fn a_journey_takes_only_those_for_whom_its_condition_holds() {
    let journeys = "![[journey]]\nid = \"roi\"\ntrigger = { event = \"Pricing Page Viewed\", times = 3, within_days = 7 }\nwhen = 'persona(\"executive_sponsor\")'\nreentry = \"always\"\nstep = [{ channel = \"mail\", template = \"t\" }]\n";
    let personas = "[[persona]]\nname = \"executive_sponsor\"\nwhen = 'traits.title == \"CFO\"'\n";
    let sent = |title: &str| {
        let mut life = Life::new(config_with(&[("journeys.toml", journeys), ("personas.toml", personas)]));
        life.says(json!({"title": title}), start());
        for day in 0..3 {
            life.does("Pricing Page Viewed", json!({}), plus_days(start(), day));
        }
        life.person.sent()
    };
    assert_eq!(sent("CFO"), ["roi"]);
    assert_eq!(sent("Intern"), Vec::<String>::new());
}

/// Returns how often a lead with the title of a financial officer enters the journey, whose three price views within 40
/// hours arrive in this order, each by itself or all at once.
fn looks(order: &[usize], at_once: bool) -> u32 {
    let mut life = Life::new(default_config());
    life.does("Signed Up", json!({}), start());
    life.says(json!({"title": "CFO", "email": "ada@acme.example"}), start());
    let events: Vec<_> = [0, 20, 40]
        .map(|hours| life.event("Pricing Page Viewed", json!({}), start() + SignedDuration::from_hours(hours)))
        .into();
    let now = start() + SignedDuration::from_hours(41);
    let arriving: Vec<_> = order.iter().map(|nth| events[*nth].clone()).collect();
    for batch in arriving.chunks(if at_once { arriving.len() } else { 1 }) {
        life.person.feed(&life.config, batch, now);
    }
    life.entered("pricing_third_visit")
}

#[test]
fn the_third_event_of_a_week_triggers_once_whatever_the_order_of_arrival() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1], [0, 2, 1], [1, 0, 2]] {
        assert_eq!((looks(&order, false), looks(&order, true)), (1, 1), "{order:?}");
    }
    assert_eq!((looks(&[2, 1], false), looks(&[0, 2], true)), (0, 0), "two are not three");
}

/// Returns how often a journey with re-entry "always" was entered, by events on these days that arrive in this order at
/// `now`.
fn entered(days: &[i64], now: i64, at_once: bool) -> usize {
    let journeys = "![[journey]]\nid = \"often\"\ntrigger = { event = \"Looked\", times = 3, within_days = 7 }\nreentry = \"always\"\nstep = [{ channel = \"in_app\", template = \"t\" }]\n";
    let mut life = Life::new(config_with(&[("journeys.toml", journeys)]));
    let events: Vec<_> = days.iter().map(|day| life.event("Looked", json!({}), plus_days(start(), *day))).collect();
    for batch in events.chunks(if at_once { events.len() } else { 1 }) {
        life.person.feed(&life.config, batch, plus_days(start(), now));
    }
    life.person.sent().len()
}

#[test]
fn repeated_events_trigger_as_often_in_one_batch_as_one_by_one() {
    for days in [[0, 0, 0, 0], [0, 1, 1, 0], [1, 0, 1, 0]] {
        assert_eq!((entered(&days, 1, false), entered(&days, 1, true)), (2, 2), "{days:?}: the third, and the fourth");
    }
    assert_eq!(entered(&[0, 0, 7], 7, false), 0, "a week has seven days, the day itself among them");
    assert_eq!(entered(&[0, 0, 6], 6, false), 1);
}

#[test]
fn a_late_event_completes_a_number_only_where_a_recent_one_is_among_them() {
    // Events trigger nothing after 48 hours.
    assert_eq!(entered(&[6, 6, 1], 6, false), 1, "two of today, and one of five days ago that comes late");
    assert_eq!(entered(&[2, 2, 1], 9, false), 0, "all of them are past");
}
