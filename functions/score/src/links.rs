//! Anonymous ids, and ids in other systems, and the users that they belong to: settled before events are given to people, so that what a visitor does
//! in the batch in which they sign in counts at their user.
//!
//! Of all links that an id ever has, the earliest holds, so the order in which they come does not matter. All of
//! them are kept in its part.

use crate::deps::Deps;
use crate::person::PersonError;
use crate::reshape::{Asked, Look, Outcome, reshape};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{Event, Identity, PersonId};
use perennial_engine::Profile;
use perennial_engine::claims::link_of;
use perennial_engine::joins::Link;
use perennial_engine::merge::Change;
use std::collections::BTreeSet;

/// What a link event says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    /// Who is joined: an anonymous id, or one in another system.
    pub(crate) linked: Identity,
    /// To whom, and when it was said.
    pub(crate) link: Link,
}

impl Claim {
    /// The link that `event` asks for.
    pub(crate) fn of(config: &Config, event: &Event) -> Option<Self> {
        link_of(&config.identity, event).map(|(linked, link)| Self { linked, link })
    }

    /// The user's own person.
    pub(crate) fn user(&self) -> PersonId {
        Identity::User(self.link.user.clone()).person_id()
    }
}

/// Takes the claim's link into the profile of its user where that holds the linked part already; gives whether anything changed.
pub(crate) fn tighten(profile: &mut Profile, claim: &Claim) -> bool {
    profile.part(&claim.linked).is_some() && profile.part_mut(&claim.linked).add_link(claim.link.clone())
}

/// Adds links to an identity, and moves its part to the user who holds it then. `links` are all of `linked`.
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
