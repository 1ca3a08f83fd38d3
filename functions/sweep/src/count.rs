//! Counts the whole table for `api`, a part in each run, so that totals cost a request nothing, however many profiles
//! there are.
//!
//! A pass begins an hour after the last one began, or when the configuration has changed, and continues with each run
//! until it is complete. It counts under the configuration that it began with, so that pushes do not prevent it from
//! completing.

use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_lambda_kit::Clock;
use perennial_store::count::{Pass, new_pass};
use perennial_store::{ConfigStoreError, Store, StoreError};

/// The interval between the starts of two passes.
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The most pages of 1 MB that a run reads: 38,400 read units, half a cent. A table of 60 GB, some 10 million profiles, takes 200 runs.
const PAGES: u32 = 300;
/// The time after the start of a run at which it stops reading pages: half of the function's timeout.
const UNTIL: SignedDuration = SignedDuration::from_secs(30);

/// A part of the table was not counted. The next run continues from the last stored progress.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CountError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The config to count under.
    #[error(transparent)]
    Config(#[from] ConfigStoreError),
}

/// Continues the pass in progress, or starts one that is due. The run began at `began`.
pub(crate) async fn count_on(store: &Store, clock: &Clock, began: Timestamp) -> Result<(), CountError> {
    let before = store.count_pass().await?;
    let Some((mut pass, config)) = next(store, before, began).await? else { return Ok(()) };
    let mut outcome = Ok(());
    for _ in 0..PAGES {
        match store.count_page(&mut pass, &config).await {
            Ok(false) if clock.now().duration_since(began) < UNTIL => {}
            Ok(_) => break,
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    // A failure does not lose the counts before it.
    store.note_count(&mut pass).await?;
    Ok(outcome?)
}

/// Returns the pass to continue, and the configuration that it counts under; `None` if no pass is due.
async fn next(store: &Store, before: Option<Pass>, now: Timestamp) -> Result<Option<(Pass, Config)>, CountError> {
    let Some(active) = store.current_config().await? else { return Ok(None) };
    let began = before.as_ref().and_then(|pass| Some((pass, pass.began.as_ref()?)));
    if let Some((pass, (at, version))) = began {
        if pass.is_under_way() {
            if *version == active.version {
                return Ok(Some((pass.clone(), store.load_config().await?)));
            }
            match store.config(version).await {
                Ok(config) => return Ok(Some((pass.clone(), config))),
                Err(ConfigStoreError::Store(error)) if !error.is_unreadable() => return Err(error.into()),
                // A version that cannot be read or compiled any more is not counted under to the end.
                Err(_) => {}
            }
        } else if *version == active.version && (*at..*at + EVERY).contains(&now) {
            return Ok(None);
        }
    }
    let config = store.load_config().await?;
    let pass = new_pass(before.as_ref(), &config, now);
    Ok(Some((pass, config)))
}
