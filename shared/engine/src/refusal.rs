//! Why a person does not enter a journey.

use crate::action::Awaited;
use jiff::Timestamp;
use perennial_domain::Stage;
use serde::{Deserialize, Serialize};

/// The first rule of a journey that keeps a person out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Only their id in another system is known.
    External,
    /// A run is already in progress.
    UnderWay {
        /// Since when.
        since: Timestamp,
    },
    /// They entered before, and re-entry is "once".
    Once {
        /// When.
        entered: Timestamp,
    },
    /// They entered too recently.
    TooSoon {
        /// When.
        entered: Timestamp,
        /// The number of days that have to pass.
        days: u16,
    },
    /// The journey is not for their stage.
    Stage {
        /// Their stage.
        stage: Stage,
        /// The allowed stages.
        allowed: Vec<Stage>,
    },
    /// The journey's `when` does not hold for them.
    When {
        /// The condition.
        condition: String,
    },
    /// The journey's `exit` holds for them.
    Exit {
        /// The condition.
        condition: String,
    },
    /// They have reached the journey's goal.
    Reached {
        /// The goal's condition.
        condition: String,
    },
    /// The event is not one of those that set the journey off, by the trigger's `where`.
    Where {
        /// The condition.
        condition: String,
    },
}

impl Refusal {
    /// Returns what may come that would allow the entry; `None` if nothing would.
    pub(crate) fn awaits(&self) -> Option<Awaited> {
        match self {
            Self::External => Some(Awaited::Owner),
            Self::Stage { .. } | Self::When { .. } | Self::Exit { .. } => Some(Awaited::Earlier),
            Self::UnderWay { .. }
            | Self::Once { .. }
            | Self::TooSoon { .. }
            | Self::Reached { .. }
            | Self::Where { .. } => None,
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::External => {
                write!(f, "only their id in another system is known; it triggers nothing until it is linked to a user")
            }
            Self::UnderWay { since } => {
                write!(f, "they are on the way through it already, since {}", day(*since))
            }
            Self::Once { entered } => {
                write!(f, "they entered it on {}, and its reentry is \"once\"", day(*entered))
            }
            Self::TooSoon { entered, days } => {
                write!(f, "they entered it on {}, and its reentry asks for {days} days between", day(*entered))
            }
            Self::Stage { stage, allowed } => {
                let allowed: Vec<&str> = allowed.iter().map(|stage| stage.as_str()).collect();
                write!(f, "their stage is {stage}, and its stages are {}", allowed.join(", "))
            }
            Self::When { condition } => write!(f, "its condition does not hold for them: when = '{condition}'"),
            Self::Exit { condition } => write!(f, "they would leave at once: exit = '{condition}' holds for them"),
            Self::Reached { condition } => write!(f, "they have reached its goal: when = '{condition}'"),
            Self::Where { condition } => {
                write!(f, "its trigger asks for more of the event: where = '{condition}'")
            }
        }
    }
}

fn day(at: Timestamp) -> jiff::civil::Date {
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}
