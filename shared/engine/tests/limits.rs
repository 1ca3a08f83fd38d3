//! Limits of messages: quiet hours, caps, holdouts; and the effect of a journey's change on people.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod caps;

use crate::support::at;
use jiff::Timestamp;
use perennial_config::{Bundle, Config};
use perennial_domain::time::plus_days;
use perennial_domain::{Channel, Decision, Event, Withheld};
use perennial_engine::taken::Taken;
use perennial_engine::{Action, Mode, Moment, Processed, Profile, process, tick};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use std::collections::HashSet;

const TOPICS: &str = r#"
[[topic]]
id = "billing"
title = "Billing"
essential = true
"#;

fn config(journeys: &str, limits: &str) -> Config {
    Config::load(&bundle(journeys, limits)).unwrap()
}

fn bundle(journeys: &str, limits: &str) -> Bundle {
    let (journeys, limits) = (format!("!{journeys}"), format!("!{limits}"));
    let template = "subject = \"s\"\ntext = \"t\"\n";
    let bill = format!("{template}topic = \"billing\"\n");
    ConfigBuilder::least()
        .with(&[
            ("journeys.toml", &journeys),
            ("limits.toml", &limits),
            ("channels.toml", TOPICS),
            ("templates/news.toml", template),
            ("templates/offer.toml", template),
            ("templates/bill.toml", &bill),
        ])
        .bundle()
}

/// Returns a journey that sends one message for each event of a name.
fn each(event: &str, channel: &str, template: &str, more: &str) -> String {
    format!(
        "[[journey]]\nid = \"{template}_{channel}\"\ntrigger = {{ event = \"{event}\" }}\nreentry = \"always\"\n{more}\n\
         [[journey.step]]\nchannel = \"{channel}\"\ntemplate = \"{template}\"\n"
    )
}

struct Person {
    profile: Profile,
    user: String,
    events: u32,
}

impl Person {
    fn new(user: &str) -> Self {
        let identity = EventBuilder::track("m", user, "e").build().identity().unwrap();
        Self { profile: Profile::new(identity), user: user.to_owned(), events: 0 }
    }

    fn feed(&mut self, config: &Config, event: Event, now: Timestamp) -> Processed {
        process(&Moment::new(config, now), &mut self.profile, &[event], &HashSet::new(), Mode::Live)
    }

    fn does(&mut self, config: &Config, name: &str, now: Timestamp) -> Vec<Decision> {
        self.events += 1;
        let event = EventBuilder::track(&format!("{}-{}", self.user, self.events), &self.user, name).at(now).build();
        self.feed(config, event, now);
        self.decided()
    }

    fn lives_in(&mut self, config: &Config, zone: &str, now: Timestamp) {
        let event =
            EventBuilder::identify(&format!("{}-zone", self.user), &self.user, None).with_trait("timezone", zone);
        self.feed(config, event.at(now).build(), now);
    }

    fn has_address(&mut self, config: &Config, now: Timestamp) {
        let event = EventBuilder::identify(&format!("{}-mail", self.user), &self.user, None);
        self.feed(config, event.with_trait("email", "ada@example.com").at(now).build(), now);
    }

    fn decided(&mut self) -> Vec<Decision> {
        let actions = std::mem::take(&mut self.profile.outbox);
        let sent = |action| if let Action::Send(decision) = action { Some(decision) } else { None };
        actions.into_iter().filter_map(sent).collect()
    }

    /// Advances time to the due time; returns it and the decisions.
    fn due(&mut self, config: &Config) -> (Timestamp, Vec<Decision>) {
        let due = self.profile.due_at.expect("something is due");
        tick(&Moment::new(config, due), &mut self.profile);
        (due, self.decided())
    }
}

fn templates(decisions: &[Decision]) -> Vec<(&str, Option<Withheld>)> {
    decisions.iter().map(|decision| (decision.template.as_str(), decision.withheld)).collect()
}

const NIGHT: &str = "[quiet_hours]\nfrom = \"21:00\"\nto = \"08:00\"\n";

#[test]
fn a_message_waits_for_the_end_of_the_quiet_hours_by_the_persons_clock() {
    let config = config(&each("Asked", "mail", "news", ""), NIGHT);
    // Ten at night in Tokyo; one in the afternoon where no time zone is known.
    let now = at("2026-03-02T13:00:00Z");
    let mut here = Person::new("here");
    assert_eq!(templates(&here.does(&config, "Asked", now)), [("news", None)]);
    let mut tokyo = Person::new("tokyo");
    tokyo.lives_in(&config, "Asia/Tokyo", now);
    assert_eq!(templates(&tokyo.does(&config, "Asked", now)), []);
    let (when, decided) = tokyo.due(&config);
    assert_eq!((when, templates(&decided)), (at("2026-03-02T23:00:00Z"), vec![("news", None)]));
    assert_eq!(decided[0].decided_at, when);
    assert_eq!(tokyo.profile.facts().runs.len(), 0);
}

#[test]
fn the_time_zone_of_who_has_none_is_that_of_the_config() {
    let config = config(&each("Asked", "mail", "news", ""), &format!("time_zone = \"America/New_York\"\n{NIGHT}"));
    let mut person = Person::new("u");
    // Eight in the evening there, and one at night in UTC.
    assert_eq!(person.does(&config, "Asked", at("2026-03-03T01:00:00Z")).len(), 1);
    assert_eq!(person.does(&config, "Asked", at("2026-03-03T02:30:00Z")).len(), 0);
}

#[test]
fn the_time_zone_is_read_as_clients_write_it_from_traits_and_from_the_context() {
    let config = config(&each("Asked", "mail", "news", ""), NIGHT);
    // Two at night in UTC; six in the evening in Los Angeles, where it is winter.
    let now = at("2026-03-03T02:00:00Z");
    assert_eq!(Person::new("u").does(&config, "Asked", now).len(), 0);
    for zone in [
        "America/Los_Angeles",
        " america/los angeles ",
        "Pacific Standard Time",
        "(UTC-08:00) Pacific Time (US & Canada)",
        "UTC-08:00",
        "-480",
        "Etc/GMT+8",
    ] {
        let mut person = Person::new("u");
        person.lives_in(&config, zone, now);
        assert_eq!(person.does(&config, "Asked", now).len(), 1, "{zone}");
        // In the context of any call.
        for kind in ["context", "property", "number"] {
            let mut person = Person::new("u");
            let mut event = EventBuilder::track("m", "u", "Something").at(now).build();
            match kind {
                "context" => drop(event.context.insert("timezone".to_owned(), zone.into())),
                "property" => drop(event.properties.insert("$timezone".to_owned(), zone.into())),
                _ => drop(event.context.insert("timezone".to_owned(), (-480).into())),
            }
            person.feed(&config, event, now);
            assert_eq!(person.does(&config, "Asked", now).len(), 1, "{kind} {zone}");
        }
    }
    // A trait takes precedence over the context, and an unreadable one is ignored.
    let mut person = Person::new("u");
    let mut event = EventBuilder::identify("m", "u", None).with_trait("timezone", "Asia/Tokyo").at(now).build();
    event.context.insert("timezone".to_owned(), "Europe/London".into());
    person.feed(&config, event, now);
    assert_eq!(person.does(&config, "Asked", now).len(), 1, "eleven in the morning in Tokyo");
    let mut person = Person::new("u");
    person.lives_in(&config, "Mars", now);
    assert_eq!(person.does(&config, "Asked", now).len(), 0);
}

#[test]
fn quiet_hours_that_end_in_the_hour_that_is_there_twice_end_once_it_is_over() {
    let night = "[quiet_hours]\nfrom = \"21:00\"\nto = \"02:30\"\n";
    let config = config(&each("Asked", "mail", "news", ""), night);
    // In the night to 25 October 2026 it is ten past two in Berlin at 00:10Z and again at 01:10Z.
    for (now, due) in
        [("2026-10-25T00:10:00Z", "2026-10-25T00:30:00Z"), ("2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z")]
    {
        let mut person = Person::new("u");
        person.lives_in(&config, "Europe/Berlin", at(now));
        assert_eq!(person.does(&config, "Asked", at(now)).len(), 0);
        assert_eq!(person.due(&config).0, at(due));
    }
}

#[test]
fn what_is_shown_in_the_product_answers_at_once_or_must_be_known_knows_no_quiet_hours() {
    let journeys = [
        each("Asked", "in_app", "news", ""),
        each("Asked", "mail", "offer", "any_hour = true"),
        each("Asked", "mail", "bill", ""),
    ];
    let config = config(&journeys.concat(), NIGHT);
    let sent = Person::new("u").does(&config, "Asked", at("2026-03-02T23:00:00Z"));
    assert_eq!(templates(&sent), [("news", None), ("offer", None), ("bill", None)]);
}

/// Returns what each of `people` gets from a journey that records an event too.
fn sent_to(config: &Config, people: u32) -> Vec<(Vec<Decision>, bool)> {
    let now = at("2026-03-02T10:00:00Z");
    let each = (0..people).map(|n| {
        let mut person = Person::new(&format!("user-{n}"));
        let event = EventBuilder::track("m", &person.user, "Asked").at(now).build();
        person.feed(config, event, now);
        let counted = person.profile.outbox.iter().any(|action| matches!(action, Action::Count { .. }));
        (person.decided(), counted)
    });
    each.collect()
}

#[test]
fn a_holdout_gets_nothing_is_written_down_and_stays_as_it_grows() {
    let journey =
        |more: &str| format!("{}[[journey.step]]\nevent = \"Was Written To\"\n", each("Asked", "mail", "news", more));
    let out = |sent: &[(Vec<Decision>, bool)]| -> HashSet<usize> {
        let out = |decisions: &[Decision]| templates(decisions) == [("news", Some(Withheld::HeldOut))];
        sent.iter().enumerate().filter(|(_, (decisions, _))| out(decisions)).map(|(at, _)| at).collect()
    };
    for (small, large) in [
        (config(&journey("holdout = 10"), ""), config(&journey("holdout = 20"), "")),
        (config(&journey(""), "[holdout]\npercent = 10\n"), config(&journey(""), "[holdout]\npercent = 20\n")),
    ] {
        let (few, many) = (sent_to(&small, 1000), sent_to(&large, 1000));
        for (decisions, counted) in few.iter().chain(&many) {
            let [decision] = decisions.as_slice() else { panic!("one message, sent or written down") };
            assert_eq!(*counted, decision.withheld.is_none(), "nothing is counted of who is held out");
        }
        let (few, many) = (out(&few), out(&many));
        // Four standard deviations: 10 % and 20 % of a thousand.
        assert!((62..=138).contains(&few.len()) && (150..=250).contains(&many.len()), "{} {}", few.len(), many.len());
        assert!(few.is_subset(&many));
    }
    let split = "[[journey]]\nid = \"asked\"\nholdout = 50\ntrigger = { event = \"Asked\" }\n\
        [[journey.step]]\nid = \"which\"\nsplit = { short = 50, long = 50 }\n\
        [[journey.step]]\nid = \"short\"\nchannel = \"mail\"\ntemplate = \"news\"\nthen = \"end\"\n\
        [[journey.step]]\nid = \"long\"\nchannel = \"mail\"\ntemplate = \"offer\"\n";
    for (decisions, _) in sent_to(&config(split, ""), 50) {
        let [decision] = decisions.as_slice() else { panic!("one message, sent or written down") };
        assert_eq!(decision.variant.is_none(), decision.withheld.is_some(), "people of a holdout are in no arm");
    }
    let essential = config(&journey("essential = true"), "[holdout]\npercent = 50\n");
    assert_eq!(out(&sent_to(&essential, 200)).len(), 0);
}

#[test]
fn who_is_in_a_holdout_stays_there_when_they_turn_out_to_be_someone_else() {
    let config = config(&each("Asked", "mail", "news", "holdout = 50"), "");
    let now = at("2026-03-02T10:00:00Z");
    let held = (0..).map(|n| Person::new(&format!("a-{n}"))).find_map(|mut person| {
        let sent = person.does(&config, "Asked", now);
        (sent[0].withheld.is_some()).then_some(person)
    });
    let treated = (0..).map(|n| Person::new(&format!("b-{n}"))).find_map(|mut person| {
        let sent = person.does(&config, "Asked", now);
        (sent[0].withheld.is_none()).then_some(person)
    });
    let (held, mut both) = (held.unwrap(), treated.unwrap());
    both.profile.parts.extend(held.profile.parts);
    assert_eq!(templates(&both.does(&config, "Asked", plus_days(now, 1))), [("news", Some(Withheld::HeldOut))]);
}

#[test]
fn a_way_that_was_taken_stays_whatever_becomes_of_the_shares_and_is_told_with_each_message() {
    let split = |short: u8| {
        let long = 100 - short;
        format!(
            "[[journey]]\nid = \"letters\"\ntrigger = {{ event = \"Asked\" }}\nreentry = \"always\"\n\
             [[journey.step]]\nid = \"subject\"\nsplit = {{ short = {short}, long = {long} }}\n\
             [[journey.step]]\nid = \"short\"\nchannel = \"mail\"\ntemplate = \"news\"\nthen = \"end\"\n\
             [[journey.step]]\nid = \"long\"\nchannel = \"mail\"\ntemplate = \"offer\"\n"
        )
    };
    let (even, turned) = (config(&split(50), ""), config(&split(1), ""));
    let now = at("2026-03-02T10:00:00Z");
    let mut ways = [0, 0];
    for n in 0..200 {
        let mut person = Person::new(&format!("user-{n}"));
        let first = person.does(&even, "Asked", now);
        let again = person.does(&turned, "Asked", plus_days(now, 1));
        assert_eq!(templates(&first), templates(&again));
        let short = first[0].template == "news";
        assert_eq!(first[0].variant.as_deref(), Some(if short { "subject=short" } else { "subject=long" }));
        ways[usize::from(short)] += 1;
    }
    assert!(ways.iter().all(|n| (70..=130).contains(n)), "{ways:?}");
}

#[test]
fn who_is_on_the_way_finishes_a_journey_as_it_began_unless_it_says_move() {
    let journey = |days: u8, template: &str, more: &str| {
        format!(
            "[[journey]]\nid = \"course\"\ntrigger = {{ event = \"Asked\" }}\n{more}\n\
             [[journey.step]]\nid = \"pause\"\nwait = {{ event = \"Done\", days = {days} }}\n\
             [[journey.step]]\nchannel = \"mail\"\ntemplate = \"{template}\"\n"
        )
    };
    let old = bundle(&journey(2, "news", ""), "");
    let finish = bundle(&journey(5, "offer", ""), "").following(&old);
    let moves = bundle(&journey(5, "offer", "on_change = \"move\""), "").following(&old);
    let gone = bundle("", "").following(&old);
    let now = at("2026-03-02T10:00:00Z");
    let entered = || {
        let mut person = Person::new("u");
        person.does(&Config::load(&old).unwrap(), "Asked", now);
        person
    };
    let [finish, moves, gone] = [finish, moves, gone].map(|bundle| Config::load(&bundle).unwrap());
    for (config, expected) in [(&finish, "news"), (&moves, "offer")] {
        assert_eq!(templates(&entered().due(config).1), [(expected, None)], "by time");
        assert_eq!(templates(&entered().does(config, "Done", plus_days(now, 1))), [(expected, None)], "by the event");
    }
    assert_eq!(templates(&entered().due(&gone).1), []);
    let mut later = Person::new("v");
    later.does(&finish, "Asked", now);
    let (when, decided) = later.due(&finish);
    assert_eq!(
        (when, templates(&decided)),
        (plus_days(now, 5), vec![("offer", None)]),
        "who enters now gets the new one"
    );
}

#[test]
fn what_a_journey_does_is_told_step_by_step() {
    let journey = "[[journey]]\nid = \"course\"\ntrigger = { event = \"Asked\" }\n\
                   [[journey.step]]\nbranch = { when = 'pays', go_to = \"end\" }\n\
                   [[journey.step]]\nid = \"hello\"\nchannel = \"mail\"\ntemplate = \"news\"\n\
                   [[journey.step]]\ntraits = { course = \"begun\" }\n";
    let config = config(journey, NIGHT);
    let now = at("2026-03-02T22:00:00Z");
    let mut person = Person::new("u");
    let event = EventBuilder::track("m", "u", "Asked").at(now).build();
    let told = person.feed(&config, event, now).steps;
    let shown: Vec<_> = told.iter().map(|step| (step.step.as_deref(), &step.what)).collect();
    let morning = at("2026-03-03T08:00:00Z");
    assert!(matches!(shown[0], (None, Taken::Entered { .. })));
    assert_eq!(
        shown[1..],
        [(Some("1"), &Taken::Branched { held: false }), (Some("hello"), &Taken::PutOff { until: morning }),]
    );
    let told = tick(&Moment::new(&config, morning), &mut person.profile).steps;
    let decision = person.decided().remove(0);
    assert_eq!(decision.channel, Channel::Mail);
    let shown: Vec<_> = told.into_iter().map(|step| step.what).collect();
    assert_eq!(
        shown,
        [
            Taken::Decided { decision: decision.id, withheld: None },
            Taken::Wrote { traits: vec!["course".to_owned()] },
            Taken::Ended,
        ]
    );
}
