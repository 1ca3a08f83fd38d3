#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

//! The engine over the sample with the default configuration: every journey is triggered, and nobody gets too many
//! messages.

use super::*;
use jiff::SignedDuration;
use perennial_config::Config;
use perennial_config::journeys::{Does, Journey, Trigger};
use perennial_config::vocabulary::PersonSlot;
use perennial_domain::hash::hash32;
use perennial_domain::{Channel, Decision, Event, Identity, Stage, Withheld};
use perennial_engine::{Action, Mode, Moment, Profile, candidates, evaluate, process, tick};
use perennial_store::{Summary, codec};
use perennial_testkit::ConfigBuilder;
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

/// Fires the profile's timers up to `until`.
fn ring(config: &Config, profile: &mut Profile, until: Timestamp) {
    let mut rings = 0;
    while let Some(due) = profile.due_at.filter(|due| *due <= until) {
        tick(&Moment::new(config, due), profile);
        assert_ne!(profile.due_at, Some(due), "a timer that rang has to move");
        rings += 1;
        assert!(rings < 1_000, "timers ring without end");
    }
}

/// Returns everyone at the end of the story. Anonymous visits are not merged with the user: merging is done by the
/// store and `score`, and no journey depends on it.
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

/// The median size of the stored profiles, in bytes as DynamoDB counts them.
fn median_size(config: &Config, people: &BTreeMap<Identity, Profile>, end: Timestamp) -> usize {
    let size = |profile: &Profile| {
        let stored = Profile { outbox: Vec::new(), ..profile.clone() };
        let summary = Summary::of(&stored, &evaluate(&Moment::new(config, end), &stored.view()), config);
        codec::size(&codec::encode(&stored, &summary, 40).unwrap())
    };
    let mut sizes: Vec<usize> = people.values().map(size).collect();
    sizes.sort_unstable();
    sizes[sizes.len() / 2]
}

/// Returns whether a journey is triggered by a person's own actions: events of accounts are forwarded by `rollup`.
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
fn the_story_sets_off_every_journey_and_floods_nobody_and_a_typical_person_fits_in_one_write_unit() {
    let config = ConfigBuilder::shipped().load();
    let end = "2026-11-01T00:00:00Z".parse().unwrap();
    let people = people(&config, end);

    let typical = median_size(&config, &people, end);
    assert!(typical <= codec::WRITE_UNIT, "a typical person takes {typical} bytes, more than a write unit");

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
    let config = ConfigBuilder::shipped().load();
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

/// Returns whether others wait after the message: one to the person that is not essential.
fn takes_turn(config: &Config, decision: &Decision) -> bool {
    let journey = config.journeys.all.iter().find(|journey| journey.id == decision.journey);
    let essential = journey.is_some_and(|journey| journey.essential)
        || config.topic_of(&decision.template).is_some_and(|topic| topic.essential);
    decision.withheld.is_none() && decision.channel != Channel::Webhook && !essential
}

/// Returns whether an event triggers the message: it is before any wait of a journey that an event starts.
fn is_at_once(config: &Config, decision: &Decision) -> bool {
    let journey = config.journeys.all.iter().find(|journey| journey.id == decision.journey).unwrap();
    let before = &journey.steps[..usize::from(decision.step)];
    matches!(journey.trigger, Trigger::Event { .. }) && before.iter().all(|step| !matches!(step.does, Does::Wait(_)))
}

/// Returns a person's messages that others wait after, in the order of time.
fn turns(config: &Config, profile: &Profile) -> Vec<Decision> {
    let mut all: Vec<Decision> = decisions(profile).filter(|decision| takes_turn(config, decision)).cloned().collect();
    all.sort_by_key(|decision| decision.decided_at);
    all
}

/// Returns whether the later of two messages comes within a day of the earlier one, other than by an event or in the
/// same turn.
fn is_too_soon(config: &Config, first: &Decision, second: &Decision) -> bool {
    let apart = second.decided_at.duration_since(first.decided_at);
    let is_one_turn = first.journey == second.journey && apart.is_zero();
    apart < SignedDuration::from_hours(24) && !is_one_turn && !is_at_once(config, second)
}

/// The whole sample with a gap between messages and without one: the number of the demo's messages follows from both.
#[test]
fn one_message_at_a_time_delays_messages_and_loses_only_those_whose_journey_was_left() {
    let (bundle, mut at_once) = (ConfigBuilder::shipped().bundle(), ConfigBuilder::shipped().bundle());
    let limits = at_once.files.get_mut("limits.toml").unwrap();
    *limits = limits.replace("gap_hours = 24", "gap_hours = 0");
    let [config, without] = [bundle, at_once].map(|bundle| Config::load(&bundle).unwrap());
    assert_eq!((config.limits.gap_hours, without.limits.gap_hours), (24, 0));
    let end = "2026-11-01T00:00:00Z".parse().unwrap();
    let (spaced, at_once) = (people(&config, end), people(&without, end));
    let (mut too_soon, mut delayed, mut waiting, mut lost) = (0, 0, 0, Vec::new());
    for (identity, profile) in &spaced {
        let (now, before) = (turns(&config, profile), turns(&without, &at_once[identity]));
        for (first, second) in now.iter().zip(now.iter().skip(1)) {
            assert!(!is_too_soon(&config, first, second), "{}: {first:?}, then {second:?}", identity.as_str());
        }
        let pairs = before.iter().zip(before.iter().skip(1));
        too_soon += pairs.filter(|(first, second)| is_too_soon(&without, first, second)).count();
        let still: Vec<String> = candidates(&config, profile).into_iter().map(|message| message.journey).collect();
        for decision in &before {
            let is_it = |other: &&Decision| (&other.journey, other.step) == (&decision.journey, decision.step);
            match now.iter().find(is_it) {
                Some(other) => delayed += usize::from(other.decided_at > decision.decided_at),
                None if still.contains(&decision.journey) => waiting += 1,
                None => {
                    let entered = profile.facts().entered[&hash32(&decision.journey)];
                    lost.push((identity.as_str(), decision.journey.clone(), entered.reached.is_some()));
                }
            }
        }
        let dropped = decisions(profile).filter(|one| one.withheld == Some(Withheld::Expired));
        assert_eq!(dropped.count(), 0, "{}: nobody has more to wait for than fits in three days", identity.as_str());
    }
    assert!(too_soon > 20 && delayed > 20, "{too_soon} would come too soon, {delayed} are delayed");
    assert!(waiting < 5, "{waiting} still wait when the story ends");
    assert!(
        lost.iter().all(|(.., reached)| *reached),
        "only who reached the goal meanwhile needs no message: {lost:?}"
    );
}
