//! Where a message stands.

use crate::error::StoreError;
use perennial_domain::Withheld;
use serde::{Deserialize, Serialize};

/// Where a message stands. In the order of how much a state tells: a later one is never replaced by an earlier one. Those of a message of which
/// nothing goes out come last: nothing can become of it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Someone is about to send it, or died over it.
    Claimed,
    /// Whether it went out is not known: the answer was lost, or the process died. It is not sent again blindly; what the mail service says of
    /// it resolves it, or that it says nothing for long enough.
    Unknown,
    /// It was handed over: to the mail service, the inbox, the endpoint.
    Sent,
    /// It did not go out, and will not.
    Failed,
    /// It was not to go out: unsubscribed, bounced or complained before, or without an address.
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
    /// It was not sent: the reader has had as many messages as the caps allow.
    Capped,
    /// It was not sent: the reader is in a holdout.
    HeldOut,
    /// It was not sent: it waited for its turn until it was older than its journey allows.
    Expired,
    /// It was not sent: as many better messages waited as a profile keeps.
    Displaced,
}

impl MessageState {
    /// All states, in order. A state's place here is the rank in stored items: new ones are added at the end.
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

    /// The name in items and JSON.
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

    /// The attribute that holds when a message came into this state.
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
