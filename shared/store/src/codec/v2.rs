//! Formats 1 and 2 of a state, frozen: stored states stay readable, however the engine's structs change.
//!
//! Types that are not copied here (counts, bitmaps, points, registers, ids) still have the format of that time. The
//! stored bytes in the test detect a change of one of them: then its old form has to be copied here too.

use super::{Entry, State};
use crate::error::StoreError;
use jiff::Timestamp;
use perennial_config::history::event_key;
use perennial_config::lifecycle::Milestone;
use perennial_domain::{AccountId, Currency, Identity, Likelihood, Member, PersonId, Score, Stage, UserId};
use perennial_engine::activity::{Days, Months};
use perennial_engine::counts::Counts;
use perennial_engine::facts::{Entered, Facts};
use perennial_engine::instant::of_stored;
use perennial_engine::joins::{Digest, Evidence, Link, Standing};
use perennial_engine::points::Points;
use perennial_engine::register::Register;
use perennial_engine::span::Span;
use perennial_engine::{Part, SeenIds};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Format 1.
#[derive(Serialize, Deserialize)]
pub(super) struct Body1 {
    pub(super) parts: Vec<Part2>,
    pub(super) published: Option<(AccountId, Member1)>,
    /// JSON of each entry.
    pub(super) outbox: Vec<Vec<u8>>,
}

/// Format 2.
#[derive(Serialize, Deserialize)]
pub(super) struct Body2 {
    pub(super) parts: Vec<Part2>,
    pub(super) published: Option<Published2>,
    pub(super) outbox: Vec<Entry>,
}

/// A slim member as format 1 wrote it.
#[derive(Serialize, Deserialize)]
pub(super) struct Member1 {
    person: PersonId,
    stage: Stage,
    scores: BTreeMap<Likelihood, Score>,
    engagement: Score,
    last_seen: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Published2 {
    account: String,
    /// `None` for the profile's own id.
    person: Option<[u8; 15]>,
    stage: Stage,
    scores: BTreeMap<Likelihood, Score>,
    engagement: Score,
    /// Seconds since 1970, and nanoseconds.
    last_seen: Option<(i64, i32)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Part2 {
    identity: Identity,
    link: Option<Link2>,
    state: State2,
    seen: SeenIds,
    facts: Facts2,
}

#[derive(Serialize, Deserialize)]
struct Link2 {
    at: i64,
    user: UserId,
}

#[derive(Serialize, Deserialize)]
struct State2 {
    counts: Counts,
    seen: Option<Span>,
    days: Days,
    months: Months,
    traits: BTreeMap<String, Register>,
    account: Option<Register>,
    points: BTreeMap<u32, Points>,
    tallies: BTreeMap<String, u32>,
    milestones: BTreeMap<Milestone, Span>,
    windows: BTreeMap<String, BTreeMap<i32, u32>>,
    revenue: BTreeMap<Currency, i64>,
}

#[derive(Serialize, Deserialize)]
struct Facts2 {
    entered: BTreeMap<u32, Entered2>,
    above: BTreeSet<u32>,
    /// Hashes of the indexed mail addresses, which are claims now.
    #[serde(rename = "indexed")]
    _indexed: BTreeSet<u64>,
}

impl Body1 {
    pub(super) fn read(self) -> State {
        State {
            parts: self.parts.into_iter().map(Part2::read).collect(),
            published: self.published.map(|(account, member)| (account, member.read())),
            elsewhere: BTreeMap::new(),
            listed: None,
            written: None,
            outbox: self.outbox.into_iter().map(Entry::Json).collect(),
        }
    }
}

impl Body2 {
    pub(super) fn read(self, person: PersonId) -> Result<State, StoreError> {
        Ok(State {
            parts: self.parts.into_iter().map(Part2::read).collect(),
            published: self.published.map(|published| published.read(person)).transpose()?,
            elsewhere: BTreeMap::new(),
            listed: None,
            written: None,
            outbox: self.outbox,
        })
    }
}

impl Member1 {
    fn read(self) -> Member {
        let Self { person, stage, scores, engagement, last_seen } = self;
        Member {
            person,
            stage,
            scores,
            engagement,
            last_seen,
            personas: BTreeSet::new(),
            elsewhere: false,
            curve: None,
        }
    }
}

impl Published2 {
    fn read(self, person: PersonId) -> Result<(AccountId, Member), StoreError> {
        let wrong = |what: &str| StoreError::Corrupt(format!("what was published has a wrong {what}"));
        let last_seen = self.last_seen.map(|(second, nanosecond)| Timestamp::new(second, nanosecond)).transpose();
        let member = Member {
            person: self.person.map_or(person, PersonId::from_bytes),
            stage: self.stage,
            scores: self.scores,
            engagement: self.engagement,
            last_seen: last_seen.map_err(|_| wrong("time"))?,
            personas: BTreeSet::new(),
            curve: None,
            elsewhere: false,
        };
        Ok((AccountId::parse(&self.account).map_err(|_| wrong("account"))?, member))
    }
}

impl Part2 {
    fn read(self) -> Part {
        Part {
            identity: self.identity,
            links: self.link.map(Link2::read).into_iter().collect(),
            // Addresses are claimed when they are next sent: the index does not contain their owners.
            claims: Vec::new(),
            notes: Vec::new(),
            state: self.state.read(),
            seen: self.seen,
            facts: self.facts.read(),
        }
    }
}

impl Link2 {
    /// Which call and message it was, format 2 did not say.
    fn read(self) -> Link {
        Link {
            at: of_stored(self.at),
            user: self.user,
            message: Digest::default(),
            evidence: Evidence::Identify,
            standing: Standing::Holds,
        }
    }
}

impl State2 {
    /// Fields of later formats start empty.
    fn read(self) -> perennial_engine::State {
        perennial_engine::State {
            counts: self.counts,
            seen: self.seen,
            days: self.days,
            months: self.months,
            traits: self.traits,
            account: self.account,
            points: self.points,
            tallies: self.tallies,
            milestones: self.milestones,
            windows: self.windows.into_iter().map(|(event, days)| (event_key(&event), days)).collect(),
            revenue: self.revenue,
            ..Default::default()
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Entered2 {
    times: u32,
    last: i64,
}

impl Facts2 {
    fn read(self) -> Facts {
        let entered = |(key, Entered2 { times, last })| (key, Entered { times, last, reached: None });
        Facts { entered: self.entered.into_iter().map(entered).collect(), above: self.above, ..Default::default() }
    }
}
