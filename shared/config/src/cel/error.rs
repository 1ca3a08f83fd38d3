//! Errors of compiling and of running a condition.

use std::ops::Range;

/// One error in a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CelError {
    /// The position in bytes of the source; empty if something is missing.
    pub at: Range<usize>,
    /// The error, and what is allowed.
    pub message: String,
}

impl CelError {
    pub(crate) fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// The reason why a condition has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum EvalError {
    /// The slot of this number (in [`Program::slots`](super::Program::slots)) is missing.
    #[error("a key is missing")]
    Missing(u32),
    /// An element or a key of a value is not there.
    #[error("an element is missing")]
    NoSuchElement,
    /// An operator or a function does not accept the type.
    #[error("the types do not fit")]
    Types,
    /// A whole number got too large for 64 bits.
    #[error("a whole number gets too large")]
    Overflow,
    /// A whole number was divided by zero.
    #[error("a whole number is divided by zero")]
    DivisionByZero,
    /// A text is no number, or a number is no whole number of 64 bits.
    #[error("it cannot be converted")]
    Conversion,
}
