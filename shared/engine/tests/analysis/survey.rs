//! Section 3: the survey, and what texts say.

use super::life::{Life, start};
use crate::support::{config_with, default_config};
use jiff::SignedDuration;
use perennial_domain::Likelihood;
use perennial_domain::time::plus_days;
use perennial_engine::NpsClass;
use serde_json::{Value, json};

#[test]
fn the_survey_makes_promoters_passives_and_detractors_on_either_scale() {
    let class = |answer: serde_json::Value, active: bool| {
        let mut life = Life::new(default_config());
        let days = if active { 10 } else { 0 };
        for day in 0..days {
            life.does("Feature Used", json!({"feature": "forecast"}), plus_days(start(), day));
        }
        life.does("Survey Answered", json!({"nps": answer}), plus_days(start(), 10));
        life.person.at(&life.config, plus_days(start(), 10)).nps
    };
    for (answer, expected) in [
        (json!(10), NpsClass::Promoter),
        (json!("9"), NpsClass::Promoter),
        (json!(8), NpsClass::Passive),
        (json!(7.0), NpsClass::Passive),
        (json!(6), NpsClass::Detractor),
        (json!(0), NpsClass::Detractor),
        (json!(11), NpsClass::None),
        (json!(7.5), NpsClass::None),
        (json!("very"), NpsClass::None),
        (json!(null), NpsClass::None),
    ] {
        assert_eq!(class(answer.clone(), true), expected, "{answer}");
    }
    assert_eq!(class(json!(10), false), NpsClass::Passive, "who hardly uses the product promotes nothing");
}

#[test]
fn the_latest_answer_counts_whatever_the_order() {
    let mut life = Life::new(default_config());
    let late = life.event("Survey Answered", json!({"nps": 2}), plus_days(start(), 5));
    let early = life.event("Survey Answered", json!({"nps": 10}), start());
    life.person.feed(&life.config, &[late, early], plus_days(start(), 6));
    assert_eq!(life.person.at(&life.config, plus_days(start(), 6)).nps, NpsClass::Detractor);
}

#[test]
fn texts_give_a_sentiment_that_conditions_can_ask_for() {
    let mut life = Life::new(default_config());
    life.does("Support Ticket Opened", json!({"text": "This is terrible, it is broken again and I hate it"}), start());
    assert_eq!(life.segments(start()), ["upset"]);
    assert_eq!(life.segments(plus_days(start(), 200)), Vec::<String>::new(), "it was long ago");
}

#[test]
fn angry_texts_in_any_of_the_languages_count_and_others_are_counted_as_not_understood() {
    let mut life = Life::new(default_config());
    let angry = [
        "Užasna aplikacija, stalno se ruši.",
        "Schrecklich, stürzt ständig ab.",
        "太糟糕了，总是崩溃。",
        "Aplikasi ini buruk sekali, sering error.",
    ];
    for text in angry {
        life.does("Ticket Opened", json!({ "text": text }), start());
    }
    let evaluation = life.person.at(&life.config, start());
    assert!(evaluation.sentiment.unwrap() < -0.3 && evaluation.unread_texts == 0, "{evaluation:?}");
    life.does("Ticket Opened", json!({ "text": "Η εφαρμογή είναι απαίσια" }), start());
    let after = life.person.at(&life.config, start());
    assert_eq!((after.sentiment, after.unread_texts), (evaluation.sentiment, 1));
}

/// Returns a customer with these answers, an hour apart.
fn answers(property: &str, answers: &[Value]) -> Life {
    let mut life = Life::new(default_config());
    life.does("Subscription Started", json!({}), start());
    for (hour, answer) in (1..).zip(answers) {
        life.does("Survey Answered", json!({ property: answer }), start() + SignedDuration::from_hours(hour));
    }
    life
}

#[test]
fn class_points_and_triggers_read_an_answer_alike() {
    for (answer, class, recommendation, tasks) in [
        (json!(3), NpsClass::Detractor, 0, 1),
        (json!("3"), NpsClass::Detractor, 0, 1),
        (json!("0"), NpsClass::Detractor, 0, 1),
        (json!(0), NpsClass::Detractor, 0, 1),
        (json!("6.0"), NpsClass::Detractor, 0, 1),
        (json!(7), NpsClass::Passive, 0, 0),
        (json!(" 10 "), NpsClass::Promoter, 55, 0),
        (json!("9/10"), NpsClass::Promoter, 55, 0),
        (json!("10 - Extremely likely"), NpsClass::Promoter, 55, 0),
        (json!("3 / 10"), NpsClass::Detractor, 0, 1),
        (json!("4/5"), NpsClass::None, 0, 0),
        (json!("very likely"), NpsClass::None, 0, 0),
        (json!(9), NpsClass::Promoter, 55, 0),
        (json!(-1), NpsClass::None, 0, 0),
        (json!("-1"), NpsClass::None, 0, 0),
        (json!(11), NpsClass::None, 0, 0),
        (json!("85"), NpsClass::None, 0, 0),
        (json!(85), NpsClass::None, 0, 0),
        (json!(5.5), NpsClass::None, 0, 0),
        (json!(null), NpsClass::None, 0, 0),
        (json!(""), NpsClass::None, 0, 0),
        (json!(true), NpsClass::None, 0, 0),
    ] {
        let mut life = answers("nps", std::slice::from_ref(&answer));
        // Active enough for a promoter.
        life.does("Feature Used", json!({}), start());
        (0..3).for_each(|_| life.does("Feature Used", json!({}), start() + SignedDuration::from_hours(1)));
        let now = start() + SignedDuration::from_hours(1);
        let sent = life.person.sent();
        let detractor = sent.iter().filter(|journey| *journey == "detractor_task").count();
        assert_eq!(
            (life.person.at(&life.config, now).nps, life.score(Likelihood::Recommendation, now), detractor),
            (class, recommendation, tasks),
            "{answer}"
        );
    }
}

#[test]
fn a_new_answer_replaces_the_effect_of_the_one_before() {
    let now = start() + SignedDuration::from_hours(2);
    let scores = |life: &Life| (life.score(Likelihood::Recommendation, now), life.score(Likelihood::Churn, now));
    // Base 10 of churn, less 20 for a promoter; a promoter's 55, a little of which has faded.
    assert_eq!(scores(&answers("nps", &[json!(2), json!(10)])), (55, 0));
    // Base 10 and a detractor's 35.
    assert_eq!(scores(&answers("nps", &[json!(10), json!("2")])), (0, 45));
    assert_eq!(scores(&answers("nps", &[json!(2), json!(8)])), (0, 10), "who is passive is neither");
    assert_eq!(scores(&answers("nps", &[json!(2), json!(-5)])), (0, 45), "what is no answer replaces none");
}

#[test]
fn the_latest_answer_counts_alone_in_points_too_whatever_the_order() {
    let scores = |order: [usize; 2]| {
        let mut life = Life::new(default_config());
        life.does("Subscription Started", json!({}), start());
        let events = [
            life.event("Survey Answered", json!({"nps": 2}), plus_days(start(), 1)),
            life.event("Survey Answered", json!({"nps": "10"}), plus_days(start(), 2)),
        ];
        let now = plus_days(start(), 2);
        for at in order {
            life.person.feed(&life.config, &events[at..=at], now);
        }
        (life.score(Likelihood::Recommendation, now), life.score(Likelihood::Churn, now))
    };
    assert_eq!(scores([0, 1]), scores([1, 0]));
    assert_eq!(scores([1, 0]), (55, 0));
}

#[test]
fn an_answer_fades_by_the_half_life_of_its_rule_and_says_what_another_would_change() {
    let life = answers("nps", &[json!(10)]);
    let answered = start() + SignedDuration::from_hours(1);
    assert_eq!(life.score(Likelihood::Recommendation, answered), 55);
    // Half of 55 after 120 days.
    assert!((27..=28).contains(&life.score(Likelihood::Recommendation, plus_days(answered, 120))));
    let why = life.person.why(&life.config, answered, Likelihood::Recommendation);
    let reason = why.reasons.iter().find(|reason| reason.rule == "recommend_promoter").unwrap();
    assert_eq!((reason.events, reason.given, reason.points), (1, 55.0, 55.0));
    let worse = why.changes.iter().find(|change| change.value.get() == 0).unwrap();
    assert_eq!(worse.by, -55, "an answer of a detractor would take the 55 and add nothing");
}

#[test]
fn a_rule_that_asks_for_more_than_the_answer_counts_the_latest_answer_too() {
    let scoring = r#"!
        [nps]
        event = "Survey Answered"
        property = "nps"
        [[rule]]
        id = "low_in_app"
        score = "churn"
        event = "Survey Answered"
        where = 'properties.nps <= 6 && properties.channel == "app"'
        points = 40
        [[rule]]
        id = "answered"
        score = "success"
        event = "Survey Answered"
        points = 5
    "#;
    let mut life = Life::new(config_with(&[("scoring.toml", scoring)]));
    let mut churn_after = |answer: Value, channel: &str, day: i64| {
        life.does("Survey Answered", json!({"nps": answer, "channel": channel}), plus_days(start(), day));
        (
            life.score(Likelihood::Churn, plus_days(start(), day)),
            life.score(Likelihood::Success, plus_days(start(), day)),
        )
    };
    assert_eq!(churn_after(json!("2"), "app", 0), (40, 5));
    assert_eq!(churn_after(json!(2), "mail", 1), (0, 10), "that somebody answered counts each time");
    assert_eq!(churn_after(json!(3), "app", 2), (40, 15));
    assert_eq!(churn_after(json!(10), "app", 3), (0, 20));
}

#[test]
fn the_satisfaction_survey_is_read_the_same_way() {
    let now = start() + SignedDuration::from_hours(2);
    let of = |given: &[Value]| {
        let life = answers("csat", given);
        (life.person.profile.view().csat.map(|answer| answer.points), life.score(Likelihood::Churn, now))
    };
    // Base 10, and 20 for a dissatisfied customer.
    assert_eq!(of(&[json!("1")]), (Some(1), 30));
    assert_eq!(of(&[json!(2), json!("5")]), (Some(5), 10));
    for none in [json!(0), json!(6), json!("100"), json!("4.5"), json!(null)] {
        assert_eq!(of(&[json!(2), none.clone()]), (Some(2), 30), "{none}");
    }
}

#[test]
fn where_a_survey_asks_for_1_to_10_a_0_is_no_answer() {
    let scoring = "!\n[nps]\nevent = \"Asked\"\nproperty = \"score\"\nlowest = 1\n";
    let mut life = Life::new(config_with(&[("scoring.toml", scoring)]));
    life.does("Asked", json!({"score": 0}), start());
    assert_eq!(life.person.at(&life.config, start()).nps, NpsClass::None);
    life.does("Asked", json!({"score": "1"}), start());
    assert_eq!(life.person.at(&life.config, start()).nps, NpsClass::Detractor);
}
