//! Merges profiles with the same identifiers, and unmerges identities on request.

use crate::deps::Deps;
use crate::error::PersonError;
use crate::reshape::{Asked, Look, Outcome, reshape};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_contracts::queue::Unmerge;
use perennial_domain::{Identity, PersonId, UserId};
use perennial_engine::joins::{Digest, Evidence};
use perennial_engine::merge::Change;
use perennial_store::identities::{Claimants, Value};
use perennial_store::{Store, StoreError};
use std::collections::BTreeSet;

/// Ids that have something to do with each other.
#[derive(Debug)]
pub(crate) enum Meeting {
    /// Other identities have the same identifier.
    Same { identity: Identity, evidence: Evidence, key: Digest, all: BTreeSet<PersonId> },
    /// A user id has an earlier one.
    Earlier { user: UserId, previous: UserId },
    /// An identity gave up a mail address by which others belonged to it.
    GaveUp { identity: Identity },
    /// More identities have a value than one profile may have.
    TooMany { evidence: Evidence, key: Digest, all: BTreeSet<PersonId> },
}

/// Makes an identity findable by a value; returns who else has it, if it links identities.
pub(crate) async fn claim(
    store: &Store,
    config: &Config,
    identity: &Identity,
    evidence: Evidence,
    value: &str,
    joins: bool,
) -> Result<Option<Meeting>, StoreError> {
    let own = identity.person_id();
    let stored_as = match evidence {
        Evidence::External => Value::External(value),
        _ => Value::Mail(value),
    };
    if identity.is_anonymous() || !joins {
        store.index(stored_as, own).await?;
        return Ok(None);
    }
    let key = Digest::of_value(evidence, value);
    Ok(match store.claim_value(stored_as, own, config.identity.breaker.claimed_by).await? {
        Claimants::Few(all) if all.len() < 2 => None,
        Claimants::Few(all) => Some(Meeting::Same { identity: identity.clone(), evidence, key, all }),
        Claimants::TooMany(all) => Some(Meeting::TooMany { evidence, key, all }),
    })
}

/// Merges, or unmerges, the profiles with the same identifier. Idempotent.
pub(crate) async fn meet(
    deps: &Deps,
    config: &Config,
    meeting: Meeting,
    now: Timestamp,
) -> Result<Vec<Outcome>, PersonError> {
    let look = Look::Now { speak: true };
    match meeting {
        Meeting::Same { identity, evidence, key, all } => {
            let change = Change::Claim { identity, evidence, key };
            Ok(vec![reshape(deps, config, &Asked { change, also: all, look, unmerge: None }, now).await?])
        }
        Meeting::Earlier { user, previous } => {
            let change = Change::Alias { user, previous };
            Ok(vec![reshape(deps, config, &Asked { change, also: BTreeSet::new(), look, unmerge: None }, now).await?])
        }
        Meeting::GaveUp { identity } => {
            let look = Look::Now { speak: false };
            let asked = Asked { change: Change::Regroup { identity }, also: BTreeSet::new(), look, unmerge: None };
            Ok(vec![reshape(deps, config, &asked, now).await?])
        }
        Meeting::TooMany { evidence, key, all } => {
            tracing::warn!(claimants = all.len(), ?evidence, "too many identities have the same value; it links none");
            let mut outcomes = Vec::new();
            // Each separately, so that no transaction grows with their number.
            for person in all {
                let change = Change::Share { evidence, key };
                let look = Look::Now { speak: false };
                let asked = Asked { change, also: [person].into(), look, unmerge: None };
                outcomes.push(reshape(deps, config, &asked, now).await?);
            }
            Ok(outcomes)
        }
    }
}

/// Unmerges an identity from its profile; the request is in the archive by then. Nothing changes if it is not merged,
/// or was unmerged by the same request before.
pub(crate) async fn part(
    deps: &Deps,
    config: &Config,
    unmerge: &Unmerge,
    now: Timestamp,
) -> Result<Outcome, PersonError> {
    let Unmerge { identity, at, by, why, done_at: _ } = unmerge.clone();
    let change = Change::Part { identity, at: at.as_millisecond(), by, why };
    let look = Look::Now { speak: false };
    let asked = Asked { change, also: BTreeSet::new(), look, unmerge: Some(unmerge.clone()) };
    reshape(deps, config, &asked, now).await
}
