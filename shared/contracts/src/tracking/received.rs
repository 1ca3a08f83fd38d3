//! How a body was received: the values that every event of it gets, and those that keep its events distinct.

use super::text::unquoted;
use crate::tokens::{Purpose, TokenSecrets};
use jiff::Timestamp;
use perennial_domain::hygiene::{Reason, Zone};
use perennial_domain::{SourceId, Trust, UserId, hash};
use std::collections::HashMap;

/// Random bytes that no other request has.
pub type Nonce = [u8; 16];

/// How a body was received. Also stores what earlier events of the body pass on to later ones.
#[derive(Debug)]
pub struct Received {
    pub(super) source: SourceId,
    pub(super) at: Timestamp,
    pub(super) sent_at: Option<Timestamp>,
    trust: Trust,
    pub(super) history: bool,
    tokens: TokenSecrets,
    nonce: Nonce,
    ids: u64,
    order: Order,
    zone: LastZone,
}

impl Received {
    /// Returns a body received from `source` at `at`, from a client that says it sent the body at `sent_at`. Ids for
    /// events without one are derived from `nonce`.
    pub fn new(source: SourceId, at: Timestamp, sent_at: Option<Timestamp>, nonce: Nonce) -> Self {
        let (trust, tokens) = (Trust::default(), TokenSecrets::default());
        Self {
            source,
            at,
            sent_at,
            trust,
            history: false,
            tokens,
            nonce,
            ids: 0,
            order: Order::default(),
            zone: LastZone::default(),
        }
    }

    /// Sets the trust in the source. `tokens` are the secrets of users' tokens.
    #[must_use]
    pub fn with_trust(self, trust: Trust, tokens: TokenSecrets) -> Self {
        Self { trust, tokens, ..self }
    }

    /// Makes its events history, which triggers nothing ([`perennial_domain::Event::history`]).
    #[must_use]
    pub fn into_history(self) -> Self {
        Self { history: true, ..self }
    }

    /// Returns whether anyone can read the source's key.
    pub(super) fn is_public(&self) -> bool {
        self.trust == Trust::Public
    }

    /// Returns the trust in an event of `user` that came with `token`: the user's own token makes a public source's
    /// event a signed one.
    pub(super) fn trust_of(&self, user: Option<&UserId>, token: Option<&str>) -> Trust {
        let is_signed = || {
            let (user, token) = (user?, token?);
            self.tokens.verify(Purpose::User, token, user.as_str(), self.at).then_some(())
        };
        if self.trust == Trust::Public && is_signed().is_some() { Trust::Signed } else { self.trust }
    }

    /// Returns the source.
    pub const fn source(&self) -> &SourceId {
        &self.source
    }

    /// When.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The id of the next event that has none: a UUID of version 8, of the nonce and a running number.
    pub(super) fn next_id(&mut self) -> String {
        self.ids += 1;
        let hash = hash::sha256(&[&self.nonce, &self.ids.to_be_bytes()]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        bytes[6] = 0x80 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        let hex = format!("{:032x}", u128::from_be_bytes(bytes));
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// Returns why `raw`, the JSON of a `context.timezone`, is no time zone, so that it is ignored; `None` if it is one.
    pub(super) fn zone(&mut self, raw: &str) -> Option<Reason> {
        self.zone.reason(raw)
    }

    /// The timestamp of the next event, which is to have `at`.
    pub(super) fn place(&mut self, at: Timestamp) -> Timestamp {
        self.order.place(at)
    }
}

/// The last time zone that was looked at: the events of a body nearly always have the same.
#[derive(Debug, Default)]
struct LastZone {
    raw: String,
    reason: Option<Reason>,
}

impl LastZone {
    fn reason(&mut self, raw: &str) -> Option<Reason> {
        if self.raw != raw {
            raw.clone_into(&mut self.raw);
            self.reason = match raw.as_bytes().first() {
                Some(b'{' | b'[' | b't' | b'f') => Some(Reason::NotText),
                Some(b'"') => Zone::parse(&unquoted(raw)).err().map(Reason::Zone),
                _ => Zone::parse(raw).err().map(Reason::Zone),
            };
        }
        self.reason
    }
}

/// Which timestamps the events of a body have. Of several with the same one, each is a microsecond later than that before it: so their
/// order outlasts queues and archives, which know no positions.
#[derive(Debug, Default)]
struct Order {
    /// Ascending, in microseconds: events nearly always come in the order in which they happened.
    given: Vec<i64>,
    /// The next time to try for a free one, by requested time that was taken.
    next: HashMap<i64, i64>,
}

impl Order {
    fn place(&mut self, at: Timestamp) -> Timestamp {
        let asked = at.as_microsecond();
        if self.give(asked) {
            return at;
        }
        let mut micros = self.next.get(&asked).copied().unwrap_or(asked + 1);
        while !self.give(micros) {
            micros += 1;
        }
        self.next.insert(asked, micros + 1);
        Timestamp::from_microsecond(micros).unwrap_or(at)
    }

    /// Returns whether the time was free, and takes it.
    fn give(&mut self, micros: i64) -> bool {
        if self.given.last().is_none_or(|last| *last < micros) {
            self.given.push(micros);
            return true;
        }
        match self.given.binary_search(&micros) {
            Ok(_) => false,
            Err(place) => {
                self.given.insert(place, micros);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn received(nonce: Nonce) -> Received {
        Received::new(SourceId::parse("web").unwrap(), Timestamp::UNIX_EPOCH, None, nonce)
    }

    #[test]
    fn ids_differ_within_a_request_and_between_requests() {
        let (mut one, mut two) = (received([1; 16]), received([2; 16]));
        let ids = HashSet::from([one.next_id(), one.next_id(), two.next_id()]);
        assert_eq!(ids.len(), 3);
        assert!(ids.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'8'), "{ids:?}");
    }

    #[test]
    fn each_time_zone_is_judged_by_itself() {
        let mut received = received([0; 16]);
        for _ in 0..2 {
            assert_eq!(received.zone("\"Europe/Berlin\""), None);
            assert!(matches!(received.zone("\"Nowhere\""), Some(Reason::Zone(_))));
            assert_eq!(received.zone("[]"), Some(Reason::NotText));
            assert_eq!(received.zone("-420"), None);
        }
    }

    #[test]
    fn equal_timestamps_are_a_microsecond_apart_in_their_order() {
        let mut received = received([0; 16]);
        let at = |micros| Timestamp::from_microsecond(micros).unwrap();
        let placed: Vec<i64> =
            [5, 5, 9, 5, 6, 9].into_iter().map(|micros| received.place(at(micros)).as_microsecond()).collect();
        assert_eq!(placed, [5, 6, 9, 7, 8, 10]);
    }

    proptest! {
        #[test]
        fn no_two_events_have_one_timestamp_and_none_moves_far(asked in proptest::collection::vec(0..20_i64, 0..60)) {
            let mut received = received([0; 16]);
            let mut last: HashMap<i64, i64> = HashMap::new();
            let mut given = HashSet::new();
            for micros in &asked {
                let placed = received.place(Timestamp::from_microsecond(*micros).unwrap()).as_microsecond();
                prop_assert!(given.insert(placed));
                prop_assert!((*micros..*micros + 60).contains(&placed));
                if let Some(before) = last.insert(*micros, placed) {
                    prop_assert!(before < placed, "the position decides between equal ones");
                }
            }
        }
    }
}
