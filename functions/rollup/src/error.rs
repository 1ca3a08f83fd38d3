//! Errors of processing an account, whose records are then retried.

use perennial_lambda_kit::queue::SendError;
use perennial_store::StoreError;

/// An error of processing one account. Everything that was done can be repeated.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue did not accept a message.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A message could not be written.
    #[error("a message could not be written")]
    Unwritable(#[from] serde_json::Error),
}

impl RollupError {
    /// Returns whether reading again and retrying at once may succeed.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}
