//! Identity resolution: the identity links in identity states, and the profiles that follow from them.
//!
//! Identities are nodes, links are edges, a profile is a connected component. All links are stored in the state of the
//! identity that has them, so that the profiles follow from the states alone, whatever the order of events:
//!
//! - An anonymous id has **links** to users. Of several the earliest holds, so that a shared browser belongs to one of
//!   its users and does not merge them. An id in another system may have links, too: from events that name it beside a
//!   user. They hold if no user claims it.
//! - A user id, or an id in another system, has **claims**: identities that claim the same id in another system are one
//!   person, and so is a user id with the earlier one of an `alias`. A mail address links two of them if both had it at
//!   the same time, see [`Part::given_up`]: a role's address, or one that was given to another person, belongs to one
//!   after the other.

mod components;
mod part;

pub use components::{Join, id_of, is_one, joins, people};

use perennial_domain::{MessageId, PersonId, UserId, hash};
use serde::{Deserialize, Serialize};

/// Links that an anonymous id keeps: the earliest, one a user.
pub const MAX_LINKS: usize = 16;
/// The most notes of an identity: the newest.
pub const MAX_NOTES: usize = 16;

/// The identifier that links two identities.
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

/// Specifies whether a link counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It counts.
    Holds,
    /// It never counts: the configuration forbids it, or the value identifies nobody. It is kept because the profile
    /// can be found by it.
    Idle,
    /// More identities have the value than [`perennial_config::identity::Breaker::claimed_by`] allows.
    Shared,
    /// Its merge would have exceeded a limit.
    Refused(Limit),
    /// An operator unmerged the identities.
    Severed,
    /// A public source reported it, unverified.
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
    /// Returns the key of a claimed value, which includes the kind of claim.
    pub fn of_value(evidence: Evidence, value: &str) -> Self {
        let kind: &[u8] = match evidence {
            Evidence::Identify => b"identify",
            Evidence::Alias => b"alias",
            Evidence::Mail => b"mail",
            Evidence::External => b"external",
        };
        Self(hash::hash64(&[kind, value.as_bytes()]).to_be_bytes())
    }

    /// Returns the message's id, as [`MessageId::hash64`] computes it.
    pub fn of_message(id: &MessageId) -> Self {
        Self(id.hash64().to_be_bytes())
    }

    /// The hash.
    pub fn get(self) -> u64 {
        u64::from_be_bytes(self.0)
    }
}

/// A link of an anonymous identity, or an id in another system, to a user. Sorted by time: the earliest with
/// [`Standing::Holds`] counts, and at the same time the one with the smaller user id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// Its place in time: when it was first reported, in microseconds since 1970; after all of these, those of public
    /// sources, see [`Link::said_at`].
    #[serde(with = "crate::instant")]
    pub at: i64,
    /// The user.
    pub user: UserId,
    /// The first message with it.
    pub message: Digest,
    /// The kind of call.
    pub evidence: Evidence,
    /// Specifies whether it counts.
    pub standing: Standing,
}

/// A value that an identity gave as its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    /// The kind of value: [`Evidence::Mail`], [`Evidence::External`], or with [`Evidence::Alias`] an earlier user id.
    pub evidence: Evidence,
    /// The value's hash.
    pub key: Digest,
    /// Specifies whether it counts.
    pub standing: Standing,
    /// When it was first given, in microseconds since 1970.
    #[serde(with = "crate::instant")]
    pub at: i64,
    /// When it was last given, in microseconds since 1970.
    #[serde(with = "crate::instant")]
    pub last: i64,
    /// The first message that gave it.
    pub message: Digest,
    /// The value as shown to readers: a masked address such as `a…@example.com`, the type of an external id; empty for
    /// an alias.
    pub shown: String,
}

/// A note about an identity's merges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The profile on the other side, by its own id at the time.
    pub other: PersonId,
    /// The event.
    pub what: Noted,
}

/// The event of a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noted {
    /// An operator unmerged the identities.
    Parted {
        /// The operator.
        by: String,
        /// And why.
        why: String,
    },
    /// A merge did not happen.
    TurnedAway {
        /// The identifier that requested the merge.
        evidence: Evidence,
        /// The limit that prevented it.
        limit: Limit,
    },
}
