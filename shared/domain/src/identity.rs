//! What tells one person from another.

use crate::id::{AnonymousId, PersonId, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The identity that an event belongs to: the user id where it has one, else the anonymous id. A profile keeps one
/// part for each, so that joining two of them can be undone exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Known to the product.
    User(UserId),
    /// Known to one client only.
    Anonymous(AnonymousId),
}

impl Identity {
    /// The person that this identity is, as long as nothing joined it to another.
    pub fn person_id(&self) -> PersonId {
        match self {
            Self::User(id) => PersonId::derive(&[b"user", id.as_str().as_bytes()]),
            Self::Anonymous(id) => PersonId::derive(&[b"anonymous", id.as_str().as_bytes()]),
        }
    }

    /// The identity's text, as the client sent it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Anonymous(id) => id.as_str(),
        }
    }

    /// Whether the product knows it.
    pub fn is_user(&self) -> bool {
        matches!(self, Self::User(_))
    }
}

impl fmt::Display for Identity {
    /// `user:u-1`, `anonymous:a-1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Anonymous(id) => write!(f, "anonymous:{id}"),
        }
    }
}

/// What programs write where they have no id, in lower case.
const PLACEHOLDERS: [&str; 17] = [
    "null",
    "(null)",
    "undefined",
    "none",
    "(none)",
    "nil",
    "nan",
    "n/a",
    "true",
    "false",
    "[object object]",
    "unknown",
    "(not set)",
    "not set",
    "anonymous",
    "guest",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
];
/// What a template that was not filled in begins with.
const TEMPLATES: [&str; 5] = ["{{", "${", "%%", "*|", "<%"];

/// Whether `text` is what programs write where they have no id (`null`, `undefined`, `[object Object]`, `anonymous`, only zeros
/// and dashes, a template that was not filled in): whoever took it for an id would make one person of everybody.
pub fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    text.bytes().all(|byte| matches!(byte, b'0' | b'-' | b'_' | b'.'))
        || PLACEHOLDERS.iter().any(|placeholder| placeholder.eq_ignore_ascii_case(text))
        || TEMPLATES.iter().any(|template| text.starts_with(template))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_no_id_is_known() {
        for text in [
            "null",
            "NULL",
            " undefined ",
            "NaN",
            "[object Object]",
            "Anonymous",
            "0",
            "00000000-0000-0000-0000-000000000000",
            "-",
            "{{user.id}}",
            "${userId}",
            "*|UNIQID|*",
            "",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["1", "u-0", "10", "nullable", "anna", "true-42", "a1b2", "none@example.com", "test", "anon"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
