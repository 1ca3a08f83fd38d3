//! What points an action is worth, from what people took before they bought.
//!
//! Tallies count what someone took in each stage of the journey. If people who became ready took on average 5 pieces in the
//! first stage, 3 in the second and 4 in the third, then 100 points, which mean "ready", divide into 12 equal parts: about 8
//! points an action. The sales team's view moves single values up or down from there.

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
/// People below whose number an average says little.
pub const ENOUGH_PEOPLE: u32 = 30;

/// What one person had taken when they became ready: actions by tally.
pub type Taken = BTreeMap<String, u32>;

/// What the history says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// How many people became ready.
    pub people: u32,
    /// What they had taken of each tally before the sale, in the config's order.
    pub tallies: Vec<TallyAverage>,
    /// Points of one action: 100 divided by the sum of the averages; `None` where nobody took anything.
    pub points: Option<f64>,
    /// The rules of `purchase` that count actions of these tallies, in the config's order.
    pub rules: Vec<RulePoints>,
}

/// One tally.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TallyAverage {
    /// Its name.
    pub name: String,
    /// Actions of those who became ready, on average over all of them.
    pub average: f64,
    /// How many of them took any.
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
    /// What the config has now.
    pub now: f64,
    /// What the history suggests: a whole number, at least 1; `None` where the history says nothing.
    pub suggested: Option<f64>,
}

/// The tallies before the sale: those of which a rule of `purchase` that gives points counts an event, in the config's order.
pub fn before_sale(config: &Config) -> Vec<&TallyRule> {
    let counted: HashSet<&str> = giving(config).map(|rule| rule.event.as_str()).collect();
    let tallies = config.scoring.tally_rules.iter();
    tallies.filter(|tally| tally.events.iter().any(|event| counted.contains(event.as_str()))).collect()
}

/// The rules that make someone readier to buy.
fn giving(config: &Config) -> impl Iterator<Item = &Rule> {
    config.scoring.rules.iter().filter(|rule| rule.score == Likelihood::Purchase && rule.points > 0.0)
}

/// Whether the calibration has to look at an event, so that a reader of a large archive can let the others go.
pub fn needs(config: &Config, event: &Event) -> bool {
    // A signal may look at anything.
    if !config.scoring.score(Likelihood::Purchase).signals.is_empty() {
        return true;
    }
    let name = event.counted_as();
    config.scoring.tallies.contains_key(name)
        || config.scoring.by_event.contains_key(name)
        || config.lifecycle.milestones.contains_key(name)
}

/// What a person, whose events these are in any order, had taken when they first became ready: bought, or reached 100 points of
/// readiness. Actions count up to and with the event that made them ready; what merely happened to them does not count.
/// `None` where they never became ready.
pub fn taken(config: &Config, mut events: Vec<Event>) -> Option<Taken> {
    events.sort_by(|a, b| (a.timestamp, &a.message_id).cmp(&(b.timestamp, &b.message_id)));
    let mut seen = HashSet::new();
    let (mut state, mut taken) = (State::default(), Taken::new());
    for event in events.iter().filter(|event| seen.insert(event.message_id.hash64())) {
        let name = event.counted_as();
        apply(config, &mut state, event);
        if !config.lifecycle.passive.contains(name) {
            for tally in config.scoring.tallies.get(name).into_iter().flatten() {
                *taken.entry(tally.clone()).or_default() += 1;
            }
        }
        let milestones = config.lifecycle.milestones.get(name);
        if milestones.is_some_and(|milestones| milestones.contains(&Milestone::Customer)) {
            return Some(taken);
        }
        let moment = Moment::new(config, event.timestamp);
        if needs(config, event) && look(&moment, &state).scores.get(Likelihood::Purchase).get() >= READY {
            return Some(taken);
        }
    }
    None
}

/// The averages over everyone who became ready, and what follows from them.
pub fn calibrate(config: &Config, ready: &[Taken]) -> Calibration {
    let people = u32::try_from(ready.len()).unwrap_or(u32::MAX);
    let tallies: Vec<TallyAverage> = before_sale(config)
        .into_iter()
        .map(|tally| {
            let of = |taken: &Taken| taken.get(&tally.name).copied().unwrap_or(0);
            let sum: u64 = ready.iter().map(|taken| u64::from(of(taken))).sum();
            TallyAverage {
                name: tally.name.clone(),
                average: if ready.is_empty() { 0.0 } else { sum as f64 / ready.len() as f64 },
                people: ready.iter().filter(|taken| of(taken) > 0).count().try_into().unwrap_or(u32::MAX),
            }
        })
        .collect();
    let pieces: f64 = tallies.iter().map(|tally| tally.average).sum();
    let points = (pieces > 0.0).then(|| f64::from(READY) / pieces);
    let suggested = points.map(|points| points.round().clamp(1.0, f64::from(READY)));
    let tally_of =
        |event: &str| before_sale(config).into_iter().find(|tally| tally.events.iter().any(|of| of == event));
    let rules = giving(config).filter_map(|rule| {
        let tally = tally_of(&rule.event)?.name.clone();
        Some(RulePoints { rule: rule.id.clone(), event: rule.event.clone(), tally, now: rule.points, suggested })
    });
    Calibration { people, tallies, points, rules: rules.collect() }
}
