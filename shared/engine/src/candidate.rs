//! A message that waits for its turn.

use crate::instant::second;
use jiff::Timestamp;
use perennial_config::journeys::Journey;
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
