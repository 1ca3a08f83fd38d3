//! Limits the events of one address with one public key.
//!
//! A public key is in the page's source, so anybody can send with it. Each source and client address has a token bucket
//! of events, implemented with the generic cell rate algorithm (ITU-T I.371): only the time at which the bucket is full
//! again is stored. The buckets are in the memory of one instance, and so limit what one instance accepts: Lambda
//! spreads a flood over as many instances as the account allows. A global limit needs a service in front, such as
//! CloudFront with WAF.
//!
//! Trusted server sources are not limited: one of their addresses sends everybody's events.

use perennial_domain::SourceId;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The default limit of events a second from one address: a whole office behind one address, on an instance that
/// handles some hundred calls a second.
pub const EVENTS_A_SECOND: u32 = 250;
/// A full bucket contains the events of this period.
const FULL: Duration = Duration::from_secs(60);
/// Buckets that are kept at most, some 4 MB. Of more the fullest go, which are those of addresses that send least.
const MOST_BUCKETS: usize = 50_000;

/// A sender: a source, and the network of the client.
type Sender = (SourceId, Option<IpAddr>);

/// Token buckets of public sources.
#[derive(Debug)]
pub struct Throttle {
    /// The time in which one event comes back.
    each: Duration,
    /// When each bucket is full again. One that is full is not kept.
    buckets: Mutex<HashMap<Sender, Instant>>,
}

impl Throttle {
    /// Allows one address `events` a second with the keys of one public source, and bursts of a minute's worth.
    #[must_use]
    pub fn new(events: NonZeroU32) -> Self {
        Self { each: Duration::from_secs(1) / events.get(), buckets: Mutex::default() }
    }

    /// Allows `events` a minute, in one burst if need be.
    #[must_use]
    pub fn a_minute(events: NonZeroU32) -> Self {
        Self { each: FULL / events.get(), buckets: Mutex::default() }
    }

    /// Takes `events` from the sender's bucket.
    ///
    /// # Errors
    /// The time after which they may be sent, if the bucket has too few; nothing is taken then. A full bucket allows
    /// any number, so that a call larger than the bucket can be sent at all.
    pub(crate) fn take(
        &self,
        source: &SourceId,
        address: Option<IpAddr>,
        events: usize,
        now: Instant,
    ) -> Result<(), Duration> {
        let cost = self.each * u32::try_from(events.max(1)).unwrap_or(u32::MAX);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = (source.clone(), address.map(network));
        let full_at = buckets.get(&sender).copied().filter(|full_at| *full_at > now);
        let missing = full_at.map_or(Duration::ZERO, |full_at| full_at - now);
        if !missing.is_zero() && missing + cost > FULL {
            // A call larger than the bucket waits until the bucket is full.
            return Err((missing + cost).saturating_sub(FULL).min(missing));
        }
        buckets.insert(sender, now + missing + cost);
        if buckets.len() > MOST_BUCKETS {
            forget(&mut buckets, now);
        }
        Ok(())
    }
}

/// The network that an address is in, of IPv6 the /64 that one subscriber has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

/// Removes the buckets that are full, and if these are few, the fuller half.
fn forget(buckets: &mut HashMap<Sender, Instant>, now: Instant) {
    buckets.retain(|_, full_at| *full_at > now);
    if buckets.len() > MOST_BUCKETS / 2 {
        let mut times: Vec<Instant> = buckets.values().copied().collect();
        let half = times.len() / 2;
        let (_, middle, _) = times.select_nth_unstable(half);
        let middle = *middle;
        buckets.retain(|_, full_at| *full_at > middle);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MINUTE: usize = 60;

    fn source(id: &str) -> SourceId {
        SourceId::parse(id).unwrap()
    }

    fn one_a_second() -> Throttle {
        Throttle::new(NonZeroU32::MIN)
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_minutes_worth_may_come_at_once_and_then_what_comes_back() {
        let (throttle, web, start) = (one_a_second(), source("web"), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let from = address("192.0.2.1");
        for _ in 0..MINUTE {
            assert_eq!(throttle.take(&web, from, 1, start), Ok(()));
        }
        assert_eq!(throttle.take(&web, from, 1, start), Err(Duration::from_secs(1)));
        assert_eq!(throttle.take(&web, from, 10, at(3)), Err(Duration::from_secs(7)), "refused calls take nothing");
        assert_eq!(throttle.take(&web, from, 10, at(10)), Ok(()));
        assert_eq!(throttle.take(&web, from, 1, at(10)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn addresses_and_sources_have_buckets_of_their_own() {
        let (throttle, web, now) = (one_a_second(), source("web"), Instant::now());
        assert_eq!(throttle.take(&web, address("192.0.2.1"), MINUTE, now), Ok(()));
        assert!(throttle.take(&web, address("192.0.2.1"), 1, now).is_err());
        assert!(throttle.take(&web, address("::ffff:192.0.2.1"), 1, now).is_err(), "the same address");
        assert_eq!(throttle.take(&web, address("192.0.2.2"), 1, now), Ok(()));
        assert_eq!(throttle.take(&source("app"), address("192.0.2.1"), 1, now), Ok(()));
        assert_eq!(throttle.take(&web, address("2001:db8::1"), MINUTE, now), Ok(()));
        assert!(throttle.take(&web, address("2001:db8::ffff:2"), 1, now).is_err(), "one subscriber has a whole /64");
        assert_eq!(throttle.take(&web, address("2001:db8:0:1::1"), 1, now), Ok(()));
    }

    #[test]
    fn call_that_is_larger_than_the_bucket_is_taken_by_a_full_one() {
        let (throttle, web, now) = (one_a_second(), source("web"), Instant::now());
        let from = address("192.0.2.1");
        assert_eq!(throttle.take(&web, from, 10 * MINUTE, now), Ok(()));
        let wait = throttle.take(&web, from, 10 * MINUTE, now).unwrap_err();
        assert_eq!(wait, Duration::from_secs(600));
        assert_eq!(throttle.take(&web, from, 10 * MINUTE, now + wait), Ok(()));
    }

    #[test]
    fn a_flood_of_addresses_takes_bounded_memory_and_frees_nobody_who_sends_much() {
        let (throttle, web, now) = (one_a_second(), source("web"), Instant::now());
        let greedy = address("192.0.2.1");
        assert_eq!(throttle.take(&web, greedy, MINUTE, now), Ok(()));
        for n in 0..u32::try_from(MOST_BUCKETS).unwrap() * 2 {
            let address = IpAddr::V4((0x0a00_0000 + n).into());
            assert_eq!(throttle.take(&web, Some(address), 1, now), Ok(()));
        }
        assert!(throttle.buckets.lock().unwrap().len() <= MOST_BUCKETS);
        assert!(throttle.take(&web, greedy, 1, now).is_err());
    }
}
