//! Why an account could not be done: its records come again.

use perennial_lambda_kit::queue::SendError;
use perennial_store::StoreError;

/// What went wrong with one account. Everything that was done may be done again.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue did not take what the account asks for.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A message could not be written.
    #[error("a message could not be written")]
    Unwritable(#[from] serde_json::Error),
}

impl RollupError {
    /// Whether reading again and redoing the work may help at once.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}
