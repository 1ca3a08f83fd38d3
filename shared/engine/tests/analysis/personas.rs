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

#[test]
fn titles_are_matched_as_roles_in_personas_and_in_journeys() {
    let personas = |title: &str| {
        let mut life = Life::new(default_config());
        life.says(json!({ "title": title }), start());
        life.personas(start())
    };
    for title in ["CFO", "Group CFO", "CFO, EMEA", "CFO & Co-Founder", "Interim CFO", "VP Support"] {
        assert_eq!(personas(title), ["executive_sponsor"], "{title}");
    }
    for title in [
        "Assistant to the CFO",
        "Office of the CFO",
        "EA to CFO",
        "CFO's assistant",
        "reports to CFO",
        "Deputy CFO",
        "Chief of Staff to the CEO",
    ] {
        assert_eq!(personas(title), <[&str; 0]>::default(), "{title}");
    }
    assert_eq!(
        (personas("Head of IT"), personas("Head of Procurement")),
        (vec!["it".to_owned()], vec!["buyer".to_owned()])
    );
    assert_eq!(personas("Assistant to the Head of IT"), <[&str; 0]>::default());
    let mut life = Life::new(default_config());
    life.says(json!({ "jobTitle": "Chief Financial Officer" }), start());
    assert_eq!(life.personas(start()), ["executive_sponsor"]);

    // The return-on-investment analysis is for who decides about money.
    let got = |title: &str| {
        let mut life = Life::new(default_config());
        life.says(json!({ "title": title, "email": "u@acme.example" }), start());
        life.does("Lead Created", json!({}), start());
        life.does("Trial Started", json!({}), start());
        for day in 0..3 {
            life.does("Pricing Page Viewed", json!({}), plus_days(start(), day));
        }
        life.person.profile.facts().entered.contains_key(&perennial_domain::hash::hash32("pricing_third_visit"))
    };
    assert!(got("CFO") && got("Finance Director") && !got("Assistant to the CFO") && !got("CFO's assistant"));
}
