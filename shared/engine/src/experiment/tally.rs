//! People counted by the split and the holdout that they were assigned to.
//!
//! Everyone who was assigned counts as one of their group, however far they came ("intention to treat"); who was in a holdout when they
//! entered got nothing of any way, and is in no group of a split. Of the goal only those speak
//! whose time for it is over, in every group alike; the others wait. Who re-entered a journey is looked at by their newest way
//! through it. A holdout is compared with those who entered since it began and are in no holdout, within the last [`HOLDOUT_DAYS`].

use crate::facts::{Assigned, Entered, Facts, always_key, holdout_key, split_key};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::{Does, Journey};
use perennial_config::limits::Holdout;
use perennial_domain::time::DAY_SECONDS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days within which someone entered a journey who is counted for its holdouts. It bounds what a tally holds: a count for each of these days.
pub const HOLDOUT_DAYS: i64 = 730;

/// Counts people for [`reports`](super::report::reports). Counting can be interrupted, stored and resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    now: Timestamp,
    /// The journeys by id. One that nobody entered is included, to distinguish it from one that did not exist yet.
    pub(super) journeys: BTreeMap<String, OfJourney>,
    /// The day on which the first was held out of everything, in whatever journey.
    pub(super) always_since: Option<i64>,
}

/// A number of people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u64)", into = "(u64, u64, u64)")]
pub(super) struct Count {
    pub(super) people: u64,
    pub(super) over: u64,
    pub(super) reached: u64,
}

/// The people of a journey.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OfJourney {
    /// By the step's id.
    pub(super) splits: BTreeMap<String, OfSplit>,
    pub(super) holdout: OfHoldout,
    pub(super) always: OfHoldout,
    /// The people in neither holdout, by the day on which they entered; only for a journey with a holdout.
    pub(super) rest: BTreeMap<i64, Count>,
}

/// The people of a split.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OfSplit {
    /// By the hash of the way's name.
    pub(super) ways: BTreeMap<u32, Count>,
}

/// The people of a holdout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OfHoldout {
    pub(super) held_out: Count,
    /// The day on which the first was held out.
    pub(super) since: Option<i64>,
}

impl Count {
    fn add(&mut self, journey: &Journey, entered: Option<&Entered>, now: Timestamp) {
        self.people += 1;
        let (Some(goal), Some(entered)) = (&journey.goal, entered) else { return };
        if entered.last + i64::from(goal.within_days) * DAY_SECONDS * 1000 <= now.as_millisecond() {
            self.over += 1;
            self.reached += u64::from(entered.reached.is_some());
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { people: self.people + other.people, over: self.over + other.over, reached: self.reached + other.reached }
    }
}

impl From<(u64, u64, u64)> for Count {
    fn from((people, over, reached): (u64, u64, u64)) -> Self {
        Self { people, over, reached }
    }
}

impl From<Count> for (u64, u64, u64) {
    fn from(count: Count) -> Self {
        (count.people, count.over, count.reached)
    }
}

impl OfHoldout {
    fn add(&mut self, journey: &Journey, entered: &Entered, assigned: Assigned, now: Timestamp) {
        if !assigned.covers(entered) {
            return;
        }
        let day = assigned.at.div_euclid(DAY_SECONDS);
        self.since = Some(self.since.map_or(day, |since| since.min(day)));
        self.held_out.add(journey, Some(entered), now);
    }

    fn merge(&mut self, other: &Self) {
        self.held_out = self.held_out.plus(other.held_out);
        self.since = earlier(self.since, other.since);
    }
}

impl OfJourney {
    fn merge(&mut self, other: &Self) {
        for (step, split) in &other.splits {
            let ways = &mut self.splits.entry(step.clone()).or_default().ways;
            for (way, count) in &split.ways {
                let sum = ways.entry(*way).or_default();
                *sum = sum.plus(*count);
            }
        }
        self.holdout.merge(&other.holdout);
        self.always.merge(&other.always);
        for (day, count) in &other.rest {
            let sum = self.rest.entry(*day).or_default();
            *sum = sum.plus(*count);
        }
    }
}

/// Returns the earlier of two days, as far as they are known.
fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// The holdout of everything, where it is worth telling of this journey: that people are held out of it shows only where that has a goal.
pub(super) fn held_out_of_everything<'c>(config: &'c Config, journey: &Journey) -> Option<&'c Holdout> {
    config.limits.holdout.as_ref().filter(|_| journey.goal.is_some() && !journey.essential)
}

impl Tally {
    /// Nobody yet; `now` says whose time is over.
    pub fn new(config: &Config, now: Timestamp) -> Self {
        let journeys = config.journeys.all.iter().map(|journey| (journey.id.clone(), OfJourney::default()));
        Self { now, journeys: journeys.collect(), always_since: None }
    }

    /// Returns whether the journey with this id is counted.
    pub fn has(&self, journey: &str) -> bool {
        self.journeys.contains_key(journey)
    }

    /// Adds the counts of other people, at the same time and under the same configuration.
    pub fn merge(&mut self, other: &Self) {
        self.always_since = earlier(self.always_since, other.always_since);
        for (journey, counts) in &other.journeys {
            self.journeys.entry(journey.clone()).or_default().merge(counts);
        }
    }

    /// Counts a person, by the combination of their facts. `config` is that of [`Self::new`].
    pub fn add(&mut self, config: &Config, facts: &Facts) {
        let assigned = |key: u32| facts.assigned.get(&key).copied();
        let always = config.limits.holdout.as_ref().and_then(|holdout| assigned(always_key(&holdout.name)));
        if let Some(always) = always {
            let day = always.at.div_euclid(DAY_SECONDS);
            self.always_since = Some(self.always_since.map_or(day, |since| since.min(day)));
        }
        let oldest = self.now.as_millisecond() - HOLDOUT_DAYS * DAY_SECONDS * 1000;
        for journey in &config.journeys.all {
            let Some(of) = self.journeys.get_mut(&journey.id) else { continue };
            let entered = facts.entered.get(&journey.key);
            let held_out = assigned(holdout_key(&journey.id));
            // A person who entered before they were held out got the same as others, and so does everyone of an essential journey.
            let got_nothing = |held_out: Option<Assigned>| {
                !journey.essential && held_out.zip(entered).is_some_and(|(held, entered)| held.covers(entered))
            };
            if !got_nothing(held_out) && !got_nothing(always) {
                for step in journey.steps.iter().filter(|step| matches!(step.does, Does::Split { .. })) {
                    if let Some(assigned) = assigned(split_key(&journey.id, &step.id)) {
                        let split = of.splits.entry(step.id.clone()).or_default();
                        split.ways.entry(assigned.way).or_default().add(journey, entered, self.now);
                    }
                }
            }
            let has_holdout = journey.holdout > 0 || held_out_of_everything(config, journey).is_some();
            let Some(entered) = entered.filter(|_| has_holdout && !journey.essential) else { continue };
            if entered.last < oldest {
                continue;
            }
            match (held_out, always) {
                (Some(assigned), None) => of.holdout.add(journey, entered, assigned, self.now),
                (None, Some(assigned)) => of.always.add(journey, entered, assigned, self.now),
                // A person in both is evidence for neither.
                (Some(_), Some(_)) => {}
                (None, None) => {
                    let day = entered.last.div_euclid(DAY_SECONDS * 1000);
                    of.rest.entry(day).or_default().add(journey, Some(entered), self.now);
                }
            }
        }
    }
}
