//! The results of experiments so far: people counted by split and holdout, compared with the control.
//!
//! Everyone who was assigned counts as one of their group, however far they came ("intention to treat"); a person in a
//! holdout when they entered received nothing of any variant, and is in no group of a split. Goal rates include only
//! people whose period for the goal is over, in every group alike; the others wait. For people who re-entered a journey
//! the newest run counts. A holdout is compared with those who entered since it began and are in no holdout.

use super::assign::Share;
use super::rates::{Alpha, Arm, Estimate};
use super::sample_ratio::SampleRatio;
use super::verdict::{Better, Comparison, Plan, judge, least_sample};
use crate::facts::{Assigned, Entered, Facts, always_key, holdout_key, split_key};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::{Does, Journey, Step, Way};
use perennial_domain::hash::hash32;
use perennial_domain::time::DAY_SECONDS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of a split's control variant; without it, the first in alphabetical order is the control.
pub const CONTROL: &str = "control";
/// The error rate of intervals.
pub const ALPHA: f64 = 0.05;
/// The chance to find the effect that is planned for.
pub const POWER: f64 = 0.8;

/// The results of a journey's experiments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The journey.
    pub journey: String,
    /// The number of days after entry in which its goal counts; `None` without a goal, so that nothing can be compared.
    pub goal_days: Option<u16>,
    /// The difference of rates that is planned for: the smallest that matters.
    pub effect: f64,
    /// Its splits in their order, then its holdout, then, where it has a goal, the holdout of everything.
    pub experiments: Vec<Experiment>,
}

/// The results of one split or holdout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Which.
    pub of: Of,
    /// Its groups, the control first.
    pub groups: Vec<Group>,
    /// The number of people who were assigned to removed variants.
    pub others: u64,
    /// Specifies whether the groups have the expected sizes; `None` if fewer than two have a share.
    pub sample_ratio: Option<SampleRatio>,
    /// `true` if they do not, so that nothing can be compared.
    pub mismatch: bool,
    /// How many more people with a completed period the smallest group needs at most to detect the effect with
    /// probability [`POWER`]; 0 if it has them. `None` without a goal, or if no such effect is possible from the
    /// control's rate.
    pub needed: Option<u64>,
}

/// The subject of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The variants of a split.
    Split {
        /// The step's id.
        step: String,
    },
    /// People held out of the journey, and the others.
    Holdout,
    /// People held out of everything, and the others.
    Always {
        /// The holdout's name.
        name: String,
    },
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The variant's name; `held out` and `the others` for holdouts.
    pub name: String,
    /// Its percentage.
    pub share: u16,
    /// The number of people assigned to it.
    pub people: u64,
    /// The number of people whose period for the goal is not over.
    pub waiting: u64,
    /// The number of people whose period is over: the denominator of the rate.
    pub judged: u64,
    /// The number of these who reached the goal; `None` without a goal.
    pub reached: Option<u64>,
    /// The rate, with the interval that holds at one look.
    pub rate: Option<Estimate>,
    /// Compared with the control; `None` for the control itself, and without a goal.
    pub comparison: Option<Comparison>,
}

/// Counts people for a report.
#[derive(Debug, Clone)]
pub struct Tally<'c> {
    config: &'c Config,
    now: Timestamp,
    journeys: Vec<OfJourney<'c>>,
    /// The day on which the first person was held out of everything, in any journey.
    always_since: Option<i64>,
}

/// A number of people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    people: u64,
    over: u64,
    reached: u64,
}

#[derive(Debug, Clone)]
struct OfJourney<'c> {
    journey: &'c Journey,
    splits: Vec<OfSplit<'c>>,
    holdout: OfHoldout,
    always: OfHoldout,
    /// People in neither, by the day on which they entered.
    rest: BTreeMap<i64, Count>,
}

#[derive(Debug, Clone)]
struct OfSplit<'c> {
    step: &'c Step,
    /// The control first.
    ways: Vec<(&'c Way, Count)>,
    others: u64,
}

#[derive(Debug, Clone, Default)]
struct OfHoldout {
    held_out: Count,
    /// The day on which the first person was held out.
    since: Option<i64>,
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

    fn plus(self, other: Self) -> Self {
        Self { people: self.people + other.people, over: self.over + other.over, reached: self.reached + other.reached }
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
}

impl<'c> Tally<'c> {
    /// Creates an empty tally; `now` decides whose period is over.
    pub fn new(config: &'c Config, now: Timestamp) -> Self {
        let splits = |journey: &'c Journey| {
            journey.steps.iter().filter_map(|step| match &step.does {
                Does::Split { ways } => Some(OfSplit::new(step, ways)),
                _ => None,
            })
        };
        let journeys = config.journeys.all.iter().map(|journey| OfJourney {
            journey,
            splits: splits(journey).collect(),
            holdout: OfHoldout::default(),
            always: OfHoldout::default(),
            rest: BTreeMap::new(),
        });
        Self { config, now, journeys: journeys.collect(), always_since: None }
    }

    /// Counts a person, by their combined facts.
    pub fn add(&mut self, facts: &Facts) {
        let assigned = |key: u32| facts.assigned.get(&key).copied();
        let always = self.config.limits.holdout.as_ref().and_then(|holdout| assigned(always_key(&holdout.name)));
        if let Some(always) = always {
            let day = always.at.div_euclid(DAY_SECONDS);
            self.always_since = Some(self.always_since.map_or(day, |since| since.min(day)));
        }
        for of in &mut self.journeys {
            let entered = facts.entered.get(&of.journey.key);
            let held_out = assigned(holdout_key(&of.journey.id));
            // A person who entered before they were held out received what others do, and so does everyone of an
            // essential journey.
            let got_nothing = |held_out: Option<Assigned>| {
                !of.journey.essential && held_out.zip(entered).is_some_and(|(held, entered)| held.covers(entered))
            };
            if !got_nothing(held_out) && !got_nothing(always) {
                for split in &mut of.splits {
                    if let Some(assigned) = assigned(split_key(&of.journey.id, &split.step.id)) {
                        split.add(of.journey, entered, assigned, self.now);
                    }
                }
            }
            let Some(entered) = entered.filter(|_| !of.journey.essential) else { continue };
            match (held_out, always) {
                (Some(assigned), None) => of.holdout.add(of.journey, entered, assigned, self.now),
                (None, Some(assigned)) => of.always.add(of.journey, entered, assigned, self.now),
                // A person in both is not informative about either.
                (Some(_), Some(_)) => {}
                (None, None) => {
                    let day = entered.last.div_euclid(DAY_SECONDS * 1000);
                    of.rest.entry(day).or_default().add(of.journey, Some(entered), self.now);
                }
            }
        }
    }

    /// Returns the results of all journeys that have a split or a holdout, in the configuration's order. The plan uses
    /// [`ALPHA`] and `effect`, a difference of rates over 0 and below 1.
    ///
    /// # Errors
    /// [`super::verdict::InvalidEffect`] if the effect is out of that range.
    pub fn reports(&self, effect: f64) -> Result<Vec<Report>, super::verdict::InvalidEffect> {
        let Ok(alpha) = Alpha::parse(ALPHA) else { return Ok(Vec::new()) };
        let plan = Plan::new(alpha, effect, Better::More)?;
        let reports = self.journeys.iter().map(|of| Report {
            journey: of.journey.id.clone(),
            goal_days: of.journey.goal.as_ref().map(|goal| goal.within_days),
            effect,
            experiments: of.experiments(self, &plan, alpha),
        });
        Ok(reports.filter(|report| !report.experiments.is_empty()).collect())
    }
}

impl<'c> OfSplit<'c> {
    fn new(step: &'c Step, ways: &'c [Way]) -> Self {
        let mut ways: Vec<_> = ways.iter().map(|way| (way, Count::default())).collect();
        // The sort is stable: without a control variant the first in alphabetical order stays first.
        ways.sort_by_key(|(way, _)| way.name != CONTROL);
        Self { step, ways, others: 0 }
    }

    fn add(&mut self, journey: &Journey, entered: Option<&Entered>, assigned: Assigned, now: Timestamp) {
        match self.ways.iter_mut().find(|(way, _)| hash32(&way.name) == assigned.way) {
            Some((_, count)) => count.add(journey, entered, now),
            None => self.others += 1,
        }
    }
}

impl OfJourney<'_> {
    fn experiments(&self, tally: &Tally<'_>, plan: &Plan, alpha: Alpha) -> Vec<Experiment> {
        let has_goal = self.journey.goal.is_some();
        let split = |split: &OfSplit<'_>| {
            let groups: Vec<_> = split.ways.iter().map(|(way, count)| (way.name.clone(), way.share, *count)).collect();
            let of = Of::Split { step: split.step.id.clone() };
            experiment(of, &groups, split.others, has_goal, plan, alpha)
        };
        let holdout = |of: Of, holdout: &OfHoldout, since: Option<i64>, percent: u8| {
            let rest =
                self.rest.range(since.unwrap_or(i64::MAX)..).fold(Count::default(), |sum, (_, count)| sum.plus(*count));
            let groups = [
                ("held out".to_owned(), u16::from(percent), holdout.held_out),
                ("the others".to_owned(), 100 - u16::from(percent.min(100)), rest),
            ];
            experiment(of, &groups, 0, has_goal, plan, alpha)
        };
        let mut all: Vec<Experiment> = self.splits.iter().map(split).collect();
        if self.journey.holdout > 0 {
            all.push(holdout(Of::Holdout, &self.holdout, self.holdout.since, self.journey.holdout));
        }
        // A holdout of everything is reported for a journey only if its effect can be measured there.
        if let Some(always) = tally.config.limits.holdout.as_ref().filter(|_| has_goal && !self.journey.essential) {
            let of = Of::Always { name: always.name.clone() };
            all.push(holdout(of, &self.always, tally.always_since, always.percent));
        }
        all
    }
}

fn experiment(
    of: Of,
    groups: &[(String, u16, Count)],
    others: u64,
    has_goal: bool,
    plan: &Plan,
    alpha: Alpha,
) -> Experiment {
    let sizes: Vec<_> = groups.iter().map(|(_, share, count)| (count.people, Share::percent(*share))).collect();
    let sample_ratio = SampleRatio::of(&sizes);
    // The number who reached a goal never exceeds the number of people.
    let arms: Vec<Arm> = groups.iter().filter_map(|(.., count)| Arm::parse(count.over, count.reached).ok()).collect();
    let comparisons = match arms.split_first() {
        Some((control, variants)) if has_goal => judge(plan, control, variants, sample_ratio.as_ref()),
        _ => Vec::new(),
    };
    let mut comparisons = comparisons.into_iter();
    let needed = arms.first().filter(|_| has_goal).and_then(|control| {
        let least = least_sample(plan, control.rate()?, POWER, arms.len().saturating_sub(1).max(1))?;
        let smallest = arms.iter().map(Arm::people).min()?;
        Some(least.saturating_sub(smallest))
    });
    let group = |(at, (name, share, count)): (usize, &(String, u16, Count))| Group {
        name: name.clone(),
        share: *share,
        people: count.people,
        waiting: if has_goal { count.people - count.over } else { 0 },
        judged: if has_goal { count.over } else { count.people },
        reached: has_goal.then_some(count.reached),
        rate: arms.get(at).filter(|_| has_goal).and_then(|arm| arm.estimate(alpha)),
        comparison: if at == 0 { None } else { comparisons.next() },
    };
    Experiment {
        of,
        groups: groups.iter().enumerate().map(group).collect(),
        others,
        mismatch: sample_ratio.is_some_and(|ratio| ratio.mismatch()),
        sample_ratio,
        needed,
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
