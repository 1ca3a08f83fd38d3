//! Rows that cannot be imported, each with its place and a reason that its sender can act on.

use perennial_contracts::tracking::Invalid;
use std::borrow::Cow;

/// A machine-readable code for what is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The row has more or fewer columns than the header.
    Columns,
    /// A quote is opened and never closed.
    Quote,
    /// The row is too large.
    TooLarge,
    /// A value is not text in the stated encoding.
    Encoding,
    /// A value contains a NUL.
    Nul,
    /// The row is not JSON, or no object.
    Json,
    /// An id is a formula of a spreadsheet.
    Formula,
    /// The row has no mail address.
    Address,
    /// The row has no reason for which an address gets no mail.
    Reason,
    /// The data ends early, or its compression is damaged.
    Damaged,
    /// The row becomes a call that the tracking API would not accept.
    Call(perennial_contracts::tracking::invalid::Code),
}

impl Code {
    /// Returns the code's stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Columns => "columns",
            Self::Quote => "quote",
            Self::TooLarge => "row_too_large",
            Self::Encoding => "encoding",
            Self::Nul => "nul",
            Self::Json => "not_json",
            Self::Formula => "formula",
            Self::Address => "address",
            Self::Reason => "reason",
            Self::Damaged => "damaged",
            Self::Call(code) => code.as_str(),
        }
    }
}

/// A row that is not imported. Its `Debug` and `Display` contain no value of the row.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {reason}; allowed: {allowed}", if column.is_empty() { String::new() } else { format!(", column {column}") })]
pub struct Reject {
    /// The line of the text at which the row begins, from 1.
    pub line: u64,
    /// The column, or the place in the row; empty for the row as a whole.
    pub column: String,
    /// The code.
    pub code: Code,
    /// The problem.
    pub reason: String,
    /// The allowed values.
    pub allowed: Cow<'static, str>,
    /// The unchanged row, cut off at [`RAW_BYTES`].
    pub raw: String,
}

impl std::fmt::Debug for Reject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reject")
            .field("line", &self.line)
            .field("column", &self.column)
            .field("code", &self.code)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// The bytes of a row that a reject keeps.
pub const RAW_BYTES: usize = 4 * 1024;

impl Reject {
    pub(crate) fn new(
        line: u64,
        code: Code,
        reason: impl Into<String>,
        allowed: impl Into<Cow<'static, str>>,
        raw: &[u8],
    ) -> Self {
        let raw = String::from_utf8_lossy(&raw[..raw.len().min(RAW_BYTES)]).into_owned();
        Self { line, column: String::new(), code, reason: reason.into(), allowed: allowed.into(), raw }
    }

    pub(crate) fn in_column(self, column: impl Into<String>) -> Self {
        Self { column: column.into(), ..self }
    }

    /// Returns the reject of a call that was made of the row `raw` at `line`.
    pub(crate) fn of_call(line: u64, column: String, invalid: Invalid, raw: &[u8]) -> Self {
        Self::new(line, Code::Call(invalid.code), invalid.reason, invalid.allowed, raw).in_column(column)
    }
}
