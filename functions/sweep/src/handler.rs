//! Who is due becomes a tick each.

use perennial_contracts::queue::EventsPayload;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::{Delay, SendError, Sender};
use perennial_store::{Store, StoreError, keys};
use serde::Serialize;
use std::sync::Arc;

/// People of one query.
const PAGE: u16 = 500;

/// What the handler works with.
pub struct Deps {
    /// Where the due index is.
    pub store: Store,
    /// The events queue.
    pub events: Arc<dyn Sender>,
    /// The time that timers ring by.
    pub clock: Clock,
    /// People of one run at most.
    pub max_people: usize,
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// People found due.
    pub due: usize,
    /// Ticks sent.
    pub sent: usize,
    /// Whether the run's limit was reached.
    pub more: bool,
}

/// Why a run failed. What it had sent by then stays sent.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The due index could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The events queue did not take all ticks; who was left out is still due at the next run.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A tick could not be written.
    #[error("a tick could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Sends a tick for everyone who is due.
///
/// # Errors
/// [`SweepError`] where the index cannot be read or the queue does not take the ticks.
pub async fn handle(deps: &Deps) -> Result<Swept, SweepError> {
    let now = deps.clock.now();
    let mut swept = Swept::default();
    for shard in 0..keys::DUE_SHARDS {
        let mut from = None;
        loop {
            let left = deps.max_people - swept.due;
            if left == 0 {
                swept.more = true;
                return Ok(swept);
            }
            let limit = u16::try_from(left).unwrap_or(PAGE).min(PAGE);
            let page = deps.store.due(shard, now, limit, from).await?;
            let ticks = page.people.iter().map(|(person, due_at)| {
                serde_json::to_string(&EventsPayload::Tick { person: *person, due_at: *due_at })
            });
            let ticks: Vec<String> = ticks.collect::<Result<_, _>>()?;
            swept.due += ticks.len();
            let sent = ticks.len();
            if sent > 0 {
                deps.events.send(ticks, Delay::NONE).await.into_result()?;
            }
            swept.sent += sent;
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    Ok(swept)
}
