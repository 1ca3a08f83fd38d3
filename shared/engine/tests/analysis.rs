//! Sections 2 to 4 of the domain, line by line: personas, scores and what they are made of, the survey, tallies, segments,
//! and the lifecycle with its history.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::time::plus_days;
use perennial_domain::{AccountFacts, AccountId, Event, Likelihood, Score, Stage, Touch};
use perennial_engine::explain::{ReasonKind, What};
use perennial_engine::{Moment, NpsClass, evaluate, stage_history, tick};
use perennial_testkit::EventBuilder;
use serde_json::json;
use support::{Person, at, config_with, default_config};

fn start() -> Timestamp {
    at("2026-03-02T09:00:00Z")
}

/// Events of one user, with ids of their own.
struct Life {
    config: Config,
    person: Person,
    events: u32,
}

impl Life {
    fn new(config: Config) -> Self {
        Self { config, person: Person::new("u"), events: 0 }
    }

    fn event(&mut self, name: &str, properties: serde_json::Value, when: Timestamp) -> Event {
        self.events += 1;
        EventBuilder::track(&format!("m{}", self.events), "u", name).at(when).properties(properties).build()
    }

    /// It happens, and is counted then.
    fn does(&mut self, name: &str, properties: serde_json::Value, when: Timestamp) {
        let event = self.event(name, properties, when);
        self.person.feed(&self.config, &[event], when);
    }

    fn says(&mut self, traits: serde_json::Value, when: Timestamp) {
        self.events += 1;
        let event = EventBuilder::identify(&format!("m{}", self.events), "u", None).at(when).traits(traits).build();
        self.person.feed(&self.config, &[event], when);
    }

    fn score(&self, likelihood: Likelihood, when: Timestamp) -> u8 {
        self.person.at(&self.config, when).scores.get(likelihood).get()
    }

    fn segments(&self, when: Timestamp) -> Vec<String> {
        self.person.at(&self.config, when).segments(&self.config).map(str::to_owned).collect()
    }

    fn personas(&self, when: Timestamp) -> Vec<String> {
        self.person.at(&self.config, when).personas(&self.config).map(str::to_owned).collect()
    }
}

// Section 2: personas.

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

// Section 3: the nine likelihoods under the default config.

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

// Section 3: what every score carries.

#[test]
fn a_score_says_which_rule_how_many_events_how_many_points_how_much_decayed_and_under_which_config() {
    let mut life = Life::new(config_with(&[]));
    life.does("Order Completed", json!({"size": "big"}), start());
    life.does("Order Completed", json!({"size": "big"}), start());
    life.does("Order Completed", json!({"size": "big"}), start());
    let now = plus_days(start(), 20);
    let why = life.person.why(&life.config, now, Likelihood::Purchase);
    let reason = |rule: &str| why.reasons.iter().find(|reason| reason.rule == rule).unwrap();
    let bought = reason("bought");
    assert_eq!((bought.events, bought.given, bought.points.round(), bought.decayed.round()), (3, 90.0, 45.0, 45.0));
    let big = reason("big");
    assert_eq!((big.given, big.points, big.capped), (45.0, 40.0, 5.0), "its own cap");
    assert_eq!((why.value.get(), &why.config), (85, &life.config.version));
}

#[test]
fn a_score_has_a_trend() {
    let mut life = Life::new(config_with(&[]));
    let monday = at("2026-03-02T00:00:00Z");
    life.does("Order Completed", json!({}), plus_days(monday, 1));
    life.does("Order Completed", json!({}), plus_days(monday, 8));
    let now = plus_days(monday, 23);
    let trend = life.person.why(&life.config, now, Likelihood::Purchase).trend;
    let told: Vec<_> = trend.iter().map(|point| (point.at, point.value.get())).collect();
    let second = life.person.at(&life.config, plus_days(monday, 14)).scores.get(Likelihood::Purchase).get();
    let third = life.person.at(&life.config, plus_days(monday, 21)).scores.get(Likelihood::Purchase).get();
    assert_eq!(told, [(plus_days(monday, 7), 24), (plus_days(monday, 14), second), (plus_days(monday, 21), third)]);
    assert!(second > 24 && third < second);
}

#[test]
fn a_history_that_is_read_in_has_a_trend_of_its_newest_weeks() {
    let mut life = Life::new(config_with(&[]));
    let events: Vec<Event> =
        (0..300).step_by(10).map(|day| life.event("Order Completed", json!({}), plus_days(start(), day))).collect();
    let now = plus_days(start(), 300);
    life.person.feed(&life.config, &events, now);
    let trend = life.person.why(&life.config, now, Likelihood::Purchase).trend;
    assert_eq!(trend.len(), 4, "{trend:?}");
    assert!(trend.iter().all(|point| (70..=100).contains(&point.value.get())), "{trend:?}");
}

#[test]
fn a_score_says_what_would_raise_and_lower_it() {
    let mut life = Life::new(default_config());
    life.does("Signed Up", json!({}), start());
    let why = life.person.why(&life.config, start(), Likelihood::Purchase);
    let first = &why.changes[0];
    assert_eq!(first.what, What::Event { event: "Demo Requested".into(), rule: "purchase_demo".into() });
    assert_eq!((first.by, first.value), (35, Score::from(35)));
    // It comes true.
    life.does("Demo Requested", json!({}), start());
    assert_eq!(life.score(Likelihood::Purchase, start()), 35);
    let why = life.person.why(&life.config, start(), Likelihood::Purchase);
    let quiet = why.changes.iter().find(|change| change.what == What::Quiet { days: 28 }).unwrap();
    assert_eq!(quiet.value.get(), life.score(Likelihood::Purchase, plus_days(start(), 28)));
    assert!(quiet.by < 0);
}

#[test]
fn points_decay_are_negative_and_are_capped_by_category() {
    let mut life = Life::new(default_config());
    for day in 0..10 {
        life.does("White Paper Downloaded", json!({}), plus_days(start(), day));
        life.does("Webinar Attended", json!({}), plus_days(start(), day));
    }
    let now = plus_days(start(), 10);
    assert_eq!(life.score(Likelihood::Purchase, now), 40, "reading alone makes nobody ready");
    let why = life.person.why(&life.config, now, Likelihood::Purchase);
    let cut = why.reasons.iter().find(|reason| reason.kind == ReasonKind::Category).unwrap();
    assert_eq!((cut.rule.as_str(), cut.points), ("content", -8.0));
    life.events += 1;
    let careers = EventBuilder::page("careers", "x").user("u").properties(json!({"path": "/careers"})).at(now).build();
    life.person.feed(&life.config, &[careers], now);
    assert_eq!(life.score(Likelihood::Purchase, now), 25, "who reads the job offers looks for work");
    assert!(life.score(Likelihood::Purchase, plus_days(now, 300)) < 20);
}

#[test]
fn tallies_count_what_was_taken_in_each_stage_of_the_journey() {
    let mut life = Life::new(default_config());
    for name in ["Content Viewed", "Content Viewed", "Campaign Clicked", "White Paper Downloaded", "Demo Requested"] {
        life.does(name, json!({}), start());
    }
    let view = life.person.profile.view();
    let tallies: Vec<_> = view.tallies.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(tallies, [("awareness", 3), ("consideration", 1), ("decision", 1)]);
}

// Section 3: engagement and the survey.

#[test]
fn the_survey_makes_promoters_passives_and_detractors_on_either_scale() {
    let class = |answer: serde_json::Value, active: bool| {
        let mut life = Life::new(default_config());
        let days = if active { 10 } else { 0 };
        for day in 0..days {
            life.does("Feature Used", json!({"feature": "forecast"}), plus_days(start(), day));
        }
        life.does("Survey Answered", json!({"nps": answer}), plus_days(start(), 10));
        life.person.at(&life.config, plus_days(start(), 10)).nps
    };
    for (answer, expected) in [
        (json!(10), NpsClass::Promoter),
        (json!("9"), NpsClass::Promoter),
        (json!(8), NpsClass::Passive),
        (json!(7.0), NpsClass::Passive),
        (json!(6), NpsClass::Detractor),
        (json!(0), NpsClass::Detractor),
        (json!(11), NpsClass::None),
        (json!(7.5), NpsClass::None),
        (json!("very"), NpsClass::None),
        (json!(null), NpsClass::None),
    ] {
        assert_eq!(class(answer.clone(), true), expected, "{answer}");
    }
    assert_eq!(class(json!(10), false), NpsClass::Passive, "who hardly uses the product promotes nothing");
}

#[test]
fn the_latest_answer_counts_whatever_the_order() {
    let mut life = Life::new(default_config());
    let late = life.event("Survey Answered", json!({"nps": 2}), plus_days(start(), 5));
    let early = life.event("Survey Answered", json!({"nps": 10}), start());
    life.person.feed(&life.config, &[late, early], plus_days(start(), 6));
    assert_eq!(life.person.at(&life.config, plus_days(start(), 6)).nps, NpsClass::Detractor);
}

#[test]
fn texts_give_a_sentiment_that_conditions_can_ask_for() {
    let mut life = Life::new(default_config());
    life.does("Support Ticket Opened", json!({"text": "This is terrible, it is broken again and I hate it"}), start());
    assert_eq!(life.segments(start()), ["upset"]);
    assert_eq!(life.segments(plus_days(start(), 200)), Vec::<String>::new(), "it was long ago");
}

// Segments.

#[test]
fn a_person_enters_and_leaves_a_segment_within_the_batch_that_caused_it() {
    let config = config_with(&[
        (
            "segments.toml",
            "[[segment]]\nname = \"customers\"\nwhen = 'pays'\n[[segment]]\nname = \"fresh\"\nwhen = 'segment(\"customers\") && tenure_days < 7'\n",
        ),
        (
            "journeys.toml",
            "[[journey]]\nid = \"hello\"\ntrigger = { segment = \"customers\", change = \"entered\" }\nreentry = \"always\"\nstep = [{ channel = \"in_app\", template = \"t\" }]\n[[journey]]\nid = \"bye\"\ntrigger = { segment = \"customers\", change = \"left\" }\nstep = [{ channel = \"in_app\", template = \"t\" }]\n",
        ),
    ]);
    let key = config.segments.get("customers").unwrap().1.key;
    let mut life = Life::new(config);
    life.does("Order Completed", json!({}), start());
    assert_eq!(life.segments(start()), ["customers", "fresh"]);
    assert_eq!(life.person.profile.facts().segments.get(&key), Some(&start().as_millisecond()));
    assert_eq!(life.person.sent(), ["hello"]);
    life.does("Order Completed", json!({}), plus_days(start(), 1));
    assert_eq!(life.person.sent(), Vec::<String>::new(), "who is in it does not enter it");
    life.does("Subscription Cancelled", json!({}), plus_days(start(), 2));
    assert_eq!(life.person.sent(), ["bye"]);
    assert!(!life.person.profile.facts().segments.contains_key(&key));
}

#[test]
fn time_alone_moves_someone_out_of_a_segment_on_the_day_it_does() {
    let config = config_with(&[("segments.toml", "[[segment]]\nname = \"keen\"\nwhen = 'count(\"$page\", 7) >= 3'\n")]);
    let key = config.segments.get("keen").unwrap().1.key;
    let mut life = Life::new(config);
    for (minute, id) in (0..).zip(["a", "b", "c"]) {
        let when = Timestamp::from_second(start().as_second() + minute * 60).unwrap();
        let page = EventBuilder::page(id, "x").user("u").at(when).build();
        life.person.feed(&life.config, &[page], when);
    }
    assert!(life.person.profile.facts().segments.contains_key(&key));
    let due = life.person.profile.due_at.unwrap();
    assert_eq!(due.as_second() - start().as_second() - 120, 7 * 86_400, "the day of the visits is out of the window");
    tick(&Moment::new(&life.config, due), &mut life.person.profile);
    assert!(!life.person.profile.facts().segments.contains_key(&key));
}

#[test]
fn segments_speak_of_the_account() {
    let mut life = Life::new(default_config());
    life.does("Subscription Started", json!({}), start());
    let account = AccountFacts { touch: Touch::High, ..account(5, None) };
    let moment = Moment::new(&life.config, start()).with_account(Some(&account));
    let of = |moment: &Moment<'_>| {
        evaluate(moment, &life.person.profile.view()).segments(&life.config).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of(&moment), ["key_accounts"]);
    assert_eq!(
        of(&Moment::new(&life.config, start())),
        Vec::<String>::new(),
        "without an account nothing is said of it"
    );
}

// Section 4: the lifecycle.

fn account(people: u32, stage: Option<Stage>) -> AccountFacts {
    AccountFacts {
        id: AccountId::parse("acme").unwrap(),
        people,
        score: Score::default(),
        health: None,
        value: None,
        touch: Touch::None,
        owner: None,
        stage,
        traits: Default::default(),
    }
}

#[test]
fn the_lifecycle_is_told_as_a_history() {
    let mut life = Life::new(default_config());
    life.says(json!({"email": "a@example.com"}), start());
    life.does("White Paper Downloaded", json!({}), plus_days(start(), 1));
    life.does("Trial Started", json!({}), plus_days(start(), 3));
    life.does("Free Plan Started", json!({}), plus_days(start(), 17));
    life.does("Subscription Started", json!({}), plus_days(start(), 20));
    for month in 1..5 {
        life.does("Subscription Renewed", json!({}), plus_days(start(), 20 + month * 30));
        life.does("Signed In", json!({}), plus_days(start(), 20 + month * 30));
    }
    life.does("Subscription Cancelled", json!({}), plus_days(start(), 150));
    life.does("Subscription Started", json!({}), plus_days(start(), 160));
    let now = plus_days(start(), 190);
    let history = stage_history(&Moment::new(&life.config, now), &life.person.profile.view());
    let told: Vec<_> =
        history.iter().map(|step| ((step.at.as_second() - start().as_second()) / 86_400, step.stage)).collect();
    let expected = [
        (1, Stage::Lead),
        (3, Stage::Trial),
        (17, Stage::Freemium),
        (20, Stage::Onboarding),
        (50, Stage::Adopting),
        (110, Stage::Established),
        (150, Stage::Churned),
        (160, Stage::WonBack),
        (181, Stage::AtRisk),
    ];
    assert_eq!(told, expected);
}

#[test]
fn from_the_moment_the_account_pays_no_colleague_is_a_prospect() {
    let mut life = Life::new(default_config());
    life.does("Trial Joined", json!({}), start());
    let stage = |account: Option<Stage>, now| {
        let account = self::account(2, account);
        evaluate(&Moment::new(&life.config, now).with_account(Some(&account)), &life.person.profile.view()).stage
    };
    assert_eq!(stage(None, start()), Stage::Trial);
    assert_eq!(stage(Some(Stage::Trial), start()), Stage::Trial);
    assert_eq!(stage(Some(Stage::Onboarding), start()), Stage::Onboarding);
    assert_eq!(stage(Some(Stage::Onboarding), plus_days(start(), 21)), Stage::AtRisk, "has not come back");
}

#[test]
fn when_the_account_leaves_its_people_have_left() {
    let mut life = Life::new(default_config());
    life.does("Seat Assigned", json!({}), start());
    let account = account(2, Some(Stage::Churned));
    let moment = Moment::new(&life.config, start()).with_account(Some(&account));
    assert_eq!(evaluate(&moment, &life.person.profile.view()).stage, Stage::Churned);
}

#[test]
fn the_stage_gates_every_message() {
    let journeys = "![[journey]]\nid = \"prospects\"\ntrigger = { event = \"Pricing Page Viewed\" }\nstages = [\"lead\", \"trial\"]\nreentry = \"always\"\nstep = [{ channel = \"mail\", template = \"t\" }]\n";
    let mut life = Life::new(config_with(&[("journeys.toml", journeys)]));
    life.does("Trial Started", json!({}), start());
    life.does("Pricing Page Viewed", json!({}), start());
    assert_eq!(life.person.sent(), ["prospects"]);
    life.does("Order Completed", json!({}), plus_days(start(), 1));
    life.does("Pricing Page Viewed", json!({}), plus_days(start(), 1));
    assert_eq!(life.person.sent(), Vec::<String>::new(), "who pays is no prospect");
}

#[test]
fn a_journey_takes_only_those_for_whom_its_condition_holds() {
    let journeys = "![[journey]]\nid = \"roi\"\ntrigger = { event = \"Pricing Page Viewed\", times = 3, within_days = 7 }\nwhen = 'persona(\"executive_sponsor\")'\nreentry = \"always\"\nstep = [{ channel = \"mail\", template = \"t\" }]\n";
    let personas = "[[persona]]\nname = \"executive_sponsor\"\nwhen = 'traits.title == \"CFO\"'\n";
    let sent = |title: &str| {
        let mut life = Life::new(config_with(&[("journeys.toml", journeys), ("personas.toml", personas)]));
        life.says(json!({"title": title}), start());
        for day in 0..3 {
            life.does("Pricing Page Viewed", json!({}), plus_days(start(), day));
        }
        life.person.sent()
    };
    assert_eq!(sent("CFO"), ["roi"]);
    assert_eq!(sent("Intern"), Vec::<String>::new());
}
