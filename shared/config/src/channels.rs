//! `channels.toml` and `templates/*.toml`: how messages go out and what they say.

use crate::error::Reporter;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    max_event_age_hours: Spanned<u16>,
    mail: Spanned<Mail>,
    #[serde(default)]
    webhook: BTreeMap<String, Spanned<Endpoint>>,
}

/// `channels.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels {
    /// Events older than this, in hours, set nothing off: an import sends no message about the past.
    pub max_event_age_hours: u16,
    /// Mail.
    pub mail: Mail,
    /// Webhook endpoints by name.
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
        let Some(file) = report.parse::<File>() else {
            return Self::default();
        };
        if *file.max_event_age_hours.get_ref() == 0 {
            report.at(file.max_event_age_hours.span(), "max_event_age_hours must be at least 1");
        }
        let (span, mail) = (file.mail.span(), file.mail.into_inner());
        for (key, value) in [("from", Some(&mail.from)), ("reply_to", mail.reply_to.as_ref())] {
            if value.is_some_and(|value| !is_sender(value)) {
                report.at(span.clone(), format!("mail.{key} must be an address, or `Name <address>`, on one line"));
            }
        }
        if mail.configuration_set.trim().is_empty() {
            report.at(span, "mail.configuration_set is empty: without it SES does not report what became of a mail");
        }
        let mut webhook = BTreeMap::new();
        for (name, endpoint) in file.webhook {
            let (span, endpoint) = (endpoint.span(), endpoint.into_inner());
            let allowed =
                endpoint.url.starts_with("https://") || (endpoint.allow_private && endpoint.url.starts_with("http://"));
            if !allowed {
                report.at(
                    span.clone(),
                    format!("webhook.{name}.url must begin with https:// (http:// only with allow_private = true)"),
                );
            }
            let is_name = |name: &str| {
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            };
            if endpoint.secret_env.starts_with("whsec_") {
                report.at(span, format!("webhook.{name}.secret_env names an environment variable; the secret itself never stands in a file"));
            } else if !is_name(&endpoint.secret_env) {
                report.at(span, format!("webhook.{name}.secret_env must be the name of an environment variable, such as TASKS_WEBHOOK_SECRET"));
            }
            webhook.insert(name, endpoint);
        }
        Self { max_event_age_hours: file.max_event_age_hours.into_inner(), mail, webhook }
    }
}

/// Whether `text` could be a mail's sender; SES decides whether it is one.
fn is_sender(text: &str) -> bool {
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.trim_end().strip_suffix('>').unwrap_or_default(),
        None => text,
    };
    let parts = address.trim().split_once('@');
    !text.chars().any(char::is_control)
        && parts.is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.contains([' ', '@', '<'])
        })
}
