//! How far an event is believed, by where it came from.

use serde::{Deserialize, Serialize};

/// How far an event is believed. Greater is more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// From a place where anybody can read the key, such as a web page, without a token that says who the user is. It is believed about what
    /// happened, and about nobody else's identity, account or money.
    Public,
    /// From there with the user's own token: it is theirs, and believed about their own accounts and money. It is not believed about whom else they
    /// are, as the token is in their own hands.
    Signed,
    /// From a server of the product.
    #[default]
    Server,
    /// From a system that signs what it sends.
    Verified,
}

impl Trust {
    /// The name in config and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Signed => "signed",
            Self::Server => "server",
            Self::Verified => "verified",
        }
    }

    /// Whether it is what nothing has to be said of.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
