//! What can be wrong with what is compared.

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
    /// A file is not what its name says.
    #[error("{}: {message}", path.display())]
    Form {
        /// Which.
        path: PathBuf,
        /// What is wrong, with its place.
        message: String,
    },
    /// A variable's value does not fit, or a module is called without it.
    #[error("variable {name}: {message}")]
    Variable {
        /// Which.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// Blocks whose expressions have no value: they are wrong, or wait for each other.
    #[error("without a value:\n  {}", .0.join("\n  "))]
    NoValue(Vec<String>),
    /// A resource has no counterpart in CloudFormation here, or an argument none.
    #[error("{0}")]
    Unknown(String),
    /// A part of a template that is not understood.
    #[error("template: {0}")]
    Template(String),
}
