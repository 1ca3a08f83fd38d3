//! The mail service's events, as SES publishes them: through SNS into a queue, or raw.
//!
//! Sources: SES developer guide, "Contents of event data that Amazon SES publishes to Amazon SNS" (`eventType`) and "Amazon SNS notification
//! contents for Amazon SES" (`notificationType`, the older name of the same thing); SNS developer guide, "Amazon SNS message and JSON formats".

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;

/// What SES says in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something became of a mail.
    Mail(Box<MailEvent>),
    /// The plain sentence that SES publishes when an event destination is made: nothing is to be done.
    Greeting,
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
    /// The addresses that it happened to, as SES writes them; all of the mail's where the event names none.
    pub recipients: Vec<String>,
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
    /// The receiving server refused it for good, or SES gave up.
    Bounce {
        /// Whether the address must not be written to again: SES's `Permanent`.
        hard: bool,
        /// SES's `bounceSubType`, such as `NoEmail` or `MailboxFull`.
        sub_type: String,
    },
    /// The reader marked it as spam.
    Complaint {
        /// The reader's provider's word for it, such as `abuse`.
        feedback: Option<String>,
    },
    /// The reader opened it (the picture that SES adds was loaded).
    Open,
    /// The reader followed a link.
    Click {
        /// The link as written in the mail.
        link: String,
    },
    /// SES took the mail and then refused to send it.
    Reject {
        /// Such as `Bad content`.
        reason: String,
    },
    /// It is not delivered yet.
    DeliveryDelay {
        /// Such as `MailboxFull`.
        delay: String,
    },
    /// The reader changed their preferences through SES's own subscription management.
    Subscription {
        /// Whether they want nothing any more.
        unsubscribed: bool,
    },
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
            Self::Bounce { .. } => "Bounce",
            Self::Complaint { .. } => "Complaint",
            Self::Open => "Open",
            Self::Click { .. } => "Click",
            Self::Reject { .. } => "Reject",
            Self::DeliveryDelay { .. } => "DeliveryDelay",
            Self::Subscription { .. } => "Subscription",
            Self::Other(name) => name,
        }
    }
}

/// Why a message is no event of SES. The texts name fields, never their content.
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
    /// An SNS message that is no notification, such as a subscription's confirmation.
    #[error("an SNS message of the type {0} is no notification")]
    NotANotification(String),
    /// A field is not there.
    #[error("the SES event has no {0}")]
    Missing(&'static str),
}

/// The beginning of the sentence that SES publishes when an event destination is made.
const GREETING: &str = "Successfully validated SNS topic";

/// Reads the body of a message from the mail events queue: an SNS envelope, or the event itself where the subscription delivers raw.
///
/// # Errors
/// [`InvalidMailEvent`] where it is neither.
pub fn parse(body: &str) -> Result<Notice, InvalidMailEvent> {
    let outer: Outer = serde_json::from_str(body).map_err(|error| format_error("SNS envelope", &error))?;
    match outer {
        Outer { kind: Some(kind), message: Some(message) } if kind == "Notification" => {
            if message.starts_with(GREETING) {
                return Ok(Notice::Greeting);
            }
            event(&message)
        }
        Outer { kind: Some(kind), .. } => Err(InvalidMailEvent::NotANotification(kind.chars().take(40).collect())),
        Outer { kind: None, .. } => event(body),
    }
}

fn format_error(part: &'static str, error: &serde_json::Error) -> InvalidMailEvent {
    // serde's own words may quote a value.
    let problem = format!("{:?} at line {} column {}", error.classify(), error.line(), error.column());
    InvalidMailEvent::Format { part, problem }
}

fn event(text: &str) -> Result<Notice, InvalidMailEvent> {
    let raw: RawEvent = serde_json::from_str(text).map_err(|error| format_error("SES event", &error))?;
    let name = raw.event_type.or(raw.notification_type).ok_or(InvalidMailEvent::Missing("eventType"))?;
    let mail = raw.mail.ok_or(InvalidMailEvent::Missing("mail"))?;
    let missing = |field| move || InvalidMailEvent::Missing(field);
    let mut named = Vec::new();
    let (kind, at) = match name.as_str() {
        "Send" => (MailEventKind::Send, None),
        "Delivery" => {
            let delivery = raw.delivery.ok_or_else(missing("delivery"))?;
            named = delivery.recipients;
            (MailEventKind::Delivery, delivery.timestamp)
        }
        "Bounce" => {
            let bounce = raw.bounce.ok_or_else(missing("bounce"))?;
            named = addresses(bounce.bounced_recipients);
            let kind =
                MailEventKind::Bounce { hard: bounce.bounce_type == "Permanent", sub_type: bounce.bounce_sub_type };
            (kind, bounce.timestamp)
        }
        "Complaint" => {
            let complaint = raw.complaint.ok_or_else(missing("complaint"))?;
            named = addresses(complaint.complained_recipients);
            (MailEventKind::Complaint { feedback: complaint.complaint_feedback_type }, complaint.timestamp)
        }
        "Open" => (MailEventKind::Open, raw.open.ok_or_else(missing("open"))?.timestamp),
        "Click" => {
            let click = raw.click.ok_or_else(missing("click"))?;
            (MailEventKind::Click { link: click.link }, click.timestamp)
        }
        "Reject" => (MailEventKind::Reject { reason: raw.reject.ok_or_else(missing("reject"))?.reason }, None),
        "DeliveryDelay" => {
            let delay = raw.delivery_delay.ok_or_else(missing("deliveryDelay"))?;
            named = addresses(delay.delayed_recipients);
            (MailEventKind::DeliveryDelay { delay: delay.delay_type }, delay.timestamp)
        }
        "Subscription" => {
            let subscription = raw.subscription.ok_or_else(missing("subscription"))?;
            let unsubscribed = subscription.new_topic_preferences.is_some_and(|new| new.unsubscribe_all);
            (MailEventKind::Subscription { unsubscribed }, subscription.timestamp)
        }
        _ => (MailEventKind::Other(name), None),
    };
    let tags = mail.tags.into_iter().filter(|(name, _)| !name.starts_with("ses:"));
    let tags = tags.filter_map(|(name, values)| values.into_iter().next().map(|value| (name, value))).collect();
    let recipients = if named.is_empty() { mail.destination } else { named };
    Ok(Notice::Mail(Box::new(MailEvent {
        mail_id: mail.message_id,
        at: at.unwrap_or(mail.timestamp),
        kind,
        tags,
        recipients,
    })))
}

fn addresses(recipients: Vec<RawRecipient>) -> Vec<String> {
    recipients.into_iter().map(|recipient| recipient.email_address).collect()
}

#[derive(Deserialize)]
struct Outer {
    #[serde(rename = "Type")]
    kind: Option<String>,
    #[serde(rename = "Message")]
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEvent {
    event_type: Option<String>,
    notification_type: Option<String>,
    mail: Option<RawMail>,
    delivery: Option<RawDelivery>,
    bounce: Option<RawBounce>,
    complaint: Option<RawComplaint>,
    open: Option<RawOpen>,
    click: Option<RawClick>,
    reject: Option<RawReject>,
    delivery_delay: Option<RawDelay>,
    subscription: Option<RawSubscription>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMail {
    message_id: String,
    timestamp: Timestamp,
    #[serde(default)]
    destination: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRecipient {
    email_address: String,
}

#[derive(Deserialize)]
struct RawDelivery {
    timestamp: Option<Timestamp>,
    #[serde(default)]
    recipients: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBounce {
    bounce_type: String,
    #[serde(default)]
    bounce_sub_type: String,
    #[serde(default)]
    bounced_recipients: Vec<RawRecipient>,
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawComplaint {
    #[serde(default)]
    complained_recipients: Vec<RawRecipient>,
    complaint_feedback_type: Option<String>,
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
struct RawOpen {
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
struct RawClick {
    link: String,
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
struct RawReject {
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDelay {
    #[serde(default)]
    delay_type: String,
    #[serde(default)]
    delayed_recipients: Vec<RawRecipient>,
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSubscription {
    timestamp: Option<Timestamp>,
    new_topic_preferences: Option<RawPreferences>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPreferences {
    #[serde(default)]
    unsubscribe_all: bool,
}

#[cfg(test)]
#[path = "ses_tests.rs"]
mod tests;
