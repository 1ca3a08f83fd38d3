//! Explanations in words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config_with};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::{AccountFacts, AccountId, Likelihood, Score, Touch};
use perennial_engine::explain::words::{ToldScore, about, glance, tell};
use perennial_engine::{Moment, evaluate, explain};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;

/// A Sunday.
const NOW: &str = "2026-11-22T10:00:00Z";

const SCORING: &str = r#"!
    [base]
    churn = 10
    [nps]
    event = "Survey Answered"
    property = "nps"
    [sentiment]
    properties = ["text"]
    [[category]]
    name = "content"
    score = "purchase"
    cap = 12
    [[tally]]
    name = "awareness"
    events = ["$page"]
    [[tally]]
    name = "decision"
    events = ["Demo Requested"]
    [[rule]]
    id = "read"
    score = "purchase"
    event = "$page"
    points = 4
    half_life_days = 30
    category = "content"
    reason = "read our content"
    [[rule]]
    id = "demo"
    score = "purchase"
    event = "Demo Requested"
    points = 35
    half_life_days = 30
    cap = 40
    reason = "asked for a demonstration"
    [[signal]]
    id = "idle"
    score = "churn"
    measure = 'idle_days'
    from = 5
    to = 25
    points = 60
    reason = "has gone quiet"
    [[rule]]
    id = "payment"
    score = "churn"
    event = "Payment Failed"
    points = 25
    half_life_days = 14
    reason = "a payment failed"
    [[signal]]
    id = "active"
    score = "churn"
    measure = 'active_days(28)'
    from = 0
    to = 16
    points = -25
    reason = "is active on many days"
    [[signal]]
    id = "role"
    score = "influence_inside"
    measure = 'persona("administrator") ? 1 : 0'
    from = 0
    to = 1
    points = 20
    reason = "decides for others in the company"
"#;

const PERSONAS: &str = r#"
    [[persona]]
    name = "administrator"
    when = 'count("Demo Requested") >= 1'
    [[persona]]
    name = "power_user"
    when = 'active_days(28) >= 3'
"#;

const SEGMENTS: &str = r#"
    [[segment]]
    name = "key_accounts"
    when = 'pays'
    [[segment]]
    name = "long_tail"
    when = 'pays'
"#;

fn config() -> Config {
    config_with(&[("scoring.toml", SCORING), ("personas.toml", PERSONAS), ("segments.toml", SEGMENTS)])
}

/// Returns a person who bought, came often, and has been inactive for 17 days.
fn ada(config: &Config) -> Person {
    let mut person = Person::new("ada");
    let mut number = 0;
    let mut feed = |name: &str, day: i64| {
        number += 1;
        let when = at("2026-11-22T08:00:00Z") - SignedDuration::from_hours(24 * day);
        let event = EventBuilder::track(&format!("m{number}"), "ada", name)
            .property("nps", 9)
            .property("text", "I love it")
            .at(when)
            .build();
        person.feed(config, &[event], when);
    };
    feed("Order Completed", 60);
    for day in [40, 30, 22, 20, 18, 17] {
        feed("Demo Requested", day);
    }
    feed("Survey Answered", 17);
    feed("Payment Failed", 3);
    person
}

fn shown(told: &ToldScore) -> String {
    let rows: Vec<String> =
        told.rows.iter().map(|row| format!("{:>6}  {:28} {}", row.points, row.why, row.how)).collect();
    format!("{}\n\n{}\n{:>6}\n\n{}\n", told.title, rows.join("\n"), told.total, told.changes.join("\n"))
}

fn lifecycle() -> &'static str {
    r#"!
    [milestones]
    customer = ["Order Completed"]
    [customer]
    onboarding_days = 30
    adopting_days = 50
    at_risk_after_idle_days = 60
    [activity]
    passive = ["Payment Failed"]
    "#
}

#[test]
fn a_score_reads_as_a_colleague_would_tell_it() {
    let config =
        config_with(&[("scoring.toml", SCORING), ("lifecycle.toml", lifecycle()), ("personas.toml", PERSONAS)]);
    let person = ada(&config);
    let (view, facts, moment) = (person.profile.view(), person.profile.facts(), Moment::new(&config, at(NOW)));
    let told = |likelihood| shown(&tell(&explain(&moment, &view, &facts, likelihood).unwrap(), at(NOW)));
    insta::assert_snapshot!("churn", told(Likelihood::Churn));
    insta::assert_snapshot!("purchase", told(Likelihood::Purchase));
    let glances: Vec<String> = Likelihood::ALL
        .map(|likelihood| {
            let told = glance(&explain(&moment, &view, &facts, likelihood).unwrap(), at(NOW));
            format!("{:30} {:>3}  {:6} {:>4}  {}", told.name, told.value, told.trend, told.moved, told.reason)
        })
        .into();
    insta::assert_snapshot!("glances", glances.join("\n"));
}

#[test]
fn who_someone_is_is_said_in_a_line_and_what_else_is_known_below() {
    let config = config_with(&[
        ("scoring.toml", SCORING),
        ("lifecycle.toml", lifecycle()),
        ("personas.toml", PERSONAS),
        ("segments.toml", SEGMENTS),
    ]);
    let person = ada(&config);
    let account = AccountFacts {
        id: AccountId::parse("acme").unwrap(),
        people: 12,
        score: Score::from(40),
        health: None,
        value: None,
        touch: Touch::High,
        owner: Some("Grace".to_owned()),
        stage: None,
        left: None,
        ended: Default::default(),
        renewals: 0,
        cancels: false,
        past_due: false,
        renews_at: None,
        leading_buyer: None,
        traits: Default::default(),
    };
    let view = person.profile.view();
    let evaluation = evaluate(&Moment::new(&config, at(NOW)).with_account(Some(&account)), &view);
    let lines = about(&config, "ada", &view, &evaluation, Some((&account.id, Some(&account))), at(NOW));
    insta::assert_snapshot!("about", lines.join("\n"));
    let nobody = perennial_engine::State::default();
    let evaluation = evaluate(&Moment::new(&config, at(NOW)), &nobody);
    let lines = about(&config, "p_1", &nobody, &evaluation, None, at(NOW));
    assert_eq!(
        lines,
        ["p_1 is a visitor.", "Engagement 0: active on 0 of the last 28 days, 0 actions of late, never active."]
    );
}

/// Measures of every kind, as described for a signal that uses them.
#[test]
fn measures_are_told_in_words_where_there_are_words() {
    let measures = [
        ("idle_days", 5.0, 25.0),
        ("idle_days", 5.0, 10.0),
        ("active_days(28)", 0.0, 16.0),
        ("activity_change(28)", 0.0, -1.0),
        ("tenure_days", 0.0, 365.0),
        ("customer_days", 0.0, 10.0),
        ("sentiment", 0.0, 1.0),
        ("count(\"Demo Requested\")", 0.0, 10.0),
        ("count(\"Demo Requested\", 28)", 0.0, 2.0),
        ("idle_days * 2", 0.0, 100.0),
        ("persona(\"administrator\") ? 1 : 0", 0.0, 1.0),
    ];
    let signal = |(i, (measure, from, to)): (usize, &(&str, f64, f64))| {
        format!(
            "[[signal]]\nid = \"s{i}\"\nscore = \"success\"\nmeasure = '{measure}'\nfrom = {from}\nto = {to}\npoints = 8\n"
        )
    };
    let signals: String = measures.iter().enumerate().map(signal).collect();
    let scoring = format!("{SCORING}{signals}");
    let config =
        config_with(&[("scoring.toml", &scoring), ("lifecycle.toml", lifecycle()), ("personas.toml", PERSONAS)]);
    let person = ada(&config);
    let (view, facts, moment) = (person.profile.view(), person.profile.facts(), Moment::new(&config, at(NOW)));
    let mut explanation = explain(&moment, &view, &facts, Likelihood::Success).unwrap();
    explanation.reasons.sort_by_key(|reason| reason.rule.trim_start_matches('s').parse::<usize>().unwrap_or(99));
    insta::assert_snapshot!("measures", shown(&tell(&explanation, at(NOW))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_points_that_are_shown_add_up_to_the_score_that_is_shown(
        days in proptest::collection::vec((0..4_usize, 0..120_i64), 1..40),
        later in 0..60_i64,
    ) {
        let config = config();
        let names = ["Demo Requested", "Payment Failed", "Order Completed", "$page"];
        let start = at("2026-06-01T00:00:00Z");
        let events: Vec<_> = days.iter().enumerate().map(|(i, (name, day))| {
            let id = format!("m{i}");
            let builder = EventBuilder::track(&id, "u", names[*name]);
            builder.at(start + SignedDuration::from_hours(24 * day)).build()
        }).collect();
        let now: Timestamp = start + SignedDuration::from_hours(24 * (120 + later));
        let mut person = Person::new("u");
        person.feed(&config, &events, now);
        let (view, facts, moment) = (person.profile.view(), person.profile.facts(), Moment::new(&config, now));
        for likelihood in Likelihood::ALL {
            let told = tell(&explain(&moment, &view, &facts, likelihood).unwrap(), now);
            let tenths: i64 = told.rows.iter().map(|row| row.points.replace('.', "").parse::<i64>().unwrap()).sum();
            prop_assert_eq!(tenths, told.total.parse::<i64>().unwrap() * 10, "{:?}", told);
        }
    }
}

#[test]
fn what_only_some_events_of_a_name_would_bring_is_told_by_what_they_are() {
    let scoring = r#"!
        [[rule]]
        id = "price"
        score = "purchase"
        event = "$page"
        where = 'properties.path == "/pricing"'
        points = 20
        half_life_days = 30
        reason = "looked at the prices"
    "#;
    let config = config_with(&[("scoring.toml", scoring)]);
    let mut person = Person::new("u");
    person.feed(&config, &[EventBuilder::track("m", "u", "Login").at(at(NOW)).build()], at(NOW));
    let told = tell(&person.why(&config, at(NOW), Likelihood::Purchase), at(NOW));
    assert_eq!(told.changes, [r#"another "page view" (looked at the prices) would add 20"#]);
}
