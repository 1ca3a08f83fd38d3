//! How deliveries end.

use perennial_channels::Outcome;
use std::time::Duration;

/// The outcome of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// It was sent.
    Sent,
    /// It was sent as a test.
    Test,
    /// It was withheld.
    Withheld,
    /// It was withheld: its journey is paused.
    Paused,
    /// It was not sent, and will not be.
    Failed,
    /// Unknown: it may or may not have gone out.
    Unknown,
    /// Unknown so far: it is evaluated again later.
    Waiting,
    /// It was requeued: for quiet hours, the rate or the quota, or its receiver.
    Deferred,
    /// It is older than its journey allows, and is not sent.
    Expired,
    /// Another delivery was done with it before.
    Before,
}

/// Returns why something is to be retried, and when, if the receiver said so.
pub(crate) fn later(outcome: Outcome) -> (String, Option<Duration>) {
    match outcome {
        Outcome::Retry { reason, after } => (reason, after),
        Outcome::Paused { reason, after } => (reason.to_owned(), Some(after)),
        Outcome::Unknown { reason } | Outcome::Rejected { reason } | Outcome::Refused { reason } => (reason, None),
        Outcome::Sent { .. } => (String::new(), None),
    }
}
