//! Why a run failed.

use perennial_store::{ArchiveError, ConfigStoreError, StoreError};

/// A run failed. What it had counted before is stored, and the next run continues from there.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The table.
    #[error("the table failed")]
    Store(#[from] StoreError),
    /// The archive.
    #[error("the archive failed")]
    Archive(#[from] ArchiveError),
    /// The configuration to count under.
    #[error("the active config cannot be read")]
    Config(#[from] ConfigStoreError),
    /// There is no configuration.
    #[error("no configuration is active: push one with `perennial config push`")]
    NoConfig,
}
