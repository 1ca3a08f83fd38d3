//! Section 4: the lifecycle with its history, and what it decides.

use super::life::{Life, account, start};
use crate::support::{config_with, default_config};
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
