//! Constants of compiled conditions in a stored configuration: [`Value`]s that borrow nothing, as [`Const`]s.

use super::value::{List, Value};
use super::vocabulary::Const;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use std::borrow::Cow;

pub(super) fn serialize<S: Serializer>(value: &Value<'static>, serializer: S) -> Result<S::Ok, S::Error> {
    let constant = stored(value).ok_or_else(|| ser::Error::custom("a condition contains an object"))?;
    constant.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value<'static>, D::Error> {
    Const::deserialize(deserializer).map(value)
}

/// `None` for a JSON object, which conditions cannot write.
fn stored(value: &Value<'_>) -> Option<Const> {
    Some(match value {
        Value::Null => Const::Null,
        Value::Bool(b) => Const::Bool(*b),
        Value::Int(i) => Const::Int(*i),
        Value::Double(d) => Const::Double(*d),
        Value::Text(text) => Const::Text(text.clone().into_owned()),
        Value::List(list) => Const::List(list.iter().map(|element| stored(&element)).collect::<Option<_>>()?),
        Value::Map(_) => return None,
    })
}

fn value(constant: Const) -> Value<'static> {
    match constant {
        Const::Null => Value::Null,
        Const::Bool(b) => Value::Bool(b),
        Const::Int(i) => Value::Int(i),
        Const::Double(d) => Value::Double(d),
        Const::Text(text) => Value::Text(Cow::Owned(text)),
        Const::List(list) => Value::List(List::Owned(list.into_iter().map(value).collect())),
    }
}
