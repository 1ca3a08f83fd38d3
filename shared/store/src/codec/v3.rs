//! Format 3 of a state, frozen. Compared with the current one, its decisions lack caps, experiments and versions of
//! journeys.

use super::v4::{Claim4, State4};
use super::{Entry, Published, State};
use crate::error::StoreError;
use perennial_domain::{Cause, Identity, PersonId};
use perennial_engine::facts::{Entered, Facts, Run};
use perennial_engine::joins::{Link, Note};
use perennial_engine::{Part, SeenIds};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Format 3.
#[derive(Serialize, Deserialize)]
pub(super) struct Body3 {
    pub(super) parts: Vec<Part3>,
    pub(super) published: Option<Published<'static>>,
    pub(super) outbox: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Part3 {
    identity: Identity,
    links: Vec<Link>,
    claims: Vec<Claim4>,
    notes: Vec<Note>,
    state: State4,
    seen: SeenIds,
    facts: Facts3,
}

/// Keys are the four bytes of a hash.
#[derive(Serialize, Deserialize)]
struct Facts3 {
    entered: BTreeMap<[u8; 4], Entered>,
    runs: BTreeMap<[u8; 4], Run3>,
    above: BTreeSet<u32>,
    segments: BTreeMap<[u8; 4], i64>,
    trend: BTreeMap<i32, [u8; 9]>,
}

#[derive(Serialize, Deserialize)]
struct Run3 {
    entered: i64,
    step: u32,
    since: i64,
    due: i64,
    cause: Cause,
    cause_key: u64,
}

impl Body3 {
    pub(super) fn read(self, person: PersonId, listed: &[String]) -> Result<State, StoreError> {
        Ok(State {
            parts: self.parts.into_iter().map(Part3::read).collect(),
            published: self.published.map(|published| published.read(person, listed)).transpose()?,
            elsewhere: BTreeMap::new(),
            listed: None,
            written: None,
            outbox: self.outbox,
        })
    }
}

impl Part3 {
    fn read(self) -> Part {
        let Self { identity, links, claims, notes, state, seen, facts } = self;
        let state = state.read();
        let claims = claims.into_iter().map(|claim| claim.read(&state)).collect();
        Part { identity, links, claims, notes, state, seen, facts: facts.read() }
    }
}

impl Facts3 {
    fn read(self) -> Facts {
        fn keyed<A, B>(map: BTreeMap<[u8; 4], A>, read: impl Fn(A) -> B) -> BTreeMap<u32, B> {
            map.into_iter().map(|(key, value)| (u32::from_be_bytes(key), read(value))).collect()
        }
        Facts {
            entered: keyed(self.entered, |entered| entered),
            runs: keyed(self.runs, Run3::read),
            above: self.above,
            segments: keyed(self.segments, |since| since),
            trend: self.trend,
            ..Facts::default()
        }
    }
}

impl Run3 {
    /// A journey version that is in no bundle, so that the run continues in the active one.
    fn read(self) -> Run {
        let Self { entered, step, since, due, cause, cause_key } = self;
        Run { entered, step, since, due, cause, cause_key, version: 0, aside_for: None, candidate: None }
    }
}
