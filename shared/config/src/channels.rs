//! `channels.toml` and `templates/*.toml`: how messages go out and what they say.

use crate::error::Reporter;
use crate::spanned::Spanned;
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

/// An endpoint for signed webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where to post.
    pub url: String,
    /// The environment variable that holds the `whsec_…` signing secret.
    pub secret_env: String,
    /// Whether private and loopback addresses are allowed: for tests and internal networks only.
    pub allow_private: bool,
}

/// How messages go out.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Events older than this, in hours from 1 to 65535, set nothing off: an import of last year's events writes to nobody.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    max_event_age_hours: Spanned<u16>,
    /// Mail, by SES.
    mail: RawMail,
    /// Endpoints for signed webhooks, by names of your own.
    #[serde(default)]
    webhook: BTreeMap<Spanned<String>, RawEndpoint>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawMail {
    /// The sender: an address, or `Name <address>`. It must be an identity that is verified in SES.
    from: Spanned<String>,
    /// Where answers go, written like `from`; to the sender where nothing is written.
    reply_to: Option<Spanned<String>>,
    /// The SES configuration set that reports deliveries, bounces, complaints, opens and clicks back.
    configuration_set: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawEndpoint {
    /// Where to post: https://…
    url: Spanned<String>,
    /// The environment variable that holds the signing secret (whsec_…), in capitals, digits and `_`. The secret itself never
    /// stands in a file.
    secret_env: Spanned<String>,
    /// Whether http:// and private addresses are allowed: for tests, and receivers inside your own network.
    #[serde(default)]
    allow_private: bool,
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

impl Channels {
    /// Checks the file.
    pub(crate) fn load(report: &mut Reporter<'_>) -> Self {
        let Some(file) = report.parse::<File>() else {
            return Self::default();
        };
        if *file.max_event_age_hours.get_ref() == 0 {
            report.at(file.max_event_age_hours.span(), "max_event_age_hours must be at least 1");
        }
        let mail = file.mail;
        for (key, value) in [("from", Some(&mail.from)), ("reply_to", mail.reply_to.as_ref())] {
            if let Some(value) = value.filter(|value| !is_sender(value.get_ref())) {
                report.at(value.span(), format!("mail.{key} must be an address, or `Name <address>`, on one line"));
            }
        }
        if mail.configuration_set.get_ref().trim().is_empty() {
            let message = "mail.configuration_set is empty: without it SES does not report what became of a mail";
            report.at(mail.configuration_set.span(), message);
        }
        let mail = Mail {
            from: mail.from.into_inner(),
            reply_to: mail.reply_to.map(Spanned::into_inner),
            configuration_set: mail.configuration_set.into_inner(),
        };
        let mut webhook = BTreeMap::new();
        for (name, endpoint) in file.webhook {
            report.name("an endpoint", &name);
            let name = name.into_inner();
            let url = endpoint.url.get_ref();
            if !(url.starts_with("https://") || (endpoint.allow_private && url.starts_with("http://"))) {
                let message =
                    format!("webhook.{name}.url must begin with https:// (http:// only with allow_private = true)");
                report.at(endpoint.url.span(), message);
            }
            let secret = endpoint.secret_env.get_ref();
            if secret.starts_with("whsec_") {
                report.at(endpoint.secret_env.span(), format!("webhook.{name}.secret_env names an environment variable; the secret itself never stands in a file"));
            } else if !is_variable(secret) {
                report.at(endpoint.secret_env.span(), format!("webhook.{name}.secret_env must be the name of an environment variable, such as TASKS_WEBHOOK_SECRET"));
            }
            let endpoint = Endpoint {
                url: endpoint.url.into_inner(),
                secret_env: endpoint.secret_env.into_inner(),
                allow_private: endpoint.allow_private,
            };
            webhook.insert(name, endpoint);
        }
        Self { max_event_age_hours: file.max_event_age_hours.into_inner(), mail, webhook }
    }
}

/// Whether `text` could be the name of an environment variable.
fn is_variable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
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
