//! The mail service's events, as SES publishes them: through SNS into a queue, raw or wrapped, or through EventBridge.
//!
//! Sources: SES developer guide, "Contents of event data that Amazon SES publishes to Amazon SNS" (`eventType`), "Amazon SNS notification
//! contents for Amazon SES" (`notificationType`, the older name of the same thing) and "Monitoring SES events using Amazon EventBridge"; SNS
//! developer guide, "Amazon SNS message and JSON formats". SES may add fields and kinds at any time.

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

/// What SES or SNS says in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something became of a mail.
    Mail(Box<MailEvent>),
    /// What SES publishes when notifications are set up, or about the account: nothing is to be done.
    Greeting,
    /// SNS asks to confirm a subscription, or reports that one ended: an operator has to act.
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
    /// When it happened; when the mail was sent, for events that carry no time of their own.
    pub at: Timestamp,
    /// What happened.
    pub kind: MailEventKind,
    /// The mail's tags that we set, first value each; those of SES itself (`ses:…`) are left out.
    pub tags: BTreeMap<String, String>,
    /// The addresses that it happened to; the mail's own where the event names none that it went to.
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
        /// The reader's provider's word for it, such as `abuse`.
        feedback: Option<String>,
        /// Whether SES did not send the mail at all, because the address is on the account's suppression list after an earlier complaint.
        held_back: bool,
    },
    /// The reader took it out of the spam folder: SES reports that as a complaint of the feedback type `not-spam`.
    NotSpam,
    /// The picture that SES adds was loaded.
    Open {
        /// By whom.
        by: Agent,
    },
    /// A link was followed.
    Click {
        /// The link as written in the mail.
        link: String,
        /// By whom.
        by: Agent,
    },
    /// SES took the mail and then refused to send it.
    Reject {
        /// Such as `Bad content`.
        reason: String,
    },
    /// SES could not make the mail of its template.
    RenderingFailure,
    /// It is not delivered yet.
    DeliveryDelay {
        /// Such as `MailboxFull`.
        delay: String,
    },
    /// The reader changed their preferences through SES's own subscription management.
    Subscription(Subscription),
    /// An event that this version does not know, under SES's name.
    Other(String),
}

impl MailEventKind {
    /// SES's name.
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
    /// Whether the address must not be written to again: SES's `Permanent`.
    pub hard: bool,
    /// SES's `bounceSubType`, such as `NoEmail` or `MailboxFull`.
    pub sub_type: String,
    /// Whether a server reported a failed delivery of it, with its status or words.
    pub reported: bool,
}

impl Bounce {
    /// Whether it is an automatic reply, such as an out-of-office message, given whether the mail was delivered before. SES publishes those as
    /// `Transient`/`General` bounces and does not count them.
    #[must_use]
    pub fn is_automatic_reply(&self, was_delivered: bool) -> bool {
        was_delivered && !self.hard && !self.reported && self.sub_type.eq_ignore_ascii_case("General")
    }

    /// Whether SES did not send the mail at all, because the address is on the account's suppression list or its reader unsubscribed there.
    /// Such bounces do not count toward the account's bounce rate.
    #[must_use]
    pub fn was_held_back(&self) -> bool {
        self.is_any_of(&[SUPPRESSED]) || self.was_unsubscribed()
    }

    /// Whether SES did not send the mail because its reader unsubscribed there.
    #[must_use]
    pub fn was_unsubscribed(&self) -> bool {
        self.is_any_of(&["UnsubscribedRecipient"])
    }

    /// Whether the server refused this mail for what it is, its size, its content or an attachment: another mail may arrive at the same address.
    #[must_use]
    pub fn is_about_the_mail(&self) -> bool {
        self.is_any_of(&["MessageTooLarge", "ContentRejected", "AttachmentRejected"])
    }

    fn is_any_of(&self, sub_types: &[&str]) -> bool {
        sub_types.iter().any(|known| self.sub_type.eq_ignore_ascii_case(known))
    }
}

/// What a reader changed in their preferences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscription {
    /// Whether they want nothing any more (`true`), or something again (`false`); `None` where they said nothing of that.
    pub unsubscribed: Option<bool>,
    /// The topics of SES's contact list that they chose (`true`) or gave up, by name; those that stayed as they were are left out.
    pub topics: BTreeMap<String, bool>,
}

/// An error that says why a message is no event of SES. The texts name fields, never their content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMailEvent {
    /// Not JSON, or a field of the wrong type.
    #[error("the {part} is not what SES and SNS write: {problem}")]
    Format {
        /// `SNS envelope` or `SES event`.
        part: &'static str,
        /// Where it goes wrong, by line and column.
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
