//! People of given events, and what reports say of them.

use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{Event, Identity, UserId};
use perennial_engine::{Mode, Moment, Profile, evaluate, process};
use perennial_reports::{Archived, Counted, Name, Report, Tally};
use perennial_testkit::EventBuilder;
use std::collections::HashSet;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A person of these events, each with when it happened, all of which arrive at `now`.
pub(crate) fn person(config: &Config, user: &str, events: &[(&str, Timestamp)], now: Timestamp) -> Profile {
    let events: Vec<Event> = events.iter().enumerate().map(|(i, event)| build(user, i, event)).collect();
    person_of(config, user, &events, now)
}

/// A user of these events, all of which arrive at `now`.
pub(crate) fn person_of(config: &Config, user: &str, events: &[Event], now: Timestamp) -> Profile {
    profile_of(config, Identity::User(UserId::parse(user).unwrap()), events, now)
}

/// A profile of these events, all of which arrive at `now`.
pub(crate) fn profile_of(config: &Config, identity: Identity, events: &[Event], now: Timestamp) -> Profile {
    let mut profile = Profile::new(identity);
    process(&Moment::new(config, now), &mut profile, events, &HashSet::new(), Mode::Live);
    profile
}

/// A person of these events, each of which arrives when it happened, so that it may start a journey.
pub(crate) fn lived(config: &Config, user: &str, events: &[(&str, Timestamp)]) -> Profile {
    let mut profile = Profile::new(Identity::User(UserId::parse(user).unwrap()));
    for (i, event) in events.iter().enumerate() {
        process(&Moment::new(config, event.1), &mut profile, &[build(user, i, event)], &HashSet::new(), Mode::Live);
        profile.outbox.clear();
    }
    profile
}

/// An event; a name such as `Answered=9` has a property `nps`.
fn build(user: &str, i: usize, (name, at): &(&str, Timestamp)) -> Event {
    let (name, nps) = name.split_once('=').map_or((*name, None), |(name, nps)| (name, nps.parse::<u8>().ok()));
    let event = EventBuilder::track(&format!("{user}-{i}"), user, name).at(*at);
    nps.map_or_else(|| event.clone(), |nps| event.clone().property("nps", nps)).build()
}

pub(crate) fn count(config: &Config, people: &[Profile], now: Timestamp) -> Tally {
    let mut tally = Tally::new(now);
    for profile in people {
        let evaluation = evaluate(&Moment::new(config, now), &profile.view());
        let segments: Vec<String> = evaluation.segments(config).map(str::to_owned).collect();
        let scores = evaluation.scores.iter().collect();
        tally.add(
            config,
            &Counted { profile, stage: evaluation.stage, nps: evaluation.nps, scores: &scores, segments: &segments },
        );
    }
    tally
}

pub(crate) fn report(config: &Config, tally: &Tally, name: Name) -> Report {
    tally.reports(config, &Archived::default()).into_iter().find(|report| report.name == name).unwrap()
}
