//! Converts PostHog's events to calls of the tracking API.
//!
//! | event | call |
//! |---|---|
//! | `$identify`, `$set` | identify |
//! | `$groupidentify` | group; `$group_key`, `$group_set` |
//! | `$create_alias`, `$merge_dangerously` | alias; `alias` becomes the previous id |
//! | `$pageview`, `$screen` | page, screen |
//! | any other | track |
//!
//! `$set`, `$set_once` and `$unset`, in the event or in its properties, contain the person's traits; with any event but
//! the first two they become a separate identify. `$unset` removes a trait, and `$set_once` sets it only if it is
//! absent. PostHog ignores all of them if `$process_person_profile` is false.
//!
//! PostHog does not say whether a `distinct_id` is the product's own id; it is taken for one unless it is the
//! `$device_id` that its browser SDK starts with, or `$is_identified` is false. The same id may therefore have been
//! sent as both, which PostHog treats as one id: if an alias, or an `$identify` of a client without a device id, names
//! an earlier id, it stands for both. The account of a track is the company among its `$groups`, or its only group. A
//! `$groupidentify` without a user has a `distinct_id` of the group's type and key: it is about the account alone.

use super::ids;
use super::invalid::{Code, Invalid};
use data_encoding::BASE64;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;
use perennial_domain::scalar;
use serde_json::{Map, Value, json};

/// Names for groups of companies, the most likely first.
const COMPANY: [&str; 5] = ["company", "organization", "organisation", "account", "workspace"];
/// Properties of a page or screen, as the tracking API calls them and as PostHog does.
const OF_PAGE: [(&str, &str); 3] = [("path", "$pathname"), ("url", "$current_url"), ("referrer", "$referrer")];
/// Members of the context, as the tracking API calls them and as PostHog does.
const OF_CONTEXT: [(&str, &str); 3] = [("timezone", "$timezone"), ("locale", "$browser_language"), ("ip", "$ip")];

/// The fields for an event's own id, the most likely first.
const MESSAGE_ID: [&str; 4] = ["uuid", "messageId", "message_id", "$insert_id"];

/// A call that an event makes.
#[derive(Debug)]
pub(crate) struct Translated {
    /// Its JSON.
    pub(crate) call: String,
    /// JSON of traits that are to be set only where there are none.
    pub(crate) once: Option<String>,
    /// `true` if it is about an account only.
    pub(crate) of_account: bool,
}

/// The calls that the PostHog event `raw`, received at `now`, makes.
///
/// # Errors
/// [`Invalid`] if it has no `event`.
pub(crate) fn translate(raw: &str, now: Timestamp) -> Result<Vec<Translated>, Invalid> {
    let not_readable = || Invalid::new(Code::NotAnObject, "", "the event cannot be read", "a JSON object");
    let mut event: Map<String, Value> = serde_json::from_str(raw).map_err(|_| not_readable())?;
    let Some(Value::String(name)) = event.remove("event") else {
        return Err(Invalid::new(Code::Missing, "event", "a PostHog event needs `event`, its name", "text"));
    };
    let mut properties = match event.remove("properties") {
        Some(Value::Object(properties)) => properties,
        Some(other) if !is_nothing(&other) => {
            let reason = "properties is no object";
            return Err(Invalid::new(Code::WrongType, "properties", reason, "a JSON object, or null"));
        }
        _ => Map::new(),
    };
    let said = Said::take(&mut event, &mut properties);
    let distinct_id = first_of(&mut event, &mut properties, &["distinct_id", "$distinct_id"]);
    let is_anonymous =
        properties.get("$device_id") == Some(&distinct_id) || properties.get("$is_identified").is_some_and(is_false);
    let id_field = if is_anonymous { "anonymousId" } else { "userId" };
    let message_id = first_of(&mut event, &mut properties, &MESSAGE_ID);
    // For the further calls of this event; without an event id, each call gets a new id anyway.
    let further_id = |made: &str| {
        let own = ids::message_id(Some(&message_id.to_string()));
        Value::from(own.map(|id| ids::id_of(id.as_str(), made)))
    };

    let mut call = Map::from_iter([
        ("messageId".to_owned(), message_id.clone()),
        ("timestamp".to_owned(), timestamp(&mut event, now)),
    ]);
    for (ours, theirs) in [("sentAt", "sent_at"), ("context", "context")] {
        call.extend(event.remove(theirs).map(|value| (ours.to_owned(), value)));
    }
    fill_context(&mut call, &mut properties);
    let with_id = |mut call: Map<String, Value>| {
        call.insert(id_field.to_owned(), distinct_id.clone());
        call
    };

    let mut calls = Vec::new();
    let mut person = with_id(call.clone());
    match name.as_str() {
        "$identify" | "$set" => {
            let anonymous = properties.remove("$anon_distinct_id").filter(|id| *id != distinct_id);
            if let Some(anonymous) = anonymous {
                // A client that sends its device id says of each event whether its id is the product's own. With other
                // clients, an anonymous visitor's events may have been taken for a user's.
                let previous = (!properties.contains_key("$device_id")).then(|| anonymous.clone());
                person.remove(id_field);
                person.extend([("userId".to_owned(), distinct_id.clone()), ("anonymousId".to_owned(), anonymous)]);
                person.extend(previous.map(|id| ("previousId".to_owned(), id)));
            }
            calls.push(said.identify(person));
            return Ok(calls);
        }
        "$groupidentify" => {
            let kind = first_of(&mut event, &mut properties, &["$group_type"]);
            let key = first_of(&mut event, &mut properties, &["$group_key"]);
            let of_account = is_nothing(&distinct_id) || distinct_id == format!("${}_{}", text(&kind), text(&key));
            let traits = first_of(&mut event, &mut properties, &["$group_set"]);
            let mut call = if of_account { call } else { with_id(call) };
            call.extend([
                ("type".to_owned(), "group".into()),
                ("traits".to_owned(), if traits.is_object() { traits } else { json!({}) }),
                ("groupId".to_owned(), key),
            ]);
            calls.push(Translated { call: Value::from(call).to_string(), once: None, of_account });
            if of_account {
                return Ok(calls);
            }
        }
        "$create_alias" | "$merge_dangerously" => {
            let alias = first_of(&mut event, &mut properties, &["alias"]);
            // An anonymous visitor becomes known under the alias: PostHog's clients generate UUIDs for visitors.
            let is_visitor = is_anonymous || (is_uuid(&distinct_id) && !is_uuid(&alias));
            let (user, previous) = if is_visitor { (alias, distinct_id.clone()) } else { (distinct_id.clone(), alias) };
            call.extend([
                ("type".to_owned(), "alias".into()),
                ("userId".to_owned(), user),
                ("previousId".to_owned(), previous),
            ]);
            calls.push(Translated { call: Value::from(call).to_string(), once: None, of_account: false });
        }
        _ => {
            let (kind, title) = match name.as_str() {
                "$pageview" => ("page", properties.get("title").cloned().unwrap_or_default()),
                "$screen" => ("screen", properties.get("$screen_name").cloned().unwrap_or_default()),
                _ => ("track", name.clone().into()),
            };
            let title_field = if kind == "track" { "event" } else { "name" };
            if kind != "track" {
                for (ours, theirs) in OF_PAGE {
                    if let (false, Some(value)) = (properties.contains_key(ours), properties.get(theirs).cloned()) {
                        properties.insert(ours.to_owned(), value);
                    }
                }
            }
            let mut call = with_id(call);
            call.extend(account(&properties).map(|group| ("groupId".to_owned(), group)));
            call.extend([
                ("type".to_owned(), kind.into()),
                (title_field.to_owned(), title),
                ("properties".to_owned(), properties.into()),
            ]);
            calls.push(Translated { call: Value::from(call).to_string(), once: None, of_account: false });
        }
    }
    if !said.is_empty() {
        person.insert("messageId".to_owned(), further_id("$set"));
        calls.push(said.identify(person));
    }
    Ok(calls)
}

/// The write key that an event brings along, as those of the browser SDK do.
pub(crate) fn token(raw: &str) -> Option<String> {
    let event: Value = serde_json::from_str(raw).ok()?;
    let places = ["/api_key", "/token", "/properties/token"];
    places.iter().find_map(|place| event.pointer(place)?.as_str()).map(str::to_owned)
}

/// The JSON of the id that an event brings along; `None` where it has none.
pub(crate) fn message_id(raw: &str) -> Option<String> {
    let mut event: Map<String, Value> = serde_json::from_str(raw).ok()?;
    let mut properties = match event.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    };
    let id = first_of(&mut event, &mut properties, &MESSAGE_ID);
    (!id.is_null()).then(|| id.to_string())
}

/// The JSON in a body that the browser SDK sends as a form, with base64 or without, its fields in any order; `None` for any other.
pub fn unwrapped(body: &str) -> Option<String> {
    let body = body.trim();
    if body.starts_with(['{', '[']) {
        return None;
    }
    let field = body.split('&').find_map(|field| field.strip_prefix("data="))?.replace('+', " ");
    let data = percent_decode_str(&field).decode_utf8().ok()?;
    if data.starts_with(['{', '[']) {
        return Some(data.into_owned());
    }
    // A plus sign that was not escaped became a space.
    let bytes = BASE64.decode(data.trim().replace(' ', "+").as_bytes()).ok()?;
    String::from_utf8(bytes).ok()
}

/// Copies what PostHog's libraries report about themselves and the client into the call's context, unless it is there
/// already.
fn fill_context(call: &mut Map<String, Value>, properties: &mut Map<String, Value>) {
    let token = properties.remove("$user_token");
    let context = call.entry("context").or_insert(Value::Null);
    if is_nothing(context) {
        *context = json!({});
    }
    // A value that is not an object is left to the validation of every call.
    let Some(context) = context.as_object_mut() else { return };
    for (ours, theirs) in OF_CONTEXT {
        if let Some(value) = properties.get(theirs) {
            context.entry(ours).or_insert_with(|| value.clone());
        }
    }
    context.extend(token.map(|token| ("userToken".to_owned(), token)));
    if let Some(name) = properties.get("$lib").filter(|name| !is_nothing(name)) {
        let version = properties.get("$lib_version").cloned().unwrap_or_default();
        context.entry("library").or_insert_with(|| json!({"name": name, "version": version}));
    }
}

/// An event's person properties.
#[derive(Debug)]
struct Said {
    traits: Map<String, Value>,
    once: Map<String, Value>,
}

impl Said {
    /// If a member is in both places, the event's own wins.
    fn take(event: &mut Map<String, Value>, properties: &mut Map<String, Value>) -> Self {
        let is_ignored = properties.get("$process_person_profile").is_some_and(is_false);
        let mut take = |name: &str| {
            let places = [properties.remove(name), event.remove(name)];
            places.into_iter().flatten().filter(|value| !is_ignored && !is_nothing(value)).collect::<Vec<_>>()
        };
        let objects = |values: Vec<Value>| -> Map<String, Value> {
            let objects = values.into_iter().filter_map(|value| match value {
                Value::Object(object) => Some(object),
                _ => None,
            });
            objects.flatten().collect()
        };
        let (mut traits, once) = (objects(take("$set")), objects(take("$set_once")));
        for unset in take("$unset") {
            let names: Vec<String> = match unset {
                Value::Array(names) => names.into_iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
                Value::Object(names) => names.into_iter().map(|(name, _)| name).collect(),
                Value::String(name) => vec![name],
                _ => Vec::new(),
            };
            traits.extend(names.into_iter().map(|name| (name, Value::Null)));
        }
        Self { traits, once: once.into_iter().filter(|(_, value)| !is_nothing(value)).collect() }
    }

    fn is_empty(&self) -> bool {
        self.traits.is_empty() && self.once.is_empty()
    }

    fn identify(self, mut call: Map<String, Value>) -> Translated {
        call.extend([("type".to_owned(), "identify".into()), ("traits".to_owned(), self.traits.into())]);
        let once = (!self.once.is_empty()).then(|| Value::from(self.once).to_string());
        Translated { call: Value::from(call).to_string(), once, of_account: false }
    }
}

/// Removes and returns the first of these members, of the event or its properties, that has a value.
fn first_of(event: &mut Map<String, Value>, properties: &mut Map<String, Value>, names: &[&str]) -> Value {
    let all = names.iter().flat_map(|name| [event.remove(*name), properties.remove(*name)]);
    all.flatten().filter(|value| !is_nothing(value)).collect::<Vec<_>>().into_iter().next().unwrap_or_default()
}

/// Returns the event's time. SDKs that do not trust their clock send an offset in milliseconds instead.
fn timestamp(event: &mut Map<String, Value>, now: Timestamp) -> Value {
    let said = event.remove("timestamp").filter(|said| !is_nothing(said));
    let ago = || {
        let millis = event.get("offset")?.as_f64().filter(|millis| millis.is_finite())?;
        let at = now.checked_sub(SignedDuration::from_millis(millis as i64)).ok()?;
        Some(Value::from(at.to_string()))
    };
    said.or_else(ago).unwrap_or_default()
}

/// Returns whether the value is the same as an absent member.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}

/// Returns whether it is a UUID as text: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12 (RFC 9562).
fn is_uuid(id: &Value) -> bool {
    let groups = id.as_str().unwrap_or_default().split('-');
    let is_hex = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.clone().map(str::len).eq([8, 4, 4, 4, 12]) && groups.clone().all(is_hex)
}

/// Returns whether it is false, as a boolean or as text.
fn is_false(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => !flag,
        Value::String(text) => scalar::truth(text) == Some(false),
        _ => false,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn account(properties: &Map<String, Value>) -> Option<Value> {
    let groups = properties.get("$groups")?.as_object()?;
    let only = || groups.values().next().filter(|_| groups.len() == 1);
    COMPANY.iter().find_map(|kind| groups.get(*kind)).or_else(only).cloned()
}

#[cfg(test)]
#[path = "posthog_tests.rs"]
mod tests;
