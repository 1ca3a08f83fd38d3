//! What public sources say of a person's traits, and nobody vouches for.
//!
//! A trait that a trusted source wrote is not changed by a public one, whenever either comes: what public sources write has a place in the order of
//! time that lies before all of what others wrote. Among themselves the latest counts, and no client's clock is ahead of its events' receipt; of mail
//! addresses the one that was received first counts, so that nobody takes a user's mails by sending an address of their own. What was to be set only
//! where there is nothing has a place behind all others.

use perennial_domain::Event;
use perennial_domain::traits::is_same;

/// Farther, in microseconds, than any two times are apart.
const FAR: i64 = 1 << 60;
/// The trait of the mail address.
const ADDRESS: &str = "email";

/// The place in the order of time of what `event` writes of the trait `name`: its time where it is believed.
pub(crate) fn place(event: &Event, name: &str) -> i64 {
    let (happened, received) = (event.timestamp.as_microsecond(), event.received_at.as_microsecond());
    match event.is_trusted() {
        true => happened,
        false if is_same(name, ADDRESS) => -FAR - received,
        false => -FAR + happened.min(received),
    }
}

/// The same of a trait that is to be set only where there is nothing.
pub(crate) fn place_once(event: &Event) -> i64 {
    if event.is_trusted() { event.timestamp.as_microsecond() } else { FAR + event.received_at.as_microsecond() }
}

/// Whether a place is of something that a public source wrote.
pub(crate) fn is_unverified(place: i64) -> bool {
    place.unsigned_abs() > (FAR / 2).unsigned_abs()
}

/// A place that can be compared with those of other traits: what a public source said is older than anything else.
pub(crate) fn comparable(place: i64) -> i64 {
    if place > FAR / 2 { place - 2 * FAR } else { place }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::Timestamp;
    use perennial_testkit::EventBuilder;

    fn event(second: i64) -> EventBuilder {
        EventBuilder::identify("m", "u", None).at(Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn what_a_public_source_writes_comes_before_all_else() {
        let (early, late) = (event(0).build(), event(1_900_000_000).public().build());
        for name in ["plan", "email"] {
            assert!(place(&late, name) < place(&early, name), "{name}");
            assert!(is_unverified(place(&late, name)) && !is_unverified(place(&early, name)), "{name}");
        }
        assert!(place_once(&late) > place_once(&early));
        assert!(comparable(place_once(&late)) < place(&early, "plan"));
    }

    #[test]
    fn of_public_addresses_the_first_counts_and_of_the_rest_the_last() {
        let (first, second) = (event(10).public().build(), event(20).public().build());
        assert!(place(&first, "plan") < place(&second, "plan"));
        assert!(place(&first, "email") > place(&second, "email"));
    }

    #[test]
    fn no_clock_is_ahead_of_receipt_and_none_makes_an_address_the_first() {
        let mut ahead = event(20).public().build();
        ahead.timestamp = Timestamp::from_second(4_000_000_000).unwrap();
        assert_eq!(place(&ahead, "plan"), place(&event(20).public().build(), "plan"));
        let mut behind = event(20).public().build();
        behind.timestamp = Timestamp::UNIX_EPOCH;
        assert!(place(&behind, "email") < place(&event(10).public().build(), "email"));
    }
}
