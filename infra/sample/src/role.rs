//! The roles of people in their accounts.

use super::rng::Rng;
use serde_json::{Value, json};

/// A person's role in the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Administrator,
    Buyer,
    ExecutiveSponsor,
    PowerUser,
    EndUser,
    It,
}

impl Role {
    /// The trait's value.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Buyer => "buyer",
            Self::ExecutiveSponsor => "executive_sponsor",
            Self::PowerUser => "power_user",
            Self::EndUser => "end_user",
            Self::It => "it",
        }
    }

    /// Returns the role of the person at `position` in an account, which begins with the decision makers.
    pub(super) fn of(position: u64, rng: &mut Rng) -> Self {
        match position {
            0 => Self::Administrator,
            1 => Self::Buyer,
            2 => Self::ExecutiveSponsor,
            _ => rng.pick([
                Self::PowerUser,
                Self::PowerUser,
                Self::EndUser,
                Self::EndUser,
                Self::EndUser,
                Self::EndUser,
                Self::It,
            ]),
        }
    }

    /// Returns the percentage of working days on which a person of this role uses the product.
    pub(super) fn habit(self) -> u32 {
        match self {
            Self::Administrator => 45,
            Self::PowerUser => 72,
            Self::EndUser => 25,
            Self::It => 15,
            Self::Buyer | Self::ExecutiveSponsor => 18,
        }
    }

    /// Returns the role's trait in `identify`. One in four has none, so that it has to be derived from title and
    /// behaviour.
    pub(super) fn r#trait(self, rng: &mut Rng) -> Option<Value> {
        match rng.between(1, 20) {
            1..=5 => None,
            6 | 7 if self == Self::PowerUser => Some(json!([self.as_str(), "influencer"])),
            _ => Some(self.as_str().into()),
        }
    }
}
