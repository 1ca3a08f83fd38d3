//! SES events as SES publishes them: through SNS into a queue, raw or wrapped, or through EventBridge.
//!
//! Sources: SES developer guide, "Contents of event data that Amazon SES publishes to Amazon SNS" (`eventType`),
//! "Amazon SNS notification contents for Amazon SES" (`notificationType`, the older name of the same field) and
//! "Monitoring SES events using Amazon EventBridge"; SNS developer guide, "Amazon SNS message and JSON formats". SES
//! may add fields and kinds at any time.

mod agent;
mod envelope;
mod event;
mod recipient;

pub use agent::Agent;
pub use envelope::{is_notice, parse};

use jiff::Timestamp;
use perennial_domain::hygiene::MailAddress;
use std::collections::BTreeMap;
use std::fmt;

/// The subtype of bounces and complaints of mails that SES did not send.
const SUPPRESSED: &str = "OnAccountSuppressionList";

/// The content of one message from SES or SNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something became of a mail.
    Mail(Box<MailEvent>),
    /// A message that SES publishes when notifications are set up, or one about the account as a whole; no action is
    /// needed.
    Greeting,
    /// SNS requests confirmation of a subscription, or reports that one ended; an operator has to act.
    Confirmation {
        /// The topic's ARN.
        topic: String,
    },
}

/// Something that became of a mail. Its `Debug` shows no address.
#[derive(Clone, PartialEq, Eq)]
pub struct MailEvent {
    /// The id that `SendEmail` answered, or would have answered.
    pub mail_id: String,
    /// When it happened; for events without a time of their own, when the mail was sent.
    pub at: Timestamp,
    /// The kind of event.
    pub kind: MailEventKind,
    /// The tags that we set on the mail, the first value of each. SES's own tags (`ses:…`) are left out.
    pub tags: BTreeMap<String, String>,
    /// The recipients that the event is about; all recipients of the mail if the event names none of them.
    pub recipients: Vec<MailAddress>,
}

impl fmt::Debug for MailEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailEvent")
            .field("mail_id", &self.mail_id)
            .field("at", &self.at)
            .field("kind", &self.kind.as_str())
            .field("recipients", &self.recipients.len())
            .finish_non_exhaustive()
    }
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailEventKind {
    /// SES took the mail and will try to deliver it.
    Send,
    /// The receiving server took it.
    Delivery,
    /// The receiving server refused it, or SES gave up.
    Bounce(Bounce),
    /// The reader marked it as spam.
    Complaint {
        /// The complaint type that the reader's provider reports, such as `abuse`.
        feedback: Option<String>,
        /// `true` if SES did not send the mail, because the address is on the account's suppression list after an
        /// earlier complaint.
        held_back: bool,
    },
    /// The reader took it out of the spam folder: SES reports that as a complaint of the feedback type `not-spam`.
    NotSpam,
    /// The picture that SES adds was loaded.
    Open {
        /// The client that opened it.
        by: Agent,
    },
    /// A link was followed.
    Click {
        /// The link as written in the mail.
        link: String,
        /// The client that followed the link.
        by: Agent,
    },
    /// SES took the mail and then refused to send it.
    Reject {
        /// The reason, such as `Bad content`.
        reason: String,
    },
    /// SES could not make the mail of its template.
    RenderingFailure,
    /// Delivery is delayed.
    DeliveryDelay {
        /// The delay type, such as `MailboxFull`.
        delay: String,
    },
    /// The reader changed their preferences through SES's own subscription management.
    Subscription(Subscription),
    /// An event that this version does not know, with its SES name.
    Other(String),
}

impl MailEventKind {
    /// Returns the event's SES name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Send => "Send",
            Self::Delivery => "Delivery",
            Self::Bounce(_) => "Bounce",
            Self::Complaint { .. } => "Complaint",
            Self::NotSpam => "NotSpam",
            Self::Open { .. } => "Open",
            Self::Click { .. } => "Click",
            Self::Reject { .. } => "Reject",
            Self::RenderingFailure => "RenderingFailure",
            Self::DeliveryDelay { .. } => "DeliveryDelay",
            Self::Subscription(_) => "Subscription",
            Self::Other(name) => name,
        }
    }
}

/// A mail that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    /// `true` if the address must not be used again: SES's `Permanent`.
    pub hard: bool,
    /// SES's `bounceSubType`, such as `NoEmail` or `MailboxFull`.
    pub sub_type: String,
    /// `true` if a server reported a failed delivery, with its status or text.
    pub reported: bool,
}

impl Bounce {
    /// Returns whether it is an automatic reply, such as an out-of-office message; `was_delivered` says whether the
    /// mail was delivered before. SES publishes those as `Transient`/`General` bounces and does not count them.
    #[must_use]
    pub fn is_automatic_reply(&self, was_delivered: bool) -> bool {
        was_delivered && !self.hard && !self.reported && self.sub_type.eq_ignore_ascii_case("General")
    }

    /// Returns whether SES did not send the mail because the address is on the account's suppression list or its reader
    /// unsubscribed there. Such bounces do not count toward the account's bounce rate.
    #[must_use]
    pub fn was_held_back(&self) -> bool {
        self.is_any_of(&[SUPPRESSED]) || self.was_unsubscribed()
    }

    /// Returns whether SES did not send the mail because its reader unsubscribed there.
    #[must_use]
    pub fn was_unsubscribed(&self) -> bool {
        self.is_any_of(&["UnsubscribedRecipient"])
    }

    /// Returns whether the server refused this mail for its size, content or attachments: another mail may reach the
    /// same address.
    #[must_use]
    pub fn is_about_the_mail(&self) -> bool {
        self.is_any_of(&["MessageTooLarge", "ContentRejected", "AttachmentRejected"])
    }

    fn is_any_of(&self, sub_types: &[&str]) -> bool {
        sub_types.iter().any(|known| self.sub_type.eq_ignore_ascii_case(known))
    }
}

/// A change of a reader's preferences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscription {
    /// `true` if the reader unsubscribed from everything (`true`) or subscribed again (`false`); `None` if the change
    /// does not say.
    pub unsubscribed: Option<bool>,
    /// The topics of SES's contact list that the reader subscribed to (`true`) or unsubscribed from, by name; unchanged
    /// topics are left out.
    pub topics: BTreeMap<String, bool>,
}

/// An error that says why a message is not an SES event. The texts name fields, never their values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMailEvent {
    /// Not JSON, or a field of the wrong type.
    #[error("the {part} is not in the format of SES and SNS: {problem}")]
    Format {
        /// `SNS envelope` or `SES event`.
        part: &'static str,
        /// The position of the error, as line and column.
        problem: String,
    },
    /// An SNS message of a type that SNS does not document.
    #[error("an SNS message of the type {0} is no notification")]
    NotANotification(String),
    /// A field is not there.
    #[error("the SES event has no {0}")]
    Missing(&'static str),
}

#[cfg(test)]
#[path = "ses_tests.rs"]
mod tests;
