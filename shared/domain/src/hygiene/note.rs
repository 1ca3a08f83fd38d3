//! What was done to a value, in words for people. It never repeats the value.

use super::{InvalidCountry, InvalidMail, InvalidName, InvalidPhone, InvalidWebsite, InvalidZone};
use crate::event::{MAX_TRAIT_BYTES, MAX_TRAIT_NAME_BYTES, MAX_TRAITS};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// One value of an event that did not stay as it came. Written as `{"field": "email", "change": "domain in lower case"}` or
/// `{"field": "email", "dropped": "no @"}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Note {
    /// Where it stands among the traits, as it was sent, such as `email` or `company.name`.
    pub field: Cow<'static, str>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It has its normal form now.
    Changed(Change),
    /// It has none and is not there any more.
    Dropped(Reason),
}

/// How a value differs from what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Of what nobody sees.
    Cleaned,
    /// Of brackets, a name or `mailto:` around it.
    Unwrapped,
    /// Of upper case in the domain.
    DomainCase,
    /// Of letters beyond ASCII in the domain.
    DomainAscii,
    /// Of a single case.
    TitleCase,
    /// Of its end.
    Shortened,
    /// Of another spelling than the code.
    CountryCode,
    /// Of another spelling than E.164.
    E164,
    /// Of all that is not the host.
    Host,
    /// Of another spelling than IANA's.
    TimeZone,
}

impl Change {
    /// The change in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cleaned => "white space and invisible characters removed, accents composed",
            Self::Unwrapped => "bare address without what stood around it",
            Self::DomainCase => "domain in lower case",
            Self::DomainAscii => "domain in ASCII (IDNA)",
            Self::TitleCase => "title case",
            Self::Shortened => "shortened to 120 characters",
            Self::CountryCode => "country as ISO 3166-1 alpha-2",
            Self::E164 => "phone number as E.164",
            Self::Host => "host of the web address",
            Self::TimeZone => "time zone as an IANA name or an offset from UTC",
        }
    }
}

/// Why a value has no normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// A number, an object or the like where text belongs.
    #[error("not text")]
    NotText,
    /// There is nothing, or a word for nothing.
    #[error("stands for nothing")]
    Absent,
    /// No mail address.
    #[error(transparent)]
    Mail(InvalidMail),
    /// No name.
    #[error(transparent)]
    Name(InvalidName),
    /// No country.
    #[error(transparent)]
    Country(InvalidCountry),
    /// No phone number.
    #[error(transparent)]
    Phone(InvalidPhone),
    /// No website.
    #[error(transparent)]
    Website(InvalidWebsite),
    /// No time zone.
    #[error(transparent)]
    Zone(InvalidZone),
    /// A token that is not the user's, was made for something else or with another secret, or has run out.
    #[error("not a valid token of this user: the event counts as one without a token")]
    Token,
    /// More than [`MAX_TRAIT_BYTES`] of JSON. The event keeps it.
    #[error("longer than {MAX_TRAIT_BYTES} bytes: not kept in the profile")]
    TooLong,
    /// A name of more than [`MAX_TRAIT_NAME_BYTES`]. The event keeps it.
    #[error("its name is longer than {MAX_TRAIT_NAME_BYTES} bytes: not kept in the profile")]
    NameTooLong,
    /// Beyond [`MAX_TRAITS`]. The event keeps it.
    #[error(
        "more than {MAX_TRAITS} traits: the mail address and the like, and then the first of the alphabet, are kept in the profile"
    )]
    TooMany,
    /// No answer of the survey's scale. The event keeps it.
    #[error(
        "no answer that can be read: a whole number from {lowest} to {highest}, or its text, such as \"{highest}\" or \"{highest}/{highest}\"; it counts as no answer"
    )]
    Answer {
        /// The lowest answer.
        lowest: u8,
        /// The highest answer.
        highest: u8,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outcome {
            Outcome::Changed(change) => write!(f, "{}: {}", self.field, change.as_str()),
            Outcome::Dropped(reason) => write!(f, "{} dropped: {reason}", self.field),
        }
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("field", &self.field)?;
        match self.outcome {
            Outcome::Changed(change) => map.serialize_entry("change", change.as_str())?,
            Outcome::Dropped(reason) => map.serialize_entry("dropped", &reason.to_string())?,
        }
        map.end()
    }
}
