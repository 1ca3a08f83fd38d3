//! Rejected events, and why.

use crate::{ViewError, Views};
use perennial_store::Found;
use perennial_store::rejects::Reject;
use serde::Serialize;

/// The most rejects that pages reach back.
const REACH: usize = 10_000;

/// A page of rejects.
#[derive(Debug, Serialize)]
pub struct RejectsView {
    /// The newest first.
    pub rejects: Vec<Reject>,
    /// Rejects of the days read that cannot be parsed; they are not in `rejects`.
    pub unreadable: u64,
    /// The value of `after` for the next page; `null` on the last page.
    pub next: Option<String>,
}

/// Returns a page of at most `limit` rejects after the one with the id `after`.
///
/// # Errors
/// [`ViewError::Wrong`] for an unknown `after`, or if the table fails.
pub async fn list(views: &Views, limit: usize, after: Option<&str>) -> Result<RejectsView, ViewError> {
    let reach = if after.is_some() { REACH } else { limit + 1 };
    let Found { items: mut rejects, unreadable } = views.store.rejects(views.clock.now(), reach).await?;
    if let Some(after) = after {
        let at = rejects.iter().position(|reject| reject.id == after);
        let at = at.ok_or(ViewError::Wrong("after must be the id of one of the 10,000 newest rejects"))?;
        rejects.drain(..=at);
    }
    let more = rejects.len() > limit;
    rejects.truncate(limit);
    let next = rejects.last().filter(|_| more).map(|reject| reject.id.clone());
    Ok(RejectsView { rejects, unreadable, next })
}
