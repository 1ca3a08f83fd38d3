//! Errors of reading the two sides.

use std::path::PathBuf;

/// Why a module or a template cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file's content does not match its name.
    #[error("{}: {message}", path.display())]
    Form {
        /// Which.
        path: PathBuf,
        /// The problem, with its place.
        message: String,
    },
    /// A variable's value does not fit, or a module is called without it.
    #[error("variable {name}: {message}")]
    Variable {
        /// Which.
        name: String,
        /// The problem.
        message: String,
    },
    /// Blocks whose expressions have no value: they are invalid, or depend on each other.
    #[error("without a value:\n  {}", .0.join("\n  "))]
    NoValue(Vec<String>),
    /// A resource has no counterpart in CloudFormation here, or an argument none.
    #[error("{0}")]
    Unknown(String),
    /// An unsupported part of a template.
    #[error("template: {0}")]
    Template(String),
}
