//! What tells one person from another.

use crate::id::{AnonymousId, PersonId, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;

mod placeholder;

pub use placeholder::{bare_id, is_placeholder};

/// The identity that an event belongs to: the user id where it has one, else the anonymous id. A profile keeps one
/// part for each, so that joining two of them can be undone exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Known to the product.
    User(UserId),
    /// Known to one client only.
    Anonymous(AnonymousId),
}

impl Identity {
    /// The person that this identity is, as long as nothing joined it to another.
    pub fn person_id(&self) -> PersonId {
        match self {
            Self::User(id) => PersonId::derive(&[b"user", id.as_str().as_bytes()]),
            Self::Anonymous(id) => PersonId::derive(&[b"anonymous", id.as_str().as_bytes()]),
        }
    }

    /// The identity's text, as the client sent it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Anonymous(id) => id.as_str(),
        }
    }

    /// Whether the product knows it.
    pub fn is_user(&self) -> bool {
        matches!(self, Self::User(_))
    }
}

impl fmt::Display for Identity {
    /// `user:u-1`, `anonymous:a-1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Anonymous(id) => write!(f, "anonymous:{id}"),
        }
    }
}
