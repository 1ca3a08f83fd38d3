//! One profile: its identity states, and its pending actions.

use crate::action::Action;
use crate::facts::{Facts, Run};
use crate::joins::{self, Claim, Join, Link, Note, Standing};
use crate::listing::listed::Listed;
use crate::seen::SeenIds;
use crate::state::State;
use crate::written::Written;
use jiff::Timestamp;
use perennial_domain::{AccountId, Identity, Member, PersonId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state of one identity of a profile: kept separate, so that merges can be undone exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The identity.
    pub identity: Identity,
    /// Links to users, for an anonymous identity; the earliest first.
    pub links: Vec<Link>,
    /// Its claims, sorted by kind and value.
    pub claims: Vec<Claim>,
    /// Log of its merges; the oldest first.
    pub notes: Vec<Note>,
    /// The state derived from its events.
    pub state: State,
    /// Which events those were.
    pub seen: SeenIds,
    /// The decisions because of it.
    pub facts: Facts,
}

impl Part {
    /// Returns an identity state without events.
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            links: Vec::new(),
            claims: Vec::new(),
            notes: Vec::new(),
            state: State::default(),
            seen: SeenIds::default(),
            facts: Facts::default(),
        }
    }

    /// Returns the profile id that this identity has by itself, the key of its ledger and its own item.
    pub fn owner(&self) -> PersonId {
        self.identity.person_id()
    }
}

/// A profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The profile id, as [`joins::id_of`] returns it.
    pub id: PersonId,
    /// At least one, sorted by identity.
    pub parts: Vec<Part>,
    /// The actions to execute after the write that stores this.
    pub outbox: Vec<Action>,
    /// The entry last given to the primary account, and which account.
    pub published: Option<(AccountId, Member)>,
    /// The last published entries in the profile's other accounts.
    pub elsewhere: BTreeMap<AccountId, Member>,
    /// The profile's entries in lists; `None` if it is in none.
    pub listed: Option<Listed>,
    /// The last update of its contact in the CRM; `None` if there was none.
    pub written: Option<Written>,
    /// The time in the due index: not later than the next time at which a time-based rule could matter.
    pub due_at: Option<Timestamp>,
}

impl Profile {
    /// The profile that an identity begins with.
    pub fn new(identity: Identity) -> Self {
        Self {
            id: identity.person_id(),
            parts: vec![Part::new(identity)],
            outbox: Vec::new(),
            published: None,
            elsewhere: BTreeMap::new(),
            listed: None,
            written: None,
            due_at: None,
        }
    }

    /// Has its contact in the CRM written again, whatever was written before: after a merge with a profile that was written too, or after
    /// identities left, the CRM may have values of another profile.
    pub fn rewrite_contact(&mut self) {
        if let Some(written) = &mut self.written {
            written.record = None;
        }
    }

    /// Returns the state of `identity`, if there is one.
    pub fn part(&self, identity: &Identity) -> Option<&Part> {
        self.position(identity).ok().map(|at| &self.parts[at])
    }

    /// Returns the state of `identity`, creating it if necessary.
    pub fn part_mut(&mut self, identity: &Identity) -> &mut Part {
        let at = match self.position(identity) {
            Ok(at) => at,
            Err(at) => {
                self.parts.insert(at, Part::new(identity.clone()));
                at
            }
        };
        &mut self.parts[at]
    }

    pub(crate) fn position(&self, identity: &Identity) -> Result<usize, usize> {
        self.parts.binary_search_by(|part| part.identity.cmp(identity))
    }

    /// Returns the identity state that the profile id is from, or the first.
    pub(crate) fn primary_mut(&mut self) -> Option<&mut Part> {
        let at = self.parts.iter().position(|part| part.owner() == self.id).unwrap_or(0);
        self.parts.get_mut(at)
    }

    /// Returns whether it consists only of ids in other systems. It is not counted, messaged or shown as a member of an
    /// account until they are linked to a person.
    pub fn is_external(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| part.identity.is_external())
    }

    /// Returns the combined state of all identities.
    pub fn view(&self) -> State {
        let mut parts = self.parts.iter();
        let mut view = parts.next().map(|part| part.state.clone()).unwrap_or_default();
        for part in parts {
            view.merge(&part.state);
        }
        view
    }

    /// Returns the combined facts of all identities.
    pub fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        for part in &self.parts {
            facts.merge(&part.facts);
        }
        facts.runs = self.runs().into_iter().map(|(key, run)| (key, run.clone())).collect();
        facts
    }

    /// Returns the waiting runs. If two merged profiles both have a run of a journey, the one that entered first
    /// continues; the other is suspended while they are merged.
    pub(crate) fn runs(&self) -> BTreeMap<u32, &Run> {
        let mut runs: BTreeMap<u32, &Run> = BTreeMap::new();
        let is_here = |owner| self.parts.iter().any(|part| part.owner() == owner);
        for (key, run) in self.parts.iter().flat_map(|part| &part.facts.runs) {
            if run.aside_for.is_some_and(is_here) {
                continue;
            }
            let first = runs.entry(*key).or_insert(run);
            if run.is_before(first) {
                *first = run;
            }
        }
        runs
    }

    /// The identities of which less is kept than usual, because all of it would not fit into an item: see [`crate::bounds`].
    pub fn reduced(&self) -> impl Iterator<Item = &Identity> {
        self.parts.iter().filter(|part| part.state.room.is_reduced()).map(|part| &part.identity)
    }

    /// Returns the number of events counted over all identities.
    pub fn counted(&self) -> u64 {
        self.parts.iter().map(|part| part.state.counts.total()).sum()
    }

    /// Returns the links of the identities, the earliest first.
    pub fn joins(&self) -> Vec<Join<'_>> {
        joins::joins(&self.parts)
    }

    /// Returns everything that is derived from events, as bytes: the same for the same events, in any order,
    /// duplication and batching, and the same after a merge was undone as if it had never happened. Contains each
    /// identity with the links that count and its state; without the bookkeeping of ids, decisions and due times.
    ///
    /// # Errors
    /// If the bytes cannot be written, which no state causes.
    pub fn derived_bytes(&self) -> Result<Vec<u8>, postcard::Error> {
        let parts: Vec<_> = self
            .parts
            .iter()
            .map(|part| {
                let links: Vec<_> = part.links.iter().filter(|link| link.standing == Standing::Holds).collect();
                let claims = part.claims.iter().filter(|claim| claim.standing != Standing::Severed);
                let claims: Vec<_> = claims
                    .map(|claim| (claim.evidence, claim.key, claim.standing, claim.at, claim.last, claim.message))
                    .collect();
                let state = &part.state;
                let beside = (&state.billing, &state.memberships, &state.longest, &state.longest_once);
                (&part.identity, links, claims, state, beside)
            })
            .collect();
        postcard::to_stdvec(&(self.id, parts))
    }
}
