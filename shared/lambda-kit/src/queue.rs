//! Sending to SQS: several bodies a request, partial failures looked at, what failed returned.
//!
//! A request of up to 64 KB is billed once however many messages it carries, so bodies are packed before they are sent; and
//! `SendMessageBatch` answers 200 even if none of its entries was taken, so its answer is read entry by entry.

mod depth;
mod joined;
mod pack;
mod redrive;
mod sqs;
#[cfg(feature = "testing")]
mod testing;

use futures::future::BoxFuture;

pub use depth::{Depth, Depths, WATCHED, WatchedQueue};
pub use joined::Joined;
pub use pack::{MAX_BYTES, MAX_ENTRIES};
pub use redrive::{RedriveError, redrive};
pub use sqs::Queue;
#[cfg(feature = "testing")]
pub use testing::MemoryQueue;

/// The delay of SQS messages: 0 to 900 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Delay(u16);

impl Delay {
    /// Delivered at once.
    pub const NONE: Self = Self(0);
    /// The longest SQS allows: 15 minutes.
    pub const MAX: Self = Self(900);

    /// `seconds`, or the longest that SQS allows if that is less.
    #[must_use]
    pub fn at_most(seconds: u64) -> Self {
        u16::try_from(seconds).map_or(Self::MAX, Self).min(Self::MAX)
    }

    /// In seconds.
    #[must_use]
    pub const fn seconds(self) -> u16 {
        self.0
    }
}

/// A body that SQS did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// Its place in the list that was given, from 0.
    pub index: usize,
    /// Why: SQS's error code, or one of `BodyTooLarge`, `EmptyBody`, `NotAnswered`, `TimedOut`, `NotReached`.
    pub code: String,
}

/// The result of sending a list of bodies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendReport {
    /// The bodies that were not sent, in the given order. A body whose response was lost counts as unsent, though SQS
    /// may have it: consumers then see it twice.
    pub unsent: Vec<Unsent>,
    /// The number of `SendMessageBatch` requests, retries of entries included (but not those of the SDK).
    pub requests: usize,
}

impl SendReport {
    /// Converts the report to a result, for callers whose unit of work is the whole list.
    ///
    /// # Errors
    /// [`SendError`] if anything was not sent.
    pub fn into_result(self) -> Result<(), SendError> {
        match self.unsent.first() {
            None => Ok(()),
            Some(first) => Err(SendError { unsent: self.unsent.len(), code: first.code.clone() }),
        }
    }
}

/// Some bodies could not be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{unsent} messages were not sent, the first because of {code}")]
pub struct SendError {
    /// The number of unsent bodies.
    pub unsent: usize,
    /// The first one's code.
    pub code: String,
}

/// Sends bodies to a queue. Handlers use this rather than [`Queue`], so that tests can observe and fail it.
pub trait Sender: Send + Sync {
    /// Sends every body as one message, with its delay. Bodies are JSON of 1 byte to 1 MiB. Order is not preserved.
    fn send_each(&self, messages: Vec<(String, Delay)>) -> BoxFuture<'_, SendReport>;

    /// Sends every body as [`Self::send_each`] does, all with `delay`.
    fn send(&self, bodies: Vec<String>, delay: Delay) -> BoxFuture<'_, SendReport> {
        self.send_each(bodies.into_iter().map(|body| (body, delay)).collect())
    }
}

impl<S: Sender + ?Sized> Sender for std::sync::Arc<S> {
    fn send_each(&self, messages: Vec<(String, Delay)>) -> BoxFuture<'_, SendReport> {
        (**self).send_each(messages)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_delay_never_exceeds_what_sqs_allows() {
        assert_eq!(Delay::at_most(5).seconds(), 5);
        assert_eq!(Delay::at_most(901), Delay::MAX);
        assert_eq!(Delay::at_most(u64::MAX), Delay::MAX);
    }

    #[test]
    fn a_report_with_unsent_bodies_is_an_error() {
        assert!(SendReport::default().into_result().is_ok());
        let unsent = vec![Unsent { index: 3, code: "InternalError".to_owned() }];
        let error = SendReport { unsent, requests: 1 }.into_result().unwrap_err();
        assert_eq!(error.to_string(), "1 messages were not sent, the first because of InternalError");
    }
}
