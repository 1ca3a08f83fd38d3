//! A request's body as the calls that it carries.

use super::call::{Call, is_empty, present};
use super::ids::message_id;
use super::json::{Apart, Malformed, Scanner};
use super::route::{Dialect, Route};
use super::text::unquoted;
use super::{moment, posthog};
use jiff::Timestamp;
use perennial_domain::EventKind;
use std::borrow::Cow;

/// The most events that one body may carry.
pub const MAX_BATCH: usize = 2_500;

/// The most bytes that a batch's context may add to all of its events together.
const MAX_SHARED_BYTES: usize = 4 << 20;

/// Why a body as a whole cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON.
    #[error("the body is not JSON: {0}")]
    Json(#[from] Malformed),
    /// JSON, but not an object.
    #[error("the body must be a JSON object")]
    NotAnObject,
    /// A batch call without a batch.
    #[error("a batch call needs `batch`, an array of events")]
    NoBatch,
    /// More than [`MAX_BATCH`] events.
    #[error("a batch may carry at most 2500 events")]
    TooManyEvents,
    /// A `context` of the batch that would make more than 4 MB of all events.
    #[error("the batch's `context` is too large for so many events: at most 4 MB for all of them together")]
    ContextTooLarge,
}

/// The content of a request body.
#[derive(Debug)]
pub struct Body<'a> {
    /// The calls, in their order.
    pub items: Vec<Item<'a>>,
    write_key: Option<&'a str>,
    sent_at: Option<&'a str>,
    /// `true` if it contains historical events.
    imported: bool,
}

/// One call, or an invalid value in its place.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Its JSON, unchanged from the body.
    pub raw: &'a str,
    /// The byte of the body at which it begins.
    pub start: usize,
    /// `None` for a value that is not an object.
    pub(crate) call: Option<Call<'a>>,
    pub(crate) apart: Apart,
    /// The batch's context, which applies to all of its calls.
    pub(crate) shared: Option<Shared<'a>>,
    /// The kind from the path.
    pub(crate) kind: Option<EventKind>,
    /// `true` if it is imported.
    pub(crate) imported: bool,
    pub(crate) dialect: Dialect,
}

/// The `context` of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shared<'a> {
    pub(crate) json: &'a str,
    /// Its depth and flaws are those of each call.
    pub(crate) apart: Apart,
}

impl Body<'_> {
    /// The write key that the body brings along.
    pub fn write_key(&self) -> Option<Cow<'_, str>> {
        let own = self.write_key.filter(|raw| raw.starts_with('"')).map(unquoted);
        let first = || self.items.first().filter(|item| item.dialect == Dialect::PostHog);
        own.or_else(|| posthog::token(first()?.raw).map(Cow::Owned))
    }

    /// Returns the time at which the client says it sent the body; `None` if absent or unreadable.
    pub fn sent_at(&self) -> Option<Timestamp> {
        moment::read(self.sent_at)
    }
}

impl Item<'_> {
    /// Returns a key that is the same whenever this item is sent again: its message id, or else the whole item, so that
    /// a repeated batch adds nothing.
    pub fn key(&self) -> Cow<'_, str> {
        let own = match self.dialect {
            Dialect::Segment => self.call.and_then(|call| message_id(call.message_id)),
            Dialect::PostHog => message_id(posthog::message_id(self.raw).as_deref()),
        };
        own.map_or(Cow::Borrowed(self.raw), |id| Cow::Owned(id.as_str().to_owned()))
    }
}

/// Reads the body of a call to `route`.
///
/// # Errors
/// [`Unreadable`] if the body as a whole cannot be used. Problems of a single event are reported by [`Item::accept`].
pub fn read(route: Route, text: &str) -> Result<Body<'_>, Unreadable> {
    let mut scanner = Scanner::new(text);
    let imported = route == Route::Import;
    let mut body = Body { items: Vec::new(), write_key: None, sent_at: None, imported };
    let dialect = route.dialect();
    match (scanner.peek_value(), route) {
        (Some(b'{'), Route::Single(kind)) => {
            let item = item(&mut scanner, Dialect::Segment, Some(kind))?;
            body.take_single(item);
        }
        (Some(b'{'), Route::Batch(_) | Route::Import) => {
            let found = body.scan_batch(&mut scanner, dialect)?;
            if !found {
                let item = item(&mut Scanner::new(text), dialect, None)?;
                let is_event = item.call.is_some_and(|call| call.kind.is_some() || call.event.is_some());
                if !is_event {
                    return Err(Unreadable::NoBatch);
                }
                let write_key = body.write_key;
                body.take_single(item);
                body.write_key = body.write_key.or(write_key);
            }
        }
        (Some(b'['), Route::Batch(_) | Route::Import) => body.scan_items(&mut scanner, dialect)?,
        _ => {
            scanner.value()?;
            return Err(Unreadable::NotAnObject);
        }
    }
    scanner.end()?;
    if body.imported {
        body.items.iter_mut().for_each(|item| item.imported = true);
    }
    Ok(body)
}

impl<'a> Body<'a> {
    fn take_single(&mut self, item: Item<'a>) {
        self.write_key = item.call.and_then(|call| call.write_key);
        self.items.push(item);
    }

    /// Reads the batch and returns whether there is one.
    fn scan_batch(&mut self, scanner: &mut Scanner<'a>, dialect: Dialect) -> Result<bool, Unreadable> {
        let mut found = false;
        let mut wrong = None;
        let mut shared = None;
        scanner.object(|scanner, name| {
            match name {
                "batch" if scanner.peek_value() == Some(b'[') => {
                    found = true;
                    self.items.clear();
                    match self.scan_items(scanner, dialect) {
                        Err(Unreadable::Json(malformed)) => return Err(malformed),
                        Err(other) => wrong = Some(other),
                        Ok(()) => {}
                    }
                }
                "batch" => {
                    scanner.value()?;
                    wrong = Some(Unreadable::NoBatch);
                }
                "writeKey" | "api_key" | "token" => {
                    self.write_key = present(scanner.value()?).filter(|key| !is_empty(key)).or(self.write_key);
                }
                "historical_migration" => self.imported |= matches!(scanner.value()?, "true" | "\"true\""),
                "sentAt" | "sent_at" => self.sent_at = present(scanner.value()?),
                "context" => {
                    let (value, apart) = scanner.apart(Scanner::value)?;
                    shared = present(value).filter(|json| !is_empty(json)).map(|json| Shared { json, apart });
                }
                _ => {
                    scanner.value()?;
                }
            }
            Ok(())
        })?;
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        if found && let Some(shared) = shared {
            if shared.json.len() * self.items.len() > MAX_SHARED_BYTES {
                return Err(Unreadable::ContextTooLarge);
            }
            self.items.iter_mut().for_each(|item| item.shared = Some(shared));
        }
        Ok(found)
    }

    fn scan_items(&mut self, scanner: &mut Scanner<'a>, dialect: Dialect) -> Result<(), Unreadable> {
        // The default batch size of SDKs.
        const USUAL_BATCH: usize = 100;
        self.items.reserve(USUAL_BATCH);
        let mut too_many = false;
        scanner.array(|scanner| {
            let item = item(scanner, dialect, None)?;
            too_many |= self.items.len() == MAX_BATCH;
            if !too_many {
                self.items.push(item);
            }
            Ok(())
        })?;
        if too_many { Err(Unreadable::TooManyEvents) } else { Ok(()) }
    }
}

fn item<'a>(scanner: &mut Scanner<'a>, dialect: Dialect, kind: Option<EventKind>) -> Result<Item<'a>, Malformed> {
    let is_object = scanner.peek_value() == Some(b'{');
    let start = scanner.at();
    let (call, apart) = scanner
        .apart(|scanner| if is_object { Call::scan(scanner).map(Some) } else { scanner.value().map(|_| None) })?;
    Ok(Item { raw: scanner.since(start), start, call, apart, shared: None, kind, imported: false, dialect })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BATCH: Route = Route::Batch(Dialect::Segment);

    #[test]
    fn keys_and_times_are_found_before_and_after_the_batch() {
        let text =
            r#" {"writeKey":"k\u0031","batch":[{"type":"track"}, 7],"sentAt":"2026-01-01T00:00:00Z","context":{}} "#;
        let body = read(BATCH, text).unwrap();
        assert_eq!(body.write_key().as_deref(), Some("k1"));
        assert_eq!(body.sent_at(), Some("2026-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!(body.items.iter().map(|item| item.raw).collect::<Vec<_>>(), [r#"{"type":"track"}"#, "7"]);
        assert!(body.items[1].call.is_none());
    }

    #[test]
    fn a_key_that_is_null_or_empty_is_none() {
        for nothing in ["null", "\"\"", "[]"] {
            for text in [
                format!(r#"{{"token":"k","api_key":{nothing},"batch":[]}}"#),
                format!(r#"{{"api_key":{nothing},"token":"k","batch":[]}}"#),
            ] {
                assert_eq!(read(BATCH, &text).unwrap().write_key().as_deref(), Some("k"), "{text}");
            }
        }
    }

    #[test]
    fn what_tells_of_the_past_is_known() {
        let past = |route, text: &str| read(route, text).unwrap().items.iter().all(|item| item.imported);
        let posthog = Route::Batch(Dialect::PostHog);
        assert!(past(Route::Import, r#"{"batch":[{"type":"page"}]}"#) && past(Route::Import, r#"[{"type":"page"}]"#));
        assert!(past(posthog, r#"{"historical_migration":true,"batch":[{}]}"#));
        assert!(past(posthog, r#"{"batch":[{}],"historical_migration":"true"}"#));
        assert!(!past(posthog, r#"{"batch":[{}],"historical_migration":false}"#));
        assert!(!past(BATCH, r#"{"batch":[{}]}"#));
    }

    #[test]
    fn a_repeat_is_known_by_an_id_that_stands_for_something() {
        let key = |route, text: &str| read(route, text).unwrap().items[0].key().into_owned();
        let posthog = Route::Batch(Dialect::PostHog);
        for (route, text, id) in [
            (Route::Single(EventKind::Page), r#"{"messageId":"m"}"#, "m"),
            (Route::Single(EventKind::Page), r#"{"messageId":7}"#, "7"),
            (posthog, r#"[{"uuid":"m"}]"#, "m"),
            (posthog, r#"[{"properties":{"$insert_id":7}}]"#, "7"),
        ] {
            assert_eq!(key(route, text), id, "{text}");
        }
        for nothing in ["null", "\"\"", "\"null\"", "0", "{}", "[1]", "\"00000000-0000-0000-0000-000000000000\""] {
            let text = format!("{{\"messageId\":{nothing}}}");
            let single = Route::Single(EventKind::Page);
            assert_eq!(key(single, &text), text, "all of it");
        }
        assert_eq!(key(posthog, "[7]"), "7");
    }

    #[test]
    fn one_event_may_come_without_its_batch() {
        let body = read(BATCH, r#"{"type":"track","event":"A","writeKey":"k"}"#).unwrap();
        assert_eq!((body.items.len(), body.write_key().as_deref()), (1, Some("k")));
        let posthog = read(Route::Batch(Dialect::PostHog), r#"{"event":"A","distinct_id":"u","api_key":"k"}"#).unwrap();
        assert_eq!((posthog.items.len(), posthog.write_key().as_deref()), (1, Some("k")));
        let browser = read(Route::Batch(Dialect::PostHog), r#"[{"event":"A","properties":{"token":"k"}}]"#).unwrap();
        assert_eq!(browser.write_key().as_deref(), Some("k"));
    }

    #[test]
    fn a_body_of_no_use_says_why() {
        let error = |route, text: &str| read(route, text).unwrap_err();
        assert_eq!(error(BATCH, "{}"), Unreadable::NoBatch);
        assert_eq!(error(BATCH, r#"{"batch":{}}"#), Unreadable::NoBatch);
        assert_eq!(error(Route::Single(EventKind::Track), "[]"), Unreadable::NotAnObject);
        assert_eq!(error(BATCH, "7"), Unreadable::NotAnObject);
        assert!(matches!(error(BATCH, r#"{"batch":[{"#), Unreadable::Json(_)));
        assert!(matches!(error(BATCH, r#"{"batch":[]} x"#), Unreadable::Json(Malformed { at: 13, .. })));
        let batch = |n| format!("{{\"batch\":[{}]}}", vec!["{}"; n].join(","));
        assert_eq!(read(BATCH, &batch(MAX_BATCH)).unwrap().items.len(), MAX_BATCH);
        assert_eq!(error(BATCH, &batch(MAX_BATCH + 1)), Unreadable::TooManyEvents);
    }

    #[test]
    fn a_context_that_all_events_together_could_not_carry_is_refused() {
        let batch = |context: usize, events: usize| {
            let context = format!("{{\"a\":\"{}\"}}", "x".repeat(context));
            format!("{{\"batch\":[{}],\"context\":{context}}}", vec!["{}"; events].join(","))
        };
        assert!(read(BATCH, &batch(1_600, MAX_BATCH)).is_ok());
        assert_eq!(error_of(&batch(2_000, MAX_BATCH)), Some(Unreadable::ContextTooLarge));
        assert!(read(BATCH, &batch(20_000, 100)).is_ok());
        fn error_of(text: &str) -> Option<Unreadable> {
            read(BATCH, text).err()
        }
    }

    #[test]
    fn one_events_depth_is_not_its_neighbours() {
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        let text = format!("{{\"batch\":[{{\"a\":1}},{{\"properties\":{{\"a\":{deep}}}}},{{\"a\":1}}]}}");
        let body = read(BATCH, &text).unwrap();
        assert_eq!(body.items.iter().map(|item| item.apart.flaw.is_some()).collect::<Vec<_>>(), [false, true, false]);
    }
}
