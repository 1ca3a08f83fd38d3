//! The reasons why a view cannot be returned.

use perennial_store::{ConfigStoreError, StoreError};

/// The reason why a view cannot be returned.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// Not found.
    #[error("{0}")]
    NotFound(&'static str),
    /// Not found, with a longer message.
    #[error("{0}")]
    Unknown(String),
    /// The request is wrong.
    #[error("{0}")]
    Wrong(&'static str),
    /// The request is wrong, which takes more words.
    #[error("{0}")]
    Invalid(String),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The active configuration cannot be loaded.
    #[error("the active config cannot be read: {0}")]
    Config(ConfigStoreError),
    /// A queue.
    #[error("{0}")]
    Queue(String),
    /// The table is too large to be counted for a request, and the sweep is not through with it for the first time.
    #[error("the table was not counted yet: the sweep counts it a part at a time; ask again in some minutes")]
    NotCounted,
    /// The view cannot be serialized.
    #[error("failed to serialize the response: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<ConfigStoreError> for ViewError {
    fn from(error: ConfigStoreError) -> Self {
        match error {
            ConfigStoreError::Store(error) => Self::Store(error),
            error => Self::Config(error),
        }
    }
}
