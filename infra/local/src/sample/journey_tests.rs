#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

//! The engine itself, run over the sample with the default config: every journey is set off, and nobody is flooded.

use super::*;
use crate::bundle;
use perennial_config::Config;
use perennial_config::journeys::{Journey, Trigger};
use perennial_config::vocabulary::PersonSlot;
use perennial_domain::{Decision, Event, Identity, Stage};
use perennial_engine::{Action, Mode, Moment, Profile, evaluate, process, tick};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The call as `ingest` accepts it; `None` for the broken ones.
fn event(call: &Call) -> Option<Event> {
    let mut body = call.body.clone();
    body["receivedAt"] = call.at.to_string().into();
    body["source"] = call.source.into();
    if body["type"] == "page" {
        body["event"] = body["name"].clone();
    }
    serde_json::from_value(body).ok()
}

/// Lets the person's timers ring up to `until`.
fn ring(config: &Config, profile: &mut Profile, until: Timestamp) {
    let mut rings = 0;
    while let Some(due) = profile.due_at.filter(|due| *due <= until) {
        tick(&Moment::new(config, due), profile);
        assert_ne!(profile.due_at, Some(due), "a timer that rang has to move");
        rings += 1;
        assert!(rings < 1_000, "timers ring without end");
    }
}

/// Everyone at the end of the story. Visits of a browser stay apart from who it turned out to be: joining is the store's
/// and `score`'s to do, and no journey hangs on it.
fn people(config: &Config, end: Timestamp) -> BTreeMap<Identity, Profile> {
    let mut people: BTreeMap<Identity, Profile> = BTreeMap::new();
    for call in company(end, SEED).calls() {
        let Some(event) = event(call) else { continue };
        let identity = event.identity().unwrap();
        let profile = people.entry(identity.clone()).or_insert_with(|| Profile::new(identity));
        ring(config, profile, call.at);
        take_in(config, profile, event, call.at);
    }
    for profile in people.values_mut() {
        ring(config, profile, end);
    }
    people
}

/// Counts the event, and what journeys count because of it.
fn take_in(config: &Config, profile: &mut Profile, event: Event, at: Timestamp) {
    let mut open = vec![event];
    while !open.is_empty() {
        let known = profile.outbox.len();
        process(&Moment::new(config, at), profile, &open, &HashSet::new(), Mode::Live);
        let counted = profile.outbox.iter().skip(known).filter_map(|action| match action {
            Action::Count { event } => Some(event.clone()),
            _ => None,
        });
        open = counted.collect();
    }
}

/// Whether a journey is set off by someone's own doing: what happens to accounts is `rollup`'s to hand on.
fn is_of_persons(journey: &Journey) -> bool {
    match &journey.trigger {
        Trigger::Event { to, .. } => to.is_empty(),
        Trigger::Becomes { when } => !when.slots().iter().any(PersonSlot::asks_account),
        _ => true,
    }
}

fn decisions(profile: &Profile) -> impl Iterator<Item = &Decision> {
    profile.outbox.iter().filter_map(|action| match action {
        Action::Send(decision) => Some(decision),
        _ => None,
    })
}

#[test]
fn the_story_sets_off_every_journey_and_floods_nobody() {
    let config = Config::load(&bundle::embedded()).unwrap();
    let end = "2026-11-01T00:00:00Z".parse().unwrap();
    let people = people(&config, end);

    let mut journeys: HashMap<&str, usize> = HashMap::new();
    let mut stages: BTreeMap<Stage, usize> = BTreeMap::new();
    for (identity, profile) in &people {
        let mut ids = BTreeSet::new();
        for decision in decisions(profile) {
            assert!(ids.insert(decision.id), "{} decides {} twice", identity.as_str(), decision.journey);
            *journeys.entry(&decision.journey).or_default() += 1;
        }
        assert!(ids.len() <= 20, "{} gets {} messages in {DAYS} days", identity.as_str(), ids.len());
        *stages.entry(evaluate(&Moment::new(&config, end), &profile.view()).stage).or_default() += 1;
    }
    let sends = |journey: &&Journey| journey.messages().next().is_some();
    for journey in config.journeys.all.iter().filter(sends).filter(|journey| is_of_persons(journey)) {
        let messages = journeys.get(journey.id.as_str()).copied().unwrap_or_default();
        assert!(messages > 0, "nothing sets off `{}`; {journeys:?}", journey.id);
    }
    for stage in [
        Stage::Visitor,
        Stage::Trial,
        Stage::Freemium,
        Stage::Onboarding,
        Stage::Adopting,
        Stage::Established,
        Stage::AtRisk,
        Stage::Churned,
    ] {
        assert!(stages.contains_key(&stage), "nobody is {stage} at the end; {stages:?}");
    }
}

#[test]
fn who_pays_gets_no_prospect_message() {
    let config = Config::load(&bundle::embedded()).unwrap();
    let prospects = ["welcome", "trial_rescue", "pricing_third_visit", "upgrade_offer", "sales_ready"];
    let end = "2026-11-01T00:00:00Z".parse().unwrap();
    let mut paid_since: HashMap<String, Timestamp> = HashMap::new();
    for call in company(end, SEED).calls() {
        let (Some(user), Some(name)) = (call.body["userId"].as_str(), call.body["event"].as_str()) else { continue };
        if matches!(name, "Subscription Started" | "Seat Assigned") {
            paid_since.entry(user.to_owned()).or_insert(call.at);
        }
    }
    assert!(paid_since.len() > 100, "the story has customers");
    for (identity, profile) in people(&config, end) {
        let Some(since) = paid_since.get(identity.as_str()) else { continue };
        for decision in decisions(&profile).filter(|decision| decision.decided_at >= *since) {
            assert!(
                !prospects.contains(&decision.journey.as_str()),
                "{} paid and gets {}",
                identity.as_str(),
                decision.journey
            );
        }
    }
}
