//! A captured mail, and how to look into it.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use jiff::Timestamp;
use mail_parser::{HeaderValue, MessageParser};
use serde::{Deserialize, Serialize};

/// The content of a mail.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailContent {
    /// Subject and bodies, of which SES makes the message.
    Simple {
        /// The subject.
        subject: String,
        /// The plain text part.
        text: Option<String>,
        /// The HTML part.
        html: Option<String>,
        /// Additional headers in order.
        headers: Vec<(String, String)>,
    },
    /// A complete MIME message, in base64 as it came.
    Raw(String),
}

/// A mail that was sent through the embedded SES. Its `Debug` shows no addresses and no content.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedMail {
    /// The id that `SendEmail` answered.
    pub message_id: String,
    /// When it was sent, by the stack's clock.
    pub at: Timestamp,
    /// The sender as given, possibly with a name.
    pub from: String,
    /// Bare addresses of the recipients: to, cc and bcc, without repetitions.
    pub recipients: Vec<String>,
    /// `To` as given.
    pub to: Vec<String>,
    /// `Cc` as given.
    pub cc: Vec<String>,
    /// `Bcc` as given.
    pub bcc: Vec<String>,
    /// `Reply-To` as given.
    pub reply_to: Vec<String>,
    /// The configuration set.
    pub configuration_set: Option<String>,
    /// Message tags by name.
    pub tags: BTreeMap<String, String>,
    /// The content.
    pub content: MailContent,
}

impl std::fmt::Debug for CapturedMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CapturedMail")
            .field("message_id", &self.message_id)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for MailContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Simple { .. } => "Simple",
            Self::Raw(_) => "Raw",
        })
    }
}

/// A mail as its reader would see it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailView {
    /// The subject, decoded.
    pub subject: String,
    /// The plain text part, decoded.
    pub text: Option<String>,
    /// The HTML part, decoded.
    pub html: Option<String>,
    /// All headers in order, unfolded.
    pub headers: Vec<(String, String)>,
}

impl MailView {
    /// Returns the first header called `name`, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl CapturedMail {
    /// The bytes of a raw mail; `None` for a simple one.
    #[must_use]
    pub fn raw(&self) -> Option<Vec<u8>> {
        match &self.content {
            MailContent::Raw(base64) => BASE64.decode(base64.as_bytes()).ok(),
            MailContent::Simple { .. } => None,
        }
    }

    /// The mail as its reader would see it; a raw one is parsed for it.
    #[must_use]
    pub fn view(&self) -> MailView {
        match &self.content {
            MailContent::Simple { subject, text, html, headers } => {
                let mut all = vec![("From".to_owned(), self.from.clone())];
                for (name, addresses) in [("To", &self.to), ("Cc", &self.cc), ("Reply-To", &self.reply_to)] {
                    if !addresses.is_empty() {
                        all.push((name.to_owned(), addresses.join(", ")));
                    }
                }
                all.push(("Subject".to_owned(), subject.clone()));
                all.extend(headers.iter().cloned());
                MailView { subject: subject.clone(), text: text.clone(), html: html.clone(), headers: all }
            }
            MailContent::Raw(_) => self.raw().map(|raw| parse(&raw)).unwrap_or_default(),
        }
    }
}

fn parse(raw: &[u8]) -> MailView {
    let Some(message) = MessageParser::default().parse(raw) else {
        return MailView::default();
    };
    // The parser generates a text body for an HTML-only mail, and the reverse.
    let has = |subtype: &str| {
        message.parts.iter().any(|part| mail_parser::MimeHeaders::is_content_type(part, "text", subtype))
    };
    let untyped = !has("plain") && !has("html");
    let headers = message
        .headers_raw()
        .map(|(name, value)| {
            (
                name.to_owned(),
                value.split("\r\n").flat_map(|line| line.split('\n')).map(str::trim).collect::<Vec<_>>().join(" "),
            )
        })
        .map(|(name, value)| (name, value.trim().to_owned()))
        .collect();
    MailView {
        subject: message.subject().unwrap_or_default().to_owned(),
        text: (has("plain") || untyped).then(|| message.body_text(0).map(std::borrow::Cow::into_owned)).flatten(),
        html: has("html").then(|| message.body_html(0).map(std::borrow::Cow::into_owned)).flatten(),
        headers,
    }
}

/// The fields of a raw message that the service itself needs: its sender and recipients.
pub(super) struct RawEnvelope {
    pub(super) from: Option<String>,
    pub(super) to: Vec<String>,
    pub(super) cc: Vec<String>,
    pub(super) bcc: Vec<String>,
}

/// Reads sender and recipients of a raw message; `None` when it is no message.
pub(super) fn envelope(raw: &[u8]) -> Option<RawEnvelope> {
    let message = MessageParser::default().parse(raw)?;
    let addresses = |name: &str| -> Vec<String> {
        match message.header(name) {
            Some(HeaderValue::Address(address)) => {
                address.iter().filter_map(|one| one.address().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        }
    };
    Some(RawEnvelope {
        from: addresses("From").into_iter().next(),
        to: addresses("To"),
        cc: addresses("Cc"),
        bcc: addresses("Bcc"),
    })
}
