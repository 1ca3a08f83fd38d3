//! Messages about changed values. They never repeat the value.

use super::{InvalidCountry, InvalidMail, InvalidName, InvalidPhone, InvalidWebsite, InvalidZone};
use crate::event::{MAX_TRAIT_BYTES, MAX_TRAIT_NAME_BYTES, MAX_TRAITS};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A note about one value of an event that was changed or dropped. Serialized as `{"field": "email", "change": "domain
/// in lower case"}` or `{"field": "email", "dropped": "no @"}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Note {
    /// Its path in the traits as sent, such as `email` or `company.name`.
    pub field: Cow<'static, str>,
    /// The change or the reason.
    pub outcome: Outcome,
}

/// The outcome for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Converted to its normal form.
    Changed(Change),
    /// Dropped, because it has no normal form.
    Dropped(Reason),
}

/// The kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Invisible characters and white space removed.
    Cleaned,
    /// Brackets, a name or `mailto:` around it removed.
    Unwrapped,
    /// The domain converted to lower case.
    DomainCase,
    /// The domain converted to ASCII.
    DomainAscii,
    /// Converted to title case.
    TitleCase,
    /// Truncated.
    Shortened,
    /// Converted to a country code.
    CountryCode,
    /// Converted to E.164.
    E164,
    /// Reduced to the host.
    Host,
    /// Converted to IANA's name or an offset.
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
    /// A number, an object or similar instead of text.
    #[error("not text")]
    NotText,
    /// Empty, or a word for no value.
    #[error("stands for nothing")]
    Absent,
    /// No mail address.
    #[error(transparent)]
    Mail(InvalidMail),
    /// Not a name.
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
    /// A name longer than [`MAX_TRAIT_NAME_BYTES`]. The event keeps it.
    #[error("its name is longer than {MAX_TRAIT_NAME_BYTES} bytes: not kept in the profile")]
    NameTooLong,
    /// Beyond [`MAX_TRAITS`]. The event keeps it.
    #[error(
        "more than {MAX_TRAITS} traits: the mail address and the like, and then the first of the alphabet, are kept in the profile"
    )]
    TooMany,
    /// No amount of money. The event keeps it.
    #[error(
        "no amount that can be read: a number from 0, or its text, such as 12.50 or \"12.50\"; it counts as no payment"
    )]
    Amount,
    /// No currency. The event keeps it.
    #[error("no currency: three letters of ISO 4217, such as EUR; the amount counts as no payment")]
    Currency,
    /// No status of a subscription. The event keeps it.
    #[error(
        "no known status of a subscription, such as trialing, active, past_due, paused or canceled: it changes nothing"
    )]
    Status,
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
