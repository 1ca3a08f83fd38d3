//! From a webhook's payload to an event.

use super::pick::{Pick, Place, RawPick, RawPlaces};
use crate::error::Reporter;
use crate::spanned::Spanned;
use perennial_domain::{EventKind, EventName, SourceId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawMapping {
    /// Required values: a place = a value, or a list of allowed ones. All must match.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, crate::schema::OneOf>"))]
    when: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    /// Excluded values, written like `when`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, crate::schema::OneOf>"))]
    unless: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    /// Which call it makes.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::CallName"))]
    kind: EventKind,
    /// The event's name; required for a track.
    event: Option<Spanned<String>>,
    /// The place of the person's id. A map needs this, `external_id` or `anonymous_id`.
    #[serde(default)]
    user_id: RawPlaces,
    /// The place of the person's id in another system, by its type as in `external_types` of identity.toml. Without
    /// your own id or an anonymous id, the event belongs to the external id, is linked to the profile that has it, and
    /// triggers nothing by itself. With a user's id, later events of the external id alone are that user's (the first
    /// user's, unless a trait assigns the id to another).
    #[serde(default)]
    external_id: BTreeMap<String, RawPlaces>,
    /// The place of the anonymous id.
    #[serde(default)]
    anonymous_id: RawPlaces,
    /// The place of the account's id; required for a group.
    #[serde(default)]
    group_id: RawPlaces,
    /// The place of the other id; required for an alias.
    #[serde(default)]
    previous_id: RawPlaces,
    /// The place of the sender's id of the event, by which redeliveries are recognized; default: the payload's hash.
    #[serde(default)]
    message_id: RawPlaces,
    /// The place of the time: seconds, milliseconds or microseconds since 1970, or text in any usual format that begins
    /// with the year or names the month; default: the time of receipt.
    #[serde(default)]
    timestamp: RawPlaces,
    /// The event's properties by name.
    #[serde(default)]
    properties: BTreeMap<String, RawPick>,
    /// The traits by name, for an identify or a group.
    #[serde(default)]
    traits: BTreeMap<String, RawPick>,
}

/// A required value at a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The place.
    pub place: Place,
    /// The allowed values; never empty.
    #[serde(with = "crate::stored::json_list")]
    pub one_of: Vec<serde_json::Value>,
}

/// Converts one kind of payload to one event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// It matches if all of these hold …
    pub when: Vec<Condition>,
    /// … and none of these.
    pub unless: Vec<Condition>,
    /// Which call it makes.
    pub kind: EventKind,
    /// The event's name; always present for a track.
    pub event: Option<EventName>,
    /// The user id: the first of these places that contains an id.
    pub user_id: Vec<Place>,
    /// The person's id in another system, by its type: the event's identity if there is no user id, else an id linked
    /// to that user.
    pub external_id: Vec<(String, Vec<Place>)>,
    /// Like `user_id`.
    pub anonymous_id: Vec<Place>,
    /// The account.
    pub group_id: Vec<Place>,
    /// The other id of an alias.
    pub previous_id: Vec<Place>,
    /// The sender's id of the event, by which redeliveries are recognized; the payload itself if none is found.
    pub message_id: Vec<Place>,
    /// When it happened, as [`perennial_domain::timestamp`] reads it.
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
        let event = raw.event.as_ref().and_then(|name| match EventName::parse(name.get_ref()) {
            Ok(event) => Some(event),
            Err(error) => {
                report.at(name.span(), format!("source `{source}`: {error}"));
                None
            }
        });
        let when = conditions(raw.when, source, report);
        let unless = conditions(raw.unless, source, report);
        let mut complain = |message: String| report.at(span.clone(), format!("source `{source}`: {message}"));
        let needs = match raw.kind {
            EventKind::Track if raw.event.is_none() => Some("a track needs event, the name of what was done"),
            EventKind::Group if is_empty(&raw.group_id) => Some("a group needs group_id"),
            EventKind::Alias if is_empty(&raw.previous_id) => Some("an alias needs previous_id"),
            _ if is_empty(&raw.user_id) && raw.external_id.values().all(is_empty) && is_empty(&raw.anonymous_id) => {
                Some("a map needs user_id, external_id or anonymous_id: whose event is it?")
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
            when,
            unless,
            kind: raw.kind,
            event,
            user_id: raw.user_id.compile(&mut complain),
            external_id: raw
                .external_id
                .into_iter()
                .map(|(kind, places)| (kind, places.compile(&mut complain)))
                .collect(),
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

fn conditions(
    raw: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    source: &SourceId,
    report: &mut Reporter<'_>,
) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (place, value) in raw {
        let one_of: Option<Vec<_>> = match value.get_ref() {
            toml::Value::Array(values) if !values.is_empty() => values.iter().map(scalar).collect(),
            one => scalar(one).map(|one| vec![one]),
        };
        match (Place::parse(place.get_ref()), one_of) {
            (Ok(place), Some(one_of)) => conditions.push(Condition { place, one_of }),
            (Err(error), _) => report.at(place.span(), format!("source `{source}`: {error}")),
            (_, None) => report.at(
                value.span(),
                format!(
                    "source `{source}`: {} must equal a text, a number, true/false or one of a list of these",
                    place.get_ref()
                ),
            ),
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
