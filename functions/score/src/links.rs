//! Links anonymous ids, and ids in other systems, to their users: before events are assigned to profiles, so that a
//! visitor's actions in the batch in which they sign in count for the user.
//!
//! Of all links that an id ever has, the earliest holds, so the order of events does not matter. All of them are stored
//! in its identity state.

use crate::deps::Deps;
use crate::error::PersonError;
use crate::reshape::{Asked, Look, Outcome, reshape};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{Event, Identity, PersonId};
use perennial_engine::Profile;
use perennial_engine::claims::link_of;
use perennial_engine::joins::Link;
use perennial_engine::merge::Change;
use std::collections::BTreeSet;

/// A link in an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    /// The linked identity: an anonymous id, or one in another system.
    pub(crate) linked: Identity,
    /// The user, and the time of the link.
    pub(crate) link: Link,
}

impl Claim {
    /// Returns the link in `event`.
    pub(crate) fn of(config: &Config, event: &Event) -> Option<Self> {
        link_of(&config.identity, event).map(|(linked, link)| Self { linked, link })
    }

    /// Returns the user's own profile id.
    pub(crate) fn user(&self) -> PersonId {
        Identity::User(self.link.user.clone()).person_id()
    }
}

/// Adds the link to the profile of its user if that already contains the linked identity; returns whether anything
/// changed.
pub(crate) fn tighten(profile: &mut Profile, claim: &Claim) -> bool {
    profile.part(&claim.linked).is_some() && profile.part_mut(&claim.linked).add_link(claim.link.clone())
}

/// Adds links to an identity, and moves its state to the user who then owns it. `links` are all of `linked`.
pub(crate) async fn settle(
    deps: &Deps,
    config: &Config,
    linked: &Identity,
    links: Vec<Link>,
    now: Timestamp,
) -> Result<Outcome, PersonError> {
    let change = Change::Link { linked: linked.clone(), links };
    let look = Look::Later(linked.clone());
    reshape(deps, config, &Asked { change, also: BTreeSet::new(), look, unmerge: None }, now).await
}
