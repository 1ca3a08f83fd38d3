//! Format 4 of a state, frozen. Compared with the current one, it lacks when an address was last sent, clients' time
//! zones, the number of texts in unsupported languages, traits that are set only once, and dropped traits. Times were
//! whole milliseconds, which are still written the same way.

use super::{Entry, Published, State};
use crate::error::StoreError;
use perennial_config::lifecycle::Milestone;
use perennial_domain::hygiene::MailAddress;
use perennial_domain::{Currency, Identity, PersonId};
use perennial_engine::activity::{Days, Months};
use perennial_engine::counts::Counts;
use perennial_engine::facts::Facts;
use perennial_engine::instant;
use perennial_engine::joins::{Claim, Digest, Evidence, Link, Note, Standing};
use perennial_engine::mood::{Month, Mood};
use perennial_engine::points::Points;
use perennial_engine::register::Register;
use perennial_engine::span::Span;
use perennial_engine::state::Answer;
use perennial_engine::{Part, SeenIds};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Format 4.
#[derive(Serialize, Deserialize)]
pub(super) struct Body4 {
    pub(super) parts: Vec<Part4>,
    pub(super) published: Option<Published<'static>>,
    pub(super) outbox: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Part4 {
    identity: Identity,
    links: Vec<Link>,
    claims: Vec<Claim4>,
    notes: Vec<Note>,
    state: State4,
    seen: SeenIds,
    facts: Facts,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Claim4 {
    evidence: Evidence,
    key: Digest,
    standing: Standing,
    at: i64,
    message: Digest,
    shown: String,
}

/// Keys are the four bytes of a hash.
#[derive(Serialize, Deserialize)]
pub(super) struct State4 {
    counts: Counts,
    seen: Option<Span>,
    days: Days,
    months: Months,
    traits: BTreeMap<String, Register>,
    account: Option<Register>,
    points: BTreeMap<[u8; 4], Points>,
    tallies: BTreeMap<String, u32>,
    milestones: BTreeMap<Milestone, Span>,
    moves: BTreeSet<(i64, Milestone)>,
    windows: BTreeMap<[u8; 4], BTreeMap<i32, u32>>,
    spans: BTreeMap<[u8; 4], Span>,
    uses: BTreeMap<[u8; 4], Days>,
    nps: Option<Answer>,
    mood: BTreeMap<i32, Month4>,
    revenue: BTreeMap<Currency, i64>,
}

#[derive(Serialize, Deserialize)]
struct Month4 {
    texts: u32,
    sum: i32,
}

impl Body4 {
    pub(super) fn read(self, person: PersonId, listed: &[String]) -> Result<State, StoreError> {
        Ok(State {
            parts: self.parts.into_iter().map(Part4::read).collect(),
            published: self.published.map(|published| published.read(person, listed)).transpose()?,
            elsewhere: BTreeMap::new(),
            listed: None,
            written: None,
            outbox: self.outbox,
        })
    }
}

impl Part4 {
    fn read(self) -> Part {
        let Self { identity, links, claims, notes, state, seen, facts } = self;
        let state = state.read();
        let claims = claims.into_iter().map(|claim| claim.read(&state)).collect();
        Part { identity, links, claims, notes, state, seen, facts }
    }
}

impl Claim4 {
    /// The time of the last use was not stored; for the current address it is the trait's.
    pub(super) fn read(self, state: &perennial_engine::State) -> Claim {
        let Self { evidence, key, standing, at, message, shown } = self;
        let at = instant::of_stored(at);
        let present = state.traits.get("email").filter(|_| evidence == Evidence::Mail).and_then(|register| {
            let text = serde_json::from_str::<String>(&register.value).ok()?;
            let address = MailAddress::parse(&text).ok()?;
            (Digest::of_value(evidence, &address.key()) == key).then_some(register.at)
        });
        Claim { evidence, key, standing, at, last: present.unwrap_or(at).max(at), message, shown }
    }
}

impl State4 {
    /// Fields of later formats start empty.
    pub(super) fn read(self) -> perennial_engine::State {
        fn keyed<A>(map: BTreeMap<[u8; 4], A>) -> BTreeMap<u32, A> {
            map.into_iter().map(|(key, value)| (u32::from_be_bytes(key), value)).collect()
        }
        let month = |(month, Month4 { texts, sum })| (month, Month { texts, sum, unread: 0 });
        perennial_engine::State {
            counts: self.counts,
            seen: self.seen,
            days: self.days,
            months: self.months,
            traits: self.traits,
            account: self.account,
            points: keyed(self.points),
            tallies: self.tallies,
            milestones: self.milestones,
            moves: self.moves.into_iter().map(|(at, milestone)| (instant::of_stored(at), milestone)).collect(),
            windows: keyed(self.windows),
            spans: keyed(self.spans),
            uses: keyed(self.uses),
            nps: self.nps,
            mood: self.mood.into_iter().map(month).collect::<Mood>(),
            revenue: self.revenue,
            ..Default::default()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::super::{DEFLATED, FORMAT, decode_state, encode_state};
    use super::*;
    use crate::codec::extra::Attributes;
    use perennial_domain::UserId;
    use perennial_engine::Profile;

    #[test]
    fn what_format_4_knew_is_read_and_the_next_write_upgrades_it() {
        let identity = Identity::User(UserId::parse("u").unwrap());
        let claim = |value: &str, at| Claim4 {
            evidence: Evidence::Mail,
            key: Digest::of_value(Evidence::Mail, value),
            standing: Standing::Holds,
            at,
            message: Digest::default(),
            shown: "a…@b.example".to_owned(),
        };
        let email = Register { at: 90_000, value: "\"Ada@b.example\"".to_owned() };
        let state = State4 {
            counts: Counts::default(),
            seen: Some(Span { first: 5_000, last: 90_000 }),
            days: Days::default(),
            months: Months::default(),
            traits: BTreeMap::from([("email".to_owned(), email)]),
            account: None,
            points: BTreeMap::new(),
            tallies: BTreeMap::from([("adoption".to_owned(), 3)]),
            milestones: BTreeMap::new(),
            moves: BTreeSet::new(),
            windows: BTreeMap::from([([0, 0, 0, 7], BTreeMap::from([(20_000, 2)]))]),
            spans: BTreeMap::new(),
            uses: BTreeMap::new(),
            nps: Some(Answer { at: 7_000, points: 9 }),
            mood: BTreeMap::from([(660, Month4 { texts: 2, sum: -800 })]),
            revenue: BTreeMap::new(),
        };
        let part = Part4 {
            identity: identity.clone(),
            links: Vec::new(),
            claims: vec![claim("ada@b.example", 10), claim("old@b.example", 5)],
            notes: Vec::new(),
            state,
            seen: SeenIds::default(),
            facts: Facts::default(),
        };
        let body = Body4 { parts: vec![part], published: None, outbox: Vec::new() };
        let bytes = postcard::to_extend(&body, vec![4]).unwrap();
        let read = decode_state(identity.person_id(), &bytes, Attributes::default()).unwrap();
        let part = &read.parts[0];
        assert_eq!(
            (part.state.windowed(7, 20_000, 1), part.state.tallies["adoption"], part.state.nps.unwrap().points),
            (2, 3, 9)
        );
        assert_eq!((part.state.mood.mean(660, 1), part.state.mood.unread(660, 1)), (Some(-0.4), 0));
        // The current address was last sent with its trait; for others only the first time is known.
        let last: Vec<(i64, i64)> = part.claims.iter().map(|claim| (claim.at, claim.last)).collect();
        assert_eq!(last, [(10_000, 90_000), (5_000, 5_000)]);
        assert_eq!(part.claims.iter().map(|claim| part.given_up(claim)).collect::<Vec<_>>(), [None, Some(10_000)]);
        let profile = Profile { parts: read.parts, ..Profile::new(identity) };
        let written = encode_state(&profile, Attributes::default(), 0).unwrap();
        assert_eq!(written[0] & !DEFLATED, FORMAT);
        assert_eq!(decode_state(profile.id, &written, Attributes::default()).unwrap().parts, profile.parts);
    }
}
