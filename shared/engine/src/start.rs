//! The start of a journey's run, and the place that it has reached.

use crate::facts::Run;
use perennial_config::journeys::{Journey, Step};
use perennial_domain::{Cause, DecisionId, PersonId, Properties};

/// The start of a run.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// When, in milliseconds since 1970.
    pub(crate) entered: i64,
    pub(crate) cause: Cause,
    /// The properties of the triggering event that the journey's templates use.
    pub(crate) properties: Properties,
    pub(crate) cause_key: u64,
}

/// The step at which a run waits, and its index; `None` where the journey has it no more.
pub(crate) fn position<'j>(journey: &'j Journey, run: &Run) -> Option<(usize, &'j Step)> {
    journey.steps.iter().enumerate().find(|(_, step)| step.key == run.step)
}

/// Returns the decision id of the step at index `step` for a person who entered by this cause.
pub(crate) fn decision_id(person: PersonId, journey: &Journey, cause_key: u64, step: usize) -> DecisionId {
    let step = u16::try_from(step).unwrap_or(u16::MAX);
    DecisionId::of(person, &journey.id, step, &cause_key.to_be_bytes())
}
