//! Format 4 of a state, frozen. It differs from the present one in what is known of addresses, time zones and texts: nothing said when an
//! address was last given, in which zone a client ran, and how many texts were not understood.

use super::{Entry, Published, State};
use crate::error::StoreError;
use perennial_config::lifecycle::Milestone;
use perennial_domain::hygiene::MailAddress;
use perennial_domain::{Currency, Identity, PersonId};
use perennial_engine::activity::{Days, Months};
use perennial_engine::counts::Counts;
use perennial_engine::facts::Facts;
use perennial_engine::joins::{Claim, Digest, Evidence, Link, Note, Standing};
use perennial_engine::mood::{Month, Mood};
use perennial_engine::points::Points;
use perennial_engine::register::Register;
use perennial_engine::state::{Answer, Span};
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
    /// When a value was last given nothing said; of the address that is the present one its trait does.
    pub(super) fn read(self, state: &perennial_engine::State) -> Claim {
        let Self { evidence, key, standing, at, message, shown } = self;
        let present = state.traits.get("email").filter(|_| evidence == Evidence::Mail).and_then(|register| {
            let text = serde_json::from_str::<String>(&register.value).ok()?;
            let address = MailAddress::parse(&text).ok()?;
            (Digest::of_value(evidence, &address.key()) == key).then_some(register.at)
        });
        Claim { evidence, key, standing, at, last: present.unwrap_or(at).max(at), message, shown }
    }
}

impl State4 {
    /// What a later format adds begins empty.
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
            moves: self.moves,
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
