//! From a call to the event's JSON.

use super::body::{Item, Shared};
use super::call::{Call, is_empty, present};
use super::context::{joined, without_token};
use super::hygiene::{extended, named_too_long, standardised};
use super::ids::{TEXT, external_id, id, unless_placeholder, what_is};
use super::invalid::{Code, Invalid};
use super::json::{Apart, Scanner};
use super::moment::Moment;
use super::received::Received;
use super::route::{self, Dialect};
use super::text::{unquoted, write_string};
use super::{MAX_EVENT_BYTES, posthog};
use crate::queue::escape_noncharacters;
use crate::tokens::redacted;
use perennial_domain::hygiene::{Note, Outcome, Reason};
use perennial_domain::identity::is_placeholder;
use perennial_domain::{AccountId, AnonymousId, EventKind, EventName, Identity, MessageId, Trust, UserId};
use std::borrow::Cow;
use std::ops::Range;

const OBJECT: &str = "a JSON object, or null";
/// The channel of imported events, whatever their rows say.
const IMPORTED: &str = "import";
const KINDS: &str = "identify, track, page, screen, group or alias";

/// An event that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The profile's identity; `None` for an event about an account alone.
    pub identity: Option<Identity>,
    /// The range of its JSON in the output buffer.
    pub json: Range<usize>,
    /// Changes made to its traits, and fields of the call that were dropped.
    pub notes: Vec<Note>,
}

impl Item<'_> {
    /// Validates the call, converts it to a [`perennial_domain::Event`], appends its JSON to `out` and records it in
    /// `accepted`. A PostHog call can become two events: one for the action and one for the person's traits.
    ///
    /// - The kind is the path's, else `type`.
    /// - Ids are trimmed; null, empty ids and placeholders ([`is_placeholder`]) are absent. Whole numbers are read as
    ///   text.
    /// - The context is the call's own, completed from the batch's, and with the call's `channel` if it has none. The
    ///   channel of imported events is `import`.
    /// - `timestamp`, else `originalTimestamp`, else the time of receipt. Placeholders for no time are ignored; every
    ///   spelling that [`perennial_domain::timestamp`] reads is accepted; `sentAt` corrects it as [`time::corrected`]
    ///   describes. The event's `originalTimestamp` is the client's own value. Events of one body with the same
    ///   timestamp are placed a microsecond apart, in order.
    /// - The account is `groupId`, else `context.groupId`. The traits of an identify are `traits`, else
    ///   `context.traits`.
    /// - Traits of an identify or a group are normalized, see [`perennial_domain::hygiene::traits`]; traits without a
    ///   normal form are left out. `context.hygiene` and [`Accepted::notes`] record the changes, and the traits and
    ///   properties that are too large or whose names are too long to keep.
    /// - Without a usable `messageId` the event gets a new one, so a repeated call is another event.
    ///
    /// # Errors
    /// [`Invalid`] with the first problem; `out` and `accepted` are then unchanged.
    pub fn accept(
        &self,
        received: &mut Received,
        out: &mut String,
        accepted: &mut Vec<Accepted>,
    ) -> Result<(), Invalid> {
        let bytes = self.raw.len() + self.shared.map_or(0, |shared| shared.json.len());
        if bytes > MAX_EVENT_BYTES {
            let reason = format!("the event has {bytes} bytes");
            return Err(Invalid::new(Code::EventTooLarge, "", reason, "at most 32768 bytes of JSON"));
        }
        let Some(call) = &self.call else {
            return Err(Invalid::new(Code::NotAnObject, "", "an event must be a JSON object", "a JSON object"));
        };
        if let Some(flaw) = self.apart.flaw {
            return Err(Invalid::flaw(flaw, self.start));
        }
        let (start, before) = (out.len(), accepted.len());
        let taken = match self.dialect {
            Dialect::Segment => {
                let parts = Parts {
                    kind: self.kind,
                    once: None,
                    of_account: false,
                    imported: self.imported,
                    dialect: self.dialect,
                };
                accept(call, parts, self.shared, self.apart, received, out).map(|one| accepted.push(one))
            }
            Dialect::PostHog => self.accept_translated(received, out, accepted),
        };
        if taken.is_err() {
            out.truncate(start);
            accepted.truncate(before);
        }
        taken
    }

    fn accept_translated(
        &self,
        received: &mut Received,
        out: &mut String,
        accepted: &mut Vec<Accepted>,
    ) -> Result<(), Invalid> {
        for posthog::Translated { call, once, of_account } in posthog::translate(self.raw, received.at)? {
            // The translation writes JSON; if it ever did not, the event is rejected rather than lost.
            let call = Call::scan(&mut Scanner::new(&call)).map_err(|_| {
                Invalid::new(Code::NotAnObject, "", "the event cannot be translated", "a PostHog event")
            })?;
            let parts =
                Parts { kind: None, once: once.as_deref(), of_account, imported: self.imported, dialect: self.dialect };
            accepted.push(accept(&call, parts, self.shared, Apart::UNKNOWN, received, out)?);
        }
        Ok(())
    }
}

/// Data about a call besides its fields.
#[derive(Debug, Clone, Copy)]
struct Parts<'a> {
    /// The kind from the path.
    kind: Option<EventKind>,
    /// JSON of traits that are to be set only where there are none.
    once: Option<&'a str>,
    /// `true` if it is about an account only.
    of_account: bool,
    /// `true` if it is imported.
    imported: bool,
    /// The SDK dialect.
    dialect: Dialect,
}

fn accept(
    call: &Call<'_>,
    parts: Parts<'_>,
    shared: Option<Shared<'_>>,
    apart: Apart,
    received: &mut Received,
    out: &mut String,
) -> Result<Accepted, Invalid> {
    let start = out.len();
    let context = filled(call.context, "context")?;
    let joined = shared.map(|shared| with_shared(context, shared)).transpose()?;
    let special = apart.special || shared.is_some_and(|shared| shared.apart.special);
    let mut call = Call { context, ..*call };
    if let Some(joined) = &joined {
        call.read_context(&mut Scanner::new(joined))
            .map_err(|_| Invalid::new(Code::WrongType, "context", "the batch's context is no object", OBJECT))?;
    }
    let call = &call;
    let Parts { kind, once, of_account, imported, dialect } = parts;
    let kind = kind.map_or_else(|| read_kind(call), Ok)?;
    let mut notes = Vec::new();
    let user_id = id(call.user_id, "userId", UserId::MAX_BYTES, UserId::parse)?;
    let user_id = unless_placeholder(user_id, UserId::as_str, "userId", &mut notes);
    let anonymous_id = id(call.anonymous_id, "anonymousId", AnonymousId::MAX_BYTES, AnonymousId::parse)?;
    let anonymous_id = unless_placeholder(anonymous_id, AnonymousId::as_str, "anonymousId", &mut notes);
    let stands = |id: &AccountId| !is_placeholder(id.as_str());
    let own = id(call.group_id, "groupId", AccountId::MAX_BYTES, AccountId::parse)?;
    let beside = match &own {
        Some(own) if stands(own) => None,
        _ => id(call.context_group_id, "context.groupId", AccountId::MAX_BYTES, AccountId::parse)?,
    };
    let is_beside = beside.as_ref().is_some_and(stands);
    let group_id = unless_placeholder(
        if is_beside { own } else { own.or(beside.clone()) },
        AccountId::as_str,
        "groupId",
        &mut notes,
    );
    let group_id = if is_beside { beside } else { group_id };
    let previous_id = match (kind, dialect) {
        (EventKind::Alias, _) | (EventKind::Identify, Dialect::PostHog) => {
            id(call.previous_id, "previousId", AnonymousId::MAX_BYTES, AnonymousId::parse)?
        }
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
    let message_id = unless_placeholder(message_id, MessageId::as_str, "messageId", &mut notes);
    let happened = Moment::of(call, &mut notes)?;
    let timestamp = match happened {
        Some(happened) => happened.corrected(call, received)?,
        None => Moment::ours(received.at),
    };
    let timestamp = timestamp.moved(received.place(timestamp.at));

    match &message_id {
        Some(message_id) => write_text(out, "{\"messageId\":", message_id.as_str()),
        None => write_text(out, "{\"messageId\":", &received.next_id()),
    }
    write_text(out, ",\"type\":", kind.as_str());
    write_optional(out, ",\"userId\":", user_id.as_ref().map(UserId::as_str));
    write_optional(out, ",\"anonymousId\":", anonymous_id.as_ref().map(AnonymousId::as_str));
    timestamp.write(out, ",\"timestamp\":");
    if let Some(happened) = happened {
        happened.write(out, ",\"originalTimestamp\":");
    }
    Moment::ours(received.at).write(out, ",\"receivedAt\":");
    write_text(out, ",\"source\":", received.source.as_str());
    let token = call.context_user_token.filter(|raw| raw.starts_with('"')).map(unquoted);
    let trust = received.trust_of(user_id.as_ref(), token.as_deref());
    if trust == Trust::Public && call.context_user_token.is_some() {
        let outcome = Outcome::Dropped(Reason::Token);
        notes.push(Note { field: Cow::Borrowed("context.userToken"), outcome });
    }
    let kept = call.context.filter(|_| call.context_user_token.is_some()).map(without_token);
    let context = kept.as_deref().or(call.context);
    write_optional(out, ",\"trust\":", (!trust.is_default()).then(|| trust.as_str()));
    if received.history {
        out.push_str(",\"history\":true");
    }
    write_optional(out, ",\"event\":", event.as_ref().map(EventName::as_str));
    write_optional(out, ",\"groupId\":", group_id.as_ref().map(AccountId::as_str));
    write_optional(out, ",\"previousId\":", previous_id.as_ref().map(AnonymousId::as_str));
    match kind {
        EventKind::Track | EventKind::Page | EventKind::Screen => {
            let properties = filled(call.properties, "properties")?;
            if apart.long_names {
                notes.extend(named_too_long(properties));
            }
            write_object(out, ",\"properties\":", properties);
        }
        EventKind::Identify => {
            let traits = match filled(call.traits, "traits")? {
                Some(traits) => Some(traits),
                None => filled(call.context_traits, "context.traits")?,
            };
            notes.extend(write_traits(out, ",\"traits\":", kind, traits));
            notes.extend(write_traits(out, ",\"traitsOnce\":", kind, once));
        }
        EventKind::Group => {
            notes.extend(write_traits(out, ",\"traits\":", kind, filled(call.traits, "traits")?));
        }
        EventKind::Alias => {}
    }
    notes.extend(
        call.context_timezone
            .and_then(|raw| received.zone(raw))
            .map(|reason| Note { field: Cow::Borrowed("context.timezone"), outcome: Outcome::Dropped(reason) }),
    );
    write_object(out, ",\"context\":", extended(context, channel(call, imported).as_deref(), &notes).as_deref());
    out.push('}');
    if received.is_public()
        && let Cow::Owned(clean) = redacted(&out[start..])
    {
        out.truncate(start);
        out.push_str(&clean);
    }
    if special {
        escape_noncharacters(out, start);
    }
    let identity = match (user_id, anonymous_id) {
        (Some(user), _) => Some(Identity::User(user)),
        (None, Some(anonymous)) => Some(Identity::Anonymous(anonymous)),
        // An id in another system identifies a person, and anyone can read a public source's key.
        (None, None) => match external_id(call.context).filter(|_| !received.is_public()) {
            None if !of_account => {
                let reason = "an event needs a userId, an anonymousId or an id in context.externalIds that is not empty and no \
                              placeholder such as null or 0";
                return Err(Invalid::new(Code::NoIdentity, "userId", reason, TEXT));
            }
            id => id.map(Identity::External),
        },
    };
    Ok(Accepted { identity, json: start..out.len(), notes })
}

/// The channel that the context is to say; `None` where it may stay as it is.
fn channel<'a>(call: &Call<'a>, imported: bool) -> Option<Cow<'a, str>> {
    if imported {
        return Some(Cow::Borrowed(IMPORTED));
    }
    call.channel.filter(|raw| call.context_channel.is_none() && raw.starts_with('"')).map(unquoted)
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

/// The object in a field; `None` where it is not there or has no members.
fn filled<'a>(raw: Option<&'a str>, path: &'static str) -> Result<Option<&'a str>, Invalid> {
    let Some(raw) = raw.and_then(present).filter(|raw| !is_empty(raw)) else { return Ok(None) };
    if raw.starts_with('{') {
        return Ok(Some(raw));
    }
    Err(Invalid::new(Code::WrongType, path, format!("{path} is {}", what_is(raw)), OBJECT))
}

/// The context of a call, with what only that of its batch has.
fn with_shared(context: Option<&str>, shared: Shared<'_>) -> Result<String, Invalid> {
    if let Some(flaw) = shared.apart.flaw {
        return Err(Invalid::flaw(flaw, flaw.at));
    }
    let shared = filled(Some(shared.json), "context")?;
    Ok(joined(context.unwrap_or("{}"), shared.unwrap_or("{}")))
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
fn write_traits(out: &mut String, before: &'static str, kind: EventKind, json: Option<&str>) -> Vec<Note> {
    let Some(json) = json else { return Vec::new() };
    let (json, notes) = standardised(kind, json);
    write_raw(out, before, &json);
    notes
}

#[cfg(test)]
#[path = "accept_tests.rs"]
mod tests;
