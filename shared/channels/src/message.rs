//! Messages in the formats of their endpoints.

use crate::crm::record::{Contact, Record, Task};
use std::fmt;

/// A message in the format of its endpoint.
#[derive(Clone, PartialEq)]
pub enum Message {
    /// The body of a signed webhook, JSON.
    Webhook(String),
    /// The body of an incoming webhook of a chat, JSON.
    Chat(String),
    /// A task of a CRM, and the contact that it is about.
    Task(Task),
    /// A CRM's record of an account.
    Account(Record),
    /// A CRM's record of a person.
    Contact(Contact),
}

impl fmt::Debug for Message {
    // A message contains personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webhook(_) => "Webhook",
            Self::Chat(_) => "Chat",
            Self::Task(_) => "Task",
            Self::Account(_) => "Account",
            Self::Contact(_) => "Contact",
        })
    }
}

impl Message {
    /// Returns whether the receiver recognizes a repetition, so that a message with an unknown outcome can be sent
    /// again.
    #[must_use]
    pub const fn is_repeatable(&self) -> bool {
        match self {
            Self::Webhook(_) | Self::Task(_) | Self::Account(_) | Self::Contact(_) => true,
            Self::Chat(_) => false,
        }
    }
}
