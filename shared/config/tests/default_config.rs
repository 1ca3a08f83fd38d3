//! The default configuration is valid, and errors are reported with file, line and what is allowed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use perennial_config::Config;
use perennial_config::cel::{Lookup, Value};
use perennial_config::journeys::Trigger;
use perennial_config::lifecycle::Milestone;
use perennial_config::overrides::Overrides;
use perennial_config::sources::WriteKeyHash;
use perennial_config::vocabulary::{EventSlot, PersonSlot};
use perennial_domain::{Channel, Event, Likelihood, Trust};
use std::collections::BTreeSet;

use crate::support::default_bundle;

fn default_config() -> Config {
    Config::load(&default_bundle()).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn the_default_config_has_no_errors_and_scores_all_nine() {
    let config = default_config();
    for likelihood in Likelihood::ALL {
        let rules = config.scoring.rules.iter().filter(|rule| rule.score == likelihood).count();
        let signals = config.scoring.signals.iter().filter(|signal| signal.score == likelihood).count();
        assert!(rules + signals >= 3, "{} has {rules} rules and {signals} signals", likelihood.as_str());
    }
    for channel in Channel::ALL {
        assert!(
            config.journeys.all.iter().flat_map(|j| j.messages()).any(|message| message.channel == channel),
            "no journey goes out by {}",
            channel.as_str()
        );
    }
    assert_eq!(config.lifecycle.milestones["Order Completed"], [Milestone::Customer]);
}

#[test]
fn every_template_is_used() {
    let config = default_config();
    // It is sent by no journey, but where `unverified_mail` says so.
    for name in config.templates.keys().filter(|name| *name != "confirm_address") {
        assert!(
            config.journeys.all.iter().flat_map(|j| j.messages()).any(|message| message.template == *name),
            "template {name} is used by no journey"
        );
    }
}

#[test]
fn the_quiet_are_written_to_before_they_count_as_at_risk() {
    let config = default_config();
    let gone_quiet = config.journeys.all.iter().find(|j| j.id == "gone_quiet").unwrap();
    let Trigger::Becomes { when } = &gone_quiet.trigger else { panic!("{gone_quiet:?}") };
    let holds = |days: u16| when.is_true(&AllAre(days.into()));
    let days = (1..100).find(|days| holds(*days)).unwrap();
    assert!(days < config.lifecycle.at_risk_after_idle_days, "{days}");
}

/// A person with the same number for every lookup.
struct AllAre(i64);

impl Lookup<PersonSlot> for AllAre {
    fn get(&self, _: &PersonSlot) -> Option<Value<'_>> {
        Some(Value::Int(self.0))
    }
}

/// The demo's table and the readers of the file find each scenario of the domain by its number.
#[test]
fn every_journey_says_what_it_is_for_and_its_scenario() {
    let config = default_config();
    let mut scenarios = BTreeSet::new();
    for journey in &config.journeys.all {
        let number = journey.description.split_once(": ").and_then(|(number, _)| number.parse::<u8>().ok());
        scenarios.insert(number.unwrap_or_else(|| panic!("{}: {}", journey.id, journey.description)));
    }
    // Twelve is not about a journey, but about all: one person, one message. Imports trigger none, and touch models belong to accounts.
    let missing: Vec<u8> =
        (1..=29).filter(|number| ![12, 23, 25].contains(number) && !scenarios.contains(number)).collect();
    assert!(missing.is_empty(), "no journey is for {missing:?}");
}

#[test]
fn a_journey_wants_the_events_for_which_where_holds() {
    let config = default_config();
    let journey = |id: &str| config.journeys.all.iter().find(|j| j.id == id).unwrap().clone();
    let answered = |nps: serde_json::Value| -> Event {
        serde_json::from_value(serde_json::json!({"messageId": "m", "type": "track", "userId": "u", "timestamp": "2026-01-01T00:00:00Z",
            "receivedAt": "2026-01-01T00:00:00Z", "source": "survey", "event": "Survey Answered", "properties": {"nps": nps}}))
        .unwrap()
    };
    let wants = |id: &str, nps: serde_json::Value| {
        let event = answered(nps);
        journey(id).filter.is_none_or(|filter| filter.is_true(&Asked(&event)))
    };
    assert!(wants("detractor_task", 0.into()));
    assert!(wants("detractor_task", 6.into()));
    assert!(wants("detractor_task", 6.0.into()));
    assert!(!wants("detractor_task", 7.into()));
    assert!(wants("detractor_task", "6".into()), "an answer may come as text");
    assert!(!wants("detractor_task", "7".into()) && !wants("detractor_task", "six".into()));
    assert!(wants("welcome", 3.into()), "a journey without where wants every event of its name");
}

/// The properties of an event, for conditions.
struct Asked<'a>(&'a Event);

impl Lookup<EventSlot> for Asked<'_> {
    fn get(&self, slot: &EventSlot) -> Option<Value<'_>> {
        match slot {
            EventSlot::Property(path) => self.0.properties.get(path.first()?).map(Value::from),
            _ => None,
        }
    }
}

/// Replaces the default `file` with `text`, and returns the errors.
fn errors_of(file: &str, text: &str) -> String {
    let mut bundle = default_bundle();
    bundle.files.insert(file.to_owned(), text.to_owned());
    Config::load(&bundle).expect_err("the snippet must be refused").to_string()
}

/// Appends `text` to the default `file`, and returns the line that it starts at and the errors.
fn errors_after(file: &str, text: &str) -> (usize, String) {
    let mut whole = default_bundle().files[file].clone();
    let line = whole.matches('\n').count() + 1;
    whole.push_str(text);
    (line, errors_of(file, &whole))
}

#[test]
fn wrong_snippets_are_told_by_file_line_and_what_is_allowed() {
    // (file, appended snippet, lines after the snippet's first, what the message must hold)
    let cases = [
        (
            "scoring.toml",
            "[[rule]]\nid = \"x\"\nscore = \"chrun\"\nevent = \"E\"\npoints = 1\n",
            2,
            "did you mean `churn`?",
        ),
        (
            "scoring.toml",
            "[[rule]]\nid = \"x\"\nscore = \"churn\"\nevent = \"E\"\npoint = 1\n",
            4,
            "did you mean `points`?",
        ),
        (
            "scoring.toml",
            "[[rule]]\nid = \"x\"\nscore = \"churn\"\nevent = \"E\"\npoints = 500\n",
            4,
            "rule `x`: points must be between -100 and 100, and not 0",
        ),
        (
            "scoring.toml",
            "[[rule]]\nid = \"x\"\nscore = \"churn\"\nevent = \"E\"\npoints = 5\nhalf_life_days = 0\n",
            5,
            "half_life_days must be between 0.1 and 3650",
        ),
        (
            "scoring.toml",
            "[[rule]]\nid = \"churn_payment\"\nscore = \"churn\"\nevent = \"E\"\npoints = 5\n",
            1,
            "duplicate id `churn_payment`, first used at line ",
        ),
        (
            "scoring.toml",
            "[[rule]]\nid = \"x\"\nscore = \"churn\"\nevent = \"E\"\nwhere = 'propertys.a == 1'\npoints = 5\n",
            4,
            "did you mean `properties`?",
        ),
        (
            "scoring.toml",
            "[[signal]]\nid = \"x\"\nscore = \"churn\"\nmeasure = \"idle_day\"\nfrom = 1\nto = 2\npoints = 5\n",
            3,
            "did you mean `idle_days`?",
        ),
        (
            "scoring.toml",
            "[[signal]]\nid = \"x\"\nscore = \"churn\"\nmeasure = \"idle_days\"\nfrom = 2\nto = 2\npoints = 5\n",
            5,
            "from and to must differ",
        ),
        (
            "scoring.toml",
            "[[tally]]\nname = \"loyalty\"\nevents = [\"E\"]\n",
            1,
            "duplicate name `loyalty`, first used at line ",
        ),
        (
            "journeys.toml",
            "[[journey]]\nid = \"x\"\ntrigger = { event = \"E\" }\n[[journey.step]]\nchannel = \"mail\"\ntemplate = \"welcom\"\n",
            5,
            "did you mean `welcome`?",
        ),
        (
            "journeys.toml",
            "[[journey]]\nid = \"x\"\ntrigger = { event = \"E\" }\nstages = [\"customer\"]\n[[journey.step]]\nchannel = \"mail\"\ntemplate = \"welcome\"\n",
            3,
            "`customer` is not allowed for `stages`",
        ),
        (
            "journeys.toml",
            "[[journey]]\nid = \"x\"\ntrigger = { event = \"E\" }\n[[journey.step]]\nchannel = \"webhook\"\ntemplate = \"welcome\"\nendpoint = \"task\"\n",
            6,
            "did you mean `tasks`?",
        ),
        (
            "journeys.toml",
            "[[journey]]\nid = \"x\"\ntrigger = { event = \"E\" }\n[[journey.step]]\nchannel = \"webhook\"\ntemplate = \"welcome\"\n",
            5,
            "needs `endpoint`",
        ),
        (
            "journeys.toml",
            "[[journey]]\nid = \"x\"\ntrigger = { idle_days = 3, event = \"E\" }\n[[journey.step]]\nchannel = \"mail\"\ntemplate = \"welcome\"\n",
            2,
            "trigger takes { event, where?, times?, within_days?",
        ),
        (
            "journeys.toml",
            "[[journey]]\nid = \"x\"\ntrigger = { event = \"E\", times = 3, within_days = 60 }\n[[journey.step]]\nchannel = \"mail\"\ntemplate = \"welcome\"\n",
            2,
            "within_days from 1 to 31",
        ),
        (
            "journeys.toml",
            "[[journey]]\nid = \"x\"\ntrigger = { event = \"E\", times = 3, where = 'properties.a == 1' }\n[[journey.step]]\nchannel = \"mail\"\ntemplate = \"welcome\"\n",
            2,
            "times and where cannot stand together",
        ),
        (
            "journeys.toml",
            "[[journey]]\nid = \"welcome\"\ntrigger = { event = \"E\" }\n[[journey.step]]\nchannel = \"mail\"\ntemplate = \"welcome\"\n",
            1,
            "duplicate id `welcome`, first used at line ",
        ),
        (
            "schedules.toml",
            "[[schedule]]\nid = \"x\"\nfunction = \"sweeep\"\nexpression = \"rate(1 hour)\"\n",
            2,
            "did you mean `sweep`?",
        ),
        (
            "schedules.toml",
            "[[schedule]]\nid = \"x\"\nfunction = \"sweep\"\nexpression = \"every hour\"\n",
            3,
            "rate(…), cron(…) or at(…)",
        ),
        (
            "schedules.toml",
            "[[schedule]]\nid = \"x\"\nfunction = \"sweep\"\nexpression = \"cron(0 6 * * *)\"\n",
            3,
            "cron takes six fields",
        ),
        (
            "schedules.toml",
            "[[schedule]]\nid = \"x\"\nfunction = \"sweep\"\nexpression = \"rate(1 hour)\"\ntime_zone = \"Europe/Berln\"\n",
            4,
            "no IANA time zone",
        ),
        (
            "channels.toml",
            "\n[webhook.x]\nurl = \"http://example.com\"\nsecret_env = \"X\"\n",
            2,
            "webhook.x.url must begin with https://",
        ),
        (
            "channels.toml",
            "\n[webhook.x]\nurl = \"https://example.com\"\nsecret_env = \"whsec_abc\"\n",
            3,
            "the secret itself never stands in a file",
        ),
        ("templates/welcome.toml", "\nsubjct = \"x\"\n", 1, "did you mean `subject`?"),
    ];
    for (file, snippet, offset, wanted) in cases {
        let (line, errors) = errors_after(file, snippet);
        let place = format!("{file}:{}:", line + offset);
        assert!(
            errors.contains(&place) && errors.contains(wanted),
            "wanted {place}… {wanted}\nfor\n{snippet}\nfound\n{errors}"
        );
    }
}

#[test]
fn values_that_contradict_each_other_are_told_at_their_line() {
    let lifecycle = "[milestones]\ntrial = [\"T\"]\n[customer]\nonboarding_days = 30\nadopting_days = 10\nat_risk_after_idle_days = 0\n";
    let errors = errors_of("lifecycle.toml", lifecycle);
    assert!(
        errors.contains(
            "lifecycle.toml:5:17: customer.adopting_days must be more than customer.onboarding_days, which is 30"
        ),
        "{errors}"
    );
    assert!(errors.contains("lifecycle.toml:6:27: customer.at_risk_after_idle_days must be at least 1"), "{errors}");

    let channels = "max_event_age_hours = 0\n[mail]\nfrom = \"nobody\"\nconfiguration_set = \"c\"\n[webhook.tasks]\nurl = \"https://example.com\"\nsecret_env = \"S\"\n";
    let errors = errors_of("channels.toml", channels);
    assert!(errors.contains("channels.toml:1:23: max_event_age_hours must be at least 1"), "{errors}");
    assert!(errors.contains("channels.toml:3:8: mail.from must be an address"), "{errors}");
}

#[test]
fn all_files_are_checked_at_once_and_strangers_are_named() {
    let mut bundle = default_bundle();
    bundle.files.remove("lifecycle.toml");
    bundle.files.insert("scorng.toml".to_owned(), String::new());
    bundle.files.insert("schedules.toml".to_owned(), "[[schedule]\n".to_owned());
    let errors = Config::load(&bundle).expect_err("three files are wrong").to_string();
    assert!(errors.contains("lifecycle.toml: is missing"), "{errors}");
    assert!(errors.contains("scorng.toml: no config file has this name; did you mean scoring.toml?"), "{errors}");
    assert!(errors.contains("schedules.toml:1:"), "{errors}");
}

#[test]
fn job_titles_are_known_in_other_orders_and_languages() {
    let config = Config::load(&default_bundle()).unwrap();
    let titles = &config.personas.titles;
    let has = |text: &str, name: &str| {
        let at = titles.names().iter().position(|known| known == name).unwrap();
        titles.of(text) & (1 << at) != 0
    };
    for title in [
        "CFO",
        "VP, Finance",
        "Finance VP",
        "Head of Group Finance",
        "Chief Financial and Operating Officer",
        "Chief Finance & Operations Officer",
        "Finanzvorstand",
        "Leiter Finanzen",
        "Finanzdirektor",
        "Directeur financier",
        "Directrice financière",
        "Directeur administratif et financier",
        "Director Financiero",
        "Direttore finanziario",
        "Diretor Financeiro",
        "Financieel directeur",
        "Dyrektor finansowy",
        "Financijski direktor",
    ] {
        assert!(has(title, "finance_lead"), "{title}");
    }
    for title in ["CFO, Executive Assistant", "Asystent CFO", "Finance Manager", "Director, Finance Systems"] {
        assert!(!has(title, "finance_lead"), "{title}");
    }
    assert!(has("Cofounder", "executive") && has("CISO", "executive"));
    assert!(has("Systems Administrator", "it") && has("Director of Information Technology", "it"));
    let sponsor = config.personas.all.iter().find(|persona| persona.name == "executive_sponsor").unwrap();
    assert!(
        sponsor.is_called("Executive Sponsor")
            && sponsor.is_called("executive_sponsor")
            && !sponsor.is_called("sponsor")
    );
}

/// One machine's keys: each replaces those of one source, because a key in two sources would be ambiguous.
#[test]
fn keys_of_one_machine_are_those_of_one_source_each() {
    let mut config = Config::load(&default_bundle()).unwrap();
    let hash = |key: &str| Some(WriteKeyHash::of(key).to_hex());
    let overrides = Overrides { write_key_hash: hash("mine"), public_key_hash: hash("open"), ..Overrides::default() };
    overrides.apply(&mut config);
    for (trust, key) in [(Trust::Server, "mine"), (Trust::Public, "open")] {
        let with_keys = config.sources.iter().filter(|source| !source.write_key_hashes.is_empty());
        let of: Vec<_> = with_keys.filter(|source| source.trust == trust).collect();
        assert_eq!(of.len(), 1);
        assert!(of[0].write_key_hashes.len() == 1 && of[0].write_key_hashes[0].same(&WriteKeyHash::of(key)), "{key}");
    }
}

/// Without the mail that asks, or without its link, nobody could ever confirm.
#[test]
fn double_opt_in_needs_the_mail_with_the_link() {
    let mut bundle = default_bundle();
    let channels = bundle.files["channels.toml"].replace("unverified_mail = \"send\"", "unverified_mail = \"confirm\"");
    bundle.files.insert("channels.toml".to_owned(), channels);
    assert_eq!(Config::load(&bundle).err().map(|errors| errors.to_string()), None, "the default folder has that mail");
    bundle.files.remove("templates/confirm_address.toml");
    let mut errors_with = |text: Option<&str>| {
        let file = "templates/confirm_address.toml".to_owned();
        text.map(|text| bundle.files.insert(file, text.to_owned()));
        Config::load(&bundle).err().map(|errors| errors.to_string()).unwrap_or_default()
    };
    let missing = errors_with(None);
    assert!(missing.contains("channels.toml:") && missing.contains("templates/confirm_address.toml"), "{missing}");
    assert!(errors_with(Some("subject = \"s\"\ntext = \"t\"")).contains("confirm_url"));
    let text = "subject = \"s\"\ntext = \"{{ confirm_url }}\"\n";
    assert!(errors_with(Some(&format!("{text}html = \"<p>t</p>\""))).contains("confirm_url"));
    assert_eq!(errors_with(Some(text)), "");
}
