//! Reasons why an event is rejected, written so that its sender can fix it.

use super::json::{Flaw, FlawKind};
use perennial_domain::InvalidId;
use std::borrow::Cow;

/// A machine-readable code for what is wrong with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// More than [`super::MAX_EVENT_BYTES`].
    EventTooLarge,
    /// An item of a batch that is no object.
    NotAnObject,
    /// A field that is needed is not there.
    Missing,
    /// A field of the wrong JSON type.
    WrongType,
    /// The text of a field is not allowed.
    InvalidValue,
    /// `userId` and `anonymousId` are both missing.
    NoIdentity,
    /// Later than a day from now.
    TimestampInFuture,
    /// Before 1990.
    TimestampTooOld,
    /// Nested too deep.
    TooDeep,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// A number beyond a double's range.
    NumberOutOfRange,
    /// A name that JSON readers reserve for their own use.
    ReservedName,
}

impl Code {
    /// Returns the code's stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventTooLarge => "event_too_large",
            Self::NotAnObject => "not_an_object",
            Self::Missing => "missing",
            Self::WrongType => "wrong_type",
            Self::InvalidValue => "invalid_value",
            Self::NoIdentity => "no_identity",
            Self::TimestampInFuture => "timestamp_in_future",
            Self::TimestampTooOld => "timestamp_too_old",
            Self::TooDeep => "too_deep",
            Self::LoneSurrogate => "lone_surrogate",
            Self::NumberOutOfRange => "number_out_of_range",
            Self::ReservedName => "reserved_name",
        }
    }
}

/// An event that is rejected. Contains no value of the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}; allowed: {allowed}")]
pub struct Invalid {
    /// The code.
    pub code: Code,
    /// The invalid field, such as `context.groupId`; empty for the event as a whole.
    pub path: &'static str,
    /// The problem, as a sentence.
    pub reason: String,
    /// The allowed values.
    pub allowed: Cow<'static, str>,
}

impl Invalid {
    pub(crate) fn new(
        code: Code,
        path: &'static str,
        reason: impl Into<String>,
        allowed: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { code, path, reason: reason.into(), allowed: allowed.into() }
    }

    /// Returns the error for a flaw of an event that begins at byte `start`.
    pub(crate) fn flaw(flaw: Flaw, start: usize) -> Self {
        let at = flaw.at.saturating_sub(start);
        let (code, what, allowed) = match flaw.kind {
            FlawKind::TooDeep => {
                (Code::TooDeep, "the event is nested too deep", "objects and arrays nested up to 32 deep")
            }
            FlawKind::LoneSurrogate => (Code::LoneSurrogate, "a string holds half of a surrogate pair", "Unicode text"),
            FlawKind::NumberRange => {
                (Code::NumberOutOfRange, "a number is too large", "numbers within the range of a double")
            }
            FlawKind::ReservedName => {
                (Code::ReservedName, "a name is one that readers of JSON keep for themselves", "other names")
            }
        };
        Self::new(code, "", format!("{what} (byte {at} of the event)"), allowed)
    }

    pub(crate) fn id(path: &'static str, error: &InvalidId, max: usize) -> Self {
        Self::new(
            Code::InvalidValue,
            path,
            error.to_string(),
            format!("text of 1 to {max} bytes without control characters"),
        )
    }
}
