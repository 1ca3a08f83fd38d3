//! `Retry-After`: who wants to be left alone, and for how long (RFC 9110, section 10.2.3).

use http::{HeaderMap, header};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// The longest time that a receiver's word is taken for: a queue cannot put a message off for longer.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// The longest time that a receiver is left alone by messages that it said nothing of: one bad answer should not stop all of them for half a day.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The value of `Retry-After`, in seconds or as a date: at most 12 hours; `None` if it cannot be parsed.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wanted = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
        }
    };
    Some(wanted.min(LONGEST))
}

/// Receivers that want to be left alone, by host and port, each until a moment.
#[derive(Debug, Default)]
pub(crate) struct Pauses(Mutex<HashMap<String, Timestamp>>);

impl Pauses {
    /// Leaves the receiver at `url` alone for `wanted`, at most 15 minutes.
    pub(crate) fn begin(&self, url: &str, now: Timestamp, wanted: Duration) {
        if let (Some(host), Ok(until)) = (host(url), now.checked_add(wanted.min(LONGEST_PAUSE))) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(host, until);
        }
    }

    /// How much longer the receiver at `url` is to be left alone; `None` where it is not.
    pub(crate) fn left(&self, url: &str, now: Timestamp) -> Option<Duration> {
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pauses.is_empty() {
            return None;
        }
        pauses.retain(|_, until| *until > now);
        let until = pauses.get(&host(url)?)?;
        Duration::try_from(until.duration_since(now)).ok()
    }
}

/// Host and port of `url`, which identify a receiver.
pub(crate) fn host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::HeaderValue;

    fn now() -> Timestamp {
        "1994-11-06T08:49:00Z".parse().unwrap()
    }

    fn said(text: &'static str) -> Option<Duration> {
        retry_after(&[(header::RETRY_AFTER, HeaderValue::from_static(text))].into_iter().collect(), now())
    }

    #[test]
    fn seconds_and_dates_are_read_and_bounded() {
        assert_eq!(said("30"), Some(Duration::from_secs(30)));
        assert_eq!(said("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(37)));
        assert_eq!(said("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!((said("7200"), said("86400")), (Some(Duration::from_secs(7200)), Some(LONGEST)));
        assert_eq!((said("soon"), said("-1"), retry_after(&HeaderMap::new(), now())), (None, None, None));
    }

    #[test]
    fn a_pause_is_of_its_host_and_ends() {
        let pauses = Pauses::default();
        pauses.begin("https://a.example/x", now(), Duration::from_secs(10));
        let later = |seconds| now() + Duration::from_secs(seconds);
        assert_eq!(pauses.left("https://a.example/y", later(4)), Some(Duration::from_secs(6)));
        assert_eq!(pauses.left("https://b.example/x", later(4)), None);
        assert_eq!(pauses.left("https://a.example/x", later(10)), None);
        pauses.begin("https://a.example/x", now(), LONGEST);
        assert_eq!(pauses.left("https://a.example/x", now()), Some(LONGEST_PAUSE));
    }
}
