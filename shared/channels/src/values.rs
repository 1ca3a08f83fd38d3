//! Values in templates: only readable text reaches a reader.
//!
//! Traits and properties may have any value. In text, a text, number or boolean is printed as it is, an object by its
//! `name`, and a list or a missing value as nothing ([`readable`]). Members of objects and lists can still be read
//! (`person.address.city`), looped over and joined. Blank text is absent, as is a program's word for no value
//! (`undefined`, `None`) that is the whole value, except for names: people are called Null and None. An object or a
//! list that was sent as JSON text is parsed.

use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, Output, Value, escape_formatter};
use perennial_domain::traits::{Fact, find, readable};
use serde_json::{Map, Value as Json};
use std::fmt;
use std::sync::Arc;

/// Returns the value under `name` for templates. A program's word for no value is undefined, except for people's names.
fn named(name: &str, json: &Json) -> Value {
    const NOTHING: [&str; 9] = ["null", "NULL", "undefined", "None", "nil", "NaN", "nan", "(null)", "[object Object]"];
    let is_name = matches!(Fact::of(name), Some(Fact::Name | Fact::FirstName | Fact::LastName));
    match json.as_str() {
        Some(text) if !is_name && NOTHING.contains(&text.trim()) => Value::UNDEFINED,
        _ => value(json),
    }
}

/// Parses a text as a JSON object or list.
fn structure(text: &str) -> Option<Json> {
    let is_likely = text.trim_start().starts_with(['{', '[']);
    is_likely.then(|| serde_json::from_str(text).ok()).flatten()
}

/// Returns a JSON value for templates; `null` is not defined there, so that `default` takes its place.
pub(crate) fn value(json: &Json) -> Value {
    /// The largest whole number that a double represents exactly (2^53).
    const MOST_WHOLE: f64 = 9_007_199_254_740_992.0;
    match json {
        Json::Null => Value::UNDEFINED,
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => Value::from(whole),
            (_, Some(whole), _) => Value::from(whole),
            // Put together with `~`, it would be `12.0`.
            (.., Some(double)) if double.fract() == 0.0 && double.abs() <= MOST_WHOLE => Value::from(double as i64),
            (.., double) => double.map_or(Value::UNDEFINED, Value::from),
        },
        Json::String(text) if text.trim().is_empty() => Value::UNDEFINED,
        Json::String(text) => structure(text).map_or_else(|| Value::from(text.as_str()), |json| value(&json)),
        Json::Array(items) => Value::from_object(List(items.iter().filter(|item| !item.is_null()).cloned().collect())),
        Json::Object(members) => Value::from_object(Record(members.clone())),
    }
}

/// Writes a value into text. The formatter of every template.
pub(crate) fn write(out: &mut Output<'_>, state: &mut minijinja::State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = match value.kind() {
        ValueKind::Undefined | ValueKind::None | ValueKind::Seq | ValueKind::Iterable | ValueKind::Bytes => {
            return Ok(());
        }
        ValueKind::Map => match name_of(value) {
            Some(name) => name,
            None => return Ok(()),
        },
        ValueKind::Bool => value.is_true().to_string(),
        ValueKind::Number => {
            let text = value.to_string();
            text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
        }
        _ => return escape_formatter(out, state, value),
    };
    escape_formatter(out, state, &Value::from(text))
}

/// Returns whether a reader sees nothing of a value.
pub(crate) fn is_unseen(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None | ValueKind::Seq | ValueKind::Iterable => true,
        ValueKind::Map => name_of(value).is_none_or(|name| name.trim().is_empty()),
        _ => value.to_string().trim().is_empty(),
    }
}

/// Returns the name of an object.
pub(crate) fn name_of(value: &Value) -> Option<String> {
    value.downcast_object_ref::<Record>().and_then(Record::name)
}

/// A JSON object.
#[derive(Debug)]
struct Record(Map<String, Json>);

impl Record {
    fn name(&self) -> Option<String> {
        readable(find(&self.0, Fact::Name.as_str()).filter(|name| name.is_string())?)
    }
}

impl Object for Record {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        self.0.get(name).map(|json| named(name, json)).filter(|value| !value.is_undefined())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        names(&self.0)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name().unwrap_or_default())
    }
}

/// A JSON array.
#[derive(Debug)]
struct List(Vec<Json>);

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_usize()?).map(value)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn render(self: &Arc<Self>, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// Traits, each found by any spelling of its fact ([`Fact`]).
#[derive(Debug, Clone, Default)]
pub(crate) struct Traits {
    /// As they were sent, without those that were removed.
    pub(crate) sent: Map<String, Json>,
    /// The values of facts that have several spellings.
    pub(crate) facts: Map<String, Json>,
}

impl Traits {
    /// Returns a trait's value, in any spelling.
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        match Fact::of(name) {
            Some(fact) => self.facts.get(fact.as_str()).or_else(|| find(&self.sent, name)),
            None => self.sent.get(name),
        }
    }
}

impl Object for Traits {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let text = self.get(name)?;
        let held = text.as_str().and_then(structure);
        let found = held.as_ref().unwrap_or(text);
        // A company without a name cannot be printed; its other members can still be read.
        let nameless = Fact::of(name) == Some(Fact::Company) && found.is_object() && readable(found).is_none();
        let found = match found {
            Json::Object(members) if nameless => Value::from_object(Nameless(Arc::new(Record(members.clone())))),
            found => named(name, found),
        };
        Some(found).filter(|found| !found.is_undefined())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        names(&self.sent)
    }

    fn render(self: &Arc<Self>, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// An object that is false in conditions, because it has no name to print.
#[derive(Debug)]
struct Nameless(Arc<Record>);

impl Object for Nameless {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get_value(key)
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn render(self: &Arc<Self>, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

fn names(members: &Map<String, Json>) -> Enumerator {
    let known = members.iter().filter(|(_, value)| !value.is_null());
    Enumerator::Values(known.map(|(name, _)| Value::from(name.as_str())).collect())
}

#[cfg(test)]
#[path = "values_tests.rs"]
mod tests;
