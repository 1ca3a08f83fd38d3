//! Section 3: the nine likelihoods under the default config.

use super::life::{Life, account, start};
use crate::support::default_config;
use perennial_domain::Likelihood;
use perennial_domain::time::plus_days;
use perennial_engine::{Moment, evaluate};
use serde_json::json;

#[test]
fn each_of_the_nine_likelihoods_rises_with_what_speaks_for_it() {
    type Does<'a> = &'a [(&'a str, serde_json::Value)];
    let cases: [(Likelihood, &str, Does<'_>); 9] = [
        (Likelihood::Purchase, "Signed Up", &[("Demo Requested", json!({})), ("Pricing Page Viewed", json!({}))]),
        (
            Likelihood::Conversion,
            "Free Plan Started",
            &[("Paywall Reached", json!({})), ("Paywall Reached", json!({}))],
        ),
        (
            Likelihood::TrialSuccess,
            "Trial Started",
            &[("Onboarding Completed", json!({})), ("Feature Used", json!({"feature": "forecast"}))],
        ),
        (Likelihood::Upgrade, "Subscription Started", &[("Paywall Reached", json!({})), ("Invite Sent", json!({}))]),
        (
            Likelihood::Success,
            "Subscription Started",
            &[("Feature Used", json!({"feature": "cohorts"})), ("Report Shared", json!({}))],
        ),
        (
            Likelihood::Churn,
            "Subscription Started",
            &[("Cancel Page Viewed", json!({})), ("Payment Failed", json!({}))],
        ),
        (Likelihood::Recommendation, "Subscription Started", &[("Survey Answered", json!({"nps": 10}))]),
        (
            Likelihood::InfluenceInside,
            "Subscription Started",
            &[("Invite Sent", json!({})), ("Mentioned By Colleague", json!({}))],
        ),
        (
            Likelihood::InfluenceOutside,
            "Subscription Started",
            &[("Referral Sent", json!({})), ("Community Answered", json!({})), ("Review Published", json!({}))],
        ),
    ];
    for (likelihood, begins, events) in cases {
        let mut life = Life::new(default_config());
        life.does(begins, json!({}), start());
        let mut before = life.score(likelihood, start());
        for (name, properties) in events {
            life.does(name, properties.clone(), start());
            let after = life.score(likelihood, start());
            assert!(after > before, "{name} moves {} from {before} to {after}", likelihood.as_str());
            before = after;
        }
    }
}

#[test]
fn no_use_of_high_value_features_predicts_churn() {
    let churn = |feature: &str| {
        let mut life = Life::new(default_config());
        life.does("Subscription Started", json!({}), start());
        for day in (0..=40).step_by(4) {
            life.does("Feature Used", json!({"feature": feature}), plus_days(start(), day));
        }
        life.score(Likelihood::Churn, plus_days(start(), 40))
    };
    assert!(churn("themes") >= churn("forecast") + 10, "{} against {}", churn("themes"), churn("forecast"));
}

#[test]
fn low_activity_in_a_trial_predicts_no_conversion() {
    let mut life = Life::new(default_config());
    life.does("Trial Started", json!({}), start());
    life.does("Invite Sent", json!({}), start());
    life.does("Paywall Reached", json!({}), start());
    let fresh = life.score(Likelihood::Conversion, start());
    let quiet = life.score(Likelihood::Conversion, plus_days(start(), 10));
    assert!(quiet + 20 <= fresh, "{fresh} falls to {quiet}");
}

#[test]
fn capabilities_that_similar_customers_use_predict_interest_in_an_upgrade() {
    let upgrade = |alerts: bool| {
        let mut life = Life::new(default_config());
        life.does("Subscription Started", json!({}), start());
        for day in 0..14 {
            life.does("Feature Used", json!({"feature": "forecast"}), plus_days(start(), day));
        }
        if alerts {
            life.does("Feature Used", json!({"feature": "alerts"}), plus_days(start(), 14));
        }
        life.score(Likelihood::Upgrade, plus_days(start(), 14))
    };
    assert!(upgrade(false) > upgrade(true), "who has the capability already is not offered it");
}

#[test]
fn influence_inside_counts_seats_and_who_decides_for_others() {
    let mut life = Life::new(default_config());
    life.says(json!({"role": "administrator"}), start());
    let alone = life.score(Likelihood::InfluenceInside, start());
    let account = account(50, None);
    let moment = Moment::new(&life.config, start()).with_account(Some(&account));
    let many = evaluate(&moment, &life.person.profile.view()).scores.get(Likelihood::InfluenceInside).get();
    assert!(alone >= 20 && many >= alone + 10, "{alone}, {many}");
}

#[test]
fn influence_outside_counts_kind_mentions_and_reach() {
    let score = |text: &str, followers: u32| {
        let mut life = Life::new(default_config());
        life.does("Social Mention", json!({"text": text, "followers": followers}), start());
        life.score(Likelihood::InfluenceOutside, start())
    };
    assert_eq!(score("They are terrible and useless", 10), 0);
    assert_eq!(score("I love their wonderful forecasts", 10), 12);
    assert_eq!(score("I love their wonderful forecasts", 5_000), 27);
}
