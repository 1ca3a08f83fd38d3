//! `channels.toml` and `templates/*.toml`: how messages go out and what they say.

use crate::error::Reporter;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The mail channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// `Name <address>` or an address.
    pub from: String,
    /// Where answers go; the sender where nothing is written.
    pub reply_to: Option<String>,
    /// The SES configuration set, which publishes what became of a mail.
    pub configuration_set: String,
}

/// An endpoint for signed webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Where to post.
    pub url: String,
    /// The environment variable that holds the `whsec_…` signing secret.
    pub secret_env: String,
    /// Whether private and loopback addresses are allowed: for tests and internal networks only.
    #[serde(default)]
    pub allow_private: bool,
}

/// `channels.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channels {
    /// Events older than this, in hours, set nothing off: an import sends no message about the past.
    pub max_event_age_hours: u16,
    /// Mail.
    pub mail: Mail,
    /// Webhook endpoints by name.
    #[serde(default)]
    pub webhook: BTreeMap<String, Endpoint>,
}

/// `templates/NAME.toml`, in minijinja; which parts are used depends on the channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// A mail's subject, or an in-app message's title.
    pub subject: String,
    /// Plain text: a mail's text part, or an in-app message's body.
    pub text: String,
    /// A mail's HTML part; made from the text where nothing is written.
    pub html: Option<String>,
    /// Where a click on an in-app message leads.
    pub link: Option<String>,
}

impl Channels {
    /// Checks the file.
    pub(crate) fn load(report: &mut Reporter<'_>) -> Self {
        let Some(file) = report.parse::<Self>() else { return Self::default() };
        if file.max_event_age_hours == 0 {
            report.at(0..0, "max_event_age_hours must be at least 1");
        }
        for (name, endpoint) in &file.webhook {
            if !endpoint.url.starts_with("https://") && !(endpoint.allow_private && endpoint.url.starts_with("http://")) {
                report.at(0..0, format!("webhook.{name}.url must begin with https://"));
            }
        }
        file
    }
}
