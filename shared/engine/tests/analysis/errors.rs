//! Errors by feature.

use super::life::{Life, start};
use crate::support::{config_with, default_config};
use perennial_config::Config;
use perennial_domain::time::plus_days;
use perennial_testkit::ConfigBuilder;
use serde_json::json;

/// Returns whether the condition holds for a person who met two errors in forecasts and one in exports on the first
/// day, one in forecasts on the second, and some in an unknown feature.
fn holds(when: &str, days: i64) -> bool {
    let segment = format!("[[segment]]\nname = \"asked\"\nwhen = '{when}'\n");
    let config = ConfigBuilder::shipped().with(&[("segments.toml", &segment)]).load();
    let mut life = Life::new(config);
    let mut meets = |feature: &str, day| {
        life.does("Error Shown", json!({"feature": feature, "code": "E_TIMEOUT"}), plus_days(start(), day));
    };
    for (feature, day) in [("forecast", 0), ("exports", 0), ("forecast", 0), ("forecast", 1)] {
        meets(feature, day);
    }
    (0..9).for_each(|_| meets("no such feature", 1));
    life.segments(plus_days(start(), days)).contains(&"asked".to_owned())
}

#[test]
fn errors_are_counted_by_feature_and_by_day() {
    assert!(holds("errors(\"forecast\", 2) == 3 && errors(\"forecast\", 1) == 1 && errors(\"exports\", 2) == 1", 1));
    assert!(holds("errors(\"alerts\", 28) == 0 && errors(\"forecast\", 28) == 3", 27));
    assert!(holds("errors(\"forecast\", 28) == 1", 28), "the first day lies 29 days back");
}

#[test]
fn the_most_errors_are_those_of_one_feature_and_none_are_added_up() {
    assert!(holds("most_errors(2) == 3 && most_errors(1) == 1", 1));
    assert!(holds("most_errors(28) == 0", 60));
}

#[test]
fn an_error_counts_in_no_feature_where_it_names_none() {
    let mut life = Life::new(default_config());
    life.does("Error Shown", json!({}), start());
    assert!(life.person.profile.view().windows.is_empty());
}

#[test]
fn without_a_description_of_errors_nobody_can_ask_for_them() {
    let features = "[[feature]]\nname = \"forecast\"\nevent = \"Used\"\n";
    let files = ConfigBuilder::least().with(&[
        ("features.toml", features),
        ("segments.toml", "[[segment]]\nname = \"a\"\nwhen = 'most_errors(1) > 2'\n"),
    ]);
    let errors = Config::load(&files.bundle()).unwrap_err().to_string();
    assert!(
        errors.contains("segments.toml:3:") && errors.contains("features.toml does not say what an error is"),
        "{errors}"
    );
    assert!(config_with(&[("features.toml", features)]).history.of("Error Shown").is_empty());
}
