//! What came of a sending.

use std::time::Duration;

/// What is known about a message after a channel tried to send it. Reasons are short, stable words without personal data: they are stored, shown
/// and logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken over.
    Sent {
        /// The provider's id of the message, by which its later events are told; `None` where the provider gives none.
        provider_id: Option<String>,
    },
    /// It was certainly not taken over, and will be later: the receiver is down, or wants to be left alone.
    Retry {
        /// Why.
        reason: String,
        /// How long the receiver wants to be left alone; `None` where it did not say.
        after: Option<Duration>,
    },
    /// It was not offered: the receiver asked to be left alone, or does not answer and is left alone.
    Paused {
        /// Why.
        reason: &'static str,
        /// For how much longer.
        after: Duration,
    },
    /// It was certainly not taken over, and will not be before an operator changes something: a secret, an identity, a right.
    Refused {
        /// Why.
        reason: String,
    },
    /// It will never be taken over.
    Rejected {
        /// Why.
        reason: String,
    },
    /// Whether it was taken over is not known: the answer was lost.
    Unknown {
        /// How it was lost.
        reason: String,
    },
}

impl Outcome {
    pub(crate) fn retry(reason: impl Into<String>) -> Self {
        Self::Retry { reason: reason.into(), after: None }
    }

    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }

    pub(crate) fn rejected(reason: impl Into<String>) -> Self {
        Self::Rejected { reason: reason.into() }
    }

    pub(crate) fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown { reason: reason.into() }
    }
}
