//! What tells one person from another.

use crate::id::{AnonymousId, PersonId, UserId};
use serde::{Deserialize, Serialize};

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
}
