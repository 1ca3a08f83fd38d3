//! Work over all history in the archive: rescoring everyone under the active configuration, applying new journeys to
//! quiet profiles, and calibrating points.
//!
//! Nothing here is called by a queue. The caller (the command line, a schedule) passes the same [`crate::Deps`] that
//! the function uses.

pub mod calibrate;
pub mod reach;
pub mod rescore;

use crate::deps::Deps;
use perennial_config::Config;
use perennial_domain::ConfigVersion;
use perennial_store::{ArchiveError, ConfigStoreError, StoreError};
use serde::{Deserialize, Serialize};

/// The number of events between two progress reports.
const TELL_EVERY: u64 = 1_000;

/// The reason why a run did not finish. Everything it has written is correct, and another run does the rest.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The active configuration cannot be loaded.
    #[error(transparent)]
    Config(#[from] ConfigStoreError),
}

/// The progress of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The phase.
    pub phase: Phase,
    /// The completed amount.
    pub done: u64,
    /// The total amount; 0 if unknown.
    pub of: u64,
}

/// The phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reads profiles from the table.
    People,
    /// Reads events from the archive.
    Events,
    /// Computes the results, profile by profile.
    Scores,
}

/// A callback for progress.
pub type Tell<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Returns an earlier config; `None` where it cannot be read any more.
async fn earlier_config(deps: &Deps, version: &ConfigVersion) -> Option<Config> {
    let loaded = deps.store.config(version).await;
    loaded.inspect_err(|error| tracing::warn!(%version, %error, "failed to load the earlier config")).ok()
}
