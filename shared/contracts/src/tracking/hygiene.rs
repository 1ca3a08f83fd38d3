//! Normalizes traits where needed and records what was changed.

use super::json::Scanner;
use perennial_domain::event::{MAX_TRAIT_BYTES, MAX_TRAIT_NAME_BYTES, MAX_TRAITS};
use perennial_domain::hygiene::traits::{MAX_NOTES, concerns, oversized, standardise};
use perennial_domain::hygiene::{Note, Outcome, Reason};
use perennial_domain::{EventKind, Properties};
use std::borrow::Cow;

/// Returns the JSON of the traits in normal form, with notes on the changes. Traits are parsed only if they may need a
/// change and rewritten only if they do.
pub(super) fn standardised(kind: EventKind, json: &str) -> (Cow<'_, str>, Vec<Note>) {
    let (is_concerned, is_large) = looked_at(kind, json);
    if !is_concerned && !is_large {
        return (Cow::Borrowed(json), Vec::new());
    }
    // The text is validated; if it were not an object, later readers would report it.
    let Ok(mut traits) = serde_json::from_str::<Properties>(json) else { return (Cow::Borrowed(json), Vec::new()) };
    let mut notes = standardise(kind, &mut traits);
    let too_large = if is_large { oversized(&traits) } else { Vec::new() };
    let json =
        if notes.is_empty() { Cow::Borrowed(json) } else { Cow::Owned(serde_json::Value::Object(traits).to_string()) };
    notes.extend(too_large);
    (json, notes)
}

/// Returns whether any trait may not be in its normal form, and whether any may be too large or too many.
fn looked_at(kind: EventKind, json: &str) -> (bool, bool) {
    let (mut is_concerned, mut is_large, mut names) = (false, false, 0);
    let scanned = Scanner::new(json).object(|scanner, name| {
        names += 1;
        is_concerned |= concerns(kind, name);
        let value = scanner.value()?;
        is_large |= name.len() > MAX_TRAIT_NAME_BYTES || value.len() > MAX_TRAIT_BYTES;
        Ok(())
    });
    (is_concerned && scanned.is_ok(), (is_large || names > MAX_TRAITS) && scanned.is_ok())
}

/// Returns notes for the properties whose names are too long to be kept for a message. Like all properties, they stay
/// in the event.
pub(super) fn named_too_long(json: Option<&str>) -> Vec<Note> {
    let Some(json) = json.filter(|json| json.len() > MAX_TRAIT_NAME_BYTES) else { return Vec::new() };
    let mut notes = Vec::new();
    let scanned = Scanner::new(json).object(|scanner, name| {
        if name.len() > MAX_TRAIT_NAME_BYTES && notes.len() < MAX_NOTES {
            let shown = &name[..name.floor_char_boundary(MAX_TRAIT_NAME_BYTES)];
            let field = Cow::Owned(format!("properties.{shown}"));
            notes.push(Note { field, outcome: Outcome::Dropped(Reason::NameTooLong) });
        }
        scanner.value().map(drop)
    });
    if scanned.is_ok() { notes } else { Vec::new() }
}

/// Returns the context with `channel`, and with the notes as its member `hygiene`; each replaces an earlier member of
/// its name. `context` is the JSON of an object with members, if any.
pub(super) fn extended<'a>(context: Option<&'a str>, channel: Option<&str>, notes: &[Note]) -> Option<Cow<'a, str>> {
    if notes.is_empty() && channel.is_none() {
        return context.map(Cow::Borrowed);
    }
    let mut json = context.and_then(|context| context.strip_suffix('}')).unwrap_or("{").to_owned();
    let mut add = |name: &str, value: &str| {
        let comma = if json == "{" { "" } else { "," };
        json.push_str(&format!("{comma}\"{name}\":{value}"));
    };
    if let Some(channel) = channel {
        add("channel", &serde_json::Value::from(channel).to_string());
    }
    if !notes.is_empty() {
        // Plain text always serialises.
        add("hygiene", &serde_json::to_string(notes).unwrap_or_default());
    }
    json.push('}');
    Some(json.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn traits_that_need_nothing_are_passed_as_they_stand() {
        for traits in [r#"{"plan" : "pro"}"#, r#"{ "email":"ada@example.com","n":1.50 }"#] {
            let (json, notes) = standardised(EventKind::Identify, traits);
            assert!(matches!(json, Cow::Borrowed(same) if same == traits) && notes.is_empty());
        }
    }

    #[test]
    fn traits_too_large_to_be_kept_are_told_of_and_stay() {
        let long = "y".repeat(MAX_TRAIT_BYTES);
        let (name, short) = ("n".repeat(MAX_TRAIT_NAME_BYTES + 1), "y".repeat(MAX_TRAIT_BYTES - 2));
        let traits = json!({"bio": long, "city": "Rome", "fits": short, &*name: 1}).to_string();
        for kind in [EventKind::Identify, EventKind::Group] {
            let (same, notes) = standardised(kind, &traits);
            assert_eq!(same, traits);
            let told: Vec<String> = notes.iter().map(ToString::to_string).collect();
            assert_eq!(told[0], "bio dropped: longer than 1024 bytes: not kept in the profile");
            assert!(told[1].starts_with(&format!("{} dropped: its name is longer", &name[..MAX_TRAIT_NAME_BYTES])));
            assert_eq!(told.len(), 2);
        }
        let many: serde_json::Map<String, Value> = (0..=MAX_TRAITS).map(|n| (format!("t{n:03}"), json!(n))).collect();
        let (_, notes) = standardised(EventKind::Identify, &Value::from(many).to_string());
        assert_eq!(notes.len(), 1);
        assert!(notes[0].to_string().starts_with("t100 dropped: more than 100 traits"), "{}", notes[0]);
    }

    #[test]
    fn properties_with_names_too_long_to_be_kept_are_told_of() {
        let (long, fits) = ("p".repeat(MAX_TRAIT_NAME_BYTES + 1), "p".repeat(MAX_TRAIT_NAME_BYTES));
        let told = named_too_long(Some(&json!({ &*long: 1, &*fits: { &*long: 1 } }).to_string()));
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with(&format!("properties.{fits} dropped: its name is longer")), "{}", told[0]);
        let escaped = format!(r#"{{"{}":1}}"#, r"\u0070".repeat(MAX_TRAIT_NAME_BYTES));
        assert!(named_too_long(Some(&escaped)).is_empty() && named_too_long(None).is_empty());
    }

    #[test]
    fn escaped_names_are_seen_through_and_of_repeated_ones_the_last_counts() {
        let (json, notes) =
            standardised(EventKind::Identify, r#"{"\u0065mail":"ADA@X","email":"ada@EXAMPLE.com","n":12345678901}"#);
        assert_eq!(
            serde_json::from_str::<Value>(&json).unwrap(),
            json!({"email": "ada@example.com", "n": 12_345_678_901_u64})
        );
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn notes_join_the_context_and_win_over_one_that_a_client_sent() {
        let (_, notes) = standardised(EventKind::Identify, r#"{"email":"x"}"#);
        let told = json!([{"field": "email", "dropped": "no @"}]);
        for (context, expected) in [
            (None, json!({ "hygiene": told })),
            (Some(r#"{"ip":"::1"}"#), json!({"ip": "::1", "hygiene": told})),
            (Some(r#"{"hygiene":"clean" }"#), json!({ "hygiene": told })),
        ] {
            assert_eq!(serde_json::from_str::<Value>(&extended(context, None, &notes).unwrap()).unwrap(), expected);
        }
        assert_eq!(extended(None, None, &[]), None);
        assert_eq!(extended(None, Some("web"), &[]).unwrap(), r#"{"channel":"web"}"#);
        assert_eq!(extended(Some(r#"{"ip":"::1"}"#), Some("a\"b"), &[]).unwrap(), r#"{"ip":"::1","channel":"a\"b"}"#);
    }
}
