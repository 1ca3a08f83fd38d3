//! From a row to calls of the tracking API.

use crate::reject::Code;
use jiff::Timestamp;
use perennial_config::imports::{Import, Rows};
use perennial_config::mapping::{Mapping, Place};
use perennial_contracts::mapping::{self, Payload};
use perennial_contracts::tracking::{Dialect, Route};
use perennial_domain::hash;
use serde_json::{Map, Value, json};

/// A call that was made of a row.
pub(crate) struct Made<'a> {
    /// The call.
    pub(crate) call: Value,
    /// The mapping that made it; `None` for a row that is a call.
    pub(crate) by: Option<&'a Mapping>,
}

/// A row whose id cannot be used.
pub(crate) struct BadId {
    pub(crate) column: String,
    pub(crate) code: Code,
}

/// The members of a call that are objects; a table has them as JSON, or as columns such as `properties.plan`.
const OBJECTS: [&str; 4] = ["properties", "traits", "context", "$set"];

/// The columns of warehouses and their names in a call.
const ALIASES: [(&str, &str); 7] = [
    ("message_id", "messageId"),
    ("user_id", "userId"),
    ("anonymous_id", "anonymousId"),
    ("group_id", "groupId"),
    ("previous_id", "previousId"),
    ("original_timestamp", "originalTimestamp"),
    ("event_name", "event"),
];

/// Returns the calls that a row becomes; none if no map matches. `salt` distinguishes the files that say what holds
/// without saying since when, and `now` is when such a file was made.
pub(crate) fn of_row<'a>(
    import: &'a Import,
    values: Map<String, Value>,
    salt: &str,
    now: Timestamp,
) -> Result<Vec<Made<'a>>, BadId> {
    let made = match &import.rows {
        Rows::Calls => vec![Made { call: call(import, values, salt), by: None }],
        Rows::PostHog => vec![Made { call: posthog(import, values), by: None }],
        // Its rows become no calls.
        Rows::Suppressions(_) => Vec::new(),
        Rows::Maps(maps) => {
            let body = Value::Object(values);
            let payload = Payload { body: &body, signed: None, place: None };
            let calls = mapping::calls(&import.id, maps, payload, salt).into_iter();
            let made = calls.map(|(map, mut call)| {
                call["type"] = map.kind.as_str().into();
                Made { call, by: Some(map) }
            });
            made.collect()
        }
    };
    made.into_iter()
        .map(|mut made| {
            formula(&made)?;
            if made.call.get("timestamp").is_none() && import.rows != Rows::PostHog {
                made.call["timestamp"] = now.to_string().into();
            }
            Ok(made)
        })
        .collect()
}

/// Returns the body of a request with one call, and its route.
pub(crate) fn body(rows: &Rows, call: &Value) -> (Route, String) {
    match rows {
        Rows::PostHog => {
            (Route::Batch(Dialect::PostHog), json!({ "historical_migration": true, "batch": [call] }).to_string())
        }
        Rows::Calls | Rows::Maps(_) | Rows::Suppressions(_) => (Route::Import, format!("[{call}]")),
    }
}

/// Returns a row that is a call.
fn call(import: &Import, mut values: Map<String, Value>, salt: &str) -> Value {
    unfold(&mut values);
    for (column, name) in ALIASES {
        if let Some(value) = values.remove(column).filter(|value| !value.is_null()) {
            values.entry(name).or_insert(value);
        }
    }
    // A log's time is corrected already; against the time of the import, the clock of every client would seem wrong.
    values.remove("sentAt");
    values.remove("sent_at");
    let is_absent = |name: &str| values.get(name).is_none_or(|value| value.is_null() || value == "");
    if is_absent("messageId") {
        let is_of_state = matches!(values.get("type").and_then(Value::as_str), Some("identify" | "group"));
        let is_timed = !is_absent("timestamp") || !is_absent("originalTimestamp");
        let salt = if is_of_state && !is_timed { salt } else { "" };
        let id = id_of(import, &values, salt);
        values.insert("messageId".to_owned(), format!("row-{}", hash::base32(&id[..15])).into());
    }
    if values.get("timestamp").is_none_or(Value::is_null)
        && let Some(original) = values.get("originalTimestamp").filter(|value| !value.is_null()).cloned()
    {
        values.insert("timestamp".to_owned(), original);
    }
    values.into()
}

/// Returns a row that is an event of PostHog.
fn posthog(import: &Import, mut values: Map<String, Value>) -> Value {
    unfold(&mut values);
    values.remove("sent_at");
    let has_id = |of: &Map<String, Value>| {
        ["uuid", "messageId", "message_id", "$insert_id"].iter().any(|name| of.contains_key(*name))
    };
    let inner = values.get("properties").and_then(Value::as_object);
    if !has_id(&values) && !inner.is_some_and(has_id) {
        let id = id_of(import, &values, "");
        let hex = data(&id);
        values.insert("uuid".to_owned(), hex.into());
    }
    values.into()
}

/// Returns 32 hexadecimal digits in the groups of a UUID.
fn data(id: &[u8; 32]) -> String {
    let hex: String = id[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

fn id_of(import: &Import, values: &Map<String, Value>, salt: &str) -> [u8; 32] {
    let row = serde_json::to_string(values).unwrap_or_default();
    hash::sha256(&[b"row", import.id.as_str().as_bytes(), row.as_bytes(), salt.as_bytes()])
}

/// Makes objects of columns such as `properties.plan`, and of columns that contain JSON.
fn unfold(values: &mut Map<String, Value>) {
    let dotted: Vec<String> = values
        .keys()
        .filter(|name| name.split_once('.').is_some_and(|(object, _)| OBJECTS.contains(&object)))
        .cloned()
        .collect();
    for object in OBJECTS {
        if let Some(Value::String(text)) = values.get(object)
            && let Ok(parsed @ Value::Object(_)) = serde_json::from_str(text)
        {
            values.insert(object.to_owned(), parsed);
        }
    }
    for column in dotted {
        let (Some(value), Some((object, name))) = (values.remove(&column), column.split_once('.')) else { continue };
        if let Value::Object(members) = values.entry(object).or_insert_with(|| Map::new().into()) {
            members.insert(name.to_owned(), value);
        }
    }
}

/// Rejects ids that are formulas of a spreadsheet: the file has the formula, and not what it results in.
fn formula(made: &Made<'_>) -> Result<(), BadId> {
    for name in ["userId", "anonymousId", "groupId", "previousId"] {
        if made.call.get(name).and_then(Value::as_str).is_some_and(|id| id.starts_with('=')) {
            return Err(BadId { column: column(made.by, name), code: Code::Formula });
        }
    }
    Ok(())
}

/// Returns the column that the field `path` of a call comes from.
pub(crate) fn column(by: Option<&Mapping>, path: &str) -> String {
    let Some(map) = by else { return path.to_owned() };
    let field = match path {
        "userId" if map.user_id.is_empty() && !map.external_id.is_empty() => "external_id",
        "userId" if map.user_id.is_empty() => "anonymous_id",
        "userId" => "user_id",
        "anonymousId" => "anonymous_id",
        "groupId" | "context.groupId" => "group_id",
        "previousId" => "previous_id",
        "messageId" => "message_id",
        "timestamp" | "originalTimestamp" => "timestamp",
        "event" | "name" => "event_from",
        path => path,
    };
    match map.places().into_iter().find(|(of, _)| *of == field) {
        Some((_, Place::Body(pointer))) => pointer.trim_start_matches('/').replace("~1", "/").replace("~0", "~"),
        _ => path.to_owned(),
    }
}
