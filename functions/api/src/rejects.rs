//! `GET /api/rejects`: rejected events, and why.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::Response;
use lambda_http::Body;
use perennial_store::Found;
use perennial_store::rejects::Reject;
use serde::Serialize;

/// The most rejects that pages reach back.
const REACH: usize = 10_000;

#[derive(Serialize)]
struct RejectsView {
    /// The newest first.
    rejects: Vec<Reject>,
    /// Rejects of the days read that cannot be parsed; they are not in `rejects`.
    unreadable: u64,
    /// The value of `after` for the next page; `null` on the last page.
    next: Option<String>,
}

/// Answers with a page of rejects.
pub(crate) async fn list(deps: &Deps, limit: usize, after: Option<&str>) -> Result<Response<Body>, Failure> {
    let reach = if after.is_some() { REACH } else { limit + 1 };
    let Found { items: mut rejects, unreadable } = deps.store.rejects(deps.clock.now(), reach).await?;
    if let Some(after) = after {
        let at = rejects.iter().position(|reject| reject.id == after);
        let at = at.ok_or(Failure::Wrong("after must be the id of one of the 10,000 newest rejects"))?;
        rejects.drain(..=at);
    }
    let more = rejects.len() > limit;
    rejects.truncate(limit);
    let next = rejects.last().filter(|_| more).map(|reject| reject.id.clone());
    answer::json(&RejectsView { rejects, unreadable, next })
}
