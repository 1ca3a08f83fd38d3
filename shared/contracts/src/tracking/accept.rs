//! From a call to the event's JSON.

use super::body::{Item, moment};
use super::call::{Call, present};
use super::hygiene::{annotated, standardised};
use super::invalid::{Code, Invalid};
use super::json::Scanner;
use super::route::{self, Dialect};
use super::text::{escape_noncharacters, unquoted, write_string};
use super::{MAX_EVENT_BYTES, posthog, time};
use jiff::Timestamp;
use perennial_domain::hygiene::{Note, Outcome, Reason, Zone};
use perennial_domain::identity::is_placeholder;
use perennial_domain::{
    AccountId, AnonymousId, EventKind, EventName, Identity, InvalidId, MessageId, SourceId, UserId, hash,
};
use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

const TEXT: &str = "text, or a whole number";
const OBJECT: &str = "a JSON object, or null";
const MOMENT: &str = "a time in RFC 3339, such as 2026-01-31T09:30:00.000Z";
const KINDS: &str = "identify, track, page, screen, group or alias";

/// How a body was received: what every event of it is stamped with.
#[derive(Debug)]
pub struct Received {
    source: SourceId,
    at: Timestamp,
    at_json: String,
    sent_at: Option<Timestamp>,
}

impl Received {
    /// Received from `source` at `at`, from a client that says it sent the body at `sent_at`.
    pub fn new(source: SourceId, at: Timestamp, sent_at: Option<Timestamp>) -> Self {
        Self { source, at, at_json: format!("\"{at}\""), sent_at }
    }

    /// Where from.
    pub const fn source(&self) -> &SourceId {
        &self.source
    }

    /// When.
    pub const fn at(&self) -> Timestamp {
        self.at
    }
}

/// An event that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Whose it is.
    pub identity: Identity,
    /// Where its JSON is in the buffer that it was written to.
    pub json: Range<usize>,
    /// What was done to its traits, and what was dropped of the call.
    pub notes: Vec<Note>,
}

impl Item<'_> {
    /// Checks the call, brings it into the form of [`perennial_domain::Event`] and appends its JSON to `out`.
    ///
    /// - The kind is the path's, else `type`.
    /// - Ids are trimmed; null and empty ones are not there, nor is what programs write where they have none ([`is_placeholder`]);
    ///   whole numbers are taken as their text.
    /// - `timestamp`, else `originalTimestamp`, else the moment of receipt; corrected by `sentAt` as [`time::corrected`]
    ///   says. `originalTimestamp` of the event is what the client said.
    /// - The account is `groupId`, else `context.groupId`. The traits of an identify are `traits`, else `context.traits`.
    /// - Traits of an identify or a group are brought into their normal form, see [`perennial_domain::hygiene::traits`]; those that have none
    ///   are left out. What was done is told in `context.hygiene` and in [`Accepted::notes`].
    /// - Without a `messageId` one is derived from the fields that a retry does not change. Two events without one that
    ///   agree in every field are therefore one.
    ///
    /// # Errors
    /// [`Invalid`] for the first thing found wrong; then `out` is as it was.
    pub fn accept(&self, received: &Received, out: &mut String) -> Result<Accepted, Invalid> {
        if self.raw.len() > MAX_EVENT_BYTES {
            let reason = format!("the event has {} bytes", self.raw.len());
            return Err(Invalid::new(Code::EventTooLarge, "", reason, "at most 32768 bytes of JSON"));
        }
        let Some(call) = &self.call else {
            return Err(Invalid::new(Code::NotAnObject, "", "an event must be a JSON object", "a JSON object"));
        };
        if let Some(flaw) = self.apart.flaw {
            return Err(Invalid::flaw(flaw, self.start));
        }
        let start = out.len();
        let accepted = match self.dialect {
            Dialect::Segment => accept(call, self.kind, self.apart.special, received, out),
            Dialect::PostHog => {
                let translated = posthog::translate(self.raw)?;
                // What the translation writes is JSON; should it not be, the event is refused and not lost.
                let call = Call::scan(&mut Scanner::new(&translated)).map_err(|_| {
                    Invalid::new(Code::NotAnObject, "", "the event cannot be translated", "a PostHog event")
                })?;
                accept(&call, None, true, received, out)
            }
        };
        if accepted.is_err() {
            out.truncate(start);
        }
        accepted
    }
}

fn accept(
    call: &Call<'_>,
    kind: Option<EventKind>,
    special: bool,
    received: &Received,
    out: &mut String,
) -> Result<Accepted, Invalid> {
    let start = out.len();
    let kind = kind.map_or_else(|| read_kind(call), Ok)?;
    let mut notes = Vec::new();
    let user_id = id(call.user_id, "userId", UserId::MAX_BYTES, UserId::parse)?;
    let user_id = unless_placeholder(user_id, UserId::as_str, "userId", &mut notes);
    let anonymous_id = id(call.anonymous_id, "anonymousId", AnonymousId::MAX_BYTES, AnonymousId::parse)?;
    let anonymous_id = unless_placeholder(anonymous_id, AnonymousId::as_str, "anonymousId", &mut notes);
    let group_id = match id(call.group_id, "groupId", AccountId::MAX_BYTES, AccountId::parse)? {
        Some(group_id) => Some(group_id),
        None => id(call.context_group_id, "context.groupId", AccountId::MAX_BYTES, AccountId::parse)?,
    };
    let group_id = unless_placeholder(group_id, AccountId::as_str, "groupId", &mut notes);
    let previous_id = match kind {
        EventKind::Alias => id(call.previous_id, "previousId", AnonymousId::MAX_BYTES, AnonymousId::parse)?,
        _ => None,
    };
    let previous_id = unless_placeholder(previous_id, AnonymousId::as_str, "previousId", &mut notes);
    let (name, name_path) = match kind {
        EventKind::Page | EventKind::Screen => (call.name, "name"),
        _ => (call.event, "event"),
    };
    let event = match kind {
        EventKind::Track | EventKind::Page | EventKind::Screen => {
            id(name, name_path, EventName::MAX_BYTES, EventName::parse)?
        }
        _ => None,
    };
    match kind {
        EventKind::Track if event.is_none() => {
            return Err(missing("event", "a track call needs `event`, the name of what was done"));
        }
        EventKind::Group if group_id.is_none() => {
            return Err(missing(
                "groupId",
                "a group call needs `groupId`, the account, and no placeholder such as null or 0",
            ));
        }
        EventKind::Alias if previous_id.is_none() => {
            return Err(missing(
                "previousId",
                "an alias call needs `previousId`, and no placeholder such as null or 0",
            ));
        }
        EventKind::Alias if user_id.is_none() => {
            return Err(missing("userId", "an alias call needs `userId`, and no placeholder such as null or 0"));
        }
        _ => {}
    }
    let message_id = id(call.message_id, "messageId", MessageId::MAX_BYTES, MessageId::parse)?;
    let happened = read_moment(call)?;
    let timestamp = happened.map(|happened| corrected(happened, call, received)).transpose()?;

    match &message_id {
        Some(message_id) => write_text(out, "{\"messageId\":", message_id.as_str()),
        None => write_text(out, "{\"messageId\":", &derived_id(call, kind, &received.source)),
    }
    write_text(out, ",\"type\":", kind.as_str());
    write_optional(out, ",\"userId\":", user_id.as_ref().map(UserId::as_str));
    write_optional(out, ",\"anonymousId\":", anonymous_id.as_ref().map(AnonymousId::as_str));
    match timestamp {
        Some(timestamp) => write_moment(out, ",\"timestamp\":", timestamp),
        None => write_raw(out, ",\"timestamp\":", &received.at_json),
    }
    if let Some(happened) = happened {
        write_moment(out, ",\"originalTimestamp\":", happened);
    }
    write_raw(out, ",\"receivedAt\":", &received.at_json);
    write_text(out, ",\"source\":", received.source.as_str());
    write_optional(out, ",\"event\":", event.as_ref().map(EventName::as_str));
    write_optional(out, ",\"groupId\":", group_id.as_ref().map(AccountId::as_str));
    write_optional(out, ",\"previousId\":", previous_id.as_ref().map(AnonymousId::as_str));
    match kind {
        EventKind::Track | EventKind::Page | EventKind::Screen => {
            write_object(out, ",\"properties\":", filled(call.properties, "properties")?);
        }
        EventKind::Identify => {
            let traits = match filled(call.traits, "traits")? {
                Some(traits) => Some(traits),
                None => filled(call.context_traits, "context.traits")?,
            };
            notes.extend(write_traits(out, kind, traits));
        }
        EventKind::Group => notes.extend(write_traits(out, kind, filled(call.traits, "traits")?)),
        EventKind::Alias => {}
    }
    notes.extend(call.context_timezone.and_then(zone_note));
    write_object(out, ",\"context\":", annotated(filled(call.context, "context")?, &notes).as_deref());
    out.push('}');
    if special {
        escape_noncharacters(out, start);
    }
    let identity = match (user_id, anonymous_id) {
        (Some(user), _) => Identity::User(user),
        (None, Some(anonymous)) => Identity::Anonymous(anonymous),
        (None, None) => {
            let reason =
                "an event needs a userId or an anonymousId that is not empty and no placeholder such as null or 0";
            return Err(Invalid::new(Code::NoIdentity, "userId", reason, TEXT));
        }
    };
    Ok(Accepted { identity, json: start..out.len(), notes })
}

fn missing(path: &'static str, reason: &'static str) -> Invalid {
    Invalid::new(Code::Missing, path, reason, TEXT)
}

fn read_kind(call: &Call<'_>) -> Result<EventKind, Invalid> {
    let Some(raw) = call.kind else {
        return Err(Invalid::new(Code::Missing, "type", "an event of a batch needs `type`", KINDS));
    };
    if !raw.starts_with('"') {
        return Err(Invalid::new(Code::WrongType, "type", format!("type is {}", what_is(raw)), KINDS));
    }
    route::kind(&unquoted(raw)).ok_or_else(|| Invalid::new(Code::InvalidValue, "type", "type names no call", KINDS))
}

/// A note where `context.timezone` is no time zone: it says nothing then.
fn zone_note(raw: &str) -> Option<Note> {
    let text = if raw.starts_with('"') { unquoted(raw) } else { Cow::Borrowed(raw) };
    let reason = match raw.as_bytes().first() {
        Some(b'{' | b'[' | b't' | b'f') => Reason::NotText,
        _ => Reason::Zone(Zone::parse(&text).err()?),
    };
    Some(Note { field: "context.timezone", outcome: Outcome::Dropped(reason) })
}

/// `id` where it is one; a placeholder is noted and is none.
fn unless_placeholder<T>(
    id: Option<T>,
    text: impl Fn(&T) -> &str,
    field: &'static str,
    notes: &mut Vec<Note>,
) -> Option<T> {
    let placeholder = id.as_ref().is_some_and(|id| is_placeholder(text(id)));
    if placeholder {
        notes.push(Note { field, outcome: Outcome::Dropped(Reason::Absent) });
        return None;
    }
    id
}

/// An id or a name; `None` where it is not there, null or empty.
fn id<T>(
    raw: Option<&str>,
    path: &'static str,
    max: usize,
    parse: impl FnOnce(&str) -> Result<T, InvalidId>,
) -> Result<Option<T>, Invalid> {
    let Some(raw) = raw else { return Ok(None) };
    let text = match raw.as_bytes() {
        [b'"', ..] => unquoted(raw),
        [first, rest @ ..] if (*first == b'-' || first.is_ascii_digit()) && rest.iter().all(u8::is_ascii_digit) => {
            Cow::Borrowed(raw)
        }
        _ => return Err(Invalid::new(Code::WrongType, path, format!("{path} is {}", what_is(raw)), TEXT)),
    };
    match parse(&text) {
        Ok(id) => Ok(Some(id)),
        Err(InvalidId::Empty { .. }) => Ok(None),
        Err(error) => Err(Invalid::id(path, &error, max)),
    }
}

fn what_is(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "text",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "true or false",
        _ => "a number",
    }
}

/// The object in a field; `None` where it is not there or has no members.
fn filled<'a>(raw: Option<&'a str>, path: &'static str) -> Result<Option<&'a str>, Invalid> {
    let Some(raw) = raw.and_then(present) else { return Ok(None) };
    match raw.strip_prefix('{') {
        Some(rest) if rest.trim_ascii_start().starts_with('}') => Ok(None),
        Some(_) => Ok(Some(raw)),
        None => Err(Invalid::new(Code::WrongType, path, format!("{path} is {}", what_is(raw)), OBJECT)),
    }
}

/// A moment, with the JSON that it came in if that can stay as it is.
#[derive(Debug, Clone, Copy)]
struct Moment<'a> {
    at: Timestamp,
    json: Option<&'a str>,
}

/// When the client says that it happened.
fn read_moment<'a>(call: &Call<'a>) -> Result<Option<Moment<'a>>, Invalid> {
    let (path, raw) = match (call.timestamp, call.original_timestamp) {
        (Some(raw), _) => ("timestamp", raw),
        (None, Some(raw)) => ("originalTimestamp", raw),
        (None, None) => return Ok(None),
    };
    if !raw.starts_with('"') {
        return Err(Invalid::new(Code::WrongType, path, format!("{path} is {}", what_is(raw)), MOMENT));
    }
    let text = unquoted(raw);
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    let at = time::parse(&text);
    let at = at.ok_or_else(|| Invalid::new(Code::InvalidValue, path, format!("{path} is no time"), MOMENT))?;
    // What all SDKs write, `"2026-01-31T09:30:00.000Z"`, is what the house writes.
    let is_usual = matches!(raw.as_bytes(), [b'"', b'0'..=b'9', .., b'0'..=b'9', b'Z', b'"']) && raw.len() <= 32;
    Ok(Some(Moment { at, json: Some(raw).filter(|_| is_usual && matches!(text, Cow::Borrowed(_))) }))
}

/// When it happened by our clock.
fn corrected<'a>(happened: Moment<'a>, call: &Call<'_>, received: &Received) -> Result<Moment<'a>, Invalid> {
    let sent_at = moment(call.sent_at).or(received.sent_at);
    let at = time::corrected(happened.at, sent_at, received.at);
    if at < time::EARLIEST {
        let reason = "the event lies before 1990: the clock that it was taken from was not set";
        return Err(Invalid::new(Code::TimestampTooOld, "timestamp", reason, "a time from 1990-01-01T00:00:00Z on"));
    }
    if at.duration_since(received.at) > time::MAX_FUTURE {
        let reason = "the event lies more than a day in the future";
        return Err(Invalid::new(Code::TimestampInFuture, "timestamp", reason, "a time at most 24 hours from now"));
    }
    Ok(Moment { at, json: happened.json.filter(|_| at == happened.at) })
}

/// The id of an event that came without one. `sentAt` and whatever else a client changes when it tries again are left out.
fn derived_id(call: &Call<'_>, kind: EventKind, source: &SourceId) -> String {
    const BYTES: usize = 15;
    let fields = [
        call.user_id,
        call.anonymous_id,
        call.event,
        call.name,
        call.group_id,
        call.previous_id,
        call.timestamp,
        call.original_timestamp,
        call.properties,
        call.traits,
        call.context,
    ];
    let mut parts: Vec<&[u8]> = vec![b"message", source.as_str().as_bytes(), kind.as_str().as_bytes()];
    parts.extend(fields.iter().map(|field| field.unwrap_or_default().as_bytes()));
    format!("derived-{}", hash::base32(&hash::sha256(&parts)[..BYTES]))
}

/// Writes what comes before a member's value, then the value.
fn write_raw(out: &mut String, before: &'static str, json: &str) {
    out.push_str(before);
    out.push_str(json);
}

fn write_text(out: &mut String, before: &'static str, text: &str) {
    out.push_str(before);
    write_string(out, text);
}

fn write_optional(out: &mut String, before: &'static str, text: Option<&str>) {
    if let Some(text) = text {
        write_text(out, before, text);
    }
}

fn write_object(out: &mut String, before: &'static str, json: Option<&str>) {
    if let Some(json) = json {
        write_raw(out, before, json);
    }
}

/// Writes the traits in their normal form.
fn write_traits(out: &mut String, kind: EventKind, json: Option<&str>) -> Vec<Note> {
    let Some(json) = json else { return Vec::new() };
    let (json, notes) = standardised(kind, json);
    write_raw(out, ",\"traits\":", &json);
    notes
}

fn write_moment(out: &mut String, before: &'static str, moment: Moment<'_>) {
    out.push_str(before);
    match moment.json {
        Some(json) => out.push_str(json),
        None => {
            let at = moment.at;
            // Writing to a string does not fail.
            let _infallible = write!(out, "\"{at}\"");
        }
    }
}

#[cfg(test)]
#[path = "accept_tests.rs"]
mod tests;
