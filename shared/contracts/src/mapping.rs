//! Maps a webhook's payload, or a row of a file, to a call of the tracking API as `sources.toml` and `imports.toml`
//! define.

mod convert;

use crate::tracking::id_of;
use http::HeaderMap;
use perennial_config::mapping::{Condition, Mapping, Pick, Place, Spread};
use perennial_config::sources::Scheme;
use perennial_domain::billing::Interval;
use perennial_domain::event::{context_of, link_to};
use perennial_domain::identity::is_placeholder;
use perennial_domain::{Currency, EventKind, SourceId, hash, scalar, timestamp};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A payload, and what it came with.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    /// The payload, or the row.
    pub body: &'a Value,
    /// The headers and the signature of a webhook; `None` for a row of a file.
    pub signed: Option<Signed<'a>>,
    /// Its place among several in one request.
    pub place: Option<usize>,
}

/// The delivery of a webhook.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The signature scheme.
    pub scheme: Scheme,
}

impl<'a> Payload<'a> {
    /// Returns the value at the first of `places` that has one: null and empty text do not count.
    fn find(self, places: &[Place]) -> Option<Cow<'a, Value>> {
        places.iter().find_map(|place| self.at(place))
    }

    /// Returns the same for an id, for which placeholders and empty lists and objects do not count either.
    fn find_id(self, places: &[Place]) -> Option<Cow<'a, Value>> {
        places.iter().find_map(|place| self.id_at(place))
    }

    fn id_at(self, place: &Place) -> Option<Cow<'a, Value>> {
        self.at(place).filter(|value| match &**value {
            Value::String(text) => !is_placeholder(text),
            Value::Number(number) => !is_placeholder(&number.to_string()),
            Value::Array(all) => !all.is_empty(),
            Value::Object(all) => !all.is_empty(),
            _ => true,
        })
    }

    fn at(self, place: &Place) -> Option<Cow<'a, Value>> {
        let found = match place {
            Place::Body(pointer) => self.body.pointer(pointer).map(Cow::Borrowed),
            Place::Header(name) => self.signed?.headers.get(name)?.to_str().ok().map(|text| Cow::Owned(text.into())),
        };
        found.filter(|value| !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty()))
    }

    /// Returns all values of a place in the body, in which members `*` stand for every element of a list.
    fn all_at(self, place: &Place) -> Vec<&'a Value> {
        let Place::Body(pointer) = place else { return Vec::new() };
        let mut parts = pointer.split("/*");
        let first = parts.next().unwrap_or_default();
        let mut found: Vec<&Value> = self.body.pointer(first).into_iter().collect();
        for rest in parts {
            let elements = found.into_iter().filter_map(Value::as_array).flatten();
            found = elements.filter_map(|element| element.pointer(rest)).collect();
        }
        found
    }

    /// Returns the sum of the amounts at `place` in all elements of a list, each multiplied by the number at one of
    /// `times` in the same element, for the interval of the list's first element. An element without an amount or without the number,
    /// such as a usage-based one, adds nothing; `None` if no element has an amount, or the place is not in a list.
    fn sum_at(self, place: &Place, times: &[Place], (units, counts): (&[Place], &[Place])) -> Option<i64> {
        let (list, amount) = in_list(place)?;
        let elements = self.body.pointer(list)?.as_array()?;
        let at = |element: &'a Value, places: &[Place]| {
            let own = |place| in_list(place).filter(|(of, _)| *of == list).and_then(|(_, rest)| element.pointer(rest));
            places.iter().find_map(own)
        };
        let number = |element| if times.is_empty() { Some(1) } else { whole(at(element, times)?) };
        let interval = |element| {
            let count = at(element, counts).and_then(whole).and_then(|count| u32::try_from(count).ok());
            Interval::parse(at(element, units)?.as_str()?, count)
        };
        let first = elements.first().and_then(interval);
        let amounts = elements.iter().filter_map(|element| Some((whole(element.pointer(amount)?)?, element)));
        let amounts = amounts.map(|(amount, element)| {
            let amount = amount.checked_mul(number(element).unwrap_or(0))?;
            match (interval(element), first) {
                (Some(own), Some(first)) => own.converted(amount, first),
                _ => Some(amount),
            }
        });
        let mut amounts = amounts.peekable();
        amounts.peek()?;
        amounts.try_fold(0_i64, |sum, amount| sum.checked_add(amount?))
    }

    /// Returns whether there is a time at `first`, and it is later than that at `second` if there is one.
    fn is_later(self, first: &Place, second: &Place) -> bool {
        let at = |place| self.at(place).and_then(|found| timestamp::of_json(&found));
        at(first).is_some_and(|first| at(second).is_none_or(|second| first > second))
    }

    fn holds(self, condition: &Condition) -> bool {
        match self.at(&condition.place) {
            Some(found) => condition.one_of.iter().any(|wanted| same(&found, wanted)),
            None => condition.one_of.iter().any(|wanted| wanted == ""),
        }
    }
}

/// Splits a place in each element of a list (`/items/*/amount`) into the place of the list, and the place in the
/// element.
fn in_list(place: &Place) -> Option<(&str, &str)> {
    let Place::Body(pointer) = place else { return None };
    pointer.split_once("/*")
}

/// Returns whether two values are equal; numbers and booleans also equal their text, as in forms.
fn same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::String(text), Value::Number(number)) | (Value::Number(number), Value::String(text)) => {
            scalar::number(text).is_some_and(|spelled| number.as_f64() == Some(spelled))
        }
        (Value::String(text), Value::Bool(flag)) | (Value::Bool(flag), Value::String(text)) => {
            scalar::truth(text) == Some(*flag)
        }
        (Value::Number(found), Value::Number(wanted)) => found.as_f64() == wanted.as_f64(),
        (found, wanted) => found == wanted,
    }
}

/// Returns the calls of the tracking API that a payload becomes, each with its mapping: one for each that matches, in their
/// order.
///
/// Calls of one payload that would have the same message id (the sender's id or the payload, and the name of the event or
/// the kind of the call) are numbered from the second one on, so that each counts.
pub fn calls<'a>(
    source: &SourceId,
    mappings: &'a [Mapping],
    payload: Payload<'_>,
    salt: &str,
) -> Vec<(&'a Mapping, Value)> {
    let matching = mappings.iter().filter(|mapping| fits(mapping, payload));
    let mut calls: Vec<_> = matching.map(|mapping| (mapping, call(source, mapping, payload, salt))).collect();
    let mut seen: Vec<(String, u32)> = Vec::new();
    for (_, call) in &mut calls {
        let Some(id) = call["messageId"].as_str() else { continue };
        match seen.iter_mut().find(|(known, _)| known == id) {
            None => seen.push((id.to_owned(), 1)),
            Some((id, count)) => {
                *count += 1;
                call["messageId"] = id_of(id, &count.to_string()).into();
            }
        }
    }
    calls
}

/// Returns whether the mapping matches this payload.
fn fits(mapping: &Mapping, payload: Payload<'_>) -> bool {
    mapping.when.iter().all(|condition| payload.holds(condition))
        && !mapping.unless.iter().any(|condition| payload.holds(condition))
        && mapping.later.iter().all(|(first, second)| payload.is_later(first, second))
}

/// Returns the payload as a call of the tracking API. Missing values are left out, and values of the wrong type are
/// left to the validation of every call. Without an id of the sender, the message id follows from the payload, and of an
/// `identify` or `group` without a time also from `salt`: it says what holds, and the same may hold again later.
fn call(source: &SourceId, mapping: &Mapping, payload: Payload<'_>, salt: &str) -> Value {
    let mut call = Map::new();
    let ids = [
        ("userId", &mapping.user_id),
        ("anonymousId", &mapping.anonymous_id),
        ("groupId", &mapping.group_id),
        ("previousId", &mapping.previous_id),
    ];
    for (name, places) in ids {
        if let Some(id) = payload.find_id(places) {
            call.insert(name.to_owned(), id.into_owned());
        }
    }
    set_device_apart(&mut call, mapping.user_id.iter().find(|place| payload.id_at(place).is_some()));
    let mut external = mapping.external_id.iter();
    if let Some((kind, id)) = external.find_map(|(kind, places)| Some((kind, payload.find_id(places)?))) {
        let context = if call.contains_key("userId") { link_to(kind, &id) } else { context_of(kind, &id) };
        call.insert("context".to_owned(), context.into());
    }
    if let Some(at) = payload.find(&mapping.timestamp) {
        call.insert("timestamp".to_owned(), convert::time(&mapping.time_form, &at).unwrap_or_else(|| at.into_owned()));
    }
    let event = match (&mapping.event, &mapping.event_from) {
        (Some(event), _) => Some(event.as_str().into()),
        (None, Some(from)) => value(from, payload),
        (None, None) => None,
    };
    let named = event.as_ref().and_then(text);
    if let Some(event) = event {
        let name = if let EventKind::Page | EventKind::Screen = mapping.kind { "name" } else { "event" };
        call.insert(name.to_owned(), event);
    }
    let filled = [
        ("properties", &mapping.properties, &mapping.all_properties),
        ("traits", &mapping.traits, &mapping.all_traits),
    ];
    for (name, picks, all) in filled {
        let mut picked = spread(mapping, all, payload);
        picked.extend(picks.iter().filter_map(|(name, pick)| Some((name.clone(), value(pick, payload)?))));
        call.insert(name.to_owned(), picked.into());
    }
    let made = named.as_deref().unwrap_or_else(|| mapping.kind.as_str());
    let says_what_holds = matches!(mapping.kind, EventKind::Identify | EventKind::Group);
    let salt = if says_what_holds && !call.contains_key("timestamp") { salt } else { "" };
    let mut call = Value::from(call);
    let id = message_id(source, mapping, payload, &call, salt);
    call["messageId"] = id_of(&id, made).into();
    call
}

/// The prefix of Mixpanel's `distinct_id` of a device that nobody has signed in on.
/// <https://docs.mixpanel.com/docs/tracking-methods/id-management/identifying-users-simplified>
const DEVICE: &str = "$device:";

/// A device's id in the place of a user's is an anonymous id: one with Mixpanel's prefix, and a `distinct_id` that is the device's.
fn set_device_apart(call: &mut Map<String, Value>, place: Option<&Place>) {
    let is_distinct = matches!(place, Some(Place::Body(pointer)) if pointer.ends_with("distinct_id"));
    let Some(user) = call.get("userId").and_then(Value::as_str) else { return };
    if let Some(device) = user.strip_prefix(DEVICE).map(str::to_owned) {
        call.remove("userId");
        call.entry("anonymousId").or_insert_with(|| device.into());
    } else if is_distinct && call.get("anonymousId").and_then(Value::as_str) == Some(user) {
        call.remove("userId");
    }
}

/// Returns the members that are taken over with their names. Null and empty text are left out, as everywhere.
fn spread(mapping: &Mapping, all: &Spread, payload: Payload<'_>) -> Map<String, Value> {
    if all.is_empty() {
        return Map::new();
    }
    let mut found = Map::new();
    let mut take = |name: &String, value: &Value| {
        let is_value = !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty());
        if is_value && !found.contains_key(name) {
            found.insert(name.clone(), value.clone());
        }
    };
    for place in &all.objects {
        if let Some(Value::Object(members)) = payload.at(place).as_deref() {
            members.iter().for_each(|(name, value)| take(name, value));
        }
    }
    if let (true, Value::Object(members)) = (all.rest, payload.body) {
        let read = mapping.places();
        let is_read = |name: &str| read.iter().any(|(_, place)| first_member(place).is_some_and(|first| first == name));
        members.iter().filter(|(name, _)| !is_read(name)).for_each(|(name, value)| take(name, value));
    }
    found
}

/// Returns the member of the payload that a place begins with.
fn first_member(place: &Place) -> Option<Cow<'_, str>> {
    let Place::Body(pointer) = place else { return None };
    let first = pointer.split('/').nth(1)?;
    Some(if first.contains('~') { first.replace("~1", "/").replace("~0", "~").into() } else { first.into() })
}

/// Returns the key of a delivery: the sender's id together with the mapping, as several mappings may match one payload.
/// Senders retry deliveries without a timely response, so without a sender's id the payload is the key.
///
/// Several payloads of one request that share a header's id are distinguished by their places; their own id may still
/// be that of several changes (HubSpot), so the content of the call is part of the key, wherever a retry puts it. A
/// header that the signature does not cover is not used: anyone who has seen a webhook could send it again with another
/// one.
fn message_id(source: &SourceId, mapping: &Mapping, payload: Payload<'_>, call: &Value, salt: &str) -> String {
    let digest = |parts: &[&str]| {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        hash::base32(&hash::sha256(&parts)[..15])
    };
    let covers = |place: &&Place| payload.signed.is_none_or(|signed| signed.scheme.covers(place));
    let found = mapping.message_id.iter().filter(covers).find_map(|place| {
        let value = payload.id_at(place)?;
        Some((place, text(&value)?))
    });
    let parts: Vec<String> =
        mapping.message_parts.iter().filter_map(|place| text(payload.id_at(place)?.as_ref())).collect();
    match (found, payload.place) {
        (None, _) if !parts.is_empty() => {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            format!("parts-{}", digest(&[&[source.as_str()], &parts[..]].concat()))
        }
        (Some((_, id)), None) => id,
        (Some((Place::Header(_), id)), Some(place)) => format!("{id}:{place}"),
        (Some((Place::Body(_), id)), Some(_)) => format!("{id}:{}", digest(&[&call.to_string()])),
        (None, _) if salt.is_empty() => {
            format!("payload-{}", digest(&[source.as_str(), &payload.body.to_string()]))
        }
        (None, _) => format!("payload-{}", digest(&[source.as_str(), &payload.body.to_string(), salt])),
    }
}

/// An id's text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

fn value(pick: &Pick, payload: Payload<'_>) -> Option<Value> {
    match pick {
        Pick::Value(places) => payload.find(places).map(Cow::into_owned),
        Pick::Latest(places) => {
            let found = places.iter().flat_map(|place| payload.all_at(place));
            let dated = found.filter_map(|value| Some((timestamp::of_json(value)?, value)));
            dated.max_by_key(|(at, _)| *at).map(|(_, value)| value.clone())
        }
        Pick::Money { minor, times, interval, interval_count, currency, stripe } => {
            let intervals = (interval.as_slice(), interval_count.as_slice());
            let of_list = || minor.iter().find_map(|place| payload.sum_at(place, times, intervals));
            let minor = payload.find(minor).as_deref().and_then(whole).or_else(of_list)?;
            let currency = Currency::parse(payload.find(currency)?.as_str()?).ok()?;
            let is_stripes = payload.signed.is_some_and(|signed| signed.scheme == Scheme::Stripe);
            let places = if is_stripes || *stripe { stripe_places(currency) } else { currency.exponent() };
            serde_json::from_str(&major_units(minor, places)).ok()
        }
        Pick::Convert(convert) => convert::converted(convert, payload.find(&convert.from)?.into_owned()),
        Pick::Constant(value) => Some(value.clone()),
    }
}

/// Reads a whole number, or its text.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Returns the decimal places of Stripe's amounts. They differ from ISO 4217 in a few currencies: two places for the
/// króna and the Ugandan shilling, which have none any more, none for the ariary, and two for dinars that it does not
/// list with three. <https://docs.stripe.com/currencies#special-cases>
fn stripe_places(currency: Currency) -> u32 {
    match currency.as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "MGA" | "PYG" | "RWF" | "VND" | "VUV" | "XAF"
        | "XOF" | "XPF" => 0,
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// Returns the decimal number of major units for an amount in minor units with so many decimal places.
fn major_units(minor: i64, places: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let scale = 10_u64.pow(places);
    let (whole, rest) = (minor.unsigned_abs() / scale, minor.unsigned_abs() % scale);
    match places {
        0 => format!("{sign}{whole}"),
        places => format!("{sign}{whole}.{rest:0places$}", places = places as usize),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn minor_units_become_exact_decimals() {
        let of = |minor, currency| major_units(minor, Currency::parse(currency).unwrap().exponent());
        assert_eq!(of(1990, "usd"), "19.90");
        assert_eq!(of(5, "eur"), "0.05");
        assert_eq!(of(-105, "eur"), "-1.05");
        assert_eq!(of(1200, "jpy"), "1200");
        assert_eq!(of(1234, "kwd"), "1.234");
    }

    #[test]
    fn stripes_amounts_follow_its_own_table() {
        let of = |minor, currency| major_units(minor, stripe_places(Currency::parse(currency).unwrap()));
        let cases = [
            (50_000, "isk", "500.00"),
            (500, "ugx", "5.00"),
            (500, "mga", "500"),
            (1999, "jpy", "1999"),
            (1990, "kwd", "1.990"),
            (1000, "iqd", "10.00"),
            (100, "huf", "1.00"),
            (1999, "usd", "19.99"),
        ];
        for (minor, currency, major) in cases {
            assert_eq!(of(minor, currency), major, "{currency}");
        }
    }

    #[test]
    fn numbers_and_truth_values_are_compared_with_their_text() {
        for (found, wanted) in [
            (json!("1"), json!(1)),
            (json!(1), json!("1")),
            (json!(1.0), json!(1)),
            (json!("True"), json!(true)),
            (json!(false), json!("false")),
            (json!("a"), json!("a")),
        ] {
            assert!(same(&found, &wanted), "{found} {wanted}");
        }
        for (found, wanted) in
            [(json!("2"), json!(1)), (json!(1), json!(true)), (json!("a"), json!("A")), (json!(""), json!(0))]
        {
            assert!(!same(&found, &wanted), "{found} {wanted}");
        }
    }
}
