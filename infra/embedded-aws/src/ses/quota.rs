//! The account's sending rate and daily quota, as SES enforces them.
//!
//! Sources: SES developer guide, "Managing your Amazon SES sending limits" (the rate may be exceeded for short bursts, the quota is that of a rolling
//! day, and both count recipients), and the errors that API v2 answers.

use super::SesError;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The burst after a pause, as seconds of the rate.
const BURST_SECONDS: f64 = 2.0;

/// The sending limits of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SesLimits {
    /// Mails a second; `None` without a limit.
    pub per_second: Option<f64>,
    /// Mails within 24 hours; `None` without a limit.
    pub per_day: Option<u64>,
}

/// Counts sent mails.
#[derive(Debug)]
pub(super) struct Quota {
    limits: SesLimits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The rest of the burst, and since when.
    tokens: Option<(f64, Timestamp)>,
    /// When each mail of the last day was sent.
    sent: VecDeque<Timestamp>,
}

impl Quota {
    pub(super) fn new(limits: SesLimits) -> Self {
        Self { limits, state: Mutex::default() }
    }

    /// Accepts a mail to `recipients` addresses at `now`.
    ///
    /// # Errors
    /// SES's own, if the rate or the quota is exceeded.
    pub(super) fn take(&self, recipients: usize, now: Timestamp) -> Result<(), SesError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget(now);
        if self.limits.per_day.is_some_and(|most| state.sent.len() as u64 + recipients as u64 > most) {
            return Err(SesError {
                status: StatusCode::BAD_REQUEST,
                name: "LimitExceededException",
                message: "Daily message quota exceeded.".to_owned(),
            });
        }
        if let Some(rate) = self.limits.per_second {
            let most = (rate * BURST_SECONDS).max(1.0);
            let (tokens, since) = state.tokens.unwrap_or((most, now));
            let tokens = (tokens + now.duration_since(since).as_secs_f64() * rate).min(most);
            if tokens < 1.0 {
                state.tokens = Some((tokens, now));
                return Err(SesError {
                    status: StatusCode::TOO_MANY_REQUESTS,
                    name: "TooManyRequestsException",
                    message: "Maximum sending rate exceeded.".to_owned(),
                });
            }
            #[expect(clippy::cast_precision_loss, reason = "a mail has 50 recipients at most")]
            let used = recipients as f64;
            state.tokens = Some((tokens - used, now));
        }
        if self.limits.per_day.is_some() {
            state.sent.extend(std::iter::repeat_n(now, recipients));
        }
        Ok(())
    }

    /// Returns the rate, the quota and its usage, as in a `GetAccount` response; -1 without a limit.
    pub(super) fn shown(&self, now: Timestamp) -> serde_json::Value {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget(now);
        #[expect(clippy::cast_precision_loss, reason = "counts of mails")]
        let per_day = self.limits.per_day.map_or(-1.0, |most| most as f64);
        serde_json::json!({
            "Max24HourSend": per_day,
            "MaxSendRate": self.limits.per_second.unwrap_or(-1.0),
            "SentLast24Hours": state.sent.len(),
        })
    }
}

impl State {
    fn forget(&mut self, now: Timestamp) {
        while self.sent.front().is_some_and(|at| now.duration_since(*at) >= SignedDuration::from_hours(24)) {
            self.sent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + milliseconds).unwrap()
    }

    #[test]
    fn after_a_burst_the_rate_is_what_is_taken_a_second() {
        let quota = Quota::new(SesLimits { per_second: Some(14.0), per_day: None });
        assert_eq!((0..100).filter(|_| quota.take(1, at(0)).is_ok()).count(), 28);
        let taken = (1..=10_000).filter(|millisecond| quota.take(1, at(*millisecond)).is_ok()).count();
        assert!((139..=140).contains(&taken), "{taken} in ten seconds");
        let error = quota.take(28, at(10_000)).unwrap_err();
        assert_eq!(
            (error.name, error.message.as_str()),
            ("TooManyRequestsException", "Maximum sending rate exceeded.")
        );
    }

    #[test]
    fn the_quota_is_that_of_the_last_24_hours() {
        let quota = Quota::new(SesLimits { per_second: None, per_day: Some(3) });
        let hour = 3_600_000;
        for sent in [0, hour, 2 * hour] {
            quota.take(1, at(sent)).unwrap();
        }
        let error = quota.take(1, at(24 * hour - 1)).unwrap_err();
        assert_eq!((error.name, error.message.as_str()), ("LimitExceededException", "Daily message quota exceeded."));
        quota.take(1, at(24 * hour)).unwrap();
        assert_eq!(quota.shown(at(24 * hour))["SentLast24Hours"], 3);
        assert_eq!(quota.shown(at(24 * hour))["Max24HourSend"], 3.0);
    }
}
