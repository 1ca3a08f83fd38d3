//! Identities of profiles.

use crate::external_id::ExternalId;
use crate::id::{AnonymousId, PersonId, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;

mod placeholder;

pub use placeholder::{bare_id, is_placeholder};

/// The identity that an event belongs to: the user id, else the anonymous id, else the id in another system. A profile
/// keeps a separate state for each, so that a merge can be undone exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Known to the product.
    User(UserId),
    /// Known to one client only.
    Anonymous(AnonymousId),
    /// An id in another system, which has no profile until an identity link merges it into one.
    External(ExternalId),
}

impl Identity {
    /// Returns the profile that this identity has unless it is linked to another.
    pub fn person_id(&self) -> PersonId {
        match self {
            Self::User(id) => PersonId::derive(&[b"user", id.as_str().as_bytes()]),
            Self::Anonymous(id) => PersonId::derive(&[b"anonymous", id.as_str().as_bytes()]),
            Self::External(id) => PersonId::derive(&[b"external", id.as_str().as_bytes()]),
        }
    }

    /// The identity's text, as the client sent it; of an id in another system with its type before it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Anonymous(id) => id.as_str(),
            Self::External(id) => id.as_str(),
        }
    }

    /// The id alone, without the type of an id in another system.
    pub fn bare_id(&self) -> &str {
        match self {
            Self::External(id) => id.id(),
            _ => self.as_str(),
        }
    }

    /// Returns whether it is a user id.
    pub fn is_user(&self) -> bool {
        matches!(self, Self::User(_))
    }

    /// Returns whether it is an anonymous id.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous(_))
    }

    /// Returns whether it is an id in another system.
    pub fn is_external(&self) -> bool {
        matches!(self, Self::External(_))
    }
}

impl fmt::Display for Identity {
    /// `user:u-1`, `anonymous:a-1`, `external:stripe_customer_id:cus_5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Anonymous(id) => write!(f, "anonymous:{id}"),
            Self::External(id) => write!(f, "external:{id}"),
        }
    }
}
