//! Outcomes of sending.

use std::time::Duration;

/// The outcome of sending a message through a channel. Reasons are short, stable words without personal data: they are
/// stored, shown and logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was accepted.
    Sent {
        /// The provider's id of the message, by which its later events are matched; `None` if the provider has none.
        provider_id: Option<String>,
    },
    /// It was not accepted but will be later: the receiver is down, or asked for a pause.
    Retry {
        /// Why.
        reason: String,
        /// The pause that the receiver asked for; `None` if it did not say.
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
    /// It will never be accepted.
    Rejected {
        /// Why.
        reason: String,
    },
    /// The outcome is unknown: the response was lost.
    Unknown {
        /// The reason.
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
