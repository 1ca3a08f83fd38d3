//! Message templates.

use crate::error::Reporter;
use crate::spanned::Spanned;
use serde::{Deserialize, Serialize};

/// The content of a message, in minijinja: {{ person.NAME }} inserts a trait, and {% if … %} … {% endif %} makes a part
/// conditional. The channel determines which fields are used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// A mail's subject, or the title of an in-app message or a task.
    pub subject: String,
    /// Plain text: a mail's text part, or the body of an in-app message or a task.
    pub text: String,
    /// A mail's HTML part; default: generated from the text.
    pub html: Option<String>,
    /// A mail's HTML part in MJML instead, <https://documentation.mjml.io>, which looks the same in every mail program.
    /// Between its elements {% … %} goes into <mj-raw>.
    pub mjml: Option<String>,
    /// The link of an in-app message: https://… or a path such as /upgrade.
    pub link: Option<String>,
    /// The kind of an in-app message: a message, or an offer to chat that the product displays as one; its link opens
    /// the chat.
    #[serde(default)]
    pub kind: InAppKind,
    /// The topic of a mail, from channels.toml. Readers can unsubscribe from it alone; a mail without topic is sent to
    /// everyone who has not stopped all mails.
    pub topic: Option<String>,
    /// The number of days after its decision on which a task is due, 0 to 365; default: 0, the same day.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 365)))]
    pub due_days: Option<u16>,
    /// Makes a mail an invitation to an event: calendars show it with buttons to accept or decline.
    pub invitation: Option<InvitationTemplate>,
}

/// The longest time to a task's due date, in days.
const MAX_DUE_DAYS: u16 = 365;

/// The kind of an in-app message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum InAppKind {
    /// A message.
    #[default]
    Message,
    /// An offer to talk.
    Chat,
}

/// An event that a mail invites to; each field is a template too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InvitationTemplate {
    /// When it begins, with an offset or a time zone: 2026-03-10T10:00:00+01:00 or 2026-03-10T10:00[Europe/Berlin], or a trait that
    /// holds such a time.
    pub start: String,
    /// When it ends, written like `start`.
    pub end: String,
    /// Its title.
    pub title: String,
    /// Its location: a place or a web address.
    pub location: Option<String>,
}

impl Template {
    /// Reads a template, and checks what concerns more than one field.
    pub(crate) fn load(report: &mut Reporter<'_>) -> Option<Self> {
        #[derive(Deserialize)]
        struct Place {
            mjml: Spanned<String>,
        }
        #[derive(Deserialize)]
        struct Due {
            due_days: Spanned<u16>,
        }
        let template = report.parse::<Self>()?;
        if template.html.is_some()
            && template.mjml.is_some()
            && let Some(place) = report.parse::<Place>()
        {
            report.at(place.mjml.span(), "a mail has one HTML part: write html or mjml, not both");
        }
        if template.due_days.is_some_and(|days| days > MAX_DUE_DAYS)
            && let Some(place) = report.parse::<Due>()
        {
            report.at(place.due_days.span(), format!("due_days must be from 0 to {MAX_DUE_DAYS}"));
        }
        Some(template)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_mail_has_one_html_part() {
        let mut errors = Vec::new();
        let text = "subject = \"s\"\ntext = \"t\"\nhtml = \"<p>\"\nmjml = \"<mjml/>\"\n";
        Template::load(&mut Reporter::new("templates/a.toml", text, &mut errors)).unwrap();
        assert_eq!(errors.len(), 1);
        assert_eq!((errors[0].line, errors[0].column), (4, 8));
        assert!(errors[0].message.contains("html or mjml"), "{}", errors[0]);
    }

    #[test]
    fn an_invitation_needs_to_know_when_and_what() {
        let mut errors = Vec::new();
        let text = "subject = \"s\"\ntext = \"t\"\nkind = \"chat\"\n[invitation]\nstart = \"x\"\n";
        let template = Template::load(&mut Reporter::new("templates/a.toml", text, &mut errors)).unwrap();
        assert_eq!(template.kind, InAppKind::Chat);
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|error| error.contains("`end`")), "{told:?}");
        assert!(told.iter().any(|error| error.contains("`title`")), "{told:?}");
    }
}
