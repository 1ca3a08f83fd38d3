//! Errors in JSON.

/// The deepest nesting of an event's objects and arrays, the event's own object included.
pub const MAX_DEPTH: usize = 32;

/// The text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct Malformed {
    /// The byte at which it stops being JSON, from 0.
    pub at: usize,
    /// The expected syntax.
    pub expected: &'static str,
}

/// Why a value is of no use though it is JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlawKind {
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// An unpaired surrogate such as `\ud83d`, which is not valid text.
    LoneSurrogate,
    /// A number beyond the range of a double.
    NumberRange,
    /// A name that JSON readers reserve for their own use.
    ReservedName,
}

/// A flaw and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw {
    /// The kind of flaw.
    pub kind: FlawKind,
    /// The byte at which it is, from 0.
    pub at: usize,
}

/// Findings besides the fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Apart {
    /// The first flaw.
    pub(crate) flaw: Option<Flaw>,
    /// `true` if there is anything other than ASCII, or an escape.
    pub(crate) special: bool,
    /// `true` if any member's name may be longer than traits and properties keep.
    pub(crate) long_names: bool,
}

impl Apart {
    /// For text that was not scanned: all of it is evaluated again.
    pub(crate) const UNKNOWN: Self = Self { flaw: None, special: true, long_names: true };
}
