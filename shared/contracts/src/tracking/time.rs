//! How wrong clients' clocks are, and which moments an event may have.

use jiff::{SignedDuration, Timestamp};

/// A client whose clock differs by no more than this is taken at its word: the difference is the way, not the clock, and
/// so an event keeps one timestamp however often it is sent again.
pub const NO_SKEW: SignedDuration = SignedDuration::from_secs(5);

/// How much later than its own `sentAt` an event may claim to have happened; beyond that the two were not read from one
/// clock, and `sentAt` says nothing of the other.
pub const AFTER_SENT: SignedDuration = SignedDuration::from_secs(60);

/// How far in the future an event may lie, after the correction.
pub const MAX_FUTURE: SignedDuration = SignedDuration::from_hours(24);

/// The earliest moment that an event may have, after the correction: 1990-01-01T00:00:00Z. Clocks that were never set say 1970 or 1980, and
/// the oldest histories of purchases that anybody imports are of the nineties.
pub const EARLIEST: Timestamp = Timestamp::constant(631_152_000, 0);

/// When an event happened by our clock, given when its client says that it happened and that it was sent:
/// `received - (sent - happened)`, as the tracking API's spec has it
/// (<https://segment.com/docs/connections/spec/common/#timestamps>).
///
/// The client's own time is kept if the clocks agree within [`NO_SKEW`], or if the event claims to be later than its own
/// sending by more than [`AFTER_SENT`]. A wrong clock may be wrong by any span; some say 1970.
pub fn corrected(happened: Timestamp, sent: Option<Timestamp>, received: Timestamp) -> Timestamp {
    let Some(sent) = sent else { return happened };
    let skew = received.duration_since(sent);
    if skew.abs() <= NO_SKEW || happened.duration_since(sent) > AFTER_SENT {
        return happened;
    }
    happened.checked_add(skew).unwrap_or(happened)
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
