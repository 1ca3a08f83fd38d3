//! Hashes of customers, and identities of merged profiles: which events are of one person.

use perennial_domain::{PersonId, hash};
use perennial_engine::{Part, Profile};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most identities that are kept: those with the smallest hashes.
const MOST: usize = 50_000;

/// Returns the hash by which what is read from events names the profile of an identity.
pub(crate) fn hash_of(person: PersonId) -> u64 {
    hash::hash64(&[b"identity", person.as_bytes()])
}

/// Returns the hash by which an account is a customer.
pub(crate) fn account_hash(account: &str) -> u64 {
    hash::hash64(&[b"account", account.as_bytes()])
}

/// The profiles of identities that are not their own: of those with subscriptions or survey answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Merged {
    /// Hashes of profiles, by the hashes of their identities.
    profiles: BTreeMap<u64, u64>,
}

impl Merged {
    /// Records the identities of a profile.
    pub(crate) fn add(&mut self, profile: &Profile) {
        let counts = |part: &&Part| {
            let state = &part.state;
            state.nps.is_some() || state.billing.subscriptions.values().any(|each| each.account.is_none())
        };
        let own = hash_of(profile.id);
        for part in profile.parts.iter().filter(counts) {
            let identity = hash_of(part.identity.person_id());
            if identity != own {
                self.note(identity, own);
            }
        }
    }

    fn note(&mut self, identity: u64, profile: u64) {
        self.profiles.insert(identity, profile);
        if self.profiles.len() > MOST {
            self.profiles.pop_last();
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        other.profiles.iter().for_each(|(identity, profile)| self.note(*identity, *profile));
    }

    /// Returns the hash of the profile of an identity that was merged into another's; `None` for one that is its own.
    pub(crate) fn profile(&self, identity: u64) -> Option<u64> {
        self.profiles.get(&identity).copied()
    }

    /// Returns the hash of the profile of any identity.
    pub(crate) fn of(&self, identity: u64) -> u64 {
        self.profile(identity).unwrap_or(identity)
    }
}
