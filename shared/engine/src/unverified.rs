//! Unverified traits of public sources.
//!
//! A public source never changes a trait of a trusted one, whichever arrives first: values of public sources are
//! ordered before all of the others. Among themselves the latest counts, and no client's clock is ahead of its events'
//! receipt; of mail addresses the one that was received first counts, the user's before that of visitors who became
//! them, so that nobody takes a user's mails by sending an address of their own. Values to be set only if absent are
//! ordered after all others.

use crate::joins::Link;
use jiff::Timestamp;
use perennial_domain::traits::is_same;
use perennial_domain::{Event, Trust};

/// Larger, in microseconds, than the distance of any two times.
const FAR: i64 = 1 << 60;
/// The trait of the mail address.
const ADDRESS: &str = "email";

/// Returns the order of the value that `event` writes to the trait `name`: its time if it is trusted.
pub(crate) fn place(event: &Event, name: &str) -> i64 {
    let (happened, received) = (event.timestamp.as_microsecond(), event.received_at.as_microsecond());
    match event.is_trusted() {
        true => happened,
        // A visitor's address comes after those of the user that they sign in as.
        false if is_same(name, ADDRESS) && event.user_id.is_none() => -FAR - FAR / 2 - received,
        false if is_same(name, ADDRESS) => -FAR - received,
        false => -FAR + happened.min(received),
    }
}

/// Returns the same for a trait that is set only if absent.
pub(crate) fn place_once(event: &Event) -> i64 {
    if event.is_trusted() { event.timestamp.as_microsecond() } else { FAR + event.received_at.as_microsecond() }
}

/// The time by which what `event` says of an account is ordered: no user's clock is ahead of receipt.
pub(crate) fn told_at(event: &Event) -> Timestamp {
    if event.vouches() { event.timestamp } else { event.timestamp.min(event.received_at) }
}

/// Behind all links that servers said, in microseconds: those that a user's token vouches for, in the order of their receipt.
const SIGNED_LINKS: i64 = 1 << 58;
/// And after these, the unverified ones.
const PUBLIC_LINKS: i64 = 1 << 60;

/// Returns the order of the link in `event`, among those of an anonymous id: the earliest holds.
pub(crate) fn place_of_link(event: &Event) -> i64 {
    match event.trust {
        Trust::Public => PUBLIC_LINKS + event.received_at.as_microsecond(),
        Trust::Signed => SIGNED_LINKS + event.received_at.as_microsecond(),
        Trust::Server | Trust::Verified => event.timestamp.as_microsecond(),
    }
}

/// Returns whether a link is unverified, by its order.
pub(crate) fn is_public_link(place: i64) -> bool {
    place >= PUBLIC_LINKS
}

impl Link {
    /// Returns whether a public source reported it unverified: it does not show either side the other's data.
    pub fn is_public(&self) -> bool {
        is_public_link(self.at)
    }
}

/// Returns when a link was reported, or received if that decides, from its order.
pub(crate) fn time_of_link(place: i64) -> i64 {
    let behind = [PUBLIC_LINKS, SIGNED_LINKS].into_iter().find(|behind| place >= *behind);
    place - behind.unwrap_or(0)
}

/// Returns whether a value is from a public source, by its order.
pub(crate) fn is_unverified(place: i64) -> bool {
    place.unsigned_abs() > (FAR / 2).unsigned_abs()
}

/// Returns an order that can be compared with those of other traits: values of public sources are older than anything
/// else.
pub(crate) fn comparable(place: i64) -> i64 {
    if place > FAR / 2 { place - 2 * FAR } else { place }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
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

    #[test]
    fn address_of_the_user_comes_before_that_of_a_visitor_who_became_them() {
        let user = event(20).public().build();
        let mut visitor = event(10).public().build();
        visitor.user_id = None;
        assert!(place(&visitor, "email") < place(&user, "email"));
        assert!(place(&visitor, "plan") < place(&user, "plan") && is_unverified(place(&visitor, "email")));
    }

    #[test]
    fn links_are_in_the_order_of_trust_and_then_of_receipt() {
        let link = |second: i64, trust| {
            let mut event = event(second).build();
            event.trust = trust;
            event.timestamp = Timestamp::UNIX_EPOCH;
            event
        };
        let mut server = link(30, Trust::Server);
        server.timestamp = Timestamp::from_second(1_900_000_000).unwrap();
        let order = [
            server,
            link(20, Trust::Signed),
            link(21, Trust::Signed),
            link(10, Trust::Public),
            link(11, Trust::Public),
        ];
        let places: Vec<i64> = order.iter().map(place_of_link).collect();
        assert!(places.is_sorted(), "{places:?}");
        let times: Vec<i64> = places.iter().map(|place| time_of_link(*place) / 1_000_000).collect();
        assert_eq!(times, [1_900_000_000, 20, 21, 10, 11]);
        assert_eq!(places.iter().filter(|place| is_public_link(**place)).count(), 2);
    }
}
