//! Who is one person: the evidence that parts keep, and the people that follow from it.
//!
//! Identities are nodes, evidence is edges, a person is a connected component. All evidence is kept in the part of the
//! identity that gave it, so that who is one person follows from the parts alone, whatever the order in which they came:
//!
//! - An anonymous id is joined by its **links**. Of several the earliest holds, so that a browser which many use belongs to
//!   one of them and joins nobody else. An id in another system may have links, too: events that name it beside a user. They hold where no user claims it.
//! - A user id, or an id in another system, is joined by its **claims**: those that claim the same id in another system are one person, and so is a
//!   user id with the earlier one that an `alias` gives it. A mail address joins two of them where both had it at one time, see [`Part::given_up`]: an address of
//!   a role, or one that was given to someone else, is first the one's and then the other's.

mod components;

pub use components::{Join, id_of, is_one, joins, people};

use crate::profile::Part;
use crate::state::State;
use crate::unverified::{is_public_link, time_of_link};
use perennial_domain::{MessageId, PersonId, UserId, hash};
use serde::{Deserialize, Serialize};

/// Links that an anonymous id keeps: the earliest, one a user.
pub const MAX_LINKS: usize = 16;
/// Notes that a part keeps: the newest.
pub const MAX_NOTES: usize = 16;

/// What said that two identities are one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// An `identify` with both ids.
    Identify,
    /// An `alias`.
    Alias,
    /// The same mail address, given by both.
    Mail,
    /// The same id in another system, given by both.
    External,
}

/// Whether evidence joins anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It does.
    Holds,
    /// It never may: config says so, or the value is nobody's own. It is kept because the person can be found by it.
    Idle,
    /// More claim the value than [`perennial_config::identity::Breaker::claimed_by`] allows.
    Shared,
    /// What it would have joined was over a limit.
    Refused(Limit),
    /// Someone said that these are different people.
    Severed,
    /// A public source said it, and nobody vouches for it.
    Unverified,
}

/// A limit that stopped a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// [`perennial_config::identity::Breaker::identities`]
    Identities,
    /// [`perennial_config::identity::Limits::user_ids`]
    UserIds,
    /// [`perennial_config::identity::Limits::anonymous_ids`]
    AnonymousIds,
    /// [`perennial_config::identity::Limits::addresses`]
    Addresses,
    /// [`perennial_config::identity::Limits::external_ids`]
    ExternalIds,
}

/// A 64-bit hash, of a value or a message id: eight bytes as they are, which a variable-length integer could only lengthen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Digest([u8; 8]);

impl Digest {
    /// The key of a claimed value; one value claimed in two ways is two.
    pub fn of_value(evidence: Evidence, value: &str) -> Self {
        let kind: &[u8] = match evidence {
            Evidence::Identify => b"identify",
            Evidence::Alias => b"alias",
            Evidence::Mail => b"mail",
            Evidence::External => b"external",
        };
        Self(hash::hash64(&[kind, value.as_bytes()]).to_be_bytes())
    }

    /// The message's id, as [`MessageId::hash64`] gives it.
    pub fn of_message(id: &MessageId) -> Self {
        Self(id.hash64().to_be_bytes())
    }

    /// The hash.
    pub fn get(self) -> u64 {
        u64::from_be_bytes(self.0)
    }
}

/// What joins an anonymous identity, or an id in another system, to a user. Sorted by time: of several the earliest that [`Standing::Holds`] does, and of the
/// same time that of the smaller user id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// Its place in time: when it was first said, in microseconds since 1970; behind all of these, those of public sources, see [`Link::said_at`].
    #[serde(with = "crate::instant")]
    pub at: i64,
    /// Whom it joins to.
    pub user: UserId,
    /// The first message that said it.
    pub message: Digest,
    /// By which call.
    pub evidence: Evidence,
    /// Whether it counts.
    pub standing: Standing,
}

/// A value that an identity gave as its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    /// What kind of value: [`Evidence::Mail`], [`Evidence::External`], or with [`Evidence::Alias`] an earlier user id.
    pub evidence: Evidence,
    /// The value's hash.
    pub key: Digest,
    /// Whether it counts.
    pub standing: Standing,
    /// When it was first given, in microseconds since 1970.
    #[serde(with = "crate::instant")]
    pub at: i64,
    /// When it was last given, in microseconds since 1970.
    #[serde(with = "crate::instant")]
    pub last: i64,
    /// The first message that gave it.
    pub message: Digest,
    /// What a reader is shown of the value: a masked address such as `a…@example.com`, the type of an external id; empty for an alias.
    pub shown: String,
}

/// Something about who someone is that happened to a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The person on the other side, by its own id then.
    pub other: PersonId,
    /// What.
    pub what: Noted,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noted {
    /// Someone said that these are different people.
    Parted {
        /// Who said it.
        by: String,
        /// And why.
        why: String,
    },
    /// A merge did not happen.
    TurnedAway {
        /// What asked for it.
        evidence: Evidence,
        /// What stopped it.
        limit: Limit,
    },
}

impl Link {
    /// When it was first said, or received where a public source said it, in microseconds since 1970.
    pub fn said_at(&self) -> i64 {
        time_of_link(self.at)
    }
}

impl Part {
    /// The link that holds: the user whom this identity belongs to. Where a trusted source said of it what is somebody's own, the word of a
    /// public one gives it to nobody.
    pub fn holder(&self) -> Option<&Link> {
        let link = self.links.iter().find(|link| link.standing == Standing::Holds)?;
        (!is_public_link(link.at) || !self.has_own()).then_some(link)
    }

    /// Whether a trusted source said of the identity what no stranger may take: an address, payments or an account.
    fn has_own(&self) -> bool {
        let State { revenue, billing, memberships, account, .. } = &self.state;
        let is_vouched_for = |claim: &Claim| claim.standing != Standing::Unverified;
        self.claims.iter().any(is_vouched_for)
            || !revenue.is_empty()
            || !billing.payments.is_empty()
            || billing.subscriptions.values().any(|each| each.named || each.was_paid())
            || !memberships.said.is_empty()
            || account.is_some()
    }

    /// Takes a link in; gives whether anything changed. Of one user's links the earliest is kept, with the standing that the
    /// user's link has; of more than [`MAX_LINKS`] the latest is dropped, but what was severed is not forgotten.
    pub fn add_link(&mut self, new: Link) -> bool {
        match self.links.iter_mut().find(|link| link.user == new.user) {
            Some(link) if (new.at, new.message) < (link.at, link.message) => {
                *link = Link { standing: link.standing, ..new };
                self.links.sort();
                true
            }
            Some(_) => false,
            None => {
                let user = new.user.clone();
                self.links.push(new);
                self.links.sort();
                if self.links.len() > MAX_LINKS
                    && let Some(last) = self.links.iter().rposition(|link| link.standing != Standing::Severed)
                {
                    return self.links.remove(last).user != user;
                }
                true
            }
        }
    }

    /// The claim to a value, where there is one.
    pub fn claim(&self, evidence: Evidence, key: Digest) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.evidence == evidence && claim.key == key)
    }

    pub(crate) fn claim_mut(&mut self, evidence: Evidence, key: Digest) -> Option<&mut Claim> {
        self.claims.iter_mut().find(|claim| claim.evidence == evidence && claim.key == key)
    }

    /// The claims that count.
    pub fn held(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| claim.standing == Standing::Holds)
    }

    /// Returns when this identity gave up a mail address that it claims, in microseconds since 1970; `None` where it still has it.
    ///
    /// An address is given up when another one is given that is new, or the moment after it was last given where a known one is given
    /// again. So the time in which an identity has an address follows from when each was first and last given: in any order of arrival,
    /// other addresses can only shorten it, and only the address itself can lengthen it.
    pub fn given_up(&self, claim: &Claim) -> Option<i64> {
        if claim.evidence != Evidence::Mail {
            return None;
        }
        let counts = |other: &&Claim| other.evidence == Evidence::Mail && other.standing != Standing::Unverified;
        let others = self.claims.iter().filter(counts).filter(|other| other.last > claim.last);
        others.map(|other| if other.at > claim.last { other.at } else { claim.last + 1 }).min()
    }

    pub(crate) fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
            if self.notes.len() > MAX_NOTES {
                self.notes.remove(0);
            }
        }
    }

    /// The key by which an `alias` names this user id.
    pub(crate) fn alias_key(&self) -> Option<Digest> {
        self.identity.is_user().then(|| Digest::of_value(Evidence::Alias, self.identity.as_str()))
    }
}
