//! Messages that wait for their turn.
//!
//! A message that an event triggers is sent at once. A message that a state triggers (a condition, a segment, a score,
//! inactivity, the end of a wait) is a candidate first: one is chosen at each evaluation, and the others wait for
//! `gap_hours` of `limits.toml`. A candidate is a recorded fact of the run that waits at the step of its message, so it
//! belongs to the run, and stays with the run's identity when profiles are merged and unmerged. Its decision id is
//! derived from the run: profile, journey, step and cause.

use crate::facts::Run;
use crate::profile::Profile;
use crate::runs::position;
use crate::send::decision_id;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::{Does, Journey, Message, Step};
use perennial_domain::{Channel, DecisionId};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// The most candidates of one profile. Beyond it the last in the order of choice are dropped, as [`perennial_domain::Withheld::Displaced`].
pub const MAX_CANDIDATES: usize = 16;

/// A message that waits for its turn. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// When the message was due.
    pub due: i64,
    /// The last second at which it may be sent; after that it is dropped.
    pub expires: i64,
    /// 0 to 100; the higher goes first.
    pub priority: u8,
    /// Among equal priorities the higher goes first.
    pub worth: u32,
    /// The condition that it waits for.
    pub delay: Delay,
}

/// The condition that a candidate waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delay {
    /// Another message was sent less than `gap_hours` ago.
    Gap {
        /// When, in seconds since 1970.
        sent: i64,
    },
    /// Another candidate was chosen, which is sent when the quiet hours end.
    Turn,
    /// It was chosen, and is sent when the quiet hours end.
    QuietHours {
        /// When it was chosen, in seconds since 1970.
        chosen: i64,
    },
    /// The profile has reached a cap of `limits.toml`.
    Cap,
    /// No mail address is known yet.
    Address,
}

impl Candidate {
    /// The order of choice, the first first: priority, worth, how long it has been due, the journey's id.
    pub(crate) fn order<'j>(&self, journey: &'j Journey) -> (Reverse<u8>, Reverse<u32>, i64, &'j str) {
        (Reverse(self.priority), Reverse(self.worth), self.due, journey.id.as_str())
    }
}

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

/// The condition that a message waits for, as shown to readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// Another message was sent too short a time ago.
    Gap {
        /// When.
        sent: Timestamp,
    },
    /// Another message was chosen, which is sent when the quiet hours end.
    Turn,
    /// It was chosen, and the quiet hours have to end.
    QuietHours,
    /// A cap has to leave room.
    Cap,
    /// A mail address has to become known.
    Address,
}

impl From<Delay> for WaitsFor {
    fn from(delay: Delay) -> Self {
        match delay {
            Delay::Gap { sent } => Self::Gap { sent: second(sent) },
            Delay::Turn => Self::Turn,
            Delay::QuietHours { .. } => Self::QuietHours,
            Delay::Cap => Self::Cap,
            Delay::Address => Self::Address,
        }
    }
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

/// The moment of a second that is written down.
pub(crate) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}
