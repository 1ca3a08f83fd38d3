//! Merges the context of a batch with that of each call.

use super::call::present;
use super::json::Scanner;
use super::text::write_string;
use std::collections::BTreeMap;

/// Returns `own`, completed from `shared` at every depth; both are validated JSON objects. A `null` in the call's own
/// context is the same as an absent member.
pub(super) fn joined(own: &str, shared: &str) -> String {
    let mut out = String::with_capacity(own.len() + shared.len());
    join(own, shared, &mut out);
    out
}

fn join(own: &str, shared: &str, out: &mut String) {
    let (own, mut shared) = (members(own), members(shared));
    out.push('{');
    let mut first = true;
    for (name, value) in own {
        match (present(value), shared.remove(&name)) {
            (None, Some(beside)) => write(out, &mut first, &name, beside),
            (Some(value), Some(beside)) if value.starts_with('{') && beside.starts_with('{') => {
                write(out, &mut first, &name, "");
                join(value, beside, out);
            }
            _ => write(out, &mut first, &name, value),
        }
    }
    for (name, value) in shared {
        write(out, &mut first, &name, value);
    }
    out.push('}');
}

/// A context without the user's token, which is good for a while and not to be kept.
pub(super) fn without_token(context: &str) -> String {
    let mut out = String::with_capacity(context.len());
    out.push('{');
    let mut first = true;
    for (name, value) in members(context).into_iter().filter(|(name, _)| name != "userToken") {
        write(&mut out, &mut first, &name, value);
    }
    out.push('}');
    out
}

/// Returns the members of a JSON object; the last of a repeated name wins. A map, so that look-ups stay fast however
/// many members a sender includes.
fn members(object: &str) -> BTreeMap<String, &str> {
    let mut members = BTreeMap::new();
    // The text was checked; what cannot be read of it is not there.
    let _checked = Scanner::new(object).object(|scanner, name| {
        members.insert(name.to_owned(), scanner.value()?);
        Ok(())
    });
    members
}

fn write(out: &mut String, first: &mut bool, name: &str, value: &str) {
    if !std::mem::take(first) {
        out.push(',');
    }
    write_string(out, name);
    out.push(':');
    out.push_str(value);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn of(own: &Value, shared: &Value) -> Value {
        serde_json::from_str(&joined(&own.to_string(), &shared.to_string())).unwrap()
    }

    #[test]
    fn the_calls_own_wins_member_by_member() {
        let shared = json!({"groupId":"acct","timezone":"Asia/Tokyo","app":{"name":"shop","version":"1"},"ip":"::1"});
        assert_eq!(of(&json!({}), &shared), shared);
        assert_eq!(
            of(
                &json!({"timezone":"Europe/Rome","app":{"version":"2","build":7},"ip":null,"library":{"name":"x"}}),
                &shared
            ),
            json!({"groupId":"acct","timezone":"Europe/Rome","app":{"name":"shop","version":"2","build":7},"ip":"::1","library":{"name":"x"}})
        );
        assert_eq!(of(&json!({"app":"shop"}), &shared)["app"], "shop");
        assert_eq!(joined(r#"{"a":1,"a":1.50}"#, r#"{"a":3,"b\u0063":4}"#), r#"{"a":1.50,"bc":4}"#);
    }

    fn object() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!(null)), any::<i32>().prop_map(Value::from), ".{0,6}".prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            proptest::collection::btree_map("[a-d\"\\\\]{1,2}", inner, 0..4).prop_map(|map| json!(map))
        })
        .prop_filter("an object", Value::is_object)
    }

    /// The same merge with serde_json's maps.
    fn merged(own: &Value, shared: &Value) -> Value {
        match (own, shared) {
            (Value::Object(own), Value::Object(shared)) => {
                let mut all = shared.clone();
                for (name, value) in own {
                    let value = shared.get(name).map_or_else(|| value.clone(), |beside| merged(value, beside));
                    all.insert(name.clone(), value);
                }
                all.into()
            }
            (Value::Null, shared) => shared.clone(),
            (own, _) => own.clone(),
        }
    }

    proptest! {
        #[test]
        fn joining_text_is_joining_maps(own in object(), shared in object()) {
            prop_assert_eq!(of(&own, &shared), merged(&own, &shared));
        }
    }

    #[test]
    fn token_is_taken_out_and_the_rest_stays_as_it_is() {
        assert_eq!(without_token(r#"{"userToken":"1.a","ip":"::1","n":1.50}"#), r#"{"ip":"::1","n":1.50}"#);
        assert_eq!(without_token(r#"{"userToken":{"a":"1.a"}}"#), "{}");
    }
}
