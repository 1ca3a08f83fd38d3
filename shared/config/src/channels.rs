//! `channels.toml` and `templates/*.toml`: how messages are sent and what they contain.

mod endpoint;
mod field;
mod load;
mod template;

pub use endpoint::{AccountRecords, ContactId, ContactRecords, CrmRecords, Endpoint, Kind, SecretPlace, TaskRecords};
pub(crate) use field::FieldsOf;
#[cfg(feature = "schema")]
pub(crate) use load::File;
pub use template::{InAppKind, InvitationTemplate, Template};

use crate::pause::Pause;
use crate::soft_bounces::SoftBounces;
use crate::topics::Topic;
use crate::warm_up::WarmUp;
use jiff::SignedDuration;
use perennial_domain::PersonId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The mail channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// `Name <address>` or an address.
    pub from: String,
    /// The reply-to address; the sender if `None`.
    pub reply_to: Option<String>,
    /// The SES configuration set, which publishes what became of a mail.
    pub configuration_set: String,
    /// The number of temporary bounces after which an address is paused.
    pub soft_bounces: SoftBounces,
    /// The daily ramp of a new sender.
    pub warm_up: Option<WarmUp>,
    /// Minutes after which a mail of which it is not known whether SES took it, and which SES did not report, is sent again; 0 for never.
    pub resend_unknown_after_minutes: u16,
    /// Specifies whether mails are sent to an address that only a public source has named.
    pub unverified_mail: UnverifiedMail,
    /// Minutes that a mail waits for an address that is unknown when it is decided; 0 if it does not wait.
    pub wait_for_address_minutes: u16,
}

/// The part of [`Channels::person_page`] that stands for the id of a profile.
const PERSON: &str = "{id}";

/// The template of the mail that asks a reader to confirm their address.
pub const CONFIRMATION: &str = "confirm_address";

/// The handling of mails to an address that only a public source has named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UnverifiedMail {
    /// Mails are sent, until a trusted source names another address.
    #[default]
    Send,
    /// Double opt-in: one mail asks the reader to confirm the address, and no other is sent before they do.
    Confirm,
    /// No mails are sent.
    Never,
}

impl Mail {
    /// Returns how long to wait for SES's report of a mail with an unknown delivery outcome; `None` if it is never sent
    /// again.
    #[must_use]
    pub fn report_wait(&self) -> Option<SignedDuration> {
        let minutes = i64::from(self.resend_unknown_after_minutes);
        (minutes > 0).then(|| SignedDuration::from_mins(minutes))
    }
}

/// `channels.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channels {
    /// Events older than this, in hours, trigger nothing: an import sends no message about the past.
    pub max_event_age_hours: u16,
    /// Mail.
    pub mail: Mail,
    /// When a journey stops sending mails by itself.
    pub pause: Pause,
    /// Endpoints by name.
    pub webhook: BTreeMap<String, Endpoint>,
    /// The address of a person's page for colleagues, in which `{id}` stands for the id of the profile; `None` if there is none.
    pub person_page: Option<String>,
    /// The topics of mails, in the file's order, which is that of the preference page.
    pub topics: Vec<Topic>,
}

impl Channels {
    /// Returns the address of a person's page for colleagues, by the id of the profile; `None` if none is configured.
    #[must_use]
    pub fn page_of(&self, person: PersonId) -> Option<String> {
        self.person_page.as_ref().map(|page| page.replace(PERSON, &person.to_string()))
    }

    /// The topic called `id`.
    #[must_use]
    pub fn topic(&self, id: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.id == id)
    }
}

#[cfg(test)]
mod tests;
