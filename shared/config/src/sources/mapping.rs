//! From a webhook's payload to an event.

use super::pick::{Pick, Place, RawPick, RawPlaces};
use crate::error::Reporter;
use perennial_domain::{EventKind, EventName, SourceId};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMapping {
    #[serde(default)]
    when: BTreeMap<String, toml::Value>,
    #[serde(default)]
    unless: BTreeMap<String, toml::Value>,
    #[serde(rename = "type")]
    kind: EventKind,
    event: Option<String>,
    #[serde(default)]
    user_id: RawPlaces,
    #[serde(default)]
    anonymous_id: RawPlaces,
    #[serde(default)]
    group_id: RawPlaces,
    #[serde(default)]
    previous_id: RawPlaces,
    #[serde(default)]
    message_id: RawPlaces,
    #[serde(default)]
    timestamp: RawPlaces,
    #[serde(default)]
    properties: BTreeMap<String, RawPick>,
    #[serde(default)]
    traits: BTreeMap<String, RawPick>,
}

/// What must be found at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Where to look.
    pub place: Place,
    /// One of these; never empty.
    pub one_of: Vec<serde_json::Value>,
}

/// How one kind of payload becomes one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// It fits if all of these hold …
    pub when: Vec<Condition>,
    /// … and none of these.
    pub unless: Vec<Condition>,
    /// Which call it makes.
    pub kind: EventKind,
    /// The event's name; always there for a track.
    pub event: Option<EventName>,
    /// Whose it is: the first of these places that has text or a whole number.
    pub user_id: Vec<Place>,
    /// As `user_id`.
    pub anonymous_id: Vec<Place>,
    /// The account.
    pub group_id: Vec<Place>,
    /// The other id of an alias.
    pub previous_id: Vec<Place>,
    /// What tells a repeated delivery: the sender's id of the event.
    pub message_id: Vec<Place>,
    /// When it happened: RFC 3339, or seconds or milliseconds since 1970.
    pub timestamp: Vec<Place>,
    /// Properties by name.
    pub properties: Vec<(String, Pick)>,
    /// Traits by name.
    pub traits: Vec<(String, Pick)>,
}

impl Mapping {
    pub(super) fn compile(source: &SourceId, raw: Spanned<RawMapping>, report: &mut Reporter<'_>) -> Self {
        let span = raw.span();
        let raw = raw.into_inner();
        let mut complain = |message: String| report.at(span.clone(), format!("source `{source}`: {message}"));
        let event = raw
            .event
            .as_deref()
            .and_then(|name| EventName::parse(name).map_err(|error| complain(error.to_string())).ok());
        let needs = match raw.kind {
            EventKind::Track if raw.event.is_none() => Some("a track needs event, the name of what was done"),
            EventKind::Group if is_empty(&raw.group_id) => Some("a group needs group_id"),
            EventKind::Alias if is_empty(&raw.previous_id) => Some("an alias needs previous_id"),
            _ if is_empty(&raw.user_id) && is_empty(&raw.anonymous_id) => {
                Some("a map needs user_id or anonymous_id: whose event is it?")
            }
            _ => None,
        };
        if let Some(needs) = needs {
            complain(needs.to_owned());
        }
        let picks = |picks: BTreeMap<String, RawPick>, complain: &mut dyn FnMut(String)| -> Vec<(String, Pick)> {
            picks.into_iter().map(|(name, pick)| (name, pick.compile(&mut |message| complain(message)))).collect()
        };
        Self {
            when: conditions(raw.when, &mut complain),
            unless: conditions(raw.unless, &mut complain),
            kind: raw.kind,
            event,
            user_id: raw.user_id.compile(&mut complain),
            anonymous_id: raw.anonymous_id.compile(&mut complain),
            group_id: raw.group_id.compile(&mut complain),
            previous_id: raw.previous_id.compile(&mut complain),
            message_id: raw.message_id.compile(&mut complain),
            timestamp: raw.timestamp.compile(&mut complain),
            properties: picks(raw.properties, &mut complain),
            traits: picks(raw.traits, &mut complain),
        }
    }
}

fn is_empty(places: &RawPlaces) -> bool {
    matches!(places, RawPlaces::Several(places) if places.is_empty())
}

fn conditions(raw: BTreeMap<String, toml::Value>, complain: &mut impl FnMut(String)) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (place, value) in raw {
        let one_of: Option<Vec<_>> = match &value {
            toml::Value::Array(values) if !values.is_empty() => values.iter().map(scalar).collect(),
            one => scalar(one).map(|one| vec![one]),
        };
        match (Place::parse(&place), one_of) {
            (Ok(place), Some(one_of)) => conditions.push(Condition { place, one_of }),
            (Err(error), _) => complain(error),
            (_, None) => complain(format!("{place} must equal a text, a number, true/false or one of a list of these")),
        }
    }
    conditions
}

/// A value that a field can be compared with.
fn scalar(value: &toml::Value) -> Option<serde_json::Value> {
    match value {
        toml::Value::String(text) => Some(text.clone().into()),
        toml::Value::Integer(number) => Some((*number).into()),
        toml::Value::Float(number) => Some((*number).into()),
        toml::Value::Boolean(flag) => Some((*flag).into()),
        _ => None,
    }
}
