#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

//! The whole analysis of the sample with the default configuration: it has people in every stage and class.

use super::*;
use perennial_config::Config;
use perennial_domain::hygiene::Outcome;
use perennial_domain::hygiene::traits::standardise;
use perennial_domain::{AccountFacts, AccountId, Event, EventKind, Identity, Likelihood, Stage, Touch, UserId};
use perennial_engine::account::{Account, Tally, facts, member};
use perennial_engine::apply::apply;
use perennial_engine::membership::account_of;
use perennial_engine::{Evaluation, Moment, NpsClass, State, evaluate};
use perennial_testkit::ConfigBuilder;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The state at the end of the story.
pub(super) struct Known {
    pub(super) config: Config,
    pub(super) people: BTreeMap<Identity, (State, Evaluation)>,
    pub(super) accounts: BTreeMap<AccountId, AccountFacts>,
    /// The account of each person.
    pub(super) members: BTreeMap<Identity, AccountId>,
}

/// The call as `ingest` accepts it; `None` for the broken ones.
pub(super) fn event(call: &Call) -> Option<Event> {
    let mut body = call.body.clone();
    body["receivedAt"] = call.at.to_string().into();
    body["source"] = call.source.into();
    if body["type"] == "page" {
        body["event"] = body["name"].clone();
    }
    if body["groupId"].is_null() {
        body["groupId"] = body["context"]["groupId"].clone();
    }
    let mut event: Event = serde_json::from_value(body).ok()?;
    standardise(event.kind, &mut event.traits);
    Some(event)
}

fn events() -> Vec<Event> {
    let mut seen = HashSet::new();
    let end = "2026-11-01T00:00:00Z".parse().unwrap();
    company(end, SEED).calls().filter_map(event).filter(|event| seen.insert(event.message_id.clone())).collect()
}

/// Returns everyone with their accounts, as `score` and `rollup` have them at the end. Second user ids are not merged.
pub(super) fn known() -> Known {
    let config = ConfigBuilder::shipped().load();
    let now = "2026-11-01T00:00:00Z".parse().unwrap();
    let events = events();
    let links: BTreeMap<Identity, &UserId> = events.iter().filter_map(Event::link).collect();
    let mut states: BTreeMap<Identity, State> = BTreeMap::new();
    let mut accounts: BTreeMap<AccountId, Account> = BTreeMap::new();
    for event in &events {
        let own = event.identity().unwrap();
        let identity = links.get(&own).map_or(own, |user| Identity::User((*user).clone()));
        apply(&config, states.entry(identity).or_default(), event);
        if let Some(id) = &event.group_id {
            let account = accounts.entry(id.clone()).or_insert_with(|| Account::new(id.clone()));
            if event.kind == EventKind::Group {
                account.merge(&config.accounts.domains, &event.traits, event.timestamp, &event.message_id);
            }
            for milestone in config.account_milestones(event) {
                account.mark_milestone(*milestone, event.timestamp);
            }
        }
    }
    let named: BTreeMap<String, AccountId> = accounts
        .values()
        .flat_map(|account| {
            account.domains(&config.accounts.domains).into_keys().map(|domain| (domain, account.id.clone()))
        })
        .collect();
    let belongs = |state: &State| {
        let id = account_of(&config, state)?;
        Some(named.get(id.as_str()).cloned().unwrap_or(id))
    };
    let members: BTreeMap<Identity, AccountId> =
        states.iter().filter_map(|(identity, state)| Some((identity.clone(), belongs(state)?))).collect();
    for id in members.values() {
        accounts.entry(id.clone()).or_insert_with(|| Account::new(id.clone()));
    }
    let look = |accounts: &BTreeMap<AccountId, AccountFacts>| -> BTreeMap<Identity, Evaluation> {
        let at = |identity: &Identity| members.get(identity).and_then(|id| accounts.get(id));
        let moment = Moment::new(&config, now);
        states.iter().map(|(who, state)| (who.clone(), evaluate(&moment.with_account(at(who)), state))).collect()
    };
    let all = |accounts: &BTreeMap<AccountId, Account>| -> BTreeMap<AccountId, AccountFacts> {
        accounts.iter().map(|(id, account)| (id.clone(), facts(&config, account, now))).collect()
    };
    let first = look(&all(&accounts));
    for (id, account) in &mut accounts {
        let mut tally = Tally::new(&config, now);
        for (who, _) in members.iter().filter(|(_, member)| *member == id) {
            let evaluation = &first[who];
            tally.add(&member(&config, who.person_id(), &states[who], evaluation));
        }
        account.summary = Some(tally.finish().0);
    }
    let accounts = all(&accounts);
    let mut evaluations = look(&accounts);
    let people = states.into_iter().map(|(who, state)| {
        let evaluation = evaluations.remove(&who).unwrap();
        (who, (state, evaluation))
    });
    Known { people: people.collect(), accounts, config, members }
}

#[test]
fn the_sample_company_has_people_in_every_stage_of_the_lifecycle() {
    let known = known();
    let mut stages: BTreeMap<Stage, usize> = BTreeMap::new();
    known.people.values().for_each(|(_, evaluation)| *stages.entry(evaluation.stage).or_default() += 1);
    for stage in Stage::ALL {
        assert!(stages.contains_key(&stage), "nobody is {stage}: {stages:?}");
    }
}

#[test]
fn the_sample_company_has_every_persona_by_trait_and_by_rule() {
    let known = known();
    let says = |state: &State, name: &str| {
        state.traits.get("role").is_some_and(|role| role.value.contains(&format!("\"{name}\"")))
    };
    for persona in &known.config.personas.all {
        let has = |evaluation: &Evaluation| evaluation.personas(&known.config).any(|name| name == persona.name);
        let of: Vec<&State> = known.people.values().filter(|(_, e)| has(e)).map(|(state, _)| state).collect();
        assert!(of.iter().any(|state| says(state, &persona.name)), "nobody says to be {}", persona.name);
        let by_rule = of.iter().any(|state| !says(state, &persona.name));
        assert_eq!(by_rule, persona.when.is_some(), "{} by what someone does", persona.name);
    }
}

#[test]
fn the_sample_company_has_promoters_passives_detractors_and_people_who_do_not_answer() {
    let known = known();
    let classes: BTreeSet<NpsClass> = known.people.values().map(|(_, evaluation)| evaluation.nps).collect();
    assert_eq!(classes, NpsClass::ALL.into());
}

#[test]
fn the_sample_company_has_people_in_every_segment() {
    let known = known();
    let mut segments: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, evaluation) in known.people.values() {
        evaluation.segments(&known.config).for_each(|segment| *segments.entry(segment).or_default() += 1);
    }
    for segment in &known.config.segments.all {
        assert!(segments.contains_key(segment.name.as_str()), "nobody is in {}: {segments:?}", segment.name);
    }
}

#[test]
fn the_sample_company_has_people_high_and_low_on_each_of_the_nine_likelihoods() {
    let known = known();
    for likelihood in Likelihood::ALL {
        let scores: Vec<u8> = known
            .people
            .values()
            .map(|(_, evaluation)| evaluation.scores.get(likelihood).unwrap_or_default().get())
            .collect();
        let (highest, lowest) = (scores.iter().max().unwrap(), scores.iter().min().unwrap());
        assert!(*highest >= 75 && *lowest < 25, "{likelihood:?} goes from {lowest} to {highest}");
    }
}

#[test]
fn the_sample_company_has_pieces_counted_in_the_tally_of_every_stage() {
    let known = known();
    let tallies: BTreeSet<&String> = known
        .people
        .values()
        .flat_map(|(state, _)| state.tallies.iter())
        .filter(|(_, n)| **n > 0)
        .map(|(name, _)| name)
        .collect();
    let all: BTreeSet<&String> = known.config.scoring.tallies.values().flatten().collect();
    assert_eq!(tallies, all);
}

#[test]
fn the_sample_company_has_accounts_of_every_touch_level_and_accounts_that_are_ready_to_buy() {
    let known = known();
    let touch: BTreeSet<Touch> = known.accounts.values().map(|account| account.touch).collect();
    assert_eq!(touch, [Touch::High, Touch::Low, Touch::None].into());
    let ready = known.config.accounts.score.ready.unwrap();
    assert!(known.accounts.values().any(|account| account.score.get() >= ready), "no account is ready");
    let healths: BTreeSet<u8> =
        known.accounts.values().filter_map(|account| account.health).map(|health| health.get()).collect();
    assert!(healths.iter().any(|health| *health >= 50) && healths.iter().any(|health| *health < 25), "{healths:?}");
}

#[test]
fn the_sample_company_has_people_who_write_kindly_and_people_who_write_angrily() {
    let known = known();
    let moods = || known.people.values().filter_map(|(_, evaluation)| evaluation.sentiment);
    assert!(moods().filter(|mood| *mood >= 0.4).count() >= 10);
    assert!(moods().filter(|mood| *mood <= -0.4).count() >= 10);
}

#[test]
fn one_morning_brings_a_spike_of_angry_mentions_in_public() {
    let mut days: BTreeMap<String, usize> = BTreeMap::new();
    for event in events().iter().filter(|event| event.counted_as() == "Social Mention") {
        if perennial_engine::sentiment::sentiment(event.properties["text"].as_str().unwrap()) < -0.2 {
            *days.entry(event.timestamp.strftime("%F").to_string()).or_default() += 1;
        }
    }
    let worst = days.values().max().copied().unwrap_or_default();
    let all: usize = days.values().sum();
    assert!(worst >= 8 && worst * days.len() >= all * 3, "no day stands out: {days:?}");
}

/// Carelessly written traits of every kind have a normal form, and none is lost.
#[test]
fn sloppy_traits_of_every_kind_have_a_normal_form() {
    let end = "2026-11-01T00:00:00Z".parse().unwrap();
    let mut changed = BTreeSet::new();
    for call in company(end, SEED).calls().filter(|call| call.body["context"].is_object()) {
        let (kind, Some(traits)) = (&call.body["type"], call.body["traits"].as_object()) else { continue };
        let kind = if kind == "group" { EventKind::Group } else { EventKind::Identify };
        for note in standardise(kind, &mut traits.clone()) {
            match note.outcome {
                Outcome::Changed(_) => changed.insert(note.field.into_owned()),
                Outcome::Dropped(reason) => panic!("{} is dropped: {reason:?} of {traits:?}", note.field),
            };
        }
    }
    assert_eq!(changed, ["country", "email", "name", "phone", "website"].map(str::to_owned).into());
}
