//! Reads ids and names, and recognizes placeholders.

use super::call::is_empty;
use super::invalid::{Code, Invalid};
use super::text::unquoted;
use perennial_domain::event::external_ids;
use perennial_domain::hygiene::{Note, Outcome, Reason};
use perennial_domain::identity::is_placeholder;
use perennial_domain::{ExternalId, InvalidId, MessageId, Properties, hash};
use std::borrow::Cow;

pub(super) const TEXT: &str = "text, or a whole number";

/// Reads an id or a name; `None` if it is absent, null or empty.
pub(super) fn id<T>(
    raw: Option<&str>,
    path: &'static str,
    max: usize,
    parse: impl FnOnce(&str) -> Result<T, InvalidId>,
) -> Result<Option<T>, Invalid> {
    let Some(raw) = raw.filter(|raw| !is_empty(raw)) else { return Ok(None) };
    let text = if raw.starts_with('"') { Some(unquoted(raw)) } else { whole(raw).map(Cow::Borrowed) };
    let Some(text) = text else {
        return Err(Invalid::new(Code::WrongType, path, format!("{path} is {}", what_is(raw)), TEXT));
    };
    match parse(&text) {
        Ok(id) => Ok(Some(id)),
        Err(InvalidId::Empty { .. }) => Ok(None),
        Err(error) => Err(Invalid::id(path, &error, max)),
    }
}

/// The figures of a whole number, which some languages write with a fraction of zeros: `42.0`.
fn whole(raw: &str) -> Option<&str> {
    let number = raw.split_once('.').map_or(raw, |(whole, zeros)| match zeros.trim_end_matches('0') {
        "" => whole,
        _ => raw,
    });
    let digits = number.strip_prefix('-').unwrap_or(number);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

/// Returns `id` unless it is a placeholder, which is noted.
pub(super) fn unless_placeholder<T>(
    id: Option<T>,
    text: impl Fn(&T) -> &str,
    field: &'static str,
    notes: &mut Vec<Note>,
) -> Option<T> {
    let placeholder = id.as_ref().is_some_and(|id| is_placeholder(text(id)));
    if placeholder {
        note_absent(field, notes);
        return None;
    }
    id
}

/// Records that a field contains a placeholder.
pub(super) fn note_absent(field: &'static str, notes: &mut Vec<Note>) {
    notes.push(Note { field: Cow::Borrowed(field), outcome: Outcome::Dropped(Reason::Absent) });
}

/// Returns the person's first id in another system from `context`, the JSON of an event's context.
pub(super) fn external_id(context: Option<&str>) -> Option<ExternalId> {
    let context: Properties = serde_json::from_str(context?).ok()?;
    external_ids(&context).next()
}

/// Returns the message id in `raw`, the JSON of a field; `None` if it cannot identify a repeat.
pub(super) fn message_id(raw: Option<&str>) -> Option<MessageId> {
    let id = id(raw, "messageId", MessageId::MAX_BYTES, MessageId::parse).ok().flatten();
    id.filter(|id| !is_placeholder(id.as_str()))
}

pub(super) fn what_is(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "text",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "true or false",
        _ => "a number",
    }
}

/// The id of one of several events that are made of what the sender calls `id`.
pub fn id_of(id: &str, made: &str) -> String {
    let whole = format!("{id}:{made}");
    // An id that is too long would be rejected; its hash identifies repeats as well.
    if whole.len() <= MessageId::MAX_BYTES { whole } else { hash::base32(&hash::sha256(&[whole.as_bytes()])) }
}
