//! The trust in an event, by its origin.

use serde::{Deserialize, Serialize};

/// The trust in an event, in ascending order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// From a source whose key anyone can read, such as a web page, without a token that proves who the user is. It is
    /// trusted about what happened, but not about anyone's identity, account or money.
    Public,
    /// From such a source with the user's own token: it is trusted about the user's own accounts and money, but not
    /// about the user's other identities, as the token is in the user's own hands.
    Signed,
    /// From a server of the product.
    #[default]
    Server,
    /// From a system that signs its requests.
    Verified,
}

impl Trust {
    /// Returns the name in config and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Signed => "signed",
            Self::Server => "server",
            Self::Verified => "verified",
        }
    }

    /// Returns whether it is the default, which is not serialized.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
