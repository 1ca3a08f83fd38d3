//! Merges and unmerges profiles. Identity states move as a whole, so that every merge can be undone exactly.

use crate::joins::{Digest, Evidence, Limit, Link, MAX_LINKS, Note, Noted, Standing, people};
use crate::profile::Part;
use perennial_config::identity::Identities;
use perennial_domain::{Identity, PersonId, UserId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Profiles by their ids, each with its identity states sorted by identity.
pub type People = BTreeMap<PersonId, Vec<Part>>;

/// A change that may merge or unmerge profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These users used an anonymous id, or an id in another system was named beside them.
    Link {
        /// The linked id.
        linked: Identity,
        /// Each user's use of it.
        links: Vec<Link>,
    },
    /// Other identities claim a value that this identity claims.
    Claim {
        /// The identity.
        identity: Identity,
        /// The kind of value.
        evidence: Evidence,
        /// Which value.
        key: Digest,
    },
    /// A user id has an earlier one.
    Alias {
        /// The user id.
        user: UserId,
        /// The earlier one.
        previous: UserId,
    },
    /// This identity gave up a mail address that others have.
    Regroup {
        /// The identity.
        identity: Identity,
    },
    /// So many identities claim a value that it identifies nobody.
    Share {
        /// The kind of value.
        evidence: Evidence,
        /// Which value.
        key: Digest,
    },
    /// An operator unmerges an identity.
    Part {
        /// The identity: a user id with the ids that are linked to it, or one other id.
        identity: Identity,
        /// When that was requested, in milliseconds since 1970, which identifies a repetition.
        at: i64,
        /// The operator.
        by: String,
        /// Why.
        why: String,
    },
}

/// The result of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Reshaped {
    /// All identity states, as the profiles that they are now.
    pub people: People,
    /// The limit that prevented the change; the rejected link is kept as [`Standing::Refused`].
    pub refused: Option<Limit>,
}

impl Change {
    /// Returns the identities of the change: they have to be among the profiles, without events if they are new.
    pub fn identities(&self) -> Vec<Identity> {
        match self {
            Self::Link { linked, links } => std::iter::once(linked.clone())
                .chain(links.iter().map(|link| Identity::User(link.user.clone())))
                .collect(),
            Self::Alias { user, previous } => vec![Identity::User(user.clone()), Identity::User(previous.clone())],
            Self::Share { .. } => Vec::new(),
            Self::Claim { identity, .. } | Self::Regroup { identity } | Self::Part { identity, .. } => {
                vec![identity.clone()]
            }
        }
    }

    /// Applies the change. The resulting profiles follow from the links in all identity states, so applying a change
    /// again, or in another order, has the same result, as long as no limit is reached: a change that a limit prevented
    /// stays prevented.
    ///
    /// # Errors
    /// The users who own ids of `before` and are not among them: their profiles have to be included too.
    pub fn make(&self, rules: &Identities, before: &People) -> Result<Reshaped, BTreeSet<UserId>> {
        let mut parts: Vec<Part> = before.values().flatten().cloned().collect();
        self.edit(&mut parts, before);
        let mut after = settled(&parts)?;
        let mut refused = None;
        // Refusing one link lets the next one hold, which may be one too many as well.
        for _ in 0..=MAX_LINKS {
            let Some(limit) = over_limit(rules, before, &after) else { break };
            refused = Some(limit);
            self.refuse(&mut parts, limit);
            after = settled(&parts)?;
        }
        Ok(Reshaped { people: after, refused })
    }

    fn edit(&self, parts: &mut [Part], before: &People) {
        match self {
            Self::Link { linked, links } => {
                if let Some(part) = find(parts, linked) {
                    for link in links {
                        part.add_link(link.clone());
                    }
                }
            }
            Self::Claim { .. } | Self::Alias { .. } | Self::Regroup { .. } => {}
            Self::Share { evidence, key } => {
                for claim in parts.iter_mut().filter_map(|part| part.claim_mut(*evidence, *key)) {
                    if matches!(claim.standing, Standing::Holds | Standing::Refused(_)) {
                        claim.standing = Standing::Shared;
                    }
                }
            }
            Self::Part { identity, at, by, why } => {
                let together = before.values().find(|parts| parts.iter().any(|part| part.identity == *identity));
                if let Some(together) = together {
                    part_ways(parts, together, identity, *at, &Noted::Parted { by: by.clone(), why: why.clone() });
                }
            }
        }
    }

    /// Disables the links that requested the change.
    fn refuse(&self, parts: &mut [Part], limit: Limit) {
        let (asking, evidence, key) = match self {
            Self::Link { linked, .. } => return refuse_link(parts, linked, limit),
            Self::Part { identity, .. } => return refuse_link(parts, identity, limit),
            Self::Share { .. } | Self::Regroup { .. } => return,
            Self::Claim { identity, evidence, key } => (identity.clone(), *evidence, *key),
            Self::Alias { user, previous } => {
                let key = Digest::of_value(Evidence::Alias, previous.as_str());
                (Identity::User(user.clone()), Evidence::Alias, key)
            }
        };
        let Some(claim) = find(parts, &asking).and_then(|part| part.claim_mut(evidence, key)) else { return };
        claim.standing = Standing::Refused(limit);
        let at = claim.at.div_euclid(1000);
        let note = Note { at, other: asking.person_id(), what: Noted::TurnedAway { evidence, limit } };
        for part in parts.iter_mut().filter(|part| part.identity != asking) {
            let named = evidence == Evidence::Alias && part.alias_key() == Some(key);
            if named || part.held().any(|claim| claim.evidence == evidence && claim.key == key) {
                part.note(note.clone());
            }
        }
    }
}

fn find<'a>(parts: &'a mut [Part], identity: &Identity) -> Option<&'a mut Part> {
    parts.iter_mut().find(|part| part.identity == *identity)
}

/// Returns the profiles of `parts`; the missing users who own another id, as an error.
fn settled(parts: &[Part]) -> Result<People, BTreeSet<UserId>> {
    let is_there = |user: &UserId| parts.iter().any(|part| part.identity == Identity::User(user.clone()));
    let holders = parts.iter().filter_map(|part| part.holder()).map(|link| link.user.clone());
    let missing: BTreeSet<UserId> = holders.filter(|user| !is_there(user)).collect();
    if missing.is_empty() { Ok(people(parts.to_vec())) } else { Err(missing) }
}

/// Returns the limit that a profile of `after`, merged from several of `before`, exceeds.
fn over_limit(rules: &Identities, before: &People, after: &People) -> Option<Limit> {
    let mut was: HashMap<&Identity, PersonId> = HashMap::new();
    for (person, parts) in before {
        was.extend(parts.iter().map(|part| (&part.identity, *person)));
    }
    let joined = |parts: &&Vec<Part>| {
        let mut people = parts.iter().filter_map(|part| was.get(&part.identity));
        let first = people.next();
        people.any(|person| Some(person) != first)
    };
    after.values().filter(joined).find_map(|parts| {
        let count = |is_kind: fn(&Identity) -> bool| parts.iter().filter(|part| is_kind(&part.identity)).count();
        let addresses: BTreeSet<Digest> = parts
            .iter()
            .flat_map(Part::held)
            .filter(|claim| claim.evidence == Evidence::Mail)
            .map(|claim| claim.key)
            .collect();
        let limits = [
            (parts.len(), rules.breaker.identities, Limit::Identities),
            (count(Identity::is_user), rules.limits.user_ids, Limit::UserIds),
            (count(Identity::is_anonymous), rules.limits.anonymous_ids, Limit::AnonymousIds),
            (count(Identity::is_external), rules.limits.external_ids, Limit::ExternalIds),
            (addresses.len(), rules.limits.addresses, Limit::Addresses),
        ];
        limits.into_iter().find(|(n, most, _)| *n > usize::from(*most)).map(|(.., limit)| limit)
    })
}

fn refuse_link(parts: &mut [Part], linked: &Identity, limit: Limit) {
    let Some(part) = find(parts, linked) else { return };
    let other = part.owner();
    let Some(link) = part.links.iter_mut().find(|link| link.standing == Standing::Holds) else { return };
    link.standing = Standing::Refused(limit);
    let (user, at, evidence) = (Identity::User(link.user.clone()), link.said_at().div_euclid(1000), link.evidence);
    if let Some(part) = find(parts, &user) {
        part.note(Note { at, other, what: Noted::TurnedAway { evidence, limit } });
    }
}

/// Returns the identity states of a profile that remain when `identity` is unmerged: a user id leaves with the ids that
/// are linked to it, any other id by itself. Empty if nothing would remain, so that there is nothing to unmerge.
pub fn others<'a>(together: &'a [Part], identity: &Identity) -> Vec<&'a Part> {
    let stays = |part: &&Part| match (&part.identity, identity) {
        (Identity::Anonymous(_) | Identity::External(_), Identity::User(user)) => {
            part.holder().is_none_or(|link| link.user != *user) || is_claimed_by_another(part, together, identity)
        }
        _ => part.identity != *identity,
    };
    together.iter().filter(stays).collect()
}

/// Returns whether a user other than `identity` has the id in another system that `part` is as their own: then a link to
/// `identity` does not count, and the id stays with that user.
fn is_claimed_by_another(part: &Part, together: &[Part], identity: &Identity) -> bool {
    let is_own = |key| part.held().any(|own| own.evidence == Evidence::External && own.key == key);
    part.identity.is_external()
        && together
            .iter()
            .filter(|other| other.identity.is_user() && other.identity != *identity)
            .any(|other| other.held().any(|claim| claim.evidence == Evidence::External && is_own(claim.key)))
}

/// Disables the links between `identity` and the others of `together`, so that the same link, or a repetition of it, no
/// longer counts.
fn part_ways(parts: &mut [Part], together: &[Part], identity: &Identity, at: i64, what: &Noted) {
    let Some(own) = together.iter().find(|part| part.identity == *identity) else { return };
    // A repeated request: it was executed then, and links since then are new.
    if own.notes.iter().any(|note| note.at == at && matches!(note.what, Noted::Parted { .. })) {
        return;
    }
    let others = others(together, identity);
    if others.is_empty() {
        return;
    }
    let mut severed: Vec<(Identity, Evidence, Digest)> = Vec::new();
    for other in others.iter().filter(|other| !other.identity.is_anonymous()) {
        for claim in own.held() {
            let shared = match claim.evidence {
                Evidence::Alias => other.alias_key() == Some(claim.key),
                evidence => other.held().any(|theirs| theirs.evidence == evidence && theirs.key == claim.key),
            };
            if shared {
                severed.push((identity.clone(), claim.evidence, claim.key));
            }
        }
        let names_us = |evidence, key| evidence == Evidence::Alias && own.alias_key() == Some(key);
        for claim in other.held().filter(|claim| names_us(claim.evidence, claim.key)) {
            severed.push((other.identity.clone(), claim.evidence, claim.key));
        }
    }
    let rest: Vec<Part> = others.iter().map(|part| (*part).clone()).collect();
    let rest_id = crate::joins::id_of(&rest);
    for (of, evidence, key) in severed {
        if let Some(claim) = find(parts, &of).and_then(|part| part.claim_mut(evidence, key)) {
            claim.standing = Standing::Severed;
        }
    }
    if let Some(part) = find(parts, identity) {
        let is_there = |user: &UserId| rest.iter().any(|other| other.identity == Identity::User(user.clone()));
        let mut links = part.links.iter_mut();
        let joins = |link: &Link| identity.is_anonymous() || is_there(&link.user);
        if let Some(link) = links.find(|link| link.standing == Standing::Holds && joins(link)) {
            link.standing = Standing::Severed;
        }
        if let Some(other) = rest_id {
            part.note(Note { at, other, what: what.clone() });
        }
    }
    if let Some(part) = parts.iter_mut().find(|part| Some(part.owner()) == rest_id) {
        part.note(Note { at, other: identity.person_id(), what: what.clone() });
    }
}
