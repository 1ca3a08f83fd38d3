//! Envelopes of messages in the mail-events queue.

use super::event;
use super::{InvalidMailEvent, Notice};
use serde_json::{Map, Value};

/// The beginning of the sentence that SES publishes when an event destination is made: text, not JSON.
const GREETING: &str = "Successfully validated SNS topic";
/// The message that SES publishes when notifications of an identity are enabled.
const LEGACY_GREETING: &str = "AmazonSnsSubscriptionSucceeded";
/// The name of SES on EventBridge.
const EVENT_BRIDGE_SOURCE: &str = "aws.ses";
/// The most nested envelopes, such as EventBridge's within SNS's, that are opened.
const MAX_DEPTH: usize = 3;

/// Returns whether a body is for [`parse`]: a message of SNS, SES or EventBridge, well-formed or not.
#[must_use]
pub fn is_notice(body: &str) -> bool {
    const KEYS: [&str; 6] = ["Message", "Type", "eventType", "notificationType", "detail", "detail-type"];
    is_greeting(body)
        || serde_json::from_str::<Map<String, Value>>(body)
            .is_ok_and(|object| KEYS.iter().any(|key| object.contains_key(*key)))
}

/// Parses the body of a message from the mail-events queue: an SNS envelope, an EventBridge event, or SES's own JSON if
/// the subscription uses raw delivery.
///
/// # Errors
/// [`InvalidMailEvent`] if it is none of these.
pub fn parse(body: &str) -> Result<Notice, InvalidMailEvent> {
    text(body, "SNS envelope", 0)
}

fn text(text: &str, part: &'static str, depth: usize) -> Result<Notice, InvalidMailEvent> {
    if is_greeting(text) {
        return Ok(Notice::Greeting);
    }
    let object = serde_json::from_str(text).map_err(|error: serde_json::Error| {
        // serde's own words may quote a value.
        let problem = format!("{:?} at line {} column {}", error.classify(), error.line(), error.column());
        InvalidMailEvent::Format { part, problem }
    })?;
    unwrap(object, depth)
}

fn unwrap(mut object: Map<String, Value>, depth: usize) -> Result<Notice, InvalidMailEvent> {
    if depth > MAX_DEPTH {
        return Err(InvalidMailEvent::Format { part: "SNS envelope", problem: "too many envelopes".to_owned() });
    }
    let of = |name: &str| object.get(name).and_then(Value::as_str);
    if let Some(kind) = of("Type") {
        return match kind {
            "Notification" => match object.remove("Message") {
                Some(Value::String(message)) => text(&message, "SES event", depth + 1),
                Some(Value::Object(message)) => unwrap(message, depth + 1),
                _ => Err(InvalidMailEvent::Missing("Message")),
            },
            "SubscriptionConfirmation" | "UnsubscribeConfirmation" => {
                Ok(Notice::Confirmation { topic: of("TopicArn").unwrap_or_default().chars().take(256).collect() })
            }
            other => Err(InvalidMailEvent::NotANotification(other.chars().take(40).collect())),
        };
    }
    if of("source") == Some(EVENT_BRIDGE_SOURCE) || object.contains_key("detail-type") {
        let (name, at) = (of("detail-type").map(str::to_owned), of("time").map(str::to_owned));
        let Some(Value::Object(mut detail)) = object.remove("detail") else {
            return Err(InvalidMailEvent::Missing("detail"));
        };
        // An event about the account rather than a mail, such as a recommendation of the advisor.
        if !detail.contains_key("mail") {
            return Ok(Notice::Greeting);
        }
        if let Some(name) = name.filter(|_| !detail.contains_key("eventType")) {
            detail.insert("eventType".to_owned(), name.into());
        }
        return event::read(detail, at.as_deref());
    }
    if of("notificationType") == Some(LEGACY_GREETING) {
        return Ok(Notice::Greeting);
    }
    event::read(object, None)
}

fn is_greeting(text: &str) -> bool {
    text.trim_start().trim_start_matches('"').starts_with(GREETING)
}
