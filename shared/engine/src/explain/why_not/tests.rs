#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::{Mode, process};
use perennial_config::Config;
use perennial_domain::Event;
use perennial_domain::Identity;
use perennial_testkit::{ConfigBuilder, EventBuilder};

const JOURNEYS: &str = r#"!
    [[journey]]
    id = "course"
    trigger = { event = "Login" }
    stages = ["visitor", "lead"]
    when = 'count("Report Viewed") >= 2 && has(traits.plan) && traits.plan in ["pro", "team"]'
    exit = 'count("Left") > 0'
    goal = { when = 'count("Course Completed") > 0' }
    reentry = { after_days = 30 }
    [[journey.step]]
    channel = "mail"
    template = "note"
    [[journey]]
    id = "habit"
    trigger = { event = "Login", times = 3, within_days = 7 }
    step = [{ channel = "mail", template = "note" }]
    [[journey]]
    id = "quiet"
    trigger = { becomes = 'idle_days >= 14' }
    holdout = 50
    step = [{ channel = "mail", template = "note" }]
"#;

const LIMITS: &str = r#"
    quiet_hours = { from = "22:00", to = "08:00" }
    [[cap]]
    messages = 1
    within_days = 7
    channels = ["mail"]
"#;

fn config() -> Config {
    let template = "subject = \"s\"\ntext = \"t\"";
    ConfigBuilder::least()
        .with(&[("journeys.toml", JOURNEYS), ("limits.toml", LIMITS), ("templates/note.toml", template)])
        .load()
}

fn day(day: u8, hour: u8) -> Timestamp {
    format!("2026-03-{day:02}T{hour:02}:00:00Z").parse().unwrap()
}

fn event(id: &str, name: &str, at: Timestamp) -> Event {
    EventBuilder::track(id, "ada", name).at(at).build()
}

/// Returns a profile after these events, each counted at its time.
fn profile(config: &Config, events: &[Event]) -> Profile {
    let first: Identity = events[0].identity().unwrap();
    let mut profile = Profile::new(first);
    for event in events {
        let moment = Moment::new(config, event.timestamp);
        process(&moment, &mut profile, std::slice::from_ref(event), &Default::default(), Mode::Live);
    }
    profile
}

fn asked(config: &Config, profile: &Profile, journey: &str, now: Timestamp) -> WhyNot {
    why_not(&Moment::new(config, now), profile, config.journeys.named(journey).unwrap())
}

fn check(found: &WhyNot, rule: Rule) -> &Check {
    found.checks.iter().find(|check| check.rule == rule).unwrap_or_else(|| panic!("no {rule:?}: {found:?}"))
}

#[test]
fn condition_is_explained_clause_by_clause_with_its_values() {
    let config = config();
    let profile = profile(&config, &[event("m1", "Login", day(2, 10)), event("m2", "Report Viewed", day(2, 11))]);
    let found = asked(&config, &profile, "course", day(2, 12));
    let when = check(&found, Rule::When);
    assert_eq!(when.outcome, Outcome::Blocks);
    let clauses: Vec<(&str, bool)> = when.clauses.iter().map(|one| (one.condition.as_str(), one.holds)).collect();
    assert_eq!(
        clauses,
        [
            (r#"count("Report Viewed") >= 2"#, false),
            ("has(traits.plan)", false),
            (r#"traits.plan in ["pro", "team"]"#, false),
        ]
    );
    assert_eq!(when.clauses[0].values, [(r#"count("Report Viewed")"#.to_owned(), "1".to_owned())]);
    assert_eq!(when.clauses[2].values, [("traits.plan".to_owned(), "unknown".to_owned())]);
    assert_eq!(found.verdict, "condition: its condition does not hold for them");
    assert_eq!(check(&found, Rule::Exit).outcome, Outcome::Passes);
    assert_eq!(check(&found, Rule::Goal).outcome, Outcome::Passes);
}

#[test]
fn trigger_that_never_came_is_the_reason() {
    let config = config();
    let profile = profile(&config, &[event("m1", "Report Viewed", day(2, 10)), event("m2", "Login", day(2, 11))]);
    let found = asked(&config, &profile, "habit", day(3, 10));
    let trigger = check(&found, Rule::Trigger);
    assert_eq!(trigger.outcome, Outcome::Blocks);
    assert_eq!(trigger.told, "\"Login\" has to happen 3 times in 7 days; it happened once in the last 7, once in all");
    let found = asked(&config, &profile, "quiet", day(3, 10));
    assert_eq!(check(&found, Rule::Trigger).clauses[0].values, [("idle_days".to_owned(), "0".to_owned())]);
    assert!(found.verdict.starts_with("trigger: its trigger does not hold"), "{}", found.verdict);
}

#[test]
fn person_who_entered_hears_of_reentry_and_their_messages_of_caps_and_night() {
    let config = config();
    let view = |id: &str, hour| event(id, "Report Viewed", day(2, hour));
    let plan =
        EventBuilder::identify("m0", "ada", None).traits(serde_json::json!({ "plan": "pro" })).at(day(2, 8)).build();
    let events = [plan, view("m1", 9), view("m2", 9), event("m3", "Login", day(2, 10))];
    let profile = profile(&config, &events);
    let found = asked(&config, &profile, "course", day(3, 23));
    let again = check(&found, Rule::Reentry);
    assert_eq!(again.outcome, Outcome::Blocks);
    assert_eq!(
        again.told,
        "they entered it once, on Mon 2 Mar 2026 10:00; re-entry asks for 30 days between, so not before Wed 1 Apr 2026 10:00"
    );
    assert!(check(&found, Rule::When).clauses.iter().all(|clause| clause.holds));
    assert_eq!(check(&found, Rule::Cap).outcome, Outcome::Waits);
    assert_eq!(check(&found, Rule::QuietHours).told, "it is night for them: messages wait until Wed 4 Mar 2026 08:00");
    let later = asked(&config, &profile, "course", day(3, 12));
    assert_eq!(check(&later, Rule::QuietHours).outcome, Outcome::Passes);
}

#[test]
fn checks_agree_with_what_the_engine_does() {
    let config = config();
    let journey = config.journeys.named("course").unwrap();
    let plans = [None, Some("free"), Some("pro")];
    for (plan, views) in plans.into_iter().flat_map(|plan| [(plan, 1_u8), (plan, 2)]) {
        let mut events: Vec<Event> = Vec::new();
        events.extend(plan.map(|plan| {
            EventBuilder::identify("m0", "ada", None).traits(serde_json::json!({ "plan": plan })).at(day(2, 8)).build()
        }));
        events.extend((0..views).map(|nth| event(&format!("v{nth}"), "Report Viewed", day(2, 9))));
        let mut before = profile(&config, &events);
        let blocked = asked(&config, &before, "course", day(2, 10));
        let blocks = blocked.checks.iter().any(|check| check.rule != Rule::Trigger && check.outcome == Outcome::Blocks);
        let login = event("m9", "Login", day(2, 10));
        process(&Moment::new(&config, day(2, 10)), &mut before, &[login], &Default::default(), Mode::Live);
        let entered = before.facts().entered.contains_key(&journey.key);
        assert_eq!(entered, !blocks, "{plan:?}, {views} views: {blocked:?}");
    }
}
