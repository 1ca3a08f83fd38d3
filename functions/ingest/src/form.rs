//! Converts bodies of `application/x-www-form-urlencoded` to JSON.
//!
//! GitHub and Slack put the whole JSON into one field, `payload`. Elsewhere each field is a member, and names in
//! brackets are objects and lists: `data[email]=…`, `items[0][id]=…`, `tags[]=…`. Every value is text.

use percent_encoding::percent_decode_str;
use perennial_contracts::tracking::surrogates;
use serde_json::{Map, Value};

/// The field with JSON.
const PAYLOAD: &str = "payload";
/// The most fields of a body.
const MAX_FIELDS: usize = 2_000;
/// The deepest nesting of names in brackets.
const MAX_DEPTH: usize = 16;

/// The body's JSON; `None` where `text` is no form.
pub(crate) fn read(text: &str) -> Option<Value> {
    // `multipart/form-data` and XML with attributes would pass for one field.
    let text = text.trim();
    if text.starts_with("--") || text.starts_with('<') {
        return None;
    }
    let pairs: Vec<(String, String)> = text
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').map(|(name, value)| (decoded(name), decoded(value))))
        .collect::<Option<_>>()?;
    if pairs.is_empty() || pairs.len() > MAX_FIELDS {
        return None;
    }
    let payload = pairs.iter().find(|(name, _)| name == PAYLOAD);
    if let Some(json) = payload.and_then(|(_, value)| surrogates::read::<Value>(value.as_bytes()).ok())
        && (json.is_object() || json.is_array())
    {
        return Some(json);
    }
    let mut form = Value::Object(Map::new());
    for (name, value) in pairs {
        put(&mut form, &path(&name)?, value);
    }
    Some(form)
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Splits `a[b][]` into `a`, `b` and an empty name.
fn path(name: &str) -> Option<Vec<&str>> {
    let Some((first, rest)) = name.split_once('[').filter(|(first, rest)| !first.is_empty() && rest.ends_with(']'))
    else {
        return Some(vec![name]);
    };
    let rest = &rest[..rest.len() - 1];
    let path: Vec<&str> = std::iter::once(first).chain(rest.split("][")).collect();
    (path.len() <= MAX_DEPTH).then_some(path)
}

fn put(within: &mut Value, path: &[&str], value: String) {
    let Some((name, rest)) = path.split_first() else {
        *within = value.into();
        return;
    };
    let is_next = |list: &[Value]| name.is_empty() || name.parse() == Ok(list.len());
    match within {
        Value::Array(list) if is_next(list) => {
            list.push(Value::Null);
            if let Some(last) = list.last_mut() {
                put(last, rest, value);
            }
        }
        Value::Array(list) => {
            if let Some(known) = name.parse().ok().and_then(|at: usize| list.get_mut(at)) {
                put(known, rest, value);
            }
        }
        Value::Object(object) => put(object.entry(*name).or_insert(Value::Null), rest, value),
        other => {
            let is_list = is_next(&[]);
            *other = if is_list { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
            put(other, path, value);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_json_in_the_field_payload_is_the_body() {
        assert_eq!(read("payload=%7B%22a%22%3A%22b+c%2Bd%22%7D"), Some(json!({"a": "b c+d"})));
        assert_eq!(read("x=1&payload=%5B1%5D"), Some(json!([1])));
        assert_eq!(read("payload=text"), Some(json!({"payload": "text"})));
    }

    #[test]
    fn fields_are_members_and_brackets_objects_and_lists() {
        let form = "type=subscribe&data%5Bemail%5D=ada%40acme.com&data[merges][FNAME]=Ada&tags[]=a&tags[]=b&items[0][id]=1&items[1][id]=2&empty=";
        let expected = json!({"type":"subscribe","data":{"email":"ada@acme.com","merges":{"FNAME":"Ada"}},"tags":["a","b"],
            "items":[{"id":"1"},{"id":"2"}],"empty":""});
        assert_eq!(read(form), Some(expected));
        assert_eq!(read("a=1&a=2&b[=3"), Some(json!({"a":"2","b[":"3"})));
    }

    #[test]
    fn what_is_no_form_is_none() {
        for text in [
            "",
            " ",
            "&",
            "hello",
            "<xml/>",
            "<?xml version=\"1.0\"?><event id=\"1\"/>",
            "a=1&b",
            "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--",
            "a[1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1]=x",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"a=1&".repeat(MAX_FIELDS + 1)), None);
    }

    proptest! {
        #[test]
        fn no_form_is_too_hostile(text in "[a\\[\\]=&%+0-9é]{0,60}") {
            read(&text);
        }
    }
}
