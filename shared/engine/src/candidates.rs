//! Messages that wait for their turn.
//!
//! A message that an event triggers is sent at once. A message that a state triggers (a condition, a segment, a score,
//! inactivity, the end of a wait) is a candidate first: one is chosen at each evaluation, and the others wait for
//! `gap_hours` of `limits.toml`. A candidate is a recorded fact of the run that waits at the step of its message, so it
//! belongs to the run, and stays with the run's identity when profiles are merged and unmerged. Its decision id is
//! derived from the run: profile, journey, step and cause.

use crate::candidate::{Candidate, WaitsFor};
use crate::facts::Run;
use crate::instant::second;
use crate::profile::Profile;
use crate::start::{decision_id, position};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::{Does, Journey, Message, Step};
use perennial_domain::{Channel, DecisionId};
use serde::Serialize;

/// A candidate with the journey, the run and the step that it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Waiting<'c> {
    pub(crate) journey: &'c Journey,
    pub(crate) at: usize,
    pub(crate) step: &'c Step,
    pub(crate) message: &'c Message,
    pub(crate) run: Run,
    pub(crate) candidate: Candidate,
}

/// The candidates among `runs`, the best first; of journeys and steps that the config still has.
pub(crate) fn waiting<'c, 'r>(config: &'c Config, runs: impl Iterator<Item = (u32, &'r Run)>) -> Vec<Waiting<'c>> {
    let each = runs.filter_map(|(key, run)| {
        let candidate = run.candidate?;
        let journey = config.journeys.under_way(key, run.version)?;
        let (at, step) = position(journey, run)?;
        let Does::Send(message) = &step.does else { return None };
        Some(Waiting { journey, at, step, message, run: run.clone(), candidate })
    });
    let mut all: Vec<Waiting<'c>> = each.collect();
    all.sort_by(|a, b| a.candidate.order(a.journey).cmp(&b.candidate.order(b.journey)));
    all
}

/// A candidate as readers see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaitingMessage {
    /// The id that its decision will have.
    pub decision: DecisionId,
    /// The journey's id.
    pub journey: String,
    /// The step's id.
    pub step: String,
    /// The channel.
    pub channel: Channel,
    /// The template.
    pub template: String,
    /// 0 to 100.
    pub priority: u8,
    /// 0 to 1,000,000.
    pub worth: u32,
    /// When it was due.
    pub due: Timestamp,
    /// When it will be too old to be sent.
    pub expires: Timestamp,
    /// The condition that it waits for.
    pub waits_for: WaitsFor,
    /// When it is evaluated again, unless something happens before.
    pub next_look: Timestamp,
}

/// Returns the messages that wait for their turn, the one that is chosen next first, as far as they were looked at.
pub fn candidates(config: &Config, profile: &Profile) -> Vec<WaitingMessage> {
    let runs = profile.runs();
    let all = waiting(config, runs.into_iter());
    let shown = |waiting: Waiting<'_>| WaitingMessage {
        decision: decision_id(profile.id, waiting.journey, waiting.run.cause_key, waiting.at),
        journey: waiting.journey.id.clone(),
        step: waiting.step.id.clone(),
        channel: waiting.message.channel,
        template: waiting.message.template.clone(),
        priority: waiting.candidate.priority,
        worth: waiting.candidate.worth,
        due: second(waiting.candidate.due),
        expires: second(waiting.candidate.expires),
        waits_for: waiting.candidate.delay.into(),
        next_look: second(waiting.run.due),
    };
    all.into_iter().map(shown).collect()
}
