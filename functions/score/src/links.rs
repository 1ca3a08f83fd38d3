//! Joining an anonymous id to a user.
//!
//! Of all links that an anonymous id ever has, the earliest holds, so the order in which they come does not matter. What links it now
//! is kept in its part, inside the profile that holds it; its own item is a pointer there.

use crate::deps::Deps;
use crate::outbox::{self, Planned};
use crate::person::{PersonError, TRIES, pause};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{AnonymousId, Event, Identity, PersonId, UserId};
use perennial_engine::profile::Link;
use perennial_engine::{Action, Moment, Part, Profile, evaluate, tick};
use perennial_store::profiles::Relocation;
use perennial_store::{Consistency, Loaded, Stored, Summary};

/// What a link event says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    /// Who is joined.
    pub(crate) anonymous: AnonymousId,
    /// To whom, and when it was said.
    pub(crate) link: Link,
}

impl Claim {
    /// The link that `event` asks for.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let (anonymous, user) = event.link()?;
        Some(Self {
            anonymous: anonymous.clone(),
            link: Link { at: event.timestamp.as_millisecond(), user: user.clone() },
        })
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity::Anonymous(self.anonymous.clone())
    }

    /// The user's own person.
    pub(crate) fn target(&self) -> PersonId {
        user(&self.link.user).person_id()
    }
}

fn user(id: &UserId) -> Identity {
    Identity::User(id.clone())
}

/// What became of a claim.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Whether the part is in the claim's user's profile now.
    pub(crate) holds: bool,
    /// Whose profiles were written.
    pub(crate) written: Vec<PersonId>,
    /// What the profile that gave the part up now asks for.
    pub(crate) planned: Vec<Planned>,
}

/// Takes the claim's link into a profile that holds the part already; gives whether it was earlier than the one that held.
pub(crate) fn tighten(profile: &mut Profile, claim: &Claim) -> bool {
    if profile.part(&claim.identity()).is_none() {
        return false;
    }
    let part = profile.part_mut(&claim.identity());
    let earlier = part.link.as_ref().is_none_or(|current| claim.link.holds_against(current));
    if earlier {
        part.link = Some(claim.link.clone());
    }
    earlier
}

/// Moves the anonymous part into its user's profile, where the claim holds and the part is not there yet. Everything is read consistently
/// and written in one transaction; redone where someone else wrote meanwhile.
pub(crate) async fn settle(
    deps: &Deps,
    config: &Config,
    claim: &Claim,
    now: Timestamp,
) -> Result<Settled, PersonError> {
    for attempt in 0..TRIES {
        match try_settle(deps, config, claim, now).await {
            Err(PersonError::Store(error)) if error.is_conflict() => pause(attempt, claim.target()).await,
            done => return done,
        }
    }
    Err(PersonError::Contended)
}

async fn try_settle(deps: &Deps, config: &Config, claim: &Claim, now: Timestamp) -> Result<Settled, PersonError> {
    let identity = claim.identity();
    let origin = identity.person_id();
    let target_id = claim.target();
    let (mut part, origin_version, previous, leaves) = match deps.store.load(origin, Consistency::Strong).await? {
        Loaded::Absent => (Part::new(identity.clone()), 0, None, None),
        Loaded::Profile(mut stored) => {
            // What the item asked for goes with the item, so it is done first.
            outbox::perform_leftover(deps, &stored, now).await?;
            let leaves = stored.profile.published.take().map(|(account, _)| account);
            let part = stored.profile.release(&identity).unwrap_or_else(|| Part::new(identity.clone()));
            (part, stored.version, None, leaves)
        }
        Loaded::Moved(moved) if moved.to == target_id => return Ok(Settled { holds: true, ..Settled::default() }),
        Loaded::Moved(moved) => {
            let Loaded::Profile(mut holder) = deps.store.load(moved.to, Consistency::Strong).await? else {
                return Err(PersonError::Astray);
            };
            let holds = |current: &Part| current.link.as_ref().is_none_or(|link| claim.link.holds_against(link));
            match holder.profile.part(&identity) {
                None => return Err(PersonError::Astray),
                Some(current) if !holds(current) => return Ok(Settled::default()),
                Some(_) => {}
            }
            let part = holder.profile.release(&identity).unwrap_or_else(|| Part::new(identity.clone()));
            (part, moved.version, Some(holder), None)
        }
    };
    let mut target = match deps.store.load(target_id, Consistency::Strong).await? {
        Loaded::Profile(stored) => stored,
        Loaded::Absent => Stored::new(Profile::new(user(&claim.link.user))),
        // Users are never part of another.
        Loaded::Moved(_) => return Err(PersonError::Astray),
    };
    part.link = Some(claim.link.clone());
    target.profile.absorb(part);
    let mut planned = Vec::new();
    let before = target.profile.outbox.len();
    target
        .profile
        .outbox
        .extend(leaves.iter().map(|account| Action::LeaveAccount { account: account.clone(), person: origin }));
    plan(&mut planned, &target, before);
    target.summary = Summary::of(&evaluate(&Moment::new(config, now), &target.profile.view()), config);
    let previous = previous.map(|mut holder| {
        // Without the part it may stand elsewhere.
        let before = holder.profile.outbox.len();
        holder.summary = Summary::of(&tick(&Moment::new(config, now), &mut holder.profile).evaluation, config);
        plan(&mut planned, &holder, before);
        holder
    });
    let relocation = Relocation {
        origin,
        origin_version,
        target: &target,
        previous: previous.as_ref(),
        leaves: leaves.as_ref(),
        now,
    };
    deps.store.relocate(relocation).await?;
    let written = [Some(origin), Some(target_id), previous.map(|holder| holder.profile.id)];
    Ok(Settled { holds: true, written: written.into_iter().flatten().collect(), planned })
}

/// Plans what the outbox holds from `start` on, to be performed as the write that is about to happen.
fn plan(planned: &mut Vec<Planned>, stored: &Stored, start: usize) {
    let new = stored.profile.outbox.iter().skip(start);
    planned.extend(new.map(|action| Planned {
        person: stored.profile.id,
        version: stored.version + 1,
        action: action.clone(),
    }));
}
