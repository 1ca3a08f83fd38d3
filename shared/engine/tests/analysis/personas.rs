//! Section 2: personas, by trait and by rule.

use super::life::{Life, start};
use crate::support::default_config;
use perennial_domain::time::plus_days;
use serde_json::json;

#[test]
fn personas_are_given_by_a_trait() {
    let mut life = Life::new(default_config());
    life.says(json!({"role": "it"}), start());
    assert_eq!(life.personas(start()), ["it"]);
    life.says(json!({"role": ["buyer", "influencer", "nobody we know"]}), plus_days(start(), 1));
    assert_eq!(life.personas(plus_days(start(), 1)), ["buyer", "influencer"]);
}

#[test]
fn personas_are_derived_by_rule() {
    let mut life = Life::new(default_config());
    life.says(json!({"title": "Chief Financial Officer"}), start());
    assert_eq!(life.personas(start()), ["executive_sponsor"]);
    for day in 0..20 {
        for feature in ["forecast", "cohorts", "alerts"] {
            life.does("Feature Used", json!({"feature": feature}), plus_days(start(), day));
        }
    }
    assert_eq!(life.personas(plus_days(start(), 20)), ["executive_sponsor", "power_user"]);
    assert_eq!(
        life.personas(plus_days(start(), 60)),
        ["executive_sponsor"],
        "two quiet months make nobody a power user"
    );
}
