//! Journeys played on a virtual clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config_with, default_config};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use perennial_config::Config;
use perennial_config::journeys::Journey;
use perennial_domain::time::plus_days;
use perennial_domain::{Properties, Stage, UserId};
use perennial_engine::play::{NoSample, Play, PlayError, Played, Refusal, Sample, Supposed, What, words};
use perennial_engine::{Action, Moment, Profile, evaluate, tick};
use perennial_testkit::EventBuilder;
use serde_json::json;

fn journeys(text: &str) -> Config {
    let journeys = format!("!{text}");
    config_with(&[("journeys.toml", journeys.as_str()), ("templates/help.toml", "subject = \"s\"\ntext = \"t\"")])
}

fn from() -> Timestamp {
    at("2026-03-02T10:00:00Z")
}

fn journey<'c>(config: &'c Config, id: &str) -> &'c Journey {
    config.journeys.all.iter().find(|journey| journey.id == id).unwrap()
}

fn play<'a>(config: &'a Config, id: &str, days: i64) -> Play<'a> {
    Play {
        config,
        accounts: perennial_engine::Accounts::default(),
        journey: journey(config, id),
        properties: Properties::new(),
        supposed: Vec::new(),
        now: from(),
        from: from(),
        until: plus_days(from(), days),
    }
}

fn sample(stage: Option<Stage>) -> Sample {
    Sample { id: UserId::parse("someone").unwrap(), stage, traits: Properties::new() }
}

fn on_day(day: i64, event: &str) -> Supposed {
    Supposed { at: plus_days(from(), day), event: event.to_owned(), properties: Properties::new() }
}

/// Returns the steps, each with the hours since the beginning.
fn told(config: &Config, played: &Played) -> Vec<String> {
    let line = |step: &perennial_engine::play::PlayedStep| {
        let hours = (step.at.as_second() - from().as_second()) / 3600;
        format!("{hours} {}", words::step(config, step, &TimeZone::UTC))
    };
    played.steps.iter().map(line).collect()
}

const COURSE: &str = r#"
[[journey]]
id = "course"
trigger = { event = "Trial Started" }
stages = ["trial"]
goal = { event = "Report Shared" }
[[journey.step]]
wait = { days = 2 }
[[journey.step]]
branch = { when = 'count("Login") >= 3', go_to = "end" }
[[journey.step]]
channel = "mail"
template = "help"
[[journey.step]]
event = "Help Offered"
[[journey.step]]
wait = { event = "Login", days = 3, timeout = "end" }
[[journey.step]]
channel = "in_app"
template = "help"
[[journey]]
id = "listener"
trigger = { event = "Help Offered" }
[[journey.step]]
channel = "in_app"
template = "help"
"#;

#[test]
fn time_passes_what_is_counted_comes_back_and_what_is_supposed_lets_them_go_on() {
    let config = journeys(COURSE);
    let profile = sample(None).make(&config, journey(&config, "course"), from()).unwrap();
    let mut supposed = play(&config, "course", 30);
    supposed.supposed = vec![on_day(4, "Report Shared"), on_day(3, "Login")];
    let played = supposed.run(profile.clone()).unwrap();
    assert_eq!(played.refusal, None);
    assert_eq!(
        told(&config, &played),
        [
            "0 \"Trial Started\" happens",
            "0 enters, as \"Trial Started\" happened",
            "0 waits until Wed 4 Mar 10:00",
            "48 count(\"Login\") >= 3: no",
            "48 mail help",
            "48 counts \"Help Offered\" for them",
            "48 waits for \"Login\", until Sat 7 Mar 10:00 at most",
            "48 enters, as \"Help Offered\" happened",
            "48 in_app help",
            "48 comes to the end",
            "72 \"Login\" happens",
            "72 has waited for \"Login\", and goes on",
            "72 in_app help",
            "72 comes to the end",
            "96 \"Report Shared\" happens",
            "96 reaches the goal, \"Report Shared\", and leaves",
        ]
    );
    let silent = told(&config, &play(&config, "course", 30).run(profile.clone()).unwrap());
    assert_eq!(silent.last().unwrap(), "120 comes to the end");
    let short = told(&config, &play(&config, "course", 1).run(profile).unwrap());
    assert_eq!(short.last().unwrap(), "0 waits until Wed 4 Mar 10:00", "the clock stops after a day");
}

#[test]
fn what_is_played_is_what_would_be_decided() {
    let config = journeys(COURSE);
    let mut person = Person::new("someone");
    let profile = person.profile.clone();
    let mut real = Vec::new();
    let mut take = |profile: &mut Profile| {
        let mut events = Vec::new();
        for action in std::mem::take(&mut profile.outbox) {
            match action {
                Action::Send(decision) => {
                    real.push((decision.journey, decision.step, decision.channel, decision.decided_at))
                }
                Action::Count { event } => events.push(event),
                _ => {}
            }
        }
        events
    };
    let begins = EventBuilder::track("m", "someone", "Trial Started").at(from()).build();
    person.feed(&config, &[begins], from());
    take(&mut person.profile);
    while let Some(due) = person.profile.due_at.filter(|due| *due <= plus_days(from(), 30)) {
        tick(&Moment::new(&config, due), &mut person.profile);
        for event in take(&mut person.profile) {
            person.feed(&config, &[event], due);
            take(&mut person.profile);
        }
    }
    let played = play(&config, "course", 30).run(profile).unwrap();
    let messages = played.steps.iter().filter_map(|step| match &step.what {
        What::Message(_, message) => Some(&message.decision),
        _ => None,
    });
    let messages: Vec<_> = messages.map(|one| (one.journey.clone(), one.step, one.channel, one.decided_at)).collect();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages, real);
}

#[test]
fn what_keeps_someone_out_is_said() {
    let config = journeys(
        r#"
        [[journey]]
        id = "course"
        trigger = { event = "Login", where = 'properties.plan == "pro"' }
        stages = ["trial"]
        when = 'traits.language == "de"'
        [[journey.step]]
        wait = { days = 2 }
        "#,
    );
    let refused = |stage: Stage, plan: &str, language: &str, twice: bool| {
        let mut sample = sample(Some(stage));
        sample.traits.insert("language".into(), language.into());
        let profile = sample.make(&config, journey(&config, "course"), from()).unwrap();
        let mut play = play(&config, "course", 30);
        play.properties.insert("plan".into(), plan.into());
        let played = play.run(profile).unwrap();
        match (twice, played.refusal) {
            (true, None) => {
                play.from = plus_days(from(), 10);
                play.until = plus_days(from(), 20);
                play.run(played.profile).unwrap().refusal
            }
            (_, refusal) => refusal,
        }
    };
    assert_eq!(refused(Stage::Trial, "pro", "de", false), None);
    assert_eq!(
        refused(Stage::Trial, "free", "de", false),
        Some(Refusal::Where { condition: "properties.plan == \"pro\"".into() })
    );
    assert_eq!(
        refused(Stage::Lead, "pro", "de", false),
        Some(Refusal::Stage { stage: Stage::Lead, allowed: vec![Stage::Trial] })
    );
    assert!(matches!(refused(Stage::Trial, "pro", "en", false), Some(Refusal::When { .. })));
    assert_eq!(refused(Stage::Trial, "pro", "de", true), Some(Refusal::Once { entered: from() }));
}

#[test]
fn a_trigger_that_is_no_event_is_supposed_to_have_come() {
    let config = journeys(
        r#"
        [[journey]]
        id = "quiet"
        trigger = { idle_days = 5 }
        step = [{ channel = "mail", template = "help" }]
        [[journey]]
        id = "often"
        trigger = { event = "Login", times = 3, within_days = 7 }
        step = [{ channel = "mail", template = "help" }]
        [[journey]]
        id = "rescue"
        trigger = { score = "churn", above = 50 }
        step = [{ channel = "mail", template = "help" }]
        [[journey]]
        id = "buyer"
        trigger = { becomes = 'count("Order Completed") >= 5' }
        step = [{ channel = "mail", template = "help" }]
        "#,
    );
    let entered = |id: &str| {
        let profile = sample(Some(Stage::Lead)).make(&config, journey(&config, id), from()).unwrap();
        let played = play(&config, id, 1).run(profile).unwrap();
        assert_eq!(played.refusal, None, "{id}");
        told(&config, &played)
    };
    let once = |cause: &str| [format!("0 enters, as {cause}"), "0 mail help".into(), "0 comes to the end".into()];
    assert_eq!(entered("quiet"), once("nothing happened for 5 days"));
    assert_eq!(entered("rescue"), once("Churn rose to 50"));
    assert_eq!(entered("buyer"), once("it came to hold that count(\"Order Completed\") >= 5"));
    let often = entered("often");
    assert_eq!(often.iter().filter(|line| *line == "0 \"Login\" happens").count(), 3);
    assert_eq!(often[3..], once("\"Login\" happened"));
}

#[test]
fn a_journey_that_goes_on_for_ever_is_stopped() {
    let config = journeys(
        r#"
        [[journey]]
        id = "ping"
        trigger = { becomes = 'traits.side == "ping"' }
        reentry = "always"
        step = [{ wait = { minutes = 1 } }, { traits = { side = "pong" } }]
        [[journey]]
        id = "pong"
        trigger = { becomes = 'traits.side == "pong"' }
        reentry = "always"
        step = [{ wait = { minutes = 1 } }, { traits = { side = "ping" } }]
        "#,
    );
    let profile = sample(Some(Stage::Lead)).make(&config, journey(&config, "ping"), from()).unwrap();
    let endless = play(&config, "ping", 30).run(profile).unwrap_err();
    assert!(
        matches!(&endless, PlayError::Endless { busiest, .. } if busiest == "ping" || busiest == "pong"),
        "{endless}"
    );
}

#[test]
fn before_the_trigger_comes_time_passes_for_who_the_person_is() {
    let config = journeys(COURSE);
    let mut person = Person::new("someone");
    person.feed(&config, &[EventBuilder::track("m", "someone", "Trial Started").at(from()).build()], from());
    let mut later = play(&config, "listener", 40);
    later.from = plus_days(from(), 35);
    let played = later.run(person.profile.clone()).unwrap();
    let told = told(&config, &played);
    assert_eq!(told[0], "48 count(\"Login\") >= 3: no", "{told:?}");
    assert_eq!(played.refusal, Some(Refusal::Once { entered: plus_days(from(), 2) }));
}

#[test]
fn an_event_of_an_account_reaches_the_person_that_it_is_played_for() {
    let journeys = r#"!
        [[journey]]
        id = "renewal"
        trigger = { event = "Renewal Due", to = ["admin"] }
        step = [{ channel = "mail", template = "help" }]
    "#;
    let config = config_with(&[
        ("journeys.toml", journeys),
        ("personas.toml", "[[persona]]\nname = \"admin\"\nwhen = 'events >= 1'\n"),
        ("templates/help.toml", "subject = \"s\"\ntext = \"t\""),
    ]);
    let mut person = Person::new("someone");
    person.feed(&config, &[EventBuilder::group("m", "someone", "acme").at(from()).build()], from());
    let played = play(&config, "renewal", 1).run(person.profile).unwrap();
    let expected =
        ["0 \"Renewal Due\" happens", "0 enters, as \"Renewal Due\" happened", "0 mail help", "0 comes to the end"];
    assert_eq!(told(&config, &played), expected);
    assert_eq!(played.refusal, None);
}

#[test]
fn the_shipped_lifecycle_has_a_sample_of_every_stage() {
    let config = default_config();
    for wanted in Stage::ALL {
        let mut sample = sample(Some(wanted));
        sample.traits.insert("first_name".into(), json!("Ada"));
        let journey = &config.journeys.all[0];
        let profile = sample.make(&config, journey, from()).unwrap();
        assert_eq!(evaluate(&Moment::new(&config, from()), &profile.view()).stage, wanted);
        assert_eq!(profile.view().text_trait("first_name").as_deref(), Some("Ada"));
        assert!(profile.outbox.is_empty() && profile.facts().entered.is_empty(), "nothing was decided for {wanted}");
    }
    let bare = journeys("");
    let bare = Config { lifecycle: perennial_config::lifecycle::Lifecycle::default(), ..bare };
    let course = journey(&config, &config.journeys.all[0].id);
    assert_eq!(sample(Some(Stage::Trial)).make(&bare, course, from()), Err(NoSample::Stage(Stage::Trial)));
}

#[test]
fn what_cannot_be_supposed_is_refused() {
    let config = journeys(COURSE);
    for (event, message) in [("$alias", "is not allowed"), ("$group", "names its account"), (" ", "is empty")] {
        let mut play = play(&config, "course", 1);
        play.supposed = vec![on_day(0, event)];
        let error = play.run(Person::new("someone").profile).unwrap_err();
        assert!(error.to_string().contains(message), "{event}: {error}");
    }
}
