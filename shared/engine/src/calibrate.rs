//! Computes the value of an action in points, from what people did before they bought.
//!
//! Tallies count actions in each stage of the journey. If people who became ready took on average 5 actions in the
//! first stage, 3 in the second and 4 in the third, then 100 points, which mean "ready", are divided by 12: about 8
//! points an action. The sales team then adjusts single values.
//!
//! Nothing is suggested without evidence: the history says nothing about an event that nobody who became ready took. So
//! that the average path adds up to about 100, caps that would prevent it are raised, and events without a rule get
//! one.

use crate::apply::apply;
use crate::evaluate::look;
use crate::moment::Moment;
use crate::state::State;
use perennial_config::Config;
use perennial_config::lifecycle::Milestone;
use perennial_config::scoring::{Rule, TallyRule};
use perennial_domain::{Event, Likelihood};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// The readiness to buy that means "ready".
pub const READY: u8 = 100;
/// The number of people below which an average means little.
pub const ENOUGH_PEOPLE: u32 = 30;

/// One person's actions before they became ready, by event, for events that tallies count.
pub type Taken = BTreeMap<String, u32>;

/// The result of a calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The number of people who became ready.
    pub people: u32,
    /// Their averages of each tally before the sale, in the configuration's order.
    pub tallies: Vec<TallyAverage>,
    /// Points of one action: 100 divided by the sum of the averages; `None` without actions.
    pub points: Option<f64>,
    /// The rules of `purchase` that count actions of these tallies, in the config's order.
    pub rules: Vec<RulePoints>,
    /// The shared caps of `purchase` that would limit the suggested rules, in the configuration's order.
    pub categories: Vec<CategoryCap>,
    /// Events of these tallies that people took and no rule of `purchase` counts, in the configuration's order.
    pub missing: Vec<MissingRule>,
    /// The points of the average path, undecayed and before the limit of 100; `None` without actions.
    pub path: Option<Path>,
    /// Profiles that could not be read, and are in none of the numbers.
    #[serde(default)]
    pub unreadable: u64,
    /// Objects and lines of the archive that could not be read: their events are in none of the numbers.
    #[serde(default)]
    pub damaged: u64,
}

/// One tally.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TallyAverage {
    /// Its name.
    pub name: String,
    /// Actions of those who became ready, on average over all of them.
    pub average: f64,
    /// The number of people with any of its actions.
    pub people: u32,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RulePoints {
    /// Its id.
    pub rule: String,
    /// The event that it counts.
    pub event: String,
    /// The tally that counts the event.
    pub tally: String,
    /// The configured points.
    pub now: f64,
    /// The suggested points: a whole number, at least 1; `None` if nobody who became ready took the event.
    pub suggested: Option<f64>,
    /// The cap that the rule needs so that it does not cut off the average path; `None` where the present one does.
    pub cap: Option<f64>,
}

/// A shared cap that has to be lifted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CategoryCap {
    /// The category's name.
    pub name: String,
    /// The configured cap.
    pub now: f64,
    /// The cap that its rules need so that it does not limit the average path.
    pub suggested: f64,
}

/// A rule that is not there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MissingRule {
    /// An id for it that no rule has.
    pub rule: String,
    /// The event.
    pub event: String,
    /// The tally that counts the event.
    pub tally: String,
    /// Points of one event.
    pub points: f64,
    /// The cap that does not cut off the average path.
    pub cap: f64,
}

/// The points of the average path.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Path {
    /// With the current configuration.
    pub now: f64,
    /// With all suggestions.
    pub suggested: f64,
}

/// Returns the tallies before the sale: those with an event that gives points in a rule of `purchase`, in the
/// configuration's order.
pub fn before_sale(config: &Config) -> Vec<&TallyRule> {
    let counted: HashSet<&str> = giving(config).map(|rule| rule.event.as_str()).collect();
    let tallies = config.scoring.tally_rules.iter();
    tallies.filter(|tally| tally.events.iter().any(|event| counted.contains(event.as_str()))).collect()
}

/// Returns the rules that increase readiness to buy.
fn giving(config: &Config) -> impl Iterator<Item = &Rule> {
    config.scoring.rules.iter().filter(|rule| rule.score == Likelihood::Purchase && rule.points > 0.0)
}

/// Returns whether the calibration needs an event, so that a reader of a large archive can skip the others.
pub fn needs(config: &Config, event: &Event) -> bool {
    // A signal may look at anything.
    if !config.scoring.score(Likelihood::Purchase).signals.is_empty() {
        return true;
    }
    let name = config.counted_as(event);
    config.scoring.tallies.contains_key(name)
        || config.scoring.by_event.contains_key(name)
        || config.lifecycle.milestones.contains_key(name)
}

/// Returns a person's actions, from their events in any order, up to when they first became ready: bought, or reached
/// 100 points of readiness. Actions count up to and including the event that made them ready; events that merely
/// happened to them do not count. `None` if they never became ready.
pub fn taken(config: &Config, mut events: Vec<Event>) -> Option<Taken> {
    events.sort_by(|a, b| (a.timestamp, &a.message_id).cmp(&(b.timestamp, &b.message_id)));
    let mut seen = HashSet::new();
    let (mut state, mut taken) = (State::default(), Taken::new());
    for event in events.iter().filter(|event| seen.insert(event.seen_id())) {
        let name = config.counted_as(event);
        apply(config, &mut state, event);
        if !config.lifecycle.passive.contains(name) && config.scoring.tallies.contains_key(name) {
            *taken.entry(name.to_owned()).or_default() += 1;
        }
        let milestones = config.lifecycle.milestones.get(name);
        if milestones.is_some_and(|milestones| milestones.contains(&Milestone::Customer)) {
            return Some(taken);
        }
        let moment = Moment::new(config, event.timestamp);
        if needs(config, event) && look(&moment, &state).scores.reaches(Likelihood::Purchase, READY) {
            return Some(taken);
        }
    }
    None
}

/// The averages over everyone who became ready, and what follows from them.
pub fn calibrate(config: &Config, ready: &[Taken]) -> Calibration {
    let people = u32::try_from(ready.len()).unwrap_or(u32::MAX);
    let before = before_sale(config);
    let averages: Vec<(&TallyRule, f64)> =
        before.iter().map(|tally| (*tally, average(ready, |taken| of_tally(tally, taken)))).collect();
    let tallies = averages.iter().map(|(tally, average)| {
        let people = ready.iter().filter(|taken| of_tally(tally, taken) > 0).count();
        TallyAverage { name: tally.name.clone(), average: *average, people: people.try_into().unwrap_or(u32::MAX) }
    });
    let tallies = tallies.collect();
    let pieces: f64 = averages.iter().map(|(_, average)| average).sum();
    let points = (pieces > 0.0).then(|| f64::from(READY) / pieces);
    let suggested = points.map(|points| points.round().clamp(1.0, f64::from(READY)));
    let taken = |event: &str| average(ready, |taken| taken.get(event).copied().unwrap_or(0));
    // The average path's number of a tally's actions, rounded up, whichever of its events they are.
    let needed = |average: f64| suggested.map_or(0.0, |points| points * average.ceil());
    let of_event = |event: &str| {
        averages
            .iter()
            .find(|(tally, _)| tally.events.iter().any(|of| of == event))
            .map(|(tally, average)| (*tally, *average))
    };
    let rules: Vec<RulePoints> = giving(config)
        .filter_map(|rule| {
            let (tally, average) = of_event(&rule.event)?;
            let suggested = suggested.filter(|_| taken(&rule.event) > 0.0);
            let cap = rule.cap.filter(|cap| suggested.is_some() && *cap < needed(average)).map(|_| needed(average));
            let (id, event, tally) = (rule.id.clone(), rule.event.clone(), tally.name.clone());
            Some(RulePoints { rule: id, event, tally, now: rule.points, suggested, cap })
        })
        .collect();
    let categories = categories(config, &rules, &averages, needed);
    let counted: HashSet<&str> = giving(config).map(|rule| rule.event.as_str()).collect();
    let mut missing: Vec<MissingRule> = Vec::new();
    for (tally, event) in before.iter().flat_map(|tally| tally.events.iter().map(move |event| (*tally, event))) {
        let known = counted.contains(event.as_str()) || missing.iter().any(|rule| rule.event == *event);
        if let Some(points) = suggested.filter(|_| !known && taken(event) > 0.0) {
            let average = of_event(event).map_or(0.0, |(_, average)| average);
            let rule = free_id(config, event);
            let (event, tally) = (event.clone(), tally.name.clone());
            missing.push(MissingRule { rule, event, tally, points, cap: needed(average) });
        }
    }
    let path = points.map(|_| path(config, &rules, &categories, &missing, taken));
    Calibration { people, tallies, points, rules, categories, missing, path, unreadable: 0, damaged: 0 }
}

fn average(ready: &[Taken], of: impl Fn(&Taken) -> u32) -> f64 {
    let sum: u64 = ready.iter().map(|taken| u64::from(of(taken))).sum();
    if ready.is_empty() { 0.0 } else { sum as f64 / ready.len() as f64 }
}

fn of_tally(tally: &TallyRule, taken: &Taken) -> u32 {
    tally.events.iter().filter_map(|event| taken.get(event)).sum()
}

/// The shared caps that are below what their rules need: each tally of which a rule of theirs counts an event counts once.
fn categories(
    config: &Config,
    rules: &[RulePoints],
    averages: &[(&TallyRule, f64)],
    needed: impl Fn(f64) -> f64,
) -> Vec<CategoryCap> {
    let of = config.scoring.score(Likelihood::Purchase);
    let lifted = of.categories.iter().enumerate().filter_map(|(at, category)| {
        let belongs = |rule: &&Rule| rule.category == Some(at);
        let ids: HashSet<&str> = giving(config).filter(belongs).map(|rule| rule.id.as_str()).collect();
        let suggested = rules.iter().filter(|rule| rule.suggested.is_some() && ids.contains(rule.rule.as_str()));
        let tallies: HashSet<&str> = suggested.map(|rule| rule.tally.as_str()).collect();
        let of_path = averages.iter().filter(|(tally, _)| tallies.contains(tally.name.as_str()));
        let suggested: f64 = of_path.map(|(_, average)| needed(*average)).sum();
        let name = category.name.clone();
        (category.cap < suggested).then_some(CategoryCap { name, now: category.cap, suggested })
    });
    lifted.collect()
}

/// Returns the points of the path `taken`, now and with the suggestions.
fn path(
    config: &Config,
    rules: &[RulePoints],
    categories: &[CategoryCap],
    missing: &[MissingRule],
    taken: impl Fn(&str) -> f64,
) -> Path {
    let of = config.scoring.score(Likelihood::Purchase);
    let stands = |with: bool| {
        let mut shared = vec![0.0; of.categories.len()];
        let mut alone = of.base;
        for rule in giving(config) {
            let change = rules.iter().find(|one| one.rule == rule.id).filter(|_| with);
            let points = change.and_then(|change| change.suggested).unwrap_or(rule.points) * taken(&rule.event);
            let cap = change.and_then(|change| change.cap).or(rule.cap).unwrap_or(f64::INFINITY);
            match rule.category.and_then(|at| shared.get_mut(at)) {
                Some(shared) => *shared += points.min(cap),
                None => alone += points.min(cap),
            }
        }
        let within = of.categories.iter().zip(shared).map(|(category, points): (_, f64)| {
            let lifted = categories.iter().find(|lifted| with && lifted.name == category.name);
            points.min(lifted.map_or(category.cap, |lifted| lifted.suggested))
        });
        let added = missing.iter().filter(|_| with).map(|rule| (rule.points * taken(&rule.event)).min(rule.cap));
        alone + within.sum::<f64>() + added.sum::<f64>()
    };
    Path { now: stands(false), suggested: stands(true) }
}

/// An id for a rule about `event` that no rule or signal has: "Paywall Reached" becomes `purchase_paywall_reached`.
fn free_id(config: &Config, event: &str) -> String {
    let words = event.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    let id = format!("purchase_{}", if name.is_empty() { "event".to_owned() } else { name.join("_") });
    let scoring = &config.scoring;
    let is_free = |id: &str| {
        scoring.rules.iter().all(|rule| rule.id != id) && scoring.signals.iter().all(|signal| signal.id != id)
    };
    let numbered = (2..).map(|n| format!("{id}_{n}"));
    std::iter::once(id.clone()).chain(numbered).find(|id| is_free(id)).unwrap_or_default()
}
