//! PostHog's events as calls of the tracking API.
//!
//! | event | call |
//! |---|---|
//! | `$identify`, `$set` | identify; traits are `$set_once` and `$set` together |
//! | `$groupidentify` | group; `$group_key`, `$group_set` |
//! | `$create_alias` | alias; `alias` becomes the previous id |
//! | `$pageview`, `$screen` | page, screen |
//! | any other | track |
//!
//! PostHog does not say whether a `distinct_id` is the product's own; it is taken so unless it is the `$device_id` that
//! its browser SDK begins with. The account of a track is `$groups.company`, or its only group.

use super::invalid::{Code, Invalid};
use serde_json::{Map, Value, json};

/// The call that the PostHog event `raw` makes, as JSON.
///
/// # Errors
/// [`Invalid`] if it has no `event`.
pub(crate) fn translate(raw: &str) -> Result<String, Invalid> {
    let not_readable = || Invalid::new(Code::NotAnObject, "", "the event cannot be read", "a JSON object");
    let mut event: Map<String, Value> = serde_json::from_str(raw).map_err(|_| not_readable())?;
    let Some(Value::String(name)) = event.remove("event") else {
        return Err(Invalid::new(Code::Missing, "event", "a PostHog event needs `event`, its name", "text"));
    };
    let mut properties = match event.remove("properties") {
        Some(Value::Object(properties)) => properties,
        None | Some(Value::Null) => Map::new(),
        Some(_) => {
            return Err(Invalid::new(
                Code::WrongType,
                "properties",
                "properties is no object",
                "a JSON object, or null",
            ));
        }
    };
    let distinct_id = event.remove("distinct_id").or_else(|| properties.remove("distinct_id")).unwrap_or_default();
    let id_field = if properties.get("$device_id") == Some(&distinct_id) { "anonymousId" } else { "userId" };

    let mut call = Map::new();
    call.insert(id_field.to_owned(), distinct_id);
    for (theirs, ours) in [("uuid", "messageId"), ("timestamp", "timestamp")] {
        call.insert(ours.to_owned(), event.remove(theirs).unwrap_or_default());
    }
    match name.as_str() {
        "$identify" | "$set" => {
            let traits = ["$set_once", "$set"].into_iter().flat_map(|key| {
                let sets = [event.remove(key), properties.remove(key)];
                sets.into_iter().flatten().filter_map(|set| if let Value::Object(set) = set { Some(set) } else { None })
            });
            let traits: Map<String, Value> = traits.flatten().collect();
            call.extend([("type".to_owned(), "identify".into()), ("traits".to_owned(), traits.into())]);
            if let Some(anonymous) = properties.remove("$anon_distinct_id") {
                call.insert("anonymousId".to_owned(), anonymous);
            }
        }
        "$groupidentify" => {
            let traits = properties.remove("$group_set").filter(Value::is_object).unwrap_or_else(|| json!({}));
            let group = properties.remove("$group_key").unwrap_or_default();
            call.extend([
                ("type".to_owned(), "group".into()),
                ("traits".to_owned(), traits),
                ("groupId".to_owned(), group),
            ]);
        }
        "$create_alias" => {
            let previous = properties.remove("alias").unwrap_or_default();
            call.extend([("type".to_owned(), "alias".into()), ("previousId".to_owned(), previous)]);
        }
        _ => {
            let (kind, title) = match name.as_str() {
                "$pageview" => ("page", properties.get("title").cloned().unwrap_or_default()),
                "$screen" => ("screen", properties.get("$screen_name").cloned().unwrap_or_default()),
                _ => ("track", name.into()),
            };
            let title_field = if kind == "track" { "event" } else { "name" };
            if let Some(group) = account(&properties) {
                call.insert("groupId".to_owned(), group);
            }
            call.extend([
                ("type".to_owned(), kind.into()),
                (title_field.to_owned(), title),
                ("properties".to_owned(), properties.into()),
            ]);
        }
    }
    Ok(Value::from(call).to_string())
}

fn account(properties: &Map<String, Value>) -> Option<Value> {
    let groups = properties.get("$groups")?.as_object()?;
    let only = || groups.values().next().filter(|_| groups.len() == 1);
    groups.get("company").or_else(only).cloned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn call(event: Value) -> Value {
        serde_json::from_str(&translate(&event.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn dollar_events_become_their_calls() {
        let identify = call(
            json!({"event":"$set","distinct_id":"u","$set":{"a":1},"properties":{"$set_once":{"a":0,"b":2}},"uuid":"m"}),
        );
        assert_eq!(
            identify,
            json!({"type":"identify","userId":"u","messageId":"m","timestamp":null,"traits":{"a":1,"b":2}})
        );
        let group = call(
            json!({"event":"$groupidentify","distinct_id":"u","properties":{"$group_key":"acct","$group_set":{"n":1}}}),
        );
        assert_eq!(
            (&group["type"], &group["groupId"], &group["traits"]),
            (&json!("group"), &json!("acct"), &json!({"n":1}))
        );
        let alias = call(json!({"event":"$create_alias","distinct_id":"u","properties":{"alias":"anon"}}));
        assert_eq!(
            (&alias["type"], &alias["userId"], &alias["previousId"]),
            (&json!("alias"), &json!("u"), &json!("anon"))
        );
        let page = call(json!({"event":"$pageview","distinct_id":"d","properties":{"$device_id":"d","title":"Home"}}));
        assert_eq!((&page["type"], &page["anonymousId"], &page["name"]), (&json!("page"), &json!("d"), &json!("Home")));
    }

    #[test]
    fn other_events_are_tracks_of_their_account() {
        let track = call(
            json!({"event":"Order Completed","distinct_id":7,"properties":{"revenue":1,"$groups":{"company":"acct"}}}),
        );
        assert_eq!(
            (&track["type"], &track["event"], &track["groupId"], &track["userId"]),
            (&json!("track"), &json!("Order Completed"), &json!("acct"), &json!(7))
        );
        assert!(translate("{}").unwrap_err().path == "event");
    }
}
