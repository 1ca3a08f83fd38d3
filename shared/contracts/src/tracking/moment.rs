//! The time of an event: the client's value, corrected to our clock, as written to the queue.

use super::call::{Call, is_empty};
use super::ids::{note_absent, what_is};
use super::invalid::{Code, Invalid};
use super::received::Received;
use super::text::unquoted;
use super::time;
use jiff::Timestamp;
use perennial_domain::hygiene::Note;
use perennial_domain::timestamp;
use std::fmt::Write;

const ALLOWED: &str = "a time such as 2026-01-31T09:30:00.000Z, or seconds or milliseconds since 1970";

/// A moment, with the JSON that it came in if that can stay as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a> {
    pub(super) at: Timestamp,
    json: Option<&'a str>,
}

impl<'a> Moment<'a> {
    /// Returns a time that no client wrote.
    pub(super) const fn ours(at: Timestamp) -> Self {
        Self { at, json: None }
    }

    /// Returns the same event time moved to `at`; its JSON is kept if it already says that time.
    pub(super) fn moved(self, at: Timestamp) -> Self {
        Self { at, json: self.json.filter(|_| at == self.at) }
    }

    /// Reads the time at which the client says it happened; `None` if absent or a placeholder, which is noted.
    pub(super) fn of(call: &Call<'a>, notes: &mut Vec<Note>) -> Result<Option<Self>, Invalid> {
        for (path, raw) in [("timestamp", call.timestamp), ("originalTimestamp", call.original_timestamp)] {
            // SDKs write empty text for an absent value.
            let Some(raw) = raw.filter(|raw| !is_empty(raw)) else { continue };
            let carried = carried(raw);
            // No placeholder for no time is that late, and nearly every time is.
            let is_late = carried.is_some_and(|at| at >= time::EARLIEST);
            if !is_late && stands_for_none(raw) {
                note_absent(path, notes);
                continue;
            }
            if let Some(at) = carried {
                return Ok(Some(Self { at, json: Some(raw) }));
            }
            if let Some(at) = read(Some(raw)) {
                return Ok(Some(Self::ours(at)));
            }
            let is_moment = matches!(raw.as_bytes(), [b'"' | b'-' | b'0'..=b'9' | b'{' | b'[', ..]);
            let (code, what) =
                if is_moment { (Code::InvalidValue, "no time") } else { (Code::WrongType, what_is(raw)) };
            return Err(Invalid::new(code, path, format!("{path} is {what}"), ALLOWED));
        }
        Ok(None)
    }

    /// When it happened by our clock.
    pub(super) fn corrected(self, call: &Call<'_>, received: &Received) -> Result<Self, Invalid> {
        let sent_at = read(call.sent_at).or(received.sent_at);
        let at = time::corrected(self.at, sent_at, received.at);
        if at < time::EARLIEST {
            let reason = "the event lies before 1990: the clock that it was taken from was not set";
            return Err(Invalid::new(
                Code::TimestampTooOld,
                "timestamp",
                reason,
                "a time from 1990-01-01T00:00:00Z on",
            ));
        }
        if at.duration_since(received.at) > time::MAX_FUTURE {
            let reason = "the event lies more than a day in the future";
            return Err(Invalid::new(Code::TimestampInFuture, "timestamp", reason, "a time at most 24 hours from now"));
        }
        Ok(self.moved(at))
    }

    /// Writes what comes before it, then its JSON.
    pub(super) fn write(self, out: &mut String, before: &'static str) {
        out.push_str(before);
        match self.json {
            Some(json) => out.push_str(json),
            None => {
                let at = self.at;
                // Writing to a string does not fail.
                let _infallible = write!(out, "\"{at}\"");
            }
        }
    }
}

/// The moment in a field in any spelling, or `None`.
pub(super) fn read(raw: Option<&str>) -> Option<Timestamp> {
    let raw = raw?;
    if raw.starts_with('"') {
        return timestamp::parse(&unquoted(raw));
    }
    timestamp::of_json(&serde_json::from_str(raw).ok()?)
}

fn stands_for_none(raw: &str) -> bool {
    match raw.as_bytes() {
        [b'"', ..] => timestamp::is_nothing(&unquoted(raw)),
        [b'-' | b'0'..=b'9', ..] => timestamp::is_nothing(raw),
        _ => false,
    }
}

/// The moment of a field that the queue carries as it is written: `"2026-01-31T09:30:00.000Z"`, as all SDKs do. It is what the queue's
/// reader makes of it, as there are times of this shape that only a more lenient reader understands (`24:00:00`).
fn carried(raw: &str) -> Option<Timestamp> {
    if is_usual(raw) { raw.trim_matches('"').parse().ok() } else { None }
}

fn is_usual(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let [b'"', date @ .., b'Z', b'"'] = bytes else { return false };
    let [_, _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _, b':', _, _, fraction @ ..] = date else {
        return false;
    };
    // Nanoseconds have nine digits.
    raw.len() <= 32 && matches!(fraction, [] | [b'.', _, ..]) && fraction.iter().skip(1).all(u8::is_ascii_digit)
}
