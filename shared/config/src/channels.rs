//! `channels.toml` and `templates/*.toml`: how messages go out and what they say.

mod endpoint;
mod load;
mod template;

pub use endpoint::{AccountRecords, ContactId, ContactRecords, CrmRecords, Endpoint, Kind, SecretPlace, TaskRecords};
pub(crate) use load::File;
pub use template::{InAppKind, InvitationTemplate, Template};

use crate::soft_bounces::SoftBounces;
use crate::topics::Topic;
use std::collections::BTreeMap;

/// The mail channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// `Name <address>` or an address.
    pub from: String,
    /// Where answers go; the sender where nothing is written.
    pub reply_to: Option<String>,
    /// The SES configuration set, which publishes what became of a mail.
    pub configuration_set: String,
    /// When an address that cannot be delivered to has a rest.
    pub soft_bounces: SoftBounces,
}

/// `channels.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels {
    /// Events older than this, in hours, set nothing off: an import sends no message about the past.
    pub max_event_age_hours: u16,
    /// Mail.
    pub mail: Mail,
    /// Endpoints by name.
    pub webhook: BTreeMap<String, Endpoint>,
    /// What mails are about, in the file's order, which is that of the preference page.
    pub topics: Vec<Topic>,
}

impl Channels {
    /// The topic called `id`.
    #[must_use]
    pub fn topic(&self, id: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.id == id)
    }
}

#[cfg(test)]
mod tests;
