//! Sends a tick to each profile that is due, and has each account that is due worked out.

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use perennial_contracts::queue::{AccountsPayload, EventsPayload};
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::metrics::Metrics;
use perennial_lambda_kit::queue::{Delay, Sender};
use perennial_store::keys::DUE_SHARDS;
use perennial_store::sweeps::Sweep;
use perennial_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Shards read at once.
const CONCURRENCY: usize = 4;
/// Profiles and accounts of one page, which are sent before the next is read.
const PAGE: u16 = 500;

/// What the handler works with.
#[derive(Clone)]
pub struct Deps {
    store: Store,
    events: Arc<dyn Sender>,
    accounts: Arc<dyn Sender>,
    clock: Clock,
    limit: u32,
}

impl Deps {
    /// Puts the parts together. `limit` is the most ticks of one run; at least one of each shard is sent.
    pub fn new(store: Store, events: Arc<dyn Sender>, accounts: Arc<dyn Sender>, clock: Clock, limit: u32) -> Self {
        Self { store, events, accounts, clock, limit }
    }
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// Ticks on their way.
    pub sent: u64,
    /// Ticks that the queue did not take: the next run finds them again.
    pub unsent: u64,
    /// Items of the due index that could not be read, and were passed over.
    #[serde(default)]
    pub unreadable: u64,
    /// Whether more are due than one run may send.
    pub more: bool,
}

impl Swept {
    fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.unsent += other.unsent;
        self.unreadable += other.unreadable;
        self.more |= other.more;
    }
}

/// A run did not get through all shards. What it sent is sent.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The due index could not be read.
    #[error("the due index could not be read")]
    Store(#[from] StoreError),
    /// A tick could not be written.
    #[error("a tick could not be written")]
    Unwritable(#[from] serde_json::Error),
}

/// Sends a tick to each profile that is due now, and has each account that is due worked out. The schedule's payload says nothing that matters.
///
/// # Errors
/// [`SweepError`] where a shard could not be read; the others are done all the same.
pub async fn handle(deps: &Deps, _scheduled: serde_json::Value) -> Result<Swept, SweepError> {
    let now = deps.clock.now();
    let of_shard = deps.limit.div_ceil(u32::from(DUE_SHARDS)).max(1);
    let shards = stream::iter(0..DUE_SHARDS).map(|shard| sweep_shard(deps, shard, of_shard, now));
    let mut swept = Swept::default();
    let mut failure = None;
    let mut shards = shards.buffer_unordered(CONCURRENCY);
    while let Some(outcome) = shards.next().await {
        match outcome {
            Ok(part) => swept.add(part),
            Err(error) => failure = Some(error),
        }
    }
    note(deps, now, &swept, failure.is_some()).await;
    if swept.unreadable > 0 {
        tracing::error!(unreadable = swept.unreadable, "items of the due index cannot be read; they were passed over");
    }
    Metrics::new("Perennial", "sweep").count("TicksSent", swept.sent).count("TicksUnsent", swept.unsent).emit(now);
    match failure {
        Some(error) => Err(error),
        None => Ok(swept),
    }
}

/// Notes the run for whoever asks when the last one was. A run that cannot be noted has done its work all the same.
async fn note(deps: &Deps, at: Timestamp, swept: &Swept, failed: bool) {
    let took_ms = deps.clock.now().duration_since(at).as_millis().try_into().unwrap_or(0);
    let sweep = Sweep { at, took_ms, sent: swept.sent, unsent: swept.unsent, more: swept.more, failed };
    if let Err(error) = deps.store.note_sweep(&sweep).await {
        tracing::warn!(%error, "the run was not noted");
    }
}

async fn sweep_shard(deps: &Deps, shard: u8, limit: u32, now: Timestamp) -> Result<Swept, SweepError> {
    let mut swept = Swept::default();
    let mut left = limit;
    let mut from = None;
    loop {
        let page = deps.store.due(shard, now, PAGE.min(u16::try_from(left).unwrap_or(PAGE)), from).await?;
        let found = page.people.len() + page.accounts.len();
        swept.unreadable += page.unreadable;
        let ticks = page
            .people
            .into_iter()
            .map(|(person, due_at)| serde_json::to_string(&EventsPayload::Tick { person, due_at }));
        let ticks: Vec<String> = ticks.collect::<Result<_, _>>()?;
        send(&*deps.events, ticks, &mut swept).await;
        let accounts = page.accounts.into_iter().map(|(account, _)| AccountsPayload::anew(account));
        let accounts = accounts.map(|payload| serde_json::to_string(&payload)).collect::<Result<_, _>>()?;
        send(&*deps.accounts, accounts, &mut swept).await;
        left = left.saturating_sub(u32::try_from(found).unwrap_or(u32::MAX));
        match page.next {
            Some(next) if left > 0 => from = Some(next),
            next => {
                swept.more = next.is_some();
                return Ok(swept);
            }
        }
    }
}

/// Sends messages to a queue and counts what it took.
async fn send(queue: &dyn Sender, bodies: Vec<String>, swept: &mut Swept) {
    if bodies.is_empty() {
        return;
    }
    let found = bodies.len();
    let report = queue.send(bodies, Delay::NONE).await;
    if let Some(first) = report.unsent.first() {
        tracing::warn!(unsent = report.unsent.len(), code = %first.code, "ticks were not taken; the next run finds them again");
    }
    swept.unsent += report.unsent.len() as u64;
    swept.sent += (found - report.unsent.len()) as u64;
}
