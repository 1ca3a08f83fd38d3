//! Computes profiles from the links in identity states: connected components of identities.

use super::{Claim, Digest, Evidence};
use crate::instant;
use crate::profile::Part;
use jiff::Timestamp;
use perennial_domain::{Identity, PersonId};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Two linked identity states.
#[derive(Debug, Clone, Copy)]
struct Bond<'a> {
    from: usize,
    to: usize,
    evidence: Evidence,
    /// When the link became complete.
    at: i64,
    message: Digest,
    shown: &'a str,
}

/// Returns all links that count among `parts`.
fn bonds(parts: &[Part]) -> Vec<Bond<'_>> {
    let mut bonds = Vec::new();
    let mut users: HashMap<&str, usize> = HashMap::new();
    let mut claimants: Claimants<'_> = BTreeMap::new();
    let has_at = |(claim, of): &(&Claim, usize), at: i64| parts[*of].given_up(claim).is_none_or(|until| at < until);
    for (index, part) in parts.iter().enumerate() {
        if part.identity.is_user() {
            users.insert(part.identity.as_str(), index);
        }
        if !part.identity.is_anonymous() {
            for claim in part.held() {
                claimants.entry((claim.evidence, claim.key)).or_default().push((claim, index));
            }
        }
    }
    for (from, part) in parts.iter().enumerate() {
        if part.identity.is_user() {
            let Some(claims) = part.alias_key().and_then(|key| claimants.get(&(Evidence::Alias, key))) else {
                continue;
            };
            bonds.extend(claims.iter().filter(|(_, of)| *of != from).map(|(claim, of)| Bond {
                from,
                to: *of,
                evidence: Evidence::Alias,
                at: claim.at,
                message: claim.message,
                shown: &claim.shown,
            }));
        } else if let Some(link) = part.holder()
            && let Some(to) = users.get(link.user.as_str())
            && !is_claimed(part, parts, &claimants)
        {
            let (evidence, at, message) = (link.evidence, link.said_at(), link.message);
            let shown = if let Identity::External(id) = &part.identity { id.kind() } else { "" };
            bonds.push(Bond { from, to: *to, evidence, at, message, shown });
        }
    }
    for ((evidence, _), mut claims) in claimants {
        if evidence == Evidence::Alias {
            continue;
        }
        claims.sort_by_key(|(claim, of)| (claim.at, claim.message, *of));
        for (place, (claim, from)) in claims.iter().enumerate() {
            // The first of those who have the value when this one is given it.
            let Some((_, to)) = claims[..place].iter().find(|earlier| has_at(earlier, claim.at)) else { continue };
            bonds.push(Bond {
                from: *from,
                to: *to,
                evidence,
                at: claim.at,
                message: claim.message,
                shown: &claim.shown,
            });
        }
    }
    bonds
}

type Claimants<'a> = BTreeMap<(Evidence, Digest), Vec<(&'a Claim, usize)>>;

/// Returns whether a user has the id in another system that `part` is as their own.
fn is_claimed(part: &Part, parts: &[Part], claimants: &Claimants<'_>) -> bool {
    if !part.identity.is_external() {
        return false;
    }
    let own = part.held().filter(|claim| claim.evidence == Evidence::External);
    let mut others = own.filter_map(|claim| claimants.get(&(claim.evidence, claim.key))).flatten();
    others.any(|(_, of)| parts[*of].identity.is_user())
}

/// Disjoint sets of indices.
struct Sets(Vec<usize>);

impl Sets {
    fn new(length: usize) -> Self {
        Self((0..length).collect())
    }

    fn find(&self, mut at: usize) -> usize {
        while self.0[at] != at {
            at = self.0[at];
        }
        at
    }

    /// Merges two components and returns whether they were separate.
    fn join(&mut self, a: usize, b: usize) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
        a != b
    }
}

/// Returns whether `parts` are one profile.
pub fn is_one(parts: &[Part]) -> bool {
    let mut sets = Sets::new(parts.len());
    let joined = bonds(parts).iter().filter(|bond| sets.join(bond.from, bond.to)).count();
    joined + 1 >= parts.len()
}

/// Returns the profiles of `parts`, by their ids, each with its parts sorted by identity. The result does not depend on
/// the order of the parts.
pub fn people(mut parts: Vec<Part>) -> BTreeMap<PersonId, Vec<Part>> {
    parts.sort_by(|a, b| a.identity.cmp(&b.identity));
    let mut sets = Sets::new(parts.len());
    for bond in bonds(&parts) {
        sets.join(bond.from, bond.to);
    }
    let mut groups: BTreeMap<usize, Vec<Part>> = BTreeMap::new();
    for (index, part) in parts.into_iter().enumerate() {
        groups.entry(sets.find(index)).or_default().push(part);
    }
    groups.into_values().filter_map(|group| Some((id_of(&group)?, group))).collect()
}

/// Returns the id of a profile with these parts: the smallest of its user ids' own, without those that an alias names
/// as earlier ones; without a user id, the smallest of all.
pub fn id_of(parts: &[Part]) -> Option<PersonId> {
    let users = || parts.iter().filter(|part| part.identity.is_user());
    let earlier: HashSet<Digest> = users()
        .flat_map(|part| {
            let own = part.alias_key();
            part.held().filter(move |claim| claim.evidence == Evidence::Alias && Some(claim.key) != own)
        })
        .map(|claim| claim.key)
        .collect();
    let current = users().filter(|part| part.alias_key().is_some_and(|key| !earlier.contains(&key)));
    let smallest = current.map(Part::owner).min().or_else(|| users().map(Part::owner).min());
    smallest.or_else(|| parts.iter().map(Part::owner).min())
}

/// The reason why an identity belongs to a profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Join<'a> {
    /// Which identity.
    pub identity: &'a Identity,
    /// The identity that it is linked to.
    pub with: &'a Identity,
    /// The kind of identifier.
    pub evidence: Evidence,
    /// The common value as shown to readers.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub shown: &'a str,
    /// When the link became complete.
    pub at: Timestamp,
    /// The message that completed it ([`perennial_domain::MessageId::hash64`]), in 16 hexadecimal digits.
    pub message: String,
}

/// Returns the links that connect a profile, the earliest first: one for each identity but one.
pub fn joins(parts: &[Part]) -> Vec<Join<'_>> {
    let mut bonds = bonds(parts);
    bonds.sort_by_key(|bond| (bond.at, bond.message, bond.from, bond.to));
    let mut sets = Sets::new(parts.len());
    bonds.retain(|bond| sets.join(bond.from, bond.to));
    let each = bonds.into_iter().filter_map(|bond| {
        Some(Join {
            identity: &parts.get(bond.from)?.identity,
            with: &parts.get(bond.to)?.identity,
            evidence: bond.evidence,
            shown: bond.shown,
            at: instant::timestamp(bond.at),
            message: format!("{:016x}", bond.message.get()),
        })
    });
    each.collect()
}
