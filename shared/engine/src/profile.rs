//! One person: the parts that it is made of, and what is pending.

use crate::action::Action;
use crate::facts::{Facts, Run};
use crate::joins::{self, Claim, Join, Link, Note, Standing};
use crate::seen::SeenIds;
use crate::state::State;
use jiff::Timestamp;
use perennial_domain::{AccountId, Identity, Member, PersonId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One identity's own share of a profile: kept whole, so that joining people can be undone exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Whose.
    pub identity: Identity,
    /// What joins it to users, where it is an anonymous identity; the earliest first.
    pub links: Vec<Link>,
    /// The values that it gave as its own, sorted by kind and value.
    pub claims: Vec<Claim>,
    /// What happened to who it is; the oldest first.
    pub notes: Vec<Note>,
    /// What its events say.
    pub state: State,
    /// Which events those were.
    pub seen: SeenIds,
    /// What was decided because of it.
    pub facts: Facts,
}

impl Part {
    /// A part without any events.
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

    /// The person id that this identity has by itself; its ledger and its own item are keyed by it.
    pub fn owner(&self) -> PersonId {
        self.identity.person_id()
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The person's id, as [`joins::id_of`] gives it.
    pub id: PersonId,
    /// At least one, sorted by identity.
    pub parts: Vec<Part>,
    /// What is to be done after the write that stores this.
    pub outbox: Vec<Action>,
    /// The entry last given to the primary account, and which account.
    pub published: Option<(AccountId, Member)>,
    /// The entries last given to the other accounts that the person belongs to.
    pub elsewhere: BTreeMap<AccountId, Member>,
    /// The moment that the due index holds: not later than the next moment at which a time-based rule could matter.
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
            due_at: None,
        }
    }

    /// The part of `identity`, where there is one.
    pub fn part(&self, identity: &Identity) -> Option<&Part> {
        self.position(identity).ok().map(|at| &self.parts[at])
    }

    /// The part of `identity`; a new one where there was none.
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

    /// The part that the person's id is from, or the first.
    pub(crate) fn primary_mut(&mut self) -> Option<&mut Part> {
        let at = self.parts.iter().position(|part| part.owner() == self.id).unwrap_or(0);
        self.parts.get_mut(at)
    }

    /// Whether all that is known of the person is ids in other systems. Nobody is counted, written to or shown as a member of an account for them,
    /// until they are linked to someone.
    pub fn is_external(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| part.identity.is_external())
    }

    /// The combination of all parts' states.
    pub fn view(&self) -> State {
        let mut parts = self.parts.iter();
        let mut view = parts.next().map(|part| part.state.clone()).unwrap_or_default();
        for part in parts {
            view.merge(&part.state);
        }
        view
    }

    /// The combination of all parts' facts.
    pub fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        for part in &self.parts {
            facts.merge(&part.facts);
        }
        facts.runs = self.runs().into_iter().map(|(key, run)| (key, run.clone())).collect();
        facts
    }

    /// Where the person waits. Who was on the way through one journey twice, as two people, goes on where they entered first; the other
    /// way is set aside for as long as they are one.
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

    /// Events counted over all parts.
    pub fn counted(&self) -> u64 {
        self.parts.iter().map(|part| part.state.counts.total()).sum()
    }

    /// Why the parts are one person, the earliest reason first.
    pub fn joins(&self) -> Vec<Join<'_>> {
        joins::joins(&self.parts)
    }

    /// What is derived from events, as bytes: the same for the same events, whatever their order, duplication and batching, and the
    /// same after a merge was undone as if it had never been. Each part with its identity, the evidence that holds and its
    /// state; without the bookkeeping of ids, decisions and due times.
    ///
    /// # Errors
    /// Where the bytes cannot be written, which no state gives rise to.
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
