//! Work over all history, as the archive holds it: rescoring everyone under the config in force, bringing new journeys
//! to who is quiet, and calibrating points.
//!
//! Nothing here is called by a queue. Whoever runs it (the command line, a schedule) gives the same [`crate::Deps`] that the
//! function works with.

pub mod calibrate;
pub mod reach;
pub mod rescore;

use crate::deps::Deps;
use perennial_config::Config;
use perennial_domain::ConfigVersion;
use perennial_store::{ArchiveError, ConfigStoreError, StoreError};
use serde::{Deserialize, Serialize};

/// Events between two calls that tell of progress.
const TELL_EVERY: u64 = 1_000;

/// Why a run did not come to its end. What it has written until then is right, and another run does the rest.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The config in force.
    #[error(transparent)]
    Config(#[from] ConfigStoreError),
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// With what.
    pub phase: Phase,
    /// How much of it is done.
    pub done: u64,
    /// Of how much; 0 where that is not known before.
    pub of: u64,
}

/// What a run is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Looks people up in the table.
    People,
    /// Reads events from the archive.
    Events,
    /// Works out what follows, person by person.
    Scores,
}

/// Is told of progress now and then.
pub type Tell<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Returns an earlier config; `None` where it cannot be read any more.
async fn earlier_config(deps: &Deps, version: &ConfigVersion) -> Option<Config> {
    let loaded = match deps.store.bundle(version).await {
        Ok(bundle) => Config::load(&bundle).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    loaded.inspect_err(|error| tracing::warn!(%version, %error, "failed to load the earlier config")).ok()
}
