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
        // With an account, so that there is an inside.
        let account = account(2, None);
        let score = |life: &Life| {
            let moment = Moment::new(&life.config, start()).with_account(Some(&account));
            evaluate(&moment, &life.person.profile.view()).scores.get(likelihood).unwrap().get()
        };
        let mut before = score(&life);
        for (name, properties) in events {
            life.does(name, properties.clone(), start());
            let after = score(&life);
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
    let of = |people: u32| {
        let account = account(people, None);
        let moment = Moment::new(&life.config, start()).with_account(Some(&account));
        evaluate(&moment, &life.person.profile.view()).scores.get(Likelihood::InfluenceInside).unwrap().get()
    };
    assert!(of(1) >= 20 && of(50) >= of(1) + 10, "{}, {}", of(1), of(50));
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

/// Returns the scores of a person with these events, in an account or not.
fn present(events: &[&str], in_account: bool) -> Vec<&'static str> {
    let mut life = Life::new(default_config());
    events.iter().for_each(|event| life.does(event, json!({}), start()));
    let account = account(2, None);
    let moment = Moment::new(&life.config, start()).with_account(Some(&account).filter(|_| in_account));
    let evaluation = evaluate(&moment, &life.person.profile.view());
    evaluation.scores.iter().map(|(likelihood, _)| likelihood.as_str()).collect()
}

#[test]
fn a_likelihood_is_absent_where_it_cannot_apply() {
    assert_eq!(
        present(&["Order Completed"], false),
        ["purchase", "upgrade", "success", "churn", "recommendation", "influence_outside"],
        "a lone shopper has no trial, and influences nobody inside"
    );
    assert_eq!(
        present(&["Trial Started"], true),
        [
            "purchase",
            "conversion",
            "trial_success",
            "success",
            "recommendation",
            "influence_inside",
            "influence_outside"
        ]
    );
    assert_eq!(present(&["Signed Up"], false), ["purchase", "recommendation", "influence_outside"]);
    assert_eq!(
        present(&["Free Plan Started"], false),
        ["purchase", "conversion", "upgrade", "success", "recommendation", "influence_outside"]
    );
    assert_eq!(
        present(&["Subscription Started"], true),
        ["purchase", "upgrade", "success", "churn", "recommendation", "influence_inside", "influence_outside"]
    );
}

#[test]
fn no_condition_on_an_absent_score_holds_and_has_tells_it_from_0() {
    let segments = r#"!
        [[segment]]
        name = "low"
        when = 'scores.trial_success <= 100'
        [[segment]]
        name = "not_high"
        when = '!(scores.trial_success > 90)'
        [[segment]]
        name = "known"
        when = 'has(scores.trial_success)'
        [[segment]]
        name = "unknown"
        when = '!has(scores.trial_success)'
    "#;
    // Journeys that refer to the shipped segments are left out.
    let files = [("segments.toml", segments), ("journeys.toml", "!")];
    let of = |event: &str| {
        let mut life = Life::new(perennial_testkit::ConfigBuilder::shipped().with(&files).load());
        life.does(event, json!({}), start());
        life.segments(start())
    };
    assert_eq!(of("Order Completed"), ["unknown"]);
    assert_eq!(of("Trial Started"), ["low", "not_high", "known"]);
}

#[test]
fn a_score_that_ends_with_its_stage_is_below_its_threshold_and_leaves_no_number_in_the_trend() {
    let journeys = "![[journey]]\nid = \"good\"\ntrigger = { score = \"trial_success\", above = 20 }\nreentry = \"always\"\nstep = [{ channel = \"in_app\", template = \"t\" }]\n";
    let files = [("journeys.toml", journeys), ("templates/t.toml", "subject = \"s\"\ntext = \"t\"")];
    let mut life = Life::new(perennial_testkit::ConfigBuilder::shipped().with(&files).load());
    life.does("Trial Started", json!({}), start());
    assert_eq!(life.person.sent(), ["good"], "20 is what everyone starts with");
    life.does("Subscription Started", json!({}), plus_days(start(), 1));
    assert!(life.person.profile.facts().above.is_empty());
    life.does("Signed In", json!({}), plus_days(start(), 8));
    let facts = life.person.profile.facts();
    let (view, now) = (life.person.profile.view(), plus_days(start(), 8));
    let trend = |likelihood| perennial_engine::trend::trend(&Moment::new(&life.config, now), &view, &facts, likelihood);
    assert_eq!(trend(Likelihood::TrialSuccess), []);
    assert_eq!(trend(Likelihood::Churn).len(), 1);
    assert!(
        perennial_engine::explain(&Moment::new(&life.config, now), &view, &facts, Likelihood::TrialSuccess).is_none()
    );
}
