//! Payloads of the queues. Each is an enum whose variants carry their version in their name, so that a queue may hold
//! old and new ones at once: `{"events.v1": {...}}`.

use jiff::Timestamp;
use perennial_domain::{AccountId, Decision, Event, MessageId, PersonId, Properties};
use serde::{Deserialize, Serialize};

/// The most bytes that one packed message should have: SQS bills each started 64 KiB of a request.
pub const PACKED_BYTES: usize = 60 * 1024;

/// On the events queue, for `score`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum EventsPayload {
    /// Accepted events, several in one message.
    #[serde(rename = "events.v1")]
    Events {
        /// In the order in which they were received.
        events: Vec<Event>,
    },
    /// A person's timer rang.
    #[serde(rename = "tick.v1")]
    Tick {
        /// Whose.
        person: PersonId,
        /// The moment that the due index held.
        due_at: Timestamp,
    },
}

/// On the messages queue, for `deliver`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MessagesPayload {
    /// Send this once.
    #[serde(rename = "decision.v1")]
    Decision(Decision),
}

/// On the accounts queue, for `rollup`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum AccountsPayload {
    /// Something of the account's people changed, or the account's own traits.
    #[serde(rename = "account_changed.v1")]
    Changed {
        /// Which account.
        account: AccountId,
        /// Traits of a `group` call, last writer wins by (time, message id) trait by trait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        traits: Option<AccountTraits>,
    },
}

/// What one `group` call said of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountTraits {
    /// The call's traits.
    pub traits: Properties,
    /// The call's time.
    pub at: Timestamp,
    /// The call's id, which decides between calls of the same time.
    pub message_id: MessageId,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn payloads_carry_their_version() {
        let tick = EventsPayload::Tick { person: PersonId::derive(&[b"p"]), due_at: Timestamp::UNIX_EPOCH };
        let text = serde_json::to_string(&tick).unwrap();
        assert!(text.starts_with(r#"{"tick.v1":"#), "{text}");
        assert_eq!(serde_json::from_str::<EventsPayload>(&text).unwrap(), tick);
    }
}
