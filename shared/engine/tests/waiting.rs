//! Mails and waits that began before everything was known: later data has the same effect as if it had been there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::at;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{Event, Withheld};
use perennial_engine::{Action, Mode, Moment, Profile, process, tick};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use std::collections::HashSet;

const NIGHT: &str = "[quiet_hours]\nfrom = \"21:00\"\nto = \"08:00\"\n";

const CHANNELS: &str = "!max_event_age_hours = 48\n[mail]\nfrom = \"a@example.com\"\nconfiguration_set = \"c\"\nwait_for_address_minutes = 10\n";

fn config(journeys: &str, limits: &str) -> Config {
    let template = "subject = \"s\"\ntext = \"t\"\n";
    let files = [
        ("journeys.toml", format!("!{journeys}")),
        ("limits.toml", format!("!{limits}")),
        ("lifecycle.toml", "trial = [\"Trial Started\"]\ncustomer = [\"Paid\"]\n".to_owned()),
        ("channels.toml", CHANNELS.to_owned()),
        ("templates/news.toml", template.to_owned()),
        ("templates/offer.toml", template.to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    ConfigBuilder::least().with(&files).load()
}

/// Returns a journey that mails on an event; `more` is added to the journey, `steps` come before the mail.
fn asked(more: &str, steps: &str) -> String {
    format!(
        "[[journey]]\nid = \"asked\"\ntrigger = {{ event = \"Asked\" }}\n{more}\n{steps}[[journey.step]]\nchannel = \"mail\"\ntemplate = \"news\"\n"
    )
}

fn profile(user: &str) -> Profile {
    Profile::new(ask("m", user, Timestamp::UNIX_EPOCH).identity().unwrap())
}

fn ask(id: &str, user: &str, when: Timestamp) -> Event {
    EventBuilder::track(id, user, "Asked").at(when).build()
}

fn mail(id: &str, user: &str, when: Timestamp) -> EventBuilder {
    EventBuilder::identify(id, user, None).with_trait("email", "ada@example.com").at(when)
}

fn zoned(mut event: Event, zone: &str) -> Event {
    event.context.insert("timezone".to_owned(), zone.into());
    event
}

/// Counts the event, evaluates the profile again if requested, and returns the mails that are sent, as the next write
/// leaves them.
fn feed(config: &Config, profile: &mut Profile, event: Event, now: Timestamp) -> Vec<(String, Option<Withheld>)> {
    process(&Moment::new(config, now), profile, &[event], &HashSet::new(), Mode::Live);
    let mut sent = sent(profile);
    if profile.due_at.is_some_and(|due| due <= now) {
        sent.extend(look(config, profile, now));
    }
    sent
}

fn look(config: &Config, profile: &mut Profile, now: Timestamp) -> Vec<(String, Option<Withheld>)> {
    tick(&Moment::new(config, now), profile);
    sent(profile)
}

fn sent(profile: &mut Profile) -> Vec<(String, Option<Withheld>)> {
    let sends = profile.outbox.iter().filter_map(|action| match action {
        Action::Send(decision) => Some((decision.template.clone(), decision.withheld)),
        _ => None,
    });
    let sends = sends.collect();
    profile.outbox.retain(Action::is_held);
    sends
}

fn plain(template: &str) -> Vec<(String, Option<Withheld>)> {
    vec![(template.to_owned(), None)]
}

/// Moves the identity states of the others into the first, like a merge.
fn merged<const N: usize>(all: [Profile; N]) -> Profile {
    let mut all = all.into_iter();
    let mut first = all.next().unwrap();
    for mut other in all {
        first.parts.append(&mut other.parts);
        first.outbox.append(&mut other.outbox);
    }
    first.parts.sort_by(|a, b| a.identity.cmp(&b.identity));
    first
}

#[test]
fn a_held_mail_keeps_the_quiet_hours_of_the_zone_that_comes_with_the_address() {
    let config = config(&asked("", ""), NIGHT);
    // Ten in the morning where no zone is known; three at night in Los Angeles.
    let now = at("2026-03-11T10:00:00Z");
    for by_trait in [false, true] {
        let mut profile = profile("u");
        assert_eq!(feed(&config, &mut profile, ask("a", "u", now), now), []);
        let address = mail("i", "u", at("2026-03-11T09:59:57Z"));
        let event = if by_trait {
            address.with_trait("timezone", "America/Los_Angeles").build()
        } else {
            zoned(address.build(), "America/Los_Angeles")
        };
        assert_eq!(feed(&config, &mut profile, event, now), []);
        assert_eq!(look(&config, &mut profile, at("2026-03-11T10:10:00Z")), [], "waiting for long is no reason");
        assert_eq!(profile.due_at, Some(at("2026-03-11T15:00:00Z")), "eight there");
        assert_eq!(look(&config, &mut profile, at("2026-03-11T15:00:00Z")), plain("news"));
    }
}

#[test]
fn a_held_mail_counts_towards_caps_when_it_goes_out() {
    let offer = "[[journey]]\nid = \"offer\"\ntrigger = { event = \"Offered\" }\nstep = [{ channel = \"mail\", template = \"offer\" }]\n";
    let config = config(&format!("{}{offer}", asked("", "")), "[[cap]]\nmessages = 1\nwithin_days = 7\n");
    let now = at("2026-03-11T10:00:00Z");
    let mut one = profile("u");
    feed(&config, &mut one, ask("a", "u", now), now);
    feed(&config, &mut one, EventBuilder::track("o", "u", "Offered").at(now).build(), now);
    let capped = ("offer".to_owned(), Some(Withheld::Capped));
    assert_eq!(feed(&config, &mut one, mail("i", "u", now).build(), now), [("news".to_owned(), None), capped]);
    let mut other = profile("u");
    feed(&config, &mut other, ask("a", "u", now), now);
    let later = at("2026-03-11T10:10:00Z");
    assert_eq!(look(&config, &mut other, later), plain("news"), "recorded as not deliverable");
    feed(&config, &mut other, mail("i", "u", later).build(), later);
    let offered = EventBuilder::track("o", "u", "Offered").at(later).build();
    assert_eq!(feed(&config, &mut other, offered, later), plain("offer"), "what was not delivered counts for nothing");
}

#[test]
fn a_held_mail_that_is_not_for_the_person_any_more_does_not_go_out() {
    let now = at("2026-03-11T10:00:00Z");
    let with_address = |more: &str, event: Event| {
        let config = config(&asked(more, ""), "");
        let mut profile = profile("u");
        feed(&config, &mut profile, ask("a", "u", now), now);
        feed(&config, &mut profile, event, now);
        let sent = feed(&config, &mut profile, mail("i", "u", now).build(), now);
        assert_eq!(profile.outbox, []);
        sent
    };
    let paid = || EventBuilder::track("p", "u", "Paid").at(now).build();
    let says = |plan: &str| EventBuilder::identify("s", "u", None).with_trait("plan", plan).at(now).build();
    assert_eq!(with_address("stages = [\"visitor\", \"lead\"]", paid()), []);
    assert_eq!(with_address("when = '!has(traits.plan) || traits.plan != \"free\"'", says("free")), []);
    assert_eq!(with_address("exit = 'traits.plan == \"free\"'", says("free")), []);
    assert_eq!(with_address("goal = { event = \"Paid\", within_days = 3 }", paid()), []);
    assert_eq!(with_address("when = '!has(traits.plan) || traits.plan != \"free\"'", says("pro")), plain("news"));
}

#[test]
fn of_those_who_turn_out_to_be_one_the_first_gets_the_held_mail() {
    let (first, second) = (at("2026-03-11T09:01:00Z"), at("2026-03-11T09:02:00Z"));
    let waiting = |config: &Config| {
        let (mut one, mut other) = (profile("u"), profile("v"));
        assert_eq!(feed(config, &mut one, ask("a", "u", first), first), []);
        assert_eq!(feed(config, &mut other, ask("b", "v", second), second), []);
        [one, other]
    };
    for (more, expected) in [("", 1), ("reentry = { after_days = 7 }", 1), ("reentry = \"always\"", 2)] {
        let config = config(&asked(more, ""), "");
        // The address arrived after they were merged.
        let mut both = merged(waiting(&config));
        assert_eq!(feed(&config, &mut both, mail("i", "u", second).build(), second).len(), expected, "{more}");
        assert_eq!(both.outbox, []);
        // Each got the address, which merged them.
        let [mut one, mut other] = waiting(&config);
        for (profile, user) in [(&mut one, "u"), (&mut other, "v")] {
            let event = mail(user, user, second).build();
            process(&Moment::new(&config, second), profile, &[event], &HashSet::new(), Mode::Live);
            assert!(profile.outbox.iter().any(|action| matches!(action, Action::LookAgain { .. })));
            assert_eq!(sent(profile), [], "who else has it is not known yet");
        }
        assert_eq!(look(&config, &mut merged([one, other]), second).len(), expected, "{more}");
        // The first mail was already sent, whosever it was.
        for swap in [false, true] {
            let [mut one, mut other] = waiting(&config);
            if swap {
                (one, other) = (other, one);
            }
            let user = if swap { "v" } else { "u" };
            let gone = feed(&config, &mut one, mail("i", user, second).build(), second);
            assert_eq!(gone, plain("news"));
            assert_eq!(look(&config, &mut merged([one, other]), second).len(), expected - 1, "{more}");
        }
    }
}

#[test]
fn who_was_on_the_way_first_gets_the_held_mail_of_a_longer_journey() {
    let wait = "[[journey.step]]\nchannel = \"mail\"\ntemplate = \"offer\"\n[[journey.step]]\nwait = { days = 3 }\n";
    for more in ["", "reentry = \"always\""] {
        let config = config(&asked(more, wait), "");
        let (first, second) = (at("2026-03-11T09:01:00Z"), at("2026-03-11T09:02:00Z"));
        let (mut one, mut other) = (profile("u"), profile("v"));
        feed(&config, &mut one, ask("a", "u", first), first);
        feed(&config, &mut other, ask("b", "v", second), second);
        let mut both = merged([one, other]);
        assert_eq!(feed(&config, &mut both, mail("i", "u", second).build(), second), plain("offer"));
        let due = both.due_at.unwrap();
        assert_eq!((due, look(&config, &mut both, due)), (at("2026-03-14T09:01:00Z"), plain("news")));
    }
}

#[test]
fn a_wait_goes_by_the_zone_that_becomes_known_later() {
    let until = "[[journey.step]]\nwait = { until = \"02:30\" }\n";
    let config = config(&asked("", until), "");
    let now = at("2026-03-11T10:00:00Z");
    let mut person = profile("u");
    feed(&config, &mut person, mail("i", "u", now).build(), now);
    feed(&config, &mut person, ask("a", "u", now), now);
    assert_eq!(person.due_at, Some(at("2026-03-12T02:30:00Z")));
    let later = at("2026-03-11T10:00:01Z");
    let zone = EventBuilder::identify("z", "u", None).with_trait("timezone", "Asia/Tokyo").at(now).build();
    feed(&config, &mut person, zone, later);
    assert_eq!(person.profile_due(), at("2026-03-11T17:30:00Z"));
    assert_eq!(look(&config, &mut person, at("2026-03-11T17:30:00Z")), plain("news"));
}

#[test]
fn quiet_hours_go_by_the_zone_that_becomes_known_later() {
    let config = config(&asked("", ""), NIGHT);
    let now = at("2026-03-11T23:00:00Z");
    for (zone, due) in [("America/Los_Angeles", None), ("Europe/Athens", Some("2026-03-12T06:00:00Z"))] {
        let mut person = profile("u");
        feed(&config, &mut person, mail("i", "u", now).build(), now);
        assert_eq!(feed(&config, &mut person, ask("a", "u", now), now), []);
        assert_eq!(person.profile_due(), at("2026-03-12T08:00:00Z"), "the night of UTC");
        let event = zoned(EventBuilder::track("z", "u", "Something").at(now).build(), zone);
        let sent = feed(&config, &mut person, event, now);
        match due {
            None => assert_eq!(sent, plain("news"), "four in the afternoon"),
            Some(due) => assert_eq!((sent, person.profile_due()), (Vec::new(), at(due))),
        }
    }
}

trait Due {
    /// Returns when the profile has to be evaluated again because of its waits.
    fn profile_due(&self) -> Timestamp;
}

impl Due for Profile {
    fn profile_due(&self) -> Timestamp {
        let due = self.facts().runs.values().map(|run| run.due).min().expect("someone waits");
        assert!(self.due_at.is_some_and(|at| at.as_second() <= due));
        Timestamp::from_second(due).unwrap()
    }
}
