//! Why a share of a batch, or an action of an outbox, failed.

use crate::contention::TRIES;
use perennial_store::{ArchiveError, StoreError};

/// Why an entry was not performed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PerformError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a queue did not accept a message: {0}")]
    Unsent(String),
    #[error("an action could not be written")]
    Unwritable(#[from] serde_json::Error),
}

/// The reason why a profile's share failed. Its records are retried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PersonError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("failed to execute an earlier write's outbox: {0}")]
    Leftover(#[from] PerformError),
    #[error("write conflict: all {TRIES} attempts to write the profile collided with concurrent writes")]
    Contended,
    #[error("the profile that should enter a journey was merged meanwhile")]
    Moved,
}
