//! Which events were counted already: a window of recent ids in the profile, and a ledger of older ones beside it.

use jiff::{SignedDuration, Timestamp};
use perennial_domain::{Event, PersonId, Trust};
use serde::{Deserialize, Serialize};

/// Ids of one ledger block.
pub const BLOCK: usize = 24;
/// A stored window of at least this many ids moves its oldest [`BLOCK`] to the ledger at the next write.
pub const ROLL_AT: usize = 32;

/// How far a client's clock may be ahead of the receipt of its events for their time to indicate when they were
/// received.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// How long the ledger recognizes repetitions of a public source's event: a stranger who invents old events must not
/// cause all of it to be read.
const PUBLIC: SignedDuration = SignedDuration::from_hours(35 * 24);

/// The ids of one identity's events, as 64-bit hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenIds {
    /// In the order in which they were counted.
    recent: Vec<Hash>,
    /// The number of blocks in the ledger.
    pub blocks: u32,
    /// The newest client timestamp counted so far, in milliseconds since 1970.
    newest: Option<i64>,
    /// [`Self::newest`] when the last block rolled: no event with a later client timestamp can be in the ledger, because a
    /// retry keeps its timestamp.
    horizon: Option<i64>,
}

/// Eight fixed bytes: a hash gains nothing from a variable-length integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Hash([u8; 8]);

/// Ids that leave the window for block `number` of the ledger of the identity that began as `owner`. Writing the same
/// block twice writes the same ids, because it is made of stored ids, not of new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBlock {
    /// The identity's own profile id, the key of the ledger.
    pub owner: PersonId,
    /// From 0.
    pub number: u32,
    /// [`BLOCK`] hashes.
    pub ids: Vec<u64>,
    /// When it rolled: not earlier than any of its events was counted.
    pub at: Timestamp,
}

impl SeenIds {
    /// Returns whether the window contains the id.
    pub fn contains(&self, id: u64) -> bool {
        self.recent.contains(&Hash(id.to_be_bytes()))
    }

    /// Returns whether the event could be in the ledger, so that the ledger has to be read: there is one, the window
    /// does not contain the event, and its client timestamp is not later than the horizon or is absent.
    pub fn may_be_in_ledger(&self, event: &Event) -> bool {
        self.may_have_left(event.seen_id(), timely(event))
    }

    /// Returns whether an id that has that client timestamp at every repetition could be in the ledger.
    pub fn may_have_left(&self, id: u64, at: Option<Timestamp>) -> bool {
        self.blocks > 0
            && !self.contains(id)
            && match (at, self.horizon) {
                (Some(at), Some(horizon)) => at.as_millisecond() <= horizon,
                _ => true,
            }
    }

    /// Records that the event was counted.
    pub(crate) fn record(&mut self, event: &Event) {
        self.note(event.seen_id(), timely(event));
    }

    /// Records an id that comes with that client timestamp at every repetition.
    pub(crate) fn note(&mut self, id: u64, at: Option<Timestamp>) {
        self.recent.push(Hash(id.to_be_bytes()));
        self.newest = self.newest.max(at.map(Timestamp::as_millisecond));
    }

    /// Removes the due blocks from the window. Call it on a stored identity state, before anything new is recorded: two
    /// writers that read the same version then write the same blocks.
    pub(crate) fn roll(&mut self, owner: PersonId, now: Timestamp) -> Vec<RolledBlock> {
        let mut rolled = Vec::new();
        while self.recent.len() >= ROLL_AT {
            let ids = self.recent.drain(..BLOCK).map(|hash| u64::from_be_bytes(hash.0)).collect();
            rolled.push(RolledBlock { owner, number: self.blocks, ids, at: now });
            self.blocks += 1;
            self.horizon = self.newest;
        }
        rolled
    }

    /// Ids in the window.
    pub fn recent(&self) -> impl Iterator<Item = u64> {
        self.recent.iter().map(|hash| u64::from_be_bytes(hash.0))
    }
}

/// Returns the client's time of an event, if its clock is not so far ahead that it is meaningless: a clock in 2099 must
/// not make all events until then look as if they could be in the ledger.
fn timely(event: &Event) -> Option<Timestamp> {
    event.original_timestamp.filter(|at| at.duration_since(event.received_at) <= AHEAD)
}

/// Returns the time before which no block rolled that can contain the event; `None` if any of them can. A repeated
/// event keeps its time, and it was not received more than a day before that.
pub fn since_when_in_ledger(event: &Event) -> Option<Timestamp> {
    let before = |at: Timestamp, by: SignedDuration| at.checked_sub(by).unwrap_or(Timestamp::MIN);
    let by_time = timely(event).map(|at| before(at, AHEAD));
    let by_receipt = (event.trust == Trust::Public).then(|| before(event.received_at, PUBLIC));
    by_time.max(by_receipt)
}

/// The same of an entry into a journey that came of something at `at`.
pub fn since_when_entered(at: Timestamp) -> Timestamp {
    at.checked_sub(AHEAD).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_domain::Identity;
    use perennial_domain::UserId;
    use perennial_testkit::EventBuilder;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Returns an event received at a second, with that client time.
    fn event(n: i64, said: Option<&str>) -> Event {
        let mut event = EventBuilder::track(&format!("m{n}"), "u", "E").at(at(1_800_000_000 + n)).build();
        event.received_at = at(1_800_000_000 + n);
        event.original_timestamp = said.map_or(Some(event.received_at), |said| said.parse().ok());
        event
    }

    /// Counts events, like `process`, and returns the number of rolled blocks.
    fn count(seen: &mut SeenIds, events: &[Event]) -> usize {
        let owner = Identity::User(UserId::parse("u").unwrap()).person_id();
        let mut rolled = 0;
        for event in events {
            rolled += seen.roll(owner, event.received_at).len();
            seen.record(event);
        }
        rolled
    }

    #[test]
    fn clock_that_is_far_ahead_makes_nothing_else_look_repeated() {
        let mut seen = SeenIds::default();
        let ahead: Vec<Event> = (0..40).map(|n| event(n, Some("2099-01-01T00:00:00Z"))).collect();
        let honest: Vec<Event> = (40..80).map(|n| event(n, None)).collect();
        assert!(count(&mut seen, &[ahead.clone(), honest.clone()].concat()) > 1);
        assert!(!seen.may_be_in_ledger(&event(100, None)), "what is new is not looked for");
        assert!(seen.may_be_in_ledger(&ahead[0]), "what the clock says is nothing to go by");
        assert!(seen.may_be_in_ledger(&honest[0]) && !seen.contains(honest[0].seen_id()));
        assert_eq!(since_when_in_ledger(&ahead[0]), None);
    }

    #[test]
    fn clock_that_is_a_little_ahead_is_still_told_from_its_repetitions() {
        let mut seen = SeenIds::default();
        // Two hours ahead, as of a client that takes its local time for UTC.
        let said = (at(1_800_000_000) + SignedDuration::from_hours(2)).to_string();
        let events: Vec<Event> = (0..60).map(|n| event(n, Some(&said))).collect();
        count(&mut seen, &events);
        let mut again = events[0].clone();
        again.received_at = at(1_800_000_000) + SignedDuration::from_hours(3);
        assert!(seen.may_be_in_ledger(&again));
        assert!(since_when_in_ledger(&again).unwrap() <= events[0].received_at);
    }

    #[test]
    fn event_is_looked_for_from_a_day_before_its_time_and_of_strangers_no_further_than_some_weeks() {
        let late = EventBuilder::track("m", "u", "E").at(at(1_700_000_000));
        let mut server = late.build();
        server.received_at = at(1_800_000_000);
        server.original_timestamp = Some(at(1_700_000_000));
        assert_eq!(since_when_in_ledger(&server), Some(at(1_700_000_000 - 86_400)));
        let public = Event { trust: Trust::Public, ..server.clone() };
        assert_eq!(since_when_in_ledger(&public), Some(at(1_800_000_000 - 35 * 86_400)));
        let silent = Event { original_timestamp: None, ..server };
        assert_eq!(since_when_in_ledger(&silent), None);
        assert!(since_when_in_ledger(&Event { trust: Trust::Public, ..silent }).is_some());
    }
}
