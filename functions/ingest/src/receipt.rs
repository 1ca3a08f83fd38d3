//! When requests were received: no two of one process at the same time, and none before one that came earlier.
//!
//! Calls without a timestamp happened when they were received, and of two that write the same trait the later one counts. So the moments have to
//! differ where the clock does not: it may stand still, as a simulated one does, or be set back.

use jiff::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

/// The most events that a call may become, each a microsecond later than the one before.
const EVENTS_A_CALL: usize = 8;

/// The receipts of a process.
#[derive(Debug)]
pub(crate) struct Receipts {
    /// The first unused microsecond since 1970.
    free: AtomicI64,
}

impl Receipts {
    pub(crate) const fn new() -> Self {
        Self { free: AtomicI64::new(i64::MIN) }
    }

    /// Returns when a request with so many calls was received: `now`, or the first time after the events of earlier
    /// requests. The microseconds of its own events are reserved.
    pub(crate) fn at(&self, now: Timestamp, calls: usize) -> Timestamp {
        let own = i64::try_from(calls.max(1).saturating_mul(EVENTS_A_CALL)).unwrap_or(i64::MAX);
        let from = |free: i64| free.max(now.as_microsecond());
        let taken = |free: i64| Some(from(free).saturating_add(own));
        // The update never fails, so there always is a value.
        let (Ok(free) | Err(free)) = self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
        if free <= now.as_microsecond() { now } else { Timestamp::from_microsecond(free).unwrap_or(now) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn requests_follow_each_other_where_the_clock_stands_still_or_goes_back() {
        let receipts = Receipts::new();
        let (now, later) = (at("2026-03-01T10:00:00.123456789Z"), at("2026-03-01T10:00:01.5Z"));
        assert_eq!(receipts.at(now, 1), now, "as the clock says");
        assert_eq!(receipts.at(now, 3).to_string(), "2026-03-01T10:00:00.123464Z");
        assert_eq!(
            receipts.at(now, 0).to_string(),
            "2026-03-01T10:00:00.123488Z",
            "after all events of the one before"
        );
        assert_eq!(receipts.at(later, 1), later);
        assert_eq!(receipts.at(now, 1).to_string(), "2026-03-01T10:00:01.500008Z");
    }

    #[test]
    fn requests_at_once_have_moments_of_their_own() {
        let (receipts, now) = (Receipts::new(), at("2026-03-01T10:00:00Z"));
        let mut all: Vec<Timestamp> = std::thread::scope(|scope| {
            let each: Vec<_> = (0..4).map(|_| scope.spawn(|| [0; 50].map(|_| receipts.at(now, 1)))).collect();
            each.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 200);
    }
}
