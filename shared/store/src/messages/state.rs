//! The states of a message.

use crate::error::StoreError;
use perennial_domain::Withheld;
use serde::{Deserialize, Serialize};

/// The state of a message, in order of progress: a later one is never replaced by an earlier one. The states of
/// withheld messages come last, because they are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// About to be sent; the sender may have died.
    Claimed,
    /// Sent or not sent, which is unknown: the response was lost, or the process died. It is not sent again
    /// blindly; the mail service's report, or a long absence of one, resolves it.
    Unknown,
    /// Accepted by the mail service, the inbox, or the endpoint.
    Sent,
    /// Not sent, and never will be.
    Failed,
    /// Withheld: unsubscribed, bounced or complained before, or without an address.
    Suppressed,
    /// The reader's server took it.
    Delivered,
    /// The reader opened it.
    Opened,
    /// The reader followed a link.
    Clicked,
    /// The reader's server refused it.
    Bounced,
    /// The reader called it spam.
    Complained,
    /// Withheld: a cap is reached.
    Capped,
    /// Withheld: the reader is in a holdout group.
    HeldOut,
    /// Not sent: it waited until it was older than its journey allows.
    Expired,
    /// Not sent: displaced by better messages, because a profile keeps only so many waiting ones.
    Displaced,
}

impl MessageState {
    /// All states, in order. The position is the rank in stored items: append new ones at the end.
    pub const ALL: [Self; 14] = [
        Self::Claimed,
        Self::Unknown,
        Self::Sent,
        Self::Failed,
        Self::Suppressed,
        Self::Delivered,
        Self::Opened,
        Self::Clicked,
        Self::Bounced,
        Self::Complained,
        Self::Capped,
        Self::HeldOut,
        Self::Expired,
        Self::Displaced,
    ];

    /// Returns whether the message was withheld on purpose, and is never sent.
    pub fn is_withheld(self) -> bool {
        matches!(self, Self::Suppressed | Self::Capped | Self::HeldOut | Self::Expired | Self::Displaced)
    }

    /// Returns the name in items and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
            Self::Delivered => "delivered",
            Self::Opened => "opened",
            Self::Clicked => "clicked",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Capped => "capped",
            Self::HeldOut => "held_out",
            Self::Expired => "expired",
            Self::Displaced => "displaced",
        }
    }

    pub(crate) fn rank(self) -> usize {
        Self::ALL.iter().position(|state| *state == self).unwrap_or_default()
    }

    /// Returns the attribute with the time of this state.
    pub(crate) fn time(self) -> String {
        format!("t_{}", self.as_str())
    }

    pub(crate) fn parse(text: &str) -> Result<Self, StoreError> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| StoreError::corrupt("no message is in that state"))
    }
}

impl From<Withheld> for MessageState {
    fn from(withheld: Withheld) -> Self {
        match withheld {
            Withheld::Capped => Self::Capped,
            Withheld::HeldOut => Self::HeldOut,
            Withheld::Expired => Self::Expired,
            Withheld::Displaced => Self::Displaced,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored items hold these numbers: none may ever change.
    #[test]
    fn ranks_are_those_of_the_items_that_are_stored() {
        let ranks = MessageState::ALL.map(|state| (state.as_str(), state.rank()));
        let stored = [
            ("claimed", 0),
            ("unknown", 1),
            ("sent", 2),
            ("failed", 3),
            ("suppressed", 4),
            ("delivered", 5),
            ("opened", 6),
            ("clicked", 7),
            ("bounced", 8),
            ("complained", 9),
            ("capped", 10),
            ("held_out", 11),
            ("expired", 12),
            ("displaced", 13),
        ];
        assert_eq!(ranks, stored);
        assert!(MessageState::ALL.is_sorted(), "comparing states is comparing their ranks");
    }
}
