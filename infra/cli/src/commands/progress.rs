//! Work over all history or all profiles, on either kind of system, with a progress bar.

use super::client::Target;
use indicatif::{ProgressBar, ProgressStyle};
use perennial_score::Deps;
use perennial_score::history::{HistoryError, Phase, Progress, Tell};
use reqwest::Method;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Does the work and returns its result: in this process for a deployed stack, with the dependencies of its `score`
/// function; for a system on this machine by `POST path`.
///
/// # Errors
/// If the work fails, or the system does not respond.
pub(super) async fn over_history<T: DeserializeOwned>(
    target: &Target,
    path: &str,
    work: impl AsyncFnOnce(&Deps, Tell<'_>) -> Result<T, HistoryError>,
) -> anyhow::Result<T> {
    let bar = Bar::new();
    let outcome = match target.deployed().await? {
        Some(operated) => work(&operated.score().await?, &|told| bar.tell(told)).await.map_err(anyhow::Error::from),
        None => target.follow(Method::POST, path, |told| bar.tell(told)).await,
    };
    bar.0.finish_and_clear();
    outcome
}

/// Does work over all profiles in this process, on either kind of system.
///
/// # Errors
/// If the work fails.
pub(super) async fn with_bar<T>(work: impl AsyncFnOnce(Tell<'_>) -> Result<T, HistoryError>) -> anyhow::Result<T> {
    let bar = Bar::new();
    let outcome = work(&|told| bar.tell(told)).await;
    bar.0.finish_and_clear();
    Ok(outcome?)
}

/// A progress bar for work over all history.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    fn tell(&self, progress: Progress) {
        let (what, unit) = match progress.phase {
            Phase::People => ("looking people up", "identities"),
            Phase::Events => ("reading the archive", "events"),
            Phase::Scores => ("working out scores", "people"),
        };
        let template = if progress.of > 0 {
            "{msg:<20} {bar:40.cyan/blue} {human_pos:>9}/{human_len} {prefix}  {elapsed}"
        } else {
            "{msg:<20} {spinner} {human_pos:>9} {prefix}  {elapsed}"
        };
        // The templates are constants; without them the bar is plainer.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
        self.0.set_length(progress.of);
        self.0.set_message(what);
        self.0.set_prefix(unit);
        self.0.set_position(progress.done);
    }
}
