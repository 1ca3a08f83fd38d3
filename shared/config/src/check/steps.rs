//! Steps of journeys that nobody ever comes to.

use super::Remarks;
use super::places::Part::{At, Key};
use crate::config::Config;
use crate::journeys::{Does, Step, Wait};

/// Remarks on every step that no other leads to.
pub(super) fn remark(config: &Config, remarks: &mut Remarks<'_>) {
    for (at, journey) in config.journeys.all.iter().enumerate() {
        let reached = reached(&journey.steps);
        for (number, step) in journey.steps.iter().enumerate().filter(|(number, _)| !reached[*number]) {
            let message = format!(
                "journey `{}`: nobody ever comes to step `{}`: no step leads to it; name it in `then`, `branch` or `split` of an earlier step, or take it out",
                journey.id, step.id
            );
            remarks.at("journeys.toml", &[Key("journey"), At(at), Key("step"), At(number)], message);
        }
    }
}

/// Which steps somebody comes to who begins with the first. Steps lead forward only.
fn reached(steps: &[Step]) -> Vec<bool> {
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
            Does::Branch { to, .. } => {
                lead(*to);
                lead(step.next);
            }
            Does::Wait(Wait::Event { timeout, .. }) => {
                lead(*timeout);
                lead(step.next);
            }
            Does::Wait(_) | Does::Send(_) | Does::Event { .. } | Does::Traits { .. } => lead(step.next),
        }
    }
    reached
}
