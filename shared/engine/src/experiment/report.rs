//! The results of experiments so far: the people of a [`Tally`], each group compared with the control.

use super::assign::Share;
use super::rates::{Alpha, Arm, Estimate};
use super::sample_ratio::SampleRatio;
use super::tally::{Count, OfHoldout, OfJourney, Tally, held_out_of_everything};
use super::verdict::{Better, Comparison, InvalidEffect, Plan, judge, least_sample};
use perennial_config::Config;
use perennial_config::journeys::{Does, Journey, Way};
use perennial_domain::hash::hash32;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a split's control variant; without it, the first in alphabetical order is the control.
pub const CONTROL: &str = "control";
/// The default difference of rates to plan for: five percentage points.
pub const EFFECT: f64 = 0.05;
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

/// `split which`, `holdout`, `holdout of everything, NAME`.
impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Split { step } => write!(f, "split {step}"),
            Self::Holdout => f.write_str("holdout"),
            Self::Always { name } => write!(f, "holdout of everything, {name}"),
        }
    }
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

/// Returns the reports on all journeys of `config` that have a split or a holdout and were counted, in the config's
/// order. `effect` is the difference of rates to plan for, over 0 and below 1; the plan is computed from it and
/// [`ALPHA`].
///
/// # Errors
/// [`InvalidEffect`] where the effect is not of that range.
pub fn reports(config: &Config, tally: &Tally, effect: f64) -> Result<Vec<Report>, InvalidEffect> {
    let Ok(alpha) = Alpha::parse(ALPHA) else { return Ok(Vec::new()) };
    let plan = Plan::new(alpha, effect, Better::More)?;
    let reports = config.journeys.all.iter().filter_map(|journey| {
        let counted = tally.journeys.get(&journey.id)?;
        Some(Report {
            journey: journey.id.clone(),
            goal_days: journey.goal.as_ref().map(|goal| goal.within_days),
            effect,
            experiments: experiments(config, journey, counted, tally.always_since, &plan, alpha),
        })
    });
    Ok(reports.filter(|report| !report.experiments.is_empty()).collect())
}

fn experiments(
    config: &Config,
    journey: &Journey,
    counted: &OfJourney,
    always_since: Option<i64>,
    plan: &Plan,
    alpha: Alpha,
) -> Vec<Experiment> {
    let has_goal = journey.goal.is_some();
    let split = |step: &str, ways: &[Way]| {
        let counted = counted.splits.get(step).cloned().unwrap_or_default();
        let of = |way: &Way| counted.ways.get(&hash32(&way.name)).copied().unwrap_or_default();
        let mut groups: Vec<_> = ways.iter().map(|way| (way.name.clone(), way.share, of(way))).collect();
        // The sort is stable: without such a way the first of the alphabet stays the first.
        groups.sort_by_key(|(name, ..)| name != CONTROL);
        let others = counted.ways.iter().filter(|(key, _)| ways.iter().all(|way| hash32(&way.name) != **key));
        let others = others.map(|(_, count)| count.people).sum();
        experiment(Of::Split { step: step.to_owned() }, &groups, others, has_goal, plan, alpha)
    };
    let holdout = |of: Of, holdout: &OfHoldout, since: Option<i64>, percent: u8| {
        let rest = counted.rest.range(since.unwrap_or(i64::MAX)..);
        let rest = rest.fold(Count::default(), |sum, (_, count)| sum.plus(*count));
        let groups = [
            ("held out".to_owned(), u16::from(percent), holdout.held_out),
            ("the others".to_owned(), 100 - u16::from(percent.min(100)), rest),
        ];
        experiment(of, &groups, 0, has_goal, plan, alpha)
    };
    let splits = journey.steps.iter().filter_map(|step| match &step.does {
        Does::Split { ways } => Some(split(&step.id, ways)),
        _ => None,
    });
    let mut all: Vec<Experiment> = splits.collect();
    if journey.holdout > 0 {
        all.push(holdout(Of::Holdout, &counted.holdout, counted.holdout.since, journey.holdout));
    }
    if let Some(always) = held_out_of_everything(config, journey) {
        all.push(holdout(Of::Always { name: always.name.clone() }, &counted.always, always_since, always.percent));
    }
    all
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
