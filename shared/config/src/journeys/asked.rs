//! Which properties of the event that starts a journey its templates put in, and its waits count from: only those are kept.

use super::{Does, Journey, Wait};
use crate::channels::Template;
use perennial_domain::Channel;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Their name in templates.
const PROPERTIES: &str = "event.properties";

/// Properties of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// Those of these names; none if empty.
    Named(BTreeSet<String>),
    /// All: a template iterates over them, or computes their names.
    #[default]
    All,
}

impl Asked {
    /// Returns the properties that the templates of a journey's messages use, those that its waits count from, and `answers`, the properties with survey answers
    /// and texts, if it makes tasks: a colleague reads what was said.
    pub(crate) fn by(journey: &Journey, templates: &BTreeMap<String, Template>, answers: &[&str]) -> Self {
        let from = |does: &Does| match does {
            Does::Wait(Wait::Event { from, .. }) => from.clone(),
            _ => None,
        };
        let mut named: BTreeSet<String> = journey.steps.iter().filter_map(|step| from(&step.does)).collect();
        if journey.messages().any(|message| message.channel == Channel::Webhook) {
            named.extend(answers.iter().map(|name| (*name).to_owned()));
        }
        for template in journey.messages().filter_map(|message| templates.get(&message.template)) {
            let invitation = template.invitation.as_ref();
            let parts = [
                Some(&template.subject),
                Some(&template.text),
                template.html.as_ref(),
                template.mjml.as_ref(),
                template.link.as_ref(),
                invitation.map(|invitation| &invitation.start),
                invitation.map(|invitation| &invitation.end),
                invitation.map(|invitation| &invitation.title),
                invitation.and_then(|invitation| invitation.location.as_ref()),
            ];
            for text in parts.into_iter().flatten() {
                for (at, _) in text.match_indices(PROPERTIES) {
                    match name(text.get(at + PROPERTIES.len()..).unwrap_or_default()) {
                        Some(name) => drop(named.insert(name)),
                        None => return Self::All,
                    }
                }
            }
        }
        Self::Named(named)
    }

    /// Returns whether the property is among them.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::Named(names) => names.contains(name),
            Self::All => true,
        }
    }
}

/// Returns the name of a member at the beginning of `text`: `.plan`, `["plan name"]` or `['plan']`.
fn name(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        return (end > 0).then(|| rest[..end].to_owned());
    }
    let rest = text.strip_prefix('[')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, after) = rest[1..].split_once(quote)?;
    after.trim_start().starts_with(']').then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_in_each_of_their_spellings() {
        for (text, found) in [
            (".plan }}", Some("plan")),
            (".plan.id | upper", Some("plan")),
            ("[\"plan name\"] }}", Some("plan name")),
            ("['plan']", Some("plan")),
            ("[key]", None),
            (" }}", None),
            (".", None),
        ] {
            assert_eq!(name(text).as_deref(), found, "{text}");
        }
    }
}
