//! A circuit breaker for receivers that do not respond or are slow, so that they do not delay other messages.
//!
//! A batch of messages ends with its slowest one. A receiver that is down would hold up every batch for as long as a
//! connection takes to time out, and a slow one for as long as it takes to respond. So after a few failures in a row
//! its messages wait without a call, longer after each further failure; and after a slow response they wait for as long
//! as the response took, so that it uses at most half of the time.

use crate::pause::host;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Failures in a row after which a receiver is paused.
const FAILURES: u32 = 3;
/// The first pause; doubled by every further failure.
const FIRST: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// An answer that takes longer is a slow one.
const SLOW: Duration = Duration::from_secs(2);

/// How a receiver handled a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Took {
    /// It responded, whatever the response.
    Answered,
    /// It did not respond, or only that it is unavailable.
    Failed,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// Failures since the last answer.
    failures: u32,
    /// The end of its pause.
    until: Option<Timestamp>,
}

/// The state of receivers, by host and port.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<HashMap<String, Known>>);

impl Breaker {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the rest of the pause of the receiver at `url`; `None` if it may be called.
    pub(crate) fn left(&self, url: &str, now: Timestamp) -> Option<Duration> {
        let until = self.known().get(&host(url)?)?.until.filter(|until| *until > now)?;
        Duration::try_from(until.duration_since(now)).ok()
    }

    /// Records the result of a call to `url` that began at `now` and lasted `for_`.
    pub(crate) fn note(&self, url: &str, now: Timestamp, took: Took, for_: Duration) {
        let Some(host) = host(url) else { return };
        let mut receivers = self.known();
        let known = receivers.entry(host.clone()).or_default();
        let ended = now.checked_add(for_).unwrap_or(now);
        match took {
            Took::Answered if for_ < SLOW => {
                receivers.remove(&host);
            }
            Took::Answered => {
                *known = Known { failures: 0, until: ended.checked_add(for_.min(LONGEST)).ok() };
            }
            // Calls that were in progress when the pause began are not new failures.
            Took::Failed if known.until.is_some_and(|until| until > now) => {}
            Took::Failed => {
                known.failures = known.failures.saturating_add(1);
                if let Some(further) = known.failures.checked_sub(FAILURES) {
                    let alone = FIRST.saturating_mul(1 << further.min(10)).min(LONGEST);
                    known.until = ended.checked_add(alone).ok();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const CRM: &str = "https://crm.example/tasks";
    const QUICK: Duration = Duration::from_millis(40);

    fn at(seconds: u64) -> Timestamp {
        "2026-03-02T08:00:00Z".parse::<Timestamp>().unwrap() + Duration::from_secs(seconds)
    }

    fn fail(breaker: &Breaker, second: u64) {
        breaker.note(CRM, at(second), Took::Failed, Duration::ZERO);
    }

    #[test]
    fn after_three_failures_in_a_row_a_receiver_is_left_alone_longer_each_time() {
        let breaker = Breaker::default();
        (0..2).for_each(|_| fail(&breaker, 0));
        assert_eq!(breaker.left(CRM, at(0)), None, "two are an accident");
        // The other calls of one batch fail as well and count once.
        (0..8).for_each(|_| fail(&breaker, 0));
        assert_eq!(breaker.left(CRM, at(0)), Some(FIRST));
        assert_eq!(breaker.left("https://chat.example/", at(0)), None, "nobody else");
        assert_eq!(breaker.left(CRM, at(5)), None, "it is tried again");
        fail(&breaker, 5);
        assert_eq!(breaker.left(CRM, at(5)), Some(2 * FIRST));
        let mut now = 15;
        for _ in 0..12 {
            fail(&breaker, now);
            now += breaker.left(CRM, at(now)).unwrap().as_secs();
        }
        fail(&breaker, now);
        assert_eq!(breaker.left(CRM, at(now)), Some(LONGEST));
    }

    #[test]
    fn one_answer_ends_it() {
        let breaker = Breaker::default();
        (0..3).for_each(|_| fail(&breaker, 0));
        breaker.note(CRM, at(5), Took::Answered, QUICK);
        (0..2).for_each(|_| fail(&breaker, 6));
        assert_eq!(breaker.left(CRM, at(6)), None, "counted anew");
    }

    #[test]
    fn a_slow_receiver_gets_half_of_the_time() {
        let breaker = Breaker::default();
        breaker.note(CRM, at(0), Took::Answered, Duration::from_secs(4));
        assert_eq!(breaker.left(CRM, at(4)), Some(Duration::from_secs(4)));
        assert_eq!(breaker.left(CRM, at(8)), None);
        breaker.note(CRM, at(8), Took::Answered, QUICK);
        assert_eq!(breaker.left(CRM, at(8)), None);
    }
}
