//! From a webhook's payload, or a row of a file, to a call of the tracking API.

mod convert;
mod pick;
mod place;
mod suppression;

pub use convert::{Convert, Other, Target, TimeForm};
pub use pick::Pick;
pub use place::Place;

pub(crate) use convert::zone_of;
pub(crate) use pick::RawPick;
pub(crate) use place::RawPlaces;
pub(crate) use suppression::RawSuppression;

use crate::error::Reporter;
use crate::spanned::Spanned;
use jiff::tz::TimeZone;
use perennial_domain::{EventKind, EventName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RawMapping {
    /// Required values: a place = a value, or a list of allowed ones. All must match. "" is no value, or an empty one.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, crate::schema::OneOf>"))]
    when: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    /// Excluded values, written like `when`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, crate::schema::OneOf>"))]
    unless: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    /// Two places of times: the first must be later than the second. Holds if there is no second time, and not without the
    /// first.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, String>"))]
    later: BTreeMap<Spanned<String>, Spanned<String>>,
    /// Which call it makes.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::CallName"))]
    kind: EventKind,
    /// The event's name; required for a track, unless `event_from` gives it.
    event: Option<Spanned<String>>,
    /// The place of the event's name, written like a property: "/action", or { from = "/action", values = { login =
    /// "Signed In" } }.
    event_from: Option<RawPick>,
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
    /// Places whose values are the id together, if the sender has none for what should count once: a webinar and who attended it. Missing ones
    /// are left out.
    #[serde(default)]
    message_parts: RawPlaces,
    /// The place of the time: seconds, milliseconds or microseconds since 1970, or text in any usual format that begins
    /// with the year or names the month; default: the time of receipt.
    #[serde(default)]
    timestamp: RawMoment,
    /// Places of objects whose members all become properties, or "*" for every field that the map does not read
    /// otherwise. Properties by name come first.
    #[serde(default)]
    all_properties: RawPlaces,
    /// The same for traits.
    #[serde(default)]
    all_traits: RawPlaces,
    /// The event's properties by name.
    #[serde(default)]
    properties: BTreeMap<String, RawPick>,
    /// The traits by name, for an identify or a group.
    #[serde(default)]
    traits: BTreeMap<String, RawPick>,
}

/// The place of a time, a list of places, or { from = PLACE, format = "%d.%m.%Y", zone = "Europe/Rome" }.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    expecting = "takes a place such as \"/created_at\", a list of places, or { from = PLACE, format = \"%d.%m.%Y\", zone = \"Europe/Rome\" }"
)]
enum RawMoment {
    Places(RawPlaces),
    Formed(RawFormed),
}

impl Default for RawMoment {
    fn default() -> Self {
        Self::Places(RawPlaces::default())
    }
}

/// The place of a time with its form.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawFormed {
    /// The place of the time, or a list of places.
    from: RawPlaces,
    /// Its form, as in strftime; default: every usual spelling.
    format: Option<String>,
    /// The time zone of times without one; default: UTC.
    zone: Option<String>,
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
    /// … and none of these, …
    pub unless: Vec<Condition>,
    /// … and the time at the first place of each pair is later than that at the second, if there is one.
    pub later: Vec<(Place, Place)>,
    /// Which call it makes.
    pub kind: EventKind,
    /// The event's name; for a track, present if `event_from` is not.
    pub event: Option<EventName>,
    /// The event's name, as the payload says it.
    pub event_from: Option<Pick>,
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
    /// Values that identify the event together, without an id of the sender.
    pub message_parts: Vec<Place>,
    /// When it happened …
    pub timestamp: Vec<Place>,
    /// … in this form; by default, as [`perennial_domain::timestamp`] reads it.
    pub time_form: TimeForm,
    /// Objects whose members all become properties.
    pub all_properties: Spread,
    /// Objects whose members all become traits.
    pub all_traits: Spread,
    /// Properties by name.
    pub properties: Vec<(String, Pick)>,
    /// Traits by name.
    pub traits: Vec<(String, Pick)>,
}

/// Values that are taken over with their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// The members of the objects at these places; a name's first value counts.
    pub objects: Vec<Place>,
    /// All members of the payload that no place of the mapping begins with.
    pub rest: bool,
}

impl Spread {
    /// Returns whether nothing is taken over.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && !self.rest
    }

    fn compile(raw: RawPlaces, complain: &mut impl FnMut(String)) -> Self {
        let (rest, places): (Vec<String>, Vec<String>) = raw.texts().into_iter().partition(|text| text == "*");
        Self { objects: RawPlaces::Several(places).compile(complain), rest: !rest.is_empty() }
    }
}

impl Mapping {
    /// Compiles a mapping of `owner`, such as "source `stripe`", whose times without a time zone are of `zone`.
    pub(crate) fn compile(
        owner: &str,
        zone: Option<&TimeZone>,
        raw: Spanned<RawMapping>,
        report: &mut Reporter<'_>,
    ) -> Self {
        let span = raw.span();
        let raw = raw.into_inner();
        let event = raw.event.as_ref().and_then(|name| match EventName::parse(name.get_ref()) {
            Ok(event) => Some(event),
            Err(error) => {
                report.at(name.span(), format!("{owner}: {error}"));
                None
            }
        });
        let when = conditions(raw.when, owner, report);
        let unless = conditions(raw.unless, owner, report);
        let later = pairs(raw.later, owner, report);
        let mut complain = |message: String| report.at(span.clone(), format!("{owner}: {message}"));
        let needs = match raw.kind {
            EventKind::Track if raw.event.is_none() && raw.event_from.is_none() => {
                Some("a track needs event, the name of what was done, or event_from, its place")
            }
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
        let (timestamp, mut time_form) = match raw.timestamp {
            RawMoment::Places(places) => (places, TimeForm::default()),
            RawMoment::Formed(formed) => {
                (formed.from, convert::time_form(formed.format, formed.zone.as_deref(), &mut complain))
            }
        };
        time_form.zone = time_form.zone.or_else(|| zone.cloned());
        let picks = |picks: BTreeMap<String, RawPick>, complain: &mut dyn FnMut(String)| -> Vec<(String, Pick)> {
            picks.into_iter().map(|(name, pick)| (name, pick.compile(&mut |message| complain(message)))).collect()
        };
        Self {
            when,
            unless,
            later,
            kind: raw.kind,
            event,
            event_from: raw.event_from.map(|pick| pick.compile(&mut complain)),
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
            message_parts: raw.message_parts.compile(&mut complain),
            timestamp: timestamp.compile(&mut complain),
            time_form,
            all_properties: Spread::compile(raw.all_properties, &mut complain),
            all_traits: Spread::compile(raw.all_traits, &mut complain),
            properties: picks(raw.properties, &mut complain),
            traits: picks(raw.traits, &mut complain),
        }
    }
}

impl Mapping {
    /// Returns the places of everything that a call gets, each with the field of the mapping that names it: all but those
    /// of its conditions.
    pub fn places(&self) -> Vec<(&'static str, &Place)> {
        let each: Vec<(&'static str, Vec<&Place>)> = vec![
            ("event_from", self.event_from.iter().flat_map(Pick::places).collect()),
            ("user_id", self.user_id.iter().collect()),
            ("external_id", self.external_id.iter().flat_map(|(_, places)| places).collect()),
            ("anonymous_id", self.anonymous_id.iter().collect()),
            ("group_id", self.group_id.iter().collect()),
            ("previous_id", self.previous_id.iter().collect()),
            ("message_id", self.message_id.iter().collect()),
            ("message_parts", self.message_parts.iter().collect()),
            ("timestamp", self.timestamp.iter().collect()),
            ("all_properties", self.all_properties.objects.iter().collect()),
            ("all_traits", self.all_traits.objects.iter().collect()),
            ("properties", self.properties.iter().flat_map(|(_, pick)| pick.places()).collect()),
            ("traits", self.traits.iter().flat_map(|(_, pick)| pick.places()).collect()),
        ];
        each.into_iter().flat_map(|(name, places)| places.into_iter().map(move |place| (name, place))).collect()
    }
}

fn is_empty(places: &RawPlaces) -> bool {
    matches!(places, RawPlaces::Several(places) if places.is_empty())
}

fn conditions(
    raw: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    owner: &str,
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
            (Err(error), _) => report.at(place.span(), format!("{owner}: {error}")),
            (_, None) => report.at(
                value.span(),
                format!(
                    "{owner}: {} must equal a text, a number, true/false or one of a list of these",
                    place.get_ref()
                ),
            ),
        }
    }
    conditions
}

/// Pairs of places of times.
fn pairs(
    raw: BTreeMap<Spanned<String>, Spanned<String>>,
    owner: &str,
    report: &mut Reporter<'_>,
) -> Vec<(Place, Place)> {
    let mut place = |text: &Spanned<String>| match Place::parse(text.get_ref()) {
        Ok(place) => Some(place),
        Err(error) => {
            report.at(text.span(), format!("{owner}: {error}"));
            None
        }
    };
    raw.iter().filter_map(|(first, second)| place(first).zip(place(second))).collect()
}

/// A value that a field can be compared with.
pub(crate) fn scalar(value: &toml::Value) -> Option<serde_json::Value> {
    match value {
        toml::Value::String(text) => Some(text.clone().into()),
        toml::Value::Integer(number) => Some((*number).into()),
        toml::Value::Float(number) => Some((*number).into()),
        toml::Value::Boolean(flag) => Some((*flag).into()),
        _ => None,
    }
}
