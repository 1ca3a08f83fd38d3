//! Fields of compiled types whose own form in `serde` does not suit a stored configuration: their order is not fixed, or
//! a format without names of types cannot read it.

mod deferred;

pub(crate) use deferred::Deferred;
pub use deferred::Unreadable;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Writes a map in the order of its keys, so that the same configuration always has the same bytes.
pub(crate) fn sorted_map<V: Serialize, S: Serializer>(
    map: &HashMap<String, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    map.iter().collect::<BTreeMap<_, _>>().serialize(serializer)
}

/// Writes a set in alphabetical order.
pub(crate) fn sorted_set<S: Serializer>(set: &HashSet<String>, serializer: S) -> Result<S::Ok, S::Error> {
    set.iter().collect::<BTreeSet<_>>().serialize(serializer)
}

/// A JSON value with its type written before it.
#[derive(Serialize, Deserialize)]
enum Json {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Double(f64),
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

impl From<&serde_json::Value> for Json {
    fn from(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(b) => Self::Bool(*b),
            serde_json::Value::Number(n) => match (n.as_u64(), n.as_i64(), n.as_f64()) {
                (Some(n), ..) => Self::Unsigned(n),
                (None, Some(n), _) => Self::Signed(n),
                (None, None, n) => Self::Double(n.unwrap_or_default()),
            },
            serde_json::Value::String(text) => Self::Text(text.clone()),
            serde_json::Value::Array(list) => Self::List(list.iter().map(Self::from).collect()),
            serde_json::Value::Object(map) => Self::Map(pairs(map)),
        }
    }
}

impl From<Json> for serde_json::Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(b),
            Json::Unsigned(n) => Self::from(n),
            Json::Signed(n) => Self::from(n),
            Json::Double(n) => Self::from(n),
            Json::Text(text) => Self::String(text),
            Json::List(list) => Self::Array(list.into_iter().map(Self::from).collect()),
            Json::Map(pairs) => Self::Object(map(pairs)),
        }
    }
}

fn pairs(map: &serde_json::Map<String, serde_json::Value>) -> Vec<(String, Json)> {
    map.iter().map(|(key, value)| (key.clone(), Json::from(value))).collect()
}

fn map(pairs: Vec<(String, Json)>) -> serde_json::Map<String, serde_json::Value> {
    pairs.into_iter().map(|(key, json)| (key, json.into())).collect()
}

/// A list of JSON values.
pub(crate) mod json_list {
    use super::{Deserialize, Deserializer, Json, Serializer};

    pub(crate) fn serialize<S: Serializer>(values: &[serde_json::Value], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(Json::from))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<serde_json::Value>, D::Error> {
        Ok(Vec::<Json>::deserialize(deserializer)?.into_iter().map(Into::into).collect())
    }
}

/// A JSON object.
pub(crate) mod json_map {
    use super::{Deserialize, Deserializer, Serialize, Serializer, map, pairs};

    type Map = serde_json::Map<String, serde_json::Value>;

    pub(crate) fn serialize<S: Serializer>(object: &Map, serializer: S) -> Result<S::Ok, S::Error> {
        pairs(object).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map, D::Error> {
        Vec::deserialize(deserializer).map(map)
    }
}

/// JSON values by name.
pub(crate) mod json_by_name {
    use super::{BTreeMap, Deserialize, Deserializer, Json, Serializer};

    type Values = BTreeMap<String, serde_json::Value>;

    pub(crate) fn serialize<S: Serializer>(values: &Values, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(values.iter().map(|(name, value)| (name, Json::from(value))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Values, D::Error> {
        let values = BTreeMap::<String, Json>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|(name, value)| (name, value.into())).collect())
    }
}

/// A time zone that may be missing, by its IANA name.
pub(crate) mod optional_time_zone {
    use super::{Deserialize, Deserializer, Serialize, Serializer, time_zone};
    use jiff::tz::TimeZone;

    #[derive(Serialize, Deserialize)]
    struct Named(#[serde(with = "time_zone")] TimeZone);

    pub(crate) fn serialize<S: Serializer>(zone: &Option<TimeZone>, serializer: S) -> Result<S::Ok, S::Error> {
        zone.clone().map(Named).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TimeZone>, D::Error> {
        Ok(Option::<Named>::deserialize(deserializer)?.map(|Named(zone)| zone))
    }
}

/// A time zone, by its IANA name.
pub(crate) mod time_zone {
    use super::{Deserialize, Deserializer, Serialize, Serializer};
    use jiff::tz::TimeZone;
    use serde::de::Error as _;

    const UTC: &str = "UTC";

    pub(crate) fn serialize<S: Serializer>(zone: &TimeZone, serializer: S) -> Result<S::Ok, S::Error> {
        zone.iana_name().unwrap_or(UTC).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeZone, D::Error> {
        let name = String::deserialize(deserializer)?;
        // The database is used only for other zones: it costs more than the rest of the configuration.
        if name == UTC { Ok(TimeZone::UTC) } else { TimeZone::get(&name).map_err(D::Error::custom) }
    }
}

/// Days of the week, as their number from Monday, 0.
pub(crate) mod weekdays {
    use super::{Deserialize, Deserializer, Serializer};
    use jiff::civil::Weekday;
    use serde::de::Error as _;

    pub(crate) fn serialize<S: Serializer>(days: &[Weekday], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(days.iter().map(|day| day.to_monday_zero_offset()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Weekday>, D::Error> {
        let numbers = Vec::<i8>::deserialize(deserializer)?;
        numbers.into_iter().map(Weekday::from_monday_zero_offset).collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}
