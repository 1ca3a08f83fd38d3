//! Section 3: the survey, and what texts say.

use super::life::{Life, start};
use crate::support::default_config;
use perennial_domain::time::plus_days;
use perennial_engine::NpsClass;
use serde_json::json;

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
