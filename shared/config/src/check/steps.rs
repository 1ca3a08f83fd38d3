//! Finds journey steps that are never reached, and branches that decide nothing.

use super::Remarks;
use super::cases::never;
use super::places::Part::{At, Key};
use crate::cel::Value;
use crate::config::Config;
use crate::journeys::{Does, Journey, Step, Wait};

/// Remarks on every step that is not reached, and on every branch that always goes the same way.
pub(super) fn remark(config: &Config, remarks: &mut Remarks<'_>) {
    for (at, journey) in config.journeys.all.iter().enumerate() {
        let decided = decided(config, journey, remarks.is_certain);
        let linked = reached(&journey.steps, &[]);
        let reached = reached(&journey.steps, &decided);
        let step_path = |number| [Key("journey"), At(at), Key("step"), At(number)];
        for (number, step) in journey.steps.iter().enumerate().filter(|(number, _)| !reached[*number]) {
            let message = if linked[number] {
                let why: Vec<&str> = decided.iter().map(|branch| branch.why.as_str()).collect();
                format!(
                    "journey `{}`: nobody ever comes to step `{}`: {}; correct the condition, or take the step out",
                    journey.id,
                    step.id,
                    why.join("; ")
                )
            } else {
                format!(
                    "journey `{}`: nobody ever comes to step `{}`: no step leads to it; name it in `then`, `branch` or `split` of an earlier step, or take it out",
                    journey.id, step.id
                )
            };
            remarks.at("journeys.toml", &step_path(number), message);
        }
        // Where a branch makes no step unreachable, it still decides nothing.
        if reached == linked {
            for branch in &decided {
                let path = [step_path(branch.at).as_slice(), &[Key("branch"), Key("when")]].concat();
                let message =
                    format!("journey `{}`: {}; correct the condition, or take the branch out", journey.id, branch.why);
                remarks.at("journeys.toml", &path, message);
            }
        }
    }
}

/// A branch that always goes the same way.
struct Decided {
    /// The index of its step.
    at: usize,
    /// `true` if the branch is always taken, rather than the next step.
    holds: bool,
    why: String,
}

/// Returns every branch whose condition holds always or never in the stages of the journey. `is_certain` says whether
/// stages and scores can be judged.
fn decided(config: &Config, journey: &Journey, is_certain: bool) -> Vec<Decided> {
    let of_step = |(at, step): (usize, &Step)| {
        let Does::Branch { when, .. } = &step.does else { return None };
        let (holds, why) = match when.constant() {
            Some(Value::Bool(true)) => (true, "always holds".to_owned()),
            Some(_) => (false, "never holds".to_owned()),
            None if is_certain => {
                let never = never(config, &[when], &journey.stages)?;
                (false, format!("never holds ({})", never.0))
            }
            None => return None,
        };
        Some(Decided { at, holds, why: format!("the condition of the branch at step `{}` {why}", step.id) })
    };
    journey.steps.iter().enumerate().filter_map(of_step).collect()
}

/// Returns the steps that are reachable from the first. Steps lead forward only.
fn reached(steps: &[Step], decided: &[Decided]) -> Vec<bool> {
    let mut reached = vec![false; steps.len()];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for (at, step) in steps.iter().enumerate() {
        if !reached[at] {
            continue;
        }
        let mut lead = |to: usize| {
            if let Some(step) = reached.get_mut(to) {
                *step = true;
            }
        };
        match &step.does {
            Does::Split { ways } => ways.iter().for_each(|way| lead(way.to)),
            Does::Branch { to, .. } => match decided.iter().find(|branch| branch.at == at).map(|branch| branch.holds) {
                Some(true) => lead(*to),
                Some(false) => lead(step.next),
                None => {
                    lead(*to);
                    lead(step.next);
                }
            },
            Does::Wait(Wait::Event { timeout, .. }) => {
                lead(*timeout);
                lead(step.next);
            }
            Does::Wait(_) | Does::Send(_) | Does::Event { .. } | Does::Traits { .. } => lead(step.next),
        }
    }
    reached
}
