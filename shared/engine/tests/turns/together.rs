//! The scenarios of the shipped configuration, all due at one moment for one person.

use super::{Person, at, outcome, takes_turn};
use jiff::{SignedDuration, Timestamp};
use perennial_config::journeys::{Does, Journey};
use perennial_config::{Bundle, Config};
use perennial_domain::time::plus_days;
use perennial_domain::{Channel, Decision, Stage, Withheld};
use perennial_engine::{Moment, evaluate};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use serde_json::json;
use std::collections::BTreeSet;
use toml::{Table, Value};

/// The event that makes all state-triggered journeys due.
const DUE: &str = "All Due";

/// Returns the shipped configuration, in which one event makes all state triggers hold: these are replaced, and so is
/// everything else that would keep a person out or reach a goal by a state.
fn all_due() -> Bundle {
    let mut bundle = ConfigBuilder::shipped().bundle();
    let file = bundle.files.get_mut("journeys.toml").unwrap();
    let mut journeys: Table = file.parse().unwrap();
    for journey in journeys["journey"].as_array_mut().unwrap() {
        let journey = journey.as_table_mut().unwrap();
        journey.remove("when");
        journey.remove("exit");
        // It would drop the messages of all others.
        journey.remove("replaces_due");
        journey.remove("holdout");
        if journey.get("goal").is_some_and(|goal| goal.get("when").is_some()) {
            journey.remove("goal");
        }
        // The account's other people are not known here.
        journey["trigger"].as_table_mut().unwrap().remove("to");
        if journey["trigger"].get("event").is_none() {
            let becomes = Value::String(format!("count(\"{DUE}\") >= 1"));
            journey.insert("trigger".to_owned(), Value::Table(Table::from_iter([("becomes".to_owned(), becomes)])));
        }
    }
    *file = toml::to_string(&journeys).unwrap();
    let limits = bundle.files.get_mut("limits.toml").unwrap();
    *limits = limits.split("[holdout]").next().unwrap().to_owned();
    bundle
}

/// The number of the scenario that a journey is of.
fn scenario(journey: &Journey) -> u8 {
    journey.description.split_once(": ").unwrap().0.parse().unwrap()
}

/// Lives before everything happens: their events, so many days ago, and the stage that they lead to.
const LIVES: [(&[(&str, i64)], Stage); 4] = [
    (&[("Signed Up", 200), ("Trial Started", 0)], Stage::Trial),
    (&[("Subscription Started", 200)], Stage::Established),
    (&[("Free Plan Started", 200), ("Signed In", 1)], Stage::Freemium),
    (&[("Subscription Started", 200), ("Subscription Cancelled", 60), ("Subscription Started", 5)], Stage::WonBack),
];

/// Returns a person of such a life, with every triggering event at one moment; with the decisions then and later.
fn everything_happens(config: &Config, life: &[(&str, i64)]) -> (Person, Vec<Decision>) {
    let now = at("2026-03-02T10:00:00Z");
    let mut person = Person::new(config, "ada");
    let since = plus_days(now, -200);
    let who = EventBuilder::identify("who", "ada", None).with_trait("title", "CFO").at(since).build();
    person.feed(config, &[who], since);
    let mut events = Vec::new();
    for (name, days) in life {
        let when = plus_days(now, -days);
        let event = EventBuilder::track(&format!("{name}-{days}-days-ago"), "ada", name).at(when).build();
        if *days == 0 {
            events.push(event);
        } else {
            person.feed(config, &[event], when);
        }
    }
    for number in 0..3 {
        for name in ["Pricing Page Viewed", "Paywall Reached"] {
            events.push(EventBuilder::track(&format!("{name}-{number}"), "ada", name).at(now).build());
        }
    }
    for (name, properties) in [
        ("Payment Failed", json!({})),
        ("Survey Answered", json!({ "nps": 3 })),
        ("Webinar Attended", json!({ "webinar": "getting-started" })),
        ("Webinar Missed", json!({ "webinar": "getting-started" })),
        ("Webinar Registered", json!({ "webinar": "getting-started" })),
        ("Feature Wished", json!({ "feature": "alerts" })),
        ("Incident Started", json!({})),
        ("Signed In", json!({})),
        (DUE, json!({})),
    ] {
        events.push(EventBuilder::track(name, "ada", name).properties(properties).at(now).build());
    }
    person.feed(config, &events, now);
    let mut all = person.decided();
    // The longest run waits for 31 days after its first message.
    let end = plus_days(now, 60);
    while let Some(due) = person.profile.due_at.filter(|due| *due <= end) {
        all.extend(person.look(config, due));
    }
    (person, all)
}

fn apart(first: &Decision, second: &Decision) -> SignedDuration {
    second.decided_at.duration_since(first.decided_at)
}

/// Returns whether an event triggers the message: it is before any wait of a journey that an event starts.
fn is_at_once(config: &Config, decision: &Decision) -> bool {
    let journey = config.journeys.all.iter().find(|journey| journey.id == decision.journey).unwrap();
    let before = &journey.steps[..usize::from(decision.step)];
    matches!(journey.trigger, perennial_config::journeys::Trigger::Event { .. })
        && before.iter().all(|step| !matches!(step.does, Does::Wait(_)))
}

#[test]
fn each_scenario_gets_its_message_in_its_turn_or_is_dropped_with_a_reason_when_all_are_due_at_once() {
    let config = Config::load(&all_due()).unwrap();
    let begin: Timestamp = at("2026-03-02T10:00:00Z");
    let mut covered = BTreeSet::new();
    for (life, expected) in LIVES {
        let (person, all) = everything_happens(&config, life);
        let stage = evaluate(&Moment::new(&config, begin), &person.profile.view()).stage;
        assert_eq!(stage, expected);
        let ids: BTreeSet<_> = all.iter().map(|decision| decision.id).collect();
        assert_eq!(ids.len(), all.len(), "nothing is decided twice");
        let essential = |decision: &Decision| {
            let journey = config.journeys.all.iter().find(|journey| journey.id == decision.journey).unwrap();
            journey.essential || config.topic_of(&decision.template).is_some_and(|topic| topic.essential)
        };
        let turns: Vec<&Decision> = all.iter().filter(|one| takes_turn(one) && !essential(one)).collect();
        for (first, second) in turns.iter().zip(turns.iter().skip(1)) {
            let one_turn = first.journey == second.journey && apart(first, second).is_zero();
            assert!(
                one_turn || is_at_once(&config, second) || apart(first, second) >= SignedDuration::from_hours(24),
                "{:?}, then {:?}",
                outcome(first),
                outcome(second)
            );
        }
        let entered = person.profile.facts().entered;
        for journey in config.journeys.all.iter().filter(|journey| entered.contains_key(&journey.key)) {
            let of = || all.iter().filter(|decision| decision.journey == journey.id);
            let has_messages = journey.messages().next().is_some();
            assert!(of().next().is_some() || !has_messages, "{}: neither sent nor dropped", journey.id);
            // A task without a wait before it is decided at once.
            if let Some(Does::Send(message)) = journey.steps.first().map(|step| &step.does)
                && message.channel == Channel::Webhook
            {
                assert_eq!(of().next().unwrap().decided_at, begin, "{}", journey.id);
            }
            covered.insert(scenario(journey));
        }
        for decision in all.iter().filter(|decision| decision.withheld.is_some()) {
            let known = matches!(decision.withheld, Some(Withheld::Expired | Withheld::Capped | Withheld::Displaced));
            assert!(known, "{:?}", outcome(decision));
        }
        assert!(person.profile.facts().runs.is_empty(), "nobody waits for ever: {:?}", person.profile.facts().runs);
        // State-triggered ones are ordered by their priorities.
        let first = |id: &str| all.iter().find(|decision| decision.journey == id && decision.withheld.is_none());
        if stage == Stage::Established {
            let order = ["error_help", "third_renewal", "gone_quiet", "onboarding_month"]
                .map(|id| first(id).map(|one| one.decided_at));
            let came: Vec<Timestamp> = order.into_iter().flatten().collect();
            assert!(came.len() >= 2 && came.is_sorted(), "{came:?}");
        }
    }
    // No journey is for the scenarios of several accounts, imports and touch models; mentions are those of a brand.
    let expected: BTreeSet<u8> = (1..=29).filter(|number| ![12, 23, 25].contains(number)).collect();
    assert_eq!(covered, expected);
}
