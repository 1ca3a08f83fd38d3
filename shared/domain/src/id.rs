//! Ids as newtypes: private content and one `parse`, with the same rule for every source.

use crate::hash;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Only white space.
    #[error("{field} is empty")]
    Empty {
        /// The id's name on the wire.
        field: &'static str,
    },
    /// Longer than the field allows.
    #[error("{field} has {length} bytes; at most {max} are allowed")]
    TooLong {
        /// The id's name on the wire.
        field: &'static str,
        /// Bytes found.
        length: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A control character, which would break logs, headers and keys.
    #[error("{field} contains a control character")]
    Control {
        /// The id's name on the wire.
        field: &'static str,
    },
    /// Not of the form that this id is written in.
    #[error("{field} is not of the form {form}")]
    Form {
        /// The id's name.
        field: &'static str,
        /// The expected form.
        form: &'static str,
    },
}

/// Validates a text id and returns it trimmed.
pub(crate) fn check<'a>(field: &'static str, text: &'a str, max: usize) -> Result<&'a str, InvalidId> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InvalidId::Empty { field });
    }
    if text.len() > max {
        return Err(InvalidId::TooLong { field, length: text.len(), max });
    }
    // C0 and DEL are single bytes; C1, U+0080 to U+009F, begins with 0xC2.
    let may_hold_control = text.bytes().fold(false, |may, byte| may | (byte < 0x20) | (byte == 0x7f) | (byte == 0xc2));
    if may_hold_control && text.chars().any(char::is_control) {
        return Err(InvalidId::Control { field });
    }
    Ok(text)
}

/// The conversions of an id that is a text and has a `parse`.
macro_rules! text_conversions {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text_conversions;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $field:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The most bytes that this id may have.
            pub const MAX_BYTES: usize = $max;

            /// Parses `text`: trimmed, not empty, at most [`Self::MAX_BYTES`] bytes, no control characters.
            ///
            /// # Errors
            /// [`InvalidId`] says which rule is violated.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                check($field, text, $max).map(|text| Self(text.into()))
            }

            /// The id's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        text_conversions!($name);
    };
}

text_id!(
    /// The product's own id of a person, as its systems send it (`userId`).
    UserId, "userId", 256
);
text_id!(
    /// The id that a client assigns to an unidentified person (`anonymousId`).
    AnonymousId, "anonymousId", 256
);
text_id!(
    /// The product's id of a company (`groupId`).
    AccountId, "groupId", 256
);
text_id!(
    /// The client's id of one event, the same at every retry (`messageId`), by which duplicates are recognized.
    MessageId, "messageId", 256
);
text_id!(
    /// An event's name, such as `Order Completed`, or a page's.
    EventName, "event", 200
);
text_id!(
    /// A configured source of events, such as `web` or `stripe`.
    SourceId, "source", 64
);
text_id!(
    /// The version of the config that a decision was made under.
    ConfigVersion, "config version", 64
);

macro_rules! hashed_id {
    ($(#[$doc:meta])* $name:ident, $field:literal, $bytes:literal, $form:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Derives the id from `parts`, deterministically.
            pub fn derive(parts: &[&[u8]]) -> Self {
                let full = hash::sha256(parts);
                let mut bytes = [0; $bytes];
                bytes.copy_from_slice(&full[..$bytes]);
                Self(bytes)
            }

            /// Parses the id's base32 text.
            ///
            /// # Errors
            /// [`InvalidId::Form`] where it is not of that form.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let invalid = InvalidId::Form { field: $field, form: $form };
                let bytes = hash::from_base32(text).ok_or_else(|| invalid.clone())?;
                bytes.try_into().map(Self).map_err(|_| invalid)
            }

            /// The id's bytes.
            pub fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// The id of these bytes.
            pub fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hash::base32(&self.0))
            }
        }
    };
}

hashed_id!(
    /// A profile's id, derived from the identity that the profile began with, so that a known user needs no look-up.
    /// 120 bits, written as 24 characters of base32.
    PersonId, "person id", 15, "24 characters of a-z and 2-7"
);
hashed_id!(
    /// A decision's id, derived from person, journey, step and cause, so that a repeated decision has the same id. 120
    /// bits, written as 24 characters of base32.
    DecisionId, "decision id", 15, "24 characters of a-z and 2-7"
);

impl DecisionId {
    /// Returns the id of the decision of `journey` for `person` at `step` because of `cause`.
    pub fn of(person: PersonId, journey: &str, step: u16, cause: &[u8]) -> Self {
        Self::derive(&[b"decision", person.as_bytes(), journey.as_bytes(), &step.to_be_bytes(), cause])
    }
}

impl MessageId {
    /// Returns the id's 64-bit hash, which is stored in a profile's recent-id window and ledger: among 10,000 ids of
    /// one profile two collide with a probability of 3 in 10^12.
    pub fn hash64(&self) -> u64 {
        hash::hash64(&[self.as_str().as_bytes()])
    }

    /// Returns the hash for an event of a public source, which never equals that of another source's event.
    pub fn hash64_public(&self) -> u64 {
        hash::hash64(&[b"public", self.as_str().as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_are_trimmed_and_bounded() {
        assert_eq!(UserId::parse(" u-1 ").unwrap().as_str(), "u-1");
        assert_eq!(UserId::parse("  "), Err(InvalidId::Empty { field: "userId" }));
        assert_eq!(UserId::parse(&"x".repeat(257)), Err(InvalidId::TooLong { field: "userId", length: 257, max: 256 }));
        assert_eq!(UserId::parse("a\r\nBcc: b"), Err(InvalidId::Control { field: "userId" }));
    }

    #[test]
    fn hashed_ids_survive_their_text() {
        let id = PersonId::derive(&[b"user", b"u-1"]);
        assert_eq!(PersonId::parse(&id.to_string()), Ok(id));
        assert_eq!(id.to_string().len(), 24);
        assert!(PersonId::parse("short").is_err());
    }

    #[test]
    fn decision_ids_tell_their_parts_apart() {
        let person = PersonId::derive(&[b"p"]);
        let id = DecisionId::of(person, "welcome", 0, b"cause");
        assert_eq!(id, DecisionId::of(person, "welcome", 0, b"cause"));
        assert_ne!(id, DecisionId::of(person, "welcome", 1, b"cause"));
        assert_ne!(id, DecisionId::of(person, "welcom", 0, b"ecause"));
    }
}
