//! Types of variables: converts a value as Terraform does, with defaults for optional attributes.

use crate::functions::set;
use hcl::expr::FuncCall;
use hcl::{Expression, Map, ObjectKey, Value};

/// Returns `value` as type `wanted`: unknown attributes are dropped, optional ones are filled in.
///
/// # Errors
/// The value that does not match, with its place.
pub(crate) fn convert(value: Value, wanted: &Expression) -> Result<Value, String> {
    if value.is_null() {
        return Ok(value);
    }
    match wanted {
        Expression::Variable(name) => primitive(value, name.as_str()),
        Expression::FuncCall(call) => constructed(value, call),
        other => Err(format!("`{other}` is no type")),
    }
}

fn primitive(value: Value, wanted: &str) -> Result<Value, String> {
    match (wanted, value) {
        ("any", value) | ("string", value @ Value::String(_)) => Ok(value),
        ("bool", value @ Value::Bool(_)) | ("number", value @ Value::Number(_)) => Ok(value),
        ("string", value @ (Value::Bool(_) | Value::Number(_))) => Ok(value.to_string().into()),
        (wanted, value) => Err(format!("{value} is no {wanted}")),
    }
}

fn constructed(value: Value, call: &FuncCall) -> Result<Value, String> {
    let name = call.name.name.as_str();
    let of = call.args.first().ok_or_else(|| format!("{name} of what?"))?;
    match (name, value) {
        ("list", Value::Array(values)) => Ok(each(values, of)?.into()),
        ("set", Value::Array(values)) => Ok(set(each(values, of)?)),
        ("map", Value::Object(map)) => {
            let entries = map.into_iter().map(|(key, value)| match convert(value, of) {
                Ok(value) => Ok((key, value)),
                Err(problem) => Err(format!("{key}: {problem}")),
            });
            Ok(Value::Object(entries.collect::<Result<_, String>>()?))
        }
        ("object", Value::Object(map)) => object(map, of),
        (name, value) => Err(format!("{value} is no {name}")),
    }
}

fn each(values: Vec<Value>, of: &Expression) -> Result<Vec<Value>, String> {
    let converted = values.into_iter().enumerate();
    converted.map(|(at, value)| convert(value, of).map_err(|problem| format!("[{at}]: {problem}"))).collect()
}

fn object(mut given: Map<String, Value>, of: &Expression) -> Result<Value, String> {
    let Expression::Object(attributes) = of else { return Err(format!("`{of}` are no attributes")) };
    let mut out = Map::new();
    for (key, wanted) in attributes {
        let ObjectKey::Identifier(name) = key else { return Err(format!("`{key}` is no attribute's name")) };
        let name = name.as_str();
        let (wanted, default) = optional(wanted);
        let value = match (given.swap_remove(name), default) {
            (None | Some(Value::Null), Some(default)) => default,
            (Some(value), _) => convert(value, wanted).map_err(|problem| format!("{name}: {problem}"))?,
            (None, None) => return Err(format!("{name} is missing")),
        };
        out.insert(name.to_owned(), value);
    }
    Ok(Value::Object(out))
}

/// Returns the type of an attribute, and its default.
fn optional(wanted: &Expression) -> (&Expression, Option<Value>) {
    match wanted {
        Expression::FuncCall(call) if call.name.name.as_str() == "optional" => match call.args.as_slice() {
            [wanted] => (wanted, Some(Value::Null)),
            [wanted, default, ..] => (wanted, Some(Value::from(default.clone()))),
            [] => (&Expression::Null, None),
        },
        other => (other, None),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn converted(value: serde_json::Value, wanted: &str) -> Result<serde_json::Value, String> {
        let body: hcl::Body = hcl::from_str(&format!("type = {wanted}")).unwrap();
        let wanted = body.attributes().next().unwrap().expr.clone();
        convert(hcl::to_value(value).unwrap(), &wanted).map(|value| serde_json::to_value(value).unwrap())
    }

    #[test]
    fn what_is_optional_is_there_and_what_is_not_asked_for_is_not() {
        let wanted = "object({ a = string, b = optional(number), c = optional(list(string), []) })";
        let found = converted(serde_json::json!({ "a": "x", "d": 1 }), wanted).unwrap();
        assert_eq!(found, serde_json::json!({ "a": "x", "b": null, "c": [] }));
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        let wanted = "object({ a = list(object({ b = number })) })";
        let error = converted(serde_json::json!({ "a": [{ "b": 1 }, { "b": "x" }] }), wanted).unwrap_err();
        assert_eq!(error, "a: [1]: b: \"x\" is no number");
        assert_eq!(converted(serde_json::json!({}), wanted).unwrap_err(), "a is missing");
    }
}
