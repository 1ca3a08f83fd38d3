//! Valid journeys, and the errors of invalid ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::default_bundle;
use perennial_config::Config;

/// The errors of journeys.toml, with these journeys only.
fn errors(text: &str) -> Vec<String> {
    let mut bundle = default_bundle();
    bundle.files.insert("journeys.toml".to_owned(), text.to_owned());
    Config::load(&bundle)
        .err()
        .map(|errors| errors.to_string())
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The errors of a journey's steps, which begin on line 4.
fn of_steps(steps: &str) -> Vec<String> {
    errors(&format!("[[journey]]\nid = \"way\"\ntrigger = {{ event = \"Login\" }}\n{steps}"))
}

#[test]
fn steps_lead_forward_only_and_to_steps_that_are_there() {
    let steps = r#"[[journey.step]]
id = "first"
wait = { days = 1 }
[[journey.step]]
branch = { when = 'pays', go_to = "first" }
[[journey.step]]
split = { late = 50, latee = 50 }
[[journey.step]]
id = "late"
channel = "mail"
template = "welcome"
then = "nowhere"
"#;
    assert_eq!(
        of_steps(steps),
        [
            "journeys.toml:8:35: `first` stands before this step: steps lead forward only, or to \"end\"",
            "journeys.toml:10:22: `latee` is no step after this one; did you mean `late`? Known: end, late",
            "journeys.toml:15:8: `nowhere` is no step after this one. Known: end",
        ]
    );
}

#[test]
fn a_step_is_one_thing_and_says_what_it_needs() {
    let one = |step: &str| {
        let errors = of_steps(&format!("[[journey.step]]\n{step}\n"));
        assert_eq!(errors.len(), 1, "{step}: {errors:?}");
        errors[0].clone()
    };
    assert!(one("channel = \"mail\"\ntemplate = \"welcome\"\nwait = { days = 1 }").contains("one of these only"));
    assert!(one("id = \"x\"").contains("a step is a message"));
    assert!(one("channel = \"mail\"").contains("needs `channel` and `template`"));
    assert!(one("id = \"end\"\nwait = { days = 1 }").contains("no step can be called"));
    assert!(one("id = \"7\"\nwait = { days = 1 }").contains("is a number"));
    for wait in ["{ }", "{ days = 367 }", "{ days = 1, until = \"09:00\" }", "{ event = \"Login\" }"] {
        assert!(one(&format!("wait = {wait}")).contains("wait takes"), "{wait}");
    }
    assert!(one("wait = { until = \"25:00\" }").contains("a time of day"));
    assert!(one("wait = { days = 1, timeout = \"end\" }").contains("only a wait for an event"));
    assert!(one("wait = { days = 1, from = \"starts_at\" }").contains("only a wait for an event"));
    assert!(one("wait = { event = \"A\", events = [\"B\"], days = 1 }").contains("either event or events"));
    assert!(one("wait = { events = [], days = 1 }").contains("one event or more"));
    assert!(one("wait = { events = [\"A\", \"\"], days = 1 }").contains("name is empty"));
    assert!(one("wait = { event = \"A\", days = 1, from = \" \" }").contains("names a property"));
    assert!(one("wait = { days = 1, weekdays = [\"mon\"] }").contains("only a wait until a time of day"));
    assert!(one("split = { end = 100 }").contains("two or more"));
    assert!(one("split = { end = 120 }").contains("these are 120"));
    assert!(one("event = \"\"").contains("cannot be used"));
    assert!(one("traits = { }").contains("one trait or more"));
}

#[test]
fn goals_and_triggers_are_one_thing() {
    let one = |more: &str| {
        let errors = errors(&format!("[[journey]]\nid = \"way\"\n{more}\n[[journey.step]]\nwait = {{ days = 1 }}"));
        assert_eq!(errors.len(), 1, "{more}: {errors:?}");
        errors[0].clone()
    };
    let trigger = "trigger = { event = \"Login\" }";
    assert!(one(&format!("{trigger}\ngoal = {{ within_days = 3 }}")).contains("goal takes"));
    assert!(one(&format!("{trigger}\ngoal = {{ event = \"A\", when = 'pays' }}")).contains("goal takes"));
    assert!(one(&format!("{trigger}\ngoal = {{ when = 'pay' }}")).contains("did you mean `pays`"));
    assert!(one(&format!("{trigger}\ngoal = {{ event = \"A\", within_days = 0 }}")).contains("from 1 to 366"));
    assert!(one(&format!("{trigger}\nexit = 'nps'")).starts_with("journeys.toml:4:9:"));
    assert!(one("trigger = { becomes = 'pay' }").contains("did you mean `pays`"));
    assert!(one("trigger = { becomes = 'pays', idle_days = 3 }").contains("trigger takes"));
}

#[test]
fn journeys_that_would_set_each_other_off_for_ever_are_refused() {
    let journey = |id: &str, trigger: &str, counts: &str, reentry: &str| {
        format!(
            "[[journey]]\nid = \"{id}\"\ntrigger = {{ event = \"{trigger}\" }}\nreentry = {reentry}\n[[journey.step]]\nevent = \"{counts}\"\n"
        )
    };
    let always = "\"always\"";
    assert_eq!(errors(&journey("a", "X", "X", always)).len(), 1);
    let round = [journey("a", "X", "Y", always), journey("b", "Y", "X", always)].concat();
    let told = errors(&round);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("journeys.toml:2:6: journey `a` begins anew with each `X`, which `b` counts"),
        "{told:?}"
    );
    let broken = [journey("a", "X", "Y", always), journey("b", "Y", "X", "{ after_days = 1 }")].concat();
    assert_eq!(errors(&broken), [""; 0]);
}

#[test]
fn whom_an_accounts_event_is_for_is_checked_against_the_personas() {
    let of = |trigger: &str| {
        let step = "[[journey.step]]\nchannel = \"mail\"\ntemplate = \"welcome\"\n";
        errors(&format!("[[journey]]\nid = \"way\"\ntrigger = {trigger}\n{step}"))
    };
    assert_eq!(of(r#"{ event = "Payment Failed", to = ["executive_sponsor", "administrator"] }"#), [""; 0]);
    let near = of(r#"{ event = "Payment Failed", to = ["executive_sponser"] }"#);
    assert!(
        near[0].starts_with(
            "journeys.toml:3:45: journey `way`: `executive_sponser` is no persona; did you mean `executive_sponsor`?"
        ),
        "{near:?}"
    );
    let empty = of(r#"{ event = "Payment Failed", to = [] }"#);
    assert!(empty[0].contains("to names at least one persona of personas.toml"), "{empty:?}");
    let alone = of(r#"{ idle_days = 14, to = ["buyer"] }"#);
    assert!(alone[0].contains("only a trigger with an event has to"), "{alone:?}");
}
