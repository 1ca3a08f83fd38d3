//! `channels.toml` and `templates/*.toml`: how messages go out and what they say.

mod endpoint;
mod load;

pub use endpoint::{AccountRecords, ContactId, ContactRecords, CrmRecords, Endpoint, Kind, TaskRecords};
pub(crate) use load::File;

use serde::Deserialize;
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
}

/// What a message says, in minijinja: {{ person.NAME }} puts a trait in, and {% if … %} … {% endif %} leaves a part out. Which parts
/// are used depends on the channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// A mail's subject, or the title of an in-app message or a task.
    pub subject: String,
    /// Plain text: a mail's text part, or the body of an in-app message or a task.
    pub text: String,
    /// A mail's HTML part; made from the text where nothing is written.
    pub html: Option<String>,
    /// Where a click on an in-app message leads: https://… or a path such as /upgrade.
    pub link: Option<String>,
}

#[cfg(test)]
mod tests;
