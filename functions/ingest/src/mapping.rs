//! A webhook's payload read as `sources.toml` says.

use http::HeaderMap;
use jiff::Timestamp;
use perennial_config::sources::{Condition, Mapping, Pick, Place};
use perennial_domain::{Currency, EventKind, MessageId, hash};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A payload with the headers it came with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payload<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Value,
    /// Its place among several in one request.
    pub(crate) place: Option<usize>,
}

impl<'a> Payload<'a> {
    /// What is at the first of `places` that holds something other than null.
    fn find(self, places: &[Place]) -> Option<Cow<'a, Value>> {
        places.iter().find_map(|place| self.at(place)).filter(|value| !value.is_null())
    }

    fn at(self, place: &Place) -> Option<Cow<'a, Value>> {
        match place {
            Place::Body(pointer) => self.body.pointer(pointer).filter(|value| !value.is_null()).map(Cow::Borrowed),
            Place::Header(name) => self.headers.get(name)?.to_str().ok().map(|text| Cow::Owned(text.into())),
        }
    }

    fn holds(self, condition: &Condition) -> bool {
        self.at(&condition.place).is_some_and(|found| condition.one_of.contains(&found))
    }
}

/// Whether the mapping is for this payload.
pub(crate) fn fits(mapping: &Mapping, payload: Payload<'_>) -> bool {
    mapping.when.iter().all(|condition| payload.holds(condition))
        && !mapping.unless.iter().any(|condition| payload.holds(condition))
}

/// The call that the payload makes, as the tracking API has it. What is not found is left out, and what is of the wrong type is left to
/// the check that every call passes.
pub(crate) fn call(mapping: &Mapping, payload: Payload<'_>) -> Value {
    let mut call = Map::new();
    let ids = [
        ("userId", &mapping.user_id),
        ("anonymousId", &mapping.anonymous_id),
        ("groupId", &mapping.group_id),
        ("previousId", &mapping.previous_id),
    ];
    for (name, places) in ids {
        if let Some(id) = payload.find(places) {
            call.insert(name.to_owned(), id.into_owned());
        }
    }
    if let Some(id) = message_id(mapping, payload) {
        call.insert("messageId".to_owned(), id.into());
    }
    if let Some(at) = payload.find(&mapping.timestamp) {
        call.insert("timestamp".to_owned(), moment(&at));
    }
    if let Some(event) = &mapping.event {
        let name = if let EventKind::Page | EventKind::Screen = mapping.kind { "name" } else { "event" };
        call.insert(name.to_owned(), event.as_str().into());
    }
    for (name, picks) in [("properties", &mapping.properties), ("traits", &mapping.traits)] {
        let picked: Map<String, Value> =
            picks.iter().filter_map(|(name, pick)| Some((name.clone(), value(pick, payload)?))).collect();
        call.insert(name.to_owned(), picked.into());
    }
    call.into()
}

/// The sender's id and what the mapping makes of it: several mappings may fit one payload.
fn message_id(mapping: &Mapping, payload: Payload<'_>) -> Option<String> {
    let found = payload.find(&mapping.message_id)?;
    let id = match &*found {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    let made = mapping.event.as_ref().map_or(mapping.kind.as_str(), |event| event.as_str());
    let place = payload.place.map(|place| format!(":{place}")).unwrap_or_default();
    let id = format!("{id}{place}:{made}");
    // An id that is too long would be rejected; its hash tells repeats just as well.
    if id.len() <= MessageId::MAX_BYTES { Some(id) } else { Some(hash::base32(&hash::sha256(&[id.as_bytes()]))) }
}

/// Seconds or milliseconds since 1970 as RFC 3339; anything else as it is. Milliseconds reached 10^11 in 1973, seconds will
/// in 5138.
fn moment(value: &Value) -> Value {
    const FIRST_MILLIS: i64 = 100_000_000_000;
    let at = value.as_i64().and_then(|number| {
        if number.abs() < FIRST_MILLIS { Timestamp::from_second(number) } else { Timestamp::from_millisecond(number) }
            .ok()
    });
    at.map_or_else(|| value.clone(), |at| at.to_string().into())
}

fn value(pick: &Pick, payload: Payload<'_>) -> Option<Value> {
    match pick {
        Pick::Value(places) => payload.find(places).map(Cow::into_owned),
        Pick::Money { minor, currency } => {
            let minor = payload.find(minor)?.as_i64()?;
            let currency = Currency::parse(payload.find(currency)?.as_str()?).ok()?;
            serde_json::from_str(&major_units(minor, currency)).ok()
        }
    }
}

/// The decimal number of major units.
fn major_units(minor: i64, currency: Currency) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let scale = 10_u64.pow(currency.exponent());
    let (whole, rest) = (minor.unsigned_abs() / scale, minor.unsigned_abs() % scale);
    match currency.exponent() {
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
        let of = |minor, currency| major_units(minor, Currency::parse(currency).unwrap());
        assert_eq!(of(1990, "usd"), "19.90");
        assert_eq!(of(5, "eur"), "0.05");
        assert_eq!(of(-105, "eur"), "-1.05");
        assert_eq!(of(1200, "jpy"), "1200");
        assert_eq!(of(1234, "kwd"), "1.234");
    }

    #[test]
    fn moments_are_read_in_seconds_milliseconds_and_text() {
        assert_eq!(moment(&json!(1_736_935_200)), "2025-01-15T10:00:00Z");
        assert_eq!(moment(&json!(1_736_935_200_500_i64)), "2025-01-15T10:00:00.5Z");
        assert_eq!(moment(&json!("2025-01-15T10:00:00Z")), "2025-01-15T10:00:00Z");
        assert_eq!(moment(&json!([1])), json!([1]));
    }
}
