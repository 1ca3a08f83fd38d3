//! A message, its limits and its digests.

use std::collections::BTreeMap;

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};

use super::error::{Kind, SqsError};

/// The largest message, attributes included, and the largest sum of a batch: 1 MiB.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// The most attributes on a message.
const MAX_ATTRIBUTES: usize = 10;

/// A message attribute as transmitted. Exactly one of the values is set, depending on the data type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MessageAttribute {
    pub(super) data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) string_value: Option<String>,
    /// In base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) binary_value: Option<String>,
}

/// The attributes of a message by name, in the order that its digest requires.
pub(super) type MessageAttributes = BTreeMap<String, MessageAttribute>;

/// A moment, in milliseconds since the epoch, by both clocks that queues go by. They are the same unless time is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Now {
    /// The machine's time: how long a consumer works on a message.
    pub(super) machine: i64,
    /// The stack's time, which may be simulated: delays, and deferred messages.
    pub(super) clock: i64,
}

/// The state of a message in a queue, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Can be received.
    Ready,
    /// Sent with a delay that ends then by the stack's clock.
    Delayed(i64),
    /// Received, and neither deleted nor timed out: a consumer has it until then by the machine's time.
    InFlight(i64),
    /// Received, and the consumer has failed: it is retried at the earlier of a machine's time and a time of the stack's clock.
    Failed {
        /// By the machine's time.
        machine: i64,
        /// By the stack's clock.
        clock: i64,
    },
    /// Received, and deferred by `ChangeMessageVisibility` until then by the stack's clock.
    PutOff(i64),
}

impl Place {
    /// The time that is kept in the file. Only that of a delayed message is read again.
    pub(super) fn available_ms(self) -> i64 {
        match self {
            Self::Ready => 0,
            Self::Delayed(at) | Self::InFlight(at) | Self::PutOff(at) => at,
            Self::Failed { clock, .. } => clock,
        }
    }
}

/// A message of a queue. Times are milliseconds since the epoch.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// Its number among all messages of all queues, which orders them.
    pub(super) seq: u64,
    pub(super) id: String,
    pub(super) body: String,
    pub(super) attributes: MessageAttributes,
    pub(super) sent_ms: i64,
    pub(super) first_received_ms: Option<i64>,
    pub(super) receives: u32,
    /// The ARN of the queue that it was a dead letter of.
    pub(super) source: Option<String>,
    pub(super) place: Place,
}

/// Returns the size of a message, which is billed and limited: body, and name, type and value of each attribute.
pub(super) fn size(body: &str, attributes: &MessageAttributes) -> usize {
    let of_attributes: usize = attributes
        .iter()
        .map(|(name, attribute)| {
            let binary = attribute
                .binary_value
                .as_ref()
                .map_or(0, |value| BASE64.decode(value.as_bytes()).map_or(0, |value| value.len()));
            name.len() + attribute.data_type.len() + attribute.string_value.as_ref().map_or(0, String::len) + binary
        })
        .sum();
    body.len() + of_attributes
}

/// Returns whether SQS accepts the character: `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to
/// #x10FFFF`.
fn allowed(character: char) -> bool {
    matches!(character, '\u{9}' | '\u{A}' | '\u{D}' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// Checks body and attributes as `SendMessage` does. `max_size` is the queue's own limit in bytes.
pub(super) fn check(body: &str, attributes: &MessageAttributes, max_size: usize) -> Result<(), SqsError> {
    if body.is_empty() {
        return Err(SqsError::missing("MessageBody"));
    }
    if !body.chars().all(allowed) {
        return Err(SqsError::new(Kind::BadContents, "The message contains characters outside the allowed set."));
    }
    if attributes.len() > MAX_ATTRIBUTES {
        return Err(SqsError::new(
            Kind::BadParameter,
            format!(
                "Number of message attributes [{}] exceeds the allowed maximum [{MAX_ATTRIBUTES}].",
                attributes.len()
            ),
        ));
    }
    for (name, attribute) in attributes {
        check_attribute(name, attribute)?;
    }
    let bytes = size(body, attributes);
    if bytes > max_size {
        return Err(SqsError::new(
            Kind::BadParameter,
            format!("One or more parameters are invalid. Reason: Message must be shorter than {max_size} bytes."),
        ));
    }
    Ok(())
}

fn check_attribute(name: &str, attribute: &MessageAttribute) -> Result<(), SqsError> {
    let refuse = |why: &str| Err(SqsError::new(Kind::BadParameter, format!("The message attribute '{name}' {why}")));
    let name_is_fine = !name.is_empty()
        && name.len() <= 256
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..");
    if !name_is_fine {
        return refuse("has an invalid name.");
    }
    let base_type = attribute.data_type.split('.').next().unwrap_or_default();
    match (base_type, &attribute.string_value, &attribute.binary_value) {
        ("String", Some(text), None) if !text.is_empty() && text.chars().all(allowed) => Ok(()),
        ("Number", Some(number), None) if number.parse::<f64>().is_ok_and(f64::is_finite) => Ok(()),
        ("Binary", None, Some(value)) if !value.is_empty() && BASE64.decode(value.as_bytes()).is_ok() => Ok(()),
        ("String" | "Number" | "Binary", ..) => {
            refuse("must have exactly the non-empty value that its data type asks for.")
        }
        _ => refuse(
            "has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.",
        ),
    }
}

/// `MD5OfMessageBody`.
pub(super) fn md5_of_body(body: &str) -> String {
    HEXLOWER.encode(&md5::compute(body.as_bytes()).0)
}

/// `MD5OfMessageAttributes`; `None` without attributes.
///
/// Source: SQS developer guide, "Calculating the MD5 message digest for message attributes".
pub(super) fn md5_of_attributes<'a>(
    attributes: impl IntoIterator<Item = (&'a String, &'a MessageAttribute)>,
) -> Option<String> {
    let mut context = md5::Context::new();
    let mut any = false;
    let put = |bytes: &[u8], context: &mut md5::Context| {
        context.consume(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        context.consume(bytes);
    };
    for (name, attribute) in attributes {
        any = true;
        put(name.as_bytes(), &mut context);
        put(attribute.data_type.as_bytes(), &mut context);
        if let Some(text) = &attribute.string_value {
            context.consume([1]);
            put(text.as_bytes(), &mut context);
        } else if let Some(binary) = &attribute.binary_value {
            context.consume([2]);
            put(&BASE64.decode(binary.as_bytes()).unwrap_or_default(), &mut context);
        }
    }
    any.then(|| HEXLOWER.encode(&context.compute().0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn text(value: &str) -> MessageAttribute {
        MessageAttribute { data_type: "String".to_owned(), string_value: Some(value.to_owned()), binary_value: None }
    }

    #[test]
    fn the_digest_of_attributes_covers_length_type_and_value_in_name_order() {
        let attributes = MessageAttributes::from([("b".to_owned(), text("2")), ("a".to_owned(), text("1"))]);
        let mut expected = Vec::new();
        for (name, value) in [("a", "1"), ("b", "2")] {
            expected.extend([0, 0, 0, 1]);
            expected.extend(name.bytes());
            expected.extend([0, 0, 0, 6]);
            expected.extend(b"String");
            expected.extend([1, 0, 0, 0, 1]);
            expected.extend(value.bytes());
        }
        assert_eq!(md5_of_attributes(&attributes).unwrap(), HEXLOWER.encode(&md5::compute(expected).0));
        assert_eq!(md5_of_attributes(&MessageAttributes::new()), None);
    }

    #[test]
    fn a_message_of_exactly_the_limit_is_taken_and_one_byte_more_is_not() {
        let attributes = MessageAttributes::from([("k".to_owned(), text("v"))]);
        let room = MAX_BYTES - "k".len() - "String".len() - "v".len();
        assert_eq!(check(&"x".repeat(room), &attributes, MAX_BYTES), Ok(()));
        assert_eq!(check(&"x".repeat(room + 1), &attributes, MAX_BYTES).unwrap_err().kind, Kind::BadParameter);
    }

    #[test]
    fn control_characters_and_mismatched_attribute_values_are_refused() {
        assert_eq!(check("a\u{0}", &MessageAttributes::new(), MAX_BYTES).unwrap_err().kind, Kind::BadContents);
        let wrong = MessageAttribute {
            data_type: "Number".to_owned(),
            string_value: Some("ten".to_owned()),
            binary_value: None,
        };
        assert!(check("a", &MessageAttributes::from([("n".to_owned(), wrong)]), MAX_BYTES).is_err());
    }
}
