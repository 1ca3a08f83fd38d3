//! Corrects clients' clocks and limits the times of events.

use jiff::{SignedDuration, Timestamp};

/// The largest difference of clocks that is attributed to the network rather than the clock: the client's time is kept,
/// so that an event has one timestamp however often it is sent.
pub const NO_SKEW: SignedDuration = SignedDuration::from_secs(5);

/// The longest that an event may be later than its own `sentAt`; beyond that the two were not read from one clock, and
/// `sentAt` cannot correct it.
pub const AFTER_SENT: SignedDuration = SignedDuration::from_secs(60);

/// The furthest that an event may be in the future, after the correction.
pub const MAX_FUTURE: SignedDuration = SignedDuration::from_hours(24);

/// The earliest time of an event, after the correction: 1990-01-01T00:00:00Z. Clocks that were never set say 1970 or
/// 1980, and the oldest purchase histories that are imported are from the nineties.
pub const EARLIEST: Timestamp = Timestamp::constant(631_152_000, 0);

/// Returns when an event happened by our clock, from when the client says that it happened and was sent: `received -
/// (sent - happened)`, as the tracking API's spec defines it
/// (<https://segment.com/docs/connections/spec/common/#timestamps>).
///
/// The client's own time is kept if the clocks agree within [`NO_SKEW`], or if the event is later than its own `sent`
/// by more than [`AFTER_SENT`]. A wrong clock may be wrong by any span; some say 1970. If only the corrected time is outside
/// of the limits, `sent` is the wrong one, and the client's own time is kept too.
pub fn corrected(happened: Timestamp, sent: Option<Timestamp>, received: Timestamp) -> Timestamp {
    let Some(sent) = sent else { return happened };
    let skew = received.duration_since(sent);
    if skew.abs() <= NO_SKEW || happened.duration_since(sent) > AFTER_SENT {
        return happened;
    }
    let corrected = happened.checked_add(skew).unwrap_or(happened);
    let is_possible = |at: Timestamp| at >= EARLIEST && at.duration_since(received) <= MAX_FUTURE;
    if is_possible(happened) && !is_possible(corrected) { happened } else { corrected }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_wrong_clock_is_corrected_by_what_it_is_wrong_by() {
        let received = at("2026-06-01T12:00:00Z");
        // Two hours slow; the event happened ten minutes before it was sent.
        let (sent, happened) = (at("2026-06-01T10:00:00Z"), at("2026-06-01T09:50:00Z"));
        assert_eq!(corrected(happened, Some(sent), received), at("2026-06-01T11:50:00Z"));
        // A clock that starts at the epoch.
        assert_eq!(
            corrected(at("1970-01-01T00:01:00Z"), Some(at("1970-01-01T00:02:00Z")), received),
            at("2026-06-01T11:59:00Z")
        );
    }

    #[test]
    fn a_sent_at_that_would_make_a_possible_time_impossible_is_ignored() {
        let received = at("2026-06-01T12:00:00Z");
        let happened = at("2026-06-01T11:59:00Z");
        assert_eq!(corrected(happened, Some(at("2099-01-01T00:00:00Z")), received), happened);
        let old = at("2024-01-01T00:00:00Z");
        assert_eq!(corrected(old, Some(at("2099-01-01T00:00:00Z")), received), old);
        // The event's own clock is wrong as well.
        assert_eq!(corrected(at("2098-12-31T23:59:00Z"), Some(at("2099-01-01T00:00:00Z")), received), happened);
    }

    #[test]
    fn the_earliest_moment_is_the_beginning_of_1990() {
        assert_eq!(EARLIEST, at("1990-01-01T00:00:00Z"));
    }

    #[test]
    fn a_right_clock_is_not_corrected() {
        let received = at("2026-06-01T12:00:00Z");
        let happened = at("2024-01-01T00:00:00Z");
        assert_eq!(corrected(happened, Some(at("2026-06-01T11:59:57Z")), received), happened);
        assert_eq!(corrected(happened, None, received), happened);
    }

    #[test]
    fn an_event_later_than_its_sending_is_not_corrected() {
        let received = at("2026-06-01T12:00:00Z");
        let happened = at("2026-06-01T11:00:00Z");
        assert_eq!(corrected(happened, Some(at("2026-06-01T10:00:00Z")), received), happened);
    }
}
