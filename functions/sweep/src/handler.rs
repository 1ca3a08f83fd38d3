//! Sends a tick to each due profile, and requests a recomputation of each due account.
//!
//! A profile whose tick was sent and not served yet is still in the index. So the progress of each shard is kept: a run
//! continues where the last one ended, and a profile that is still due an hour after its tick gets another one. Newly
//! due profiles come first, so that a backlog delays nobody else.
//!
//! Then it counts a part of the table if a pass is due ([`crate::count`]).

use crate::count::count_on;
use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use perennial_contracts::queue::{AccountsPayload, EventsPayload, TICKS_AT_ONCE};
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::metrics::{CONFIGS_COMPILED, Metrics};
use perennial_lambda_kit::queue::{Delay, Sender};
use perennial_store::due::{Due, DueItem, DuePage, DuePosition};
use perennial_store::keys::DUE_SHARDS;
use perennial_store::sweeps::{Again, Progress, Sweep};
use perennial_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;

/// Shards read at once.
const CONCURRENCY: usize = 4;
/// Profiles and accounts of one page, which are sent before the next is read.
const PAGE: u16 = 500;
/// The time after which who was sent and still is due is sent again: their tick was lost, or lies among the dead letters.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// How late a due entry may appear in the index: a slow write, and the index's propagation time.
const LATE: SignedDuration = SignedDuration::from_mins(2);
/// The most items of the last moments that are kept one by one, of a shard: 20 KB.
const MOST_KEPT: usize = 1_000;

/// The handler's dependencies.
#[derive(Clone)]
pub struct Deps {
    store: Store,
    events: Arc<dyn Sender>,
    accounts: Arc<dyn Sender>,
    clock: Clock,
    limit: u32,
    counts: bool,
}

impl Deps {
    /// Creates the dependencies. `limit` is the most ticks of one run; at least one of each shard is sent.
    pub fn new(store: Store, events: Arc<dyn Sender>, accounts: Arc<dyn Sender>, clock: Clock, limit: u32) -> Self {
        Self { store, events, accounts, clock, limit, counts: true }
    }

    /// Disables counting of the table: in simulated time hours pass at once, and each request counts for itself.
    #[must_use]
    pub fn without_counting(self) -> Self {
        Self { counts: false, ..self }
    }
}

/// The result of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// The number of profiles and accounts whose ticks were sent.
    pub sent: u64,
    /// The number of ticks that a queue did not accept: the next run finds them again.
    pub unsent: u64,
    /// Items of the due index that could not be read, and were passed over.
    #[serde(default)]
    pub unreadable: u64,
    /// `true` if more are due than one run may send.
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

/// A run failed for some shards. Ticks that it sent are sent.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The due index could not be read.
    #[error("the due index could not be read")]
    Store(#[from] StoreError),
    /// A tick could not be written.
    #[error("a tick could not be written")]
    Unwritable(#[from] serde_json::Error),
}

/// Sends a tick to each profile that is due now, and requests a recomputation of each due account. The schedule's
/// payload is ignored.
///
/// # Errors
/// [`SweepError`] if a shard could not be read; the others are processed all the same.
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
    if deps.counts
        && let Err(error) = count_on(&deps.store, &deps.clock, now).await
    {
        tracing::error!(%error, "failed to count the table; the next run goes on");
    }
    if swept.unreadable > 0 {
        tracing::error!(unreadable = swept.unreadable, "failed to read items of the due index; they are skipped");
    }
    Metrics::new("Perennial", "sweep")
        .count("TicksSent", swept.sent)
        .count("TicksUnsent", swept.unsent)
        .count(CONFIGS_COMPILED, deps.store.take_compiled_configs())
        .emit(now);
    match failure {
        Some(error) => Err(error),
        None => Ok(swept),
    }
}

/// Records the run, to report the last one. A run that cannot be recorded has done its work all the same.
async fn note(deps: &Deps, at: Timestamp, swept: &Swept, failed: bool) {
    let took_ms = deps.clock.now().duration_since(at).as_millis().try_into().unwrap_or(0);
    let sweep = Sweep { at, took_ms, sent: swept.sent, unsent: swept.unsent, more: swept.more, failed };
    if let Err(error) = deps.store.note_sweep(&sweep).await {
        tracing::warn!(%error, "failed to record the run");
    }
}

async fn sweep_shard(deps: &Deps, shard: u8, limit: u32, now: Timestamp) -> Result<Swept, SweepError> {
    let before = deps.store.progress(shard).await?;
    let mut run = Run { deps, shard, left: limit, progress: before.clone(), swept: Swept::default() };
    let outcome = run.go(now).await;
    // A run that cannot be noted has done its work all the same; the next one sends some of it again.
    if run.progress != before
        && let Err(error) = deps.store.note_progress(shard, &run.progress).await
    {
        tracing::warn!(shard, %error, "failed to store the sweep's progress");
    }
    outcome.map(|()| run.swept)
}

/// One shard of a run.
struct Run<'a> {
    deps: &'a Deps,
    shard: u8,
    /// The number of ticks that may still be sent.
    left: u32,
    progress: Progress,
    swept: Swept,
}

/// An item that was read, and whether it was sent, now or before.
struct Passed {
    position: DuePosition,
    hash: u64,
    is_sent: bool,
}

impl Run<'_> {
    async fn go(&mut self, now: Timestamp) -> Result<(), SweepError> {
        let second = now.as_second();
        if self.progress.from.as_ref().is_some_and(|from| from.at > second) {
            // The clock went back, so progress at later times is meaningless.
            self.progress = Progress::default();
        }
        let mut passed = Vec::new();
        let outcome = self.send_new(now, &mut passed).await;
        advance(&mut self.progress, passed, second);
        let is_all = outcome?;
        let progress = &mut self.progress;
        if progress.again.is_none() && second - progress.noted >= AGAIN_AFTER.as_secs() {
            progress.again = progress.until.take().map(|until| Again { until, from: None });
        }
        if progress.until.is_none() && is_all {
            (progress.until, progress.noted) = (Some(second + 1), second);
        }
        self.send_again().await
    }

    /// Sends ticks to the entries that are due and were not sent one before. Returns whether that was all of them.
    async fn send_new(&mut self, now: Timestamp, passed: &mut Vec<Passed>) -> Result<bool, SweepError> {
        let known: HashSet<u64> = self.progress.sent.iter().copied().collect();
        let mut from = self.progress.from.clone();
        loop {
            let page = self.page(now, from.as_ref()).await?;
            let is_known = |item: &DueItem| known.contains(&item.hash());
            let new: Vec<DueItem> = page.items.iter().filter(|item| !is_known(item)).cloned().collect();
            let unsent = self.send(&new).await?;
            passed.extend(page.items.iter().map(|item| {
                let hash = item.hash();
                Passed { position: item.position(), hash, is_sent: !unsent.contains(&hash) }
            }));
            match page.next {
                // A queue that does not accept everything is not used again until the next run.
                Some(next) if self.left > 0 && unsent.is_empty() => from = Some(next),
                next => {
                    self.swept.more |= next.is_some();
                    return Ok(next.is_none() && unsent.is_empty());
                }
            }
        }
    }

    /// Sends those again who were sent an hour ago or more, and still are due.
    async fn send_again(&mut self) -> Result<(), SweepError> {
        while self.left > 0
            && let Some(Again { until, from }) = self.progress.again.clone()
        {
            let last =
                Timestamp::from_second(until - 1).map_err(|_| StoreError::Unstorable("no such time".to_owned()))?;
            let page = self.page(last, from.as_ref()).await?;
            let unsent = self.send(&page.items).await?;
            if !unsent.is_empty() {
                return Ok(());
            }
            self.progress.again = page.next.map(|next| Again { until, from: Some(next) });
        }
        Ok(())
    }

    async fn page(&mut self, until: Timestamp, from: Option<&DuePosition>) -> Result<DuePage, SweepError> {
        let most = PAGE.min(u16::try_from(self.left).unwrap_or(PAGE));
        let page = self.deps.store.due(self.shard, until, most, from).await?;
        self.swept.unreadable += page.unreadable;
        Ok(page)
    }

    /// Sends ticks and accounts. Returns those that a queue did not take, by their hashes.
    async fn send(&mut self, items: &[DueItem]) -> Result<HashSet<u64>, SweepError> {
        let (mut people, mut accounts) = (Vec::new(), Vec::new());
        for item in items {
            match &item.of {
                Due::Person(person) => people.push(((*person, item.due_at), item.hash())),
                Due::Account(account) => accounts.push((account.clone(), item.hash())),
            }
        }
        let ticks = people.chunks(TICKS_AT_ONCE).map(|chunk| {
            let due = chunk.iter().map(|(due, _)| *due).collect();
            let body = serde_json::to_string(&EventsPayload::Ticks { due })?;
            Ok((body, chunk.iter().map(|(_, hash)| *hash).collect()))
        });
        let ticks = ticks.collect::<Result<Vec<_>, serde_json::Error>>()?;
        let anew = accounts
            .into_iter()
            .map(|(account, hash)| Ok((serde_json::to_string(&AccountsPayload::anew(account))?, vec![hash])));
        let anew = anew.collect::<Result<Vec<_>, serde_json::Error>>()?;
        let mut unsent = send(&*self.deps.events, ticks).await;
        unsent.extend(send(&*self.deps.accounts, anew).await);
        self.swept.unsent += unsent.len() as u64;
        self.swept.sent += (items.len() - unsent.len()) as u64;
        self.left = self.left.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX));
        Ok(unsent)
    }
}

/// Advances the progress over the sent entries. The last moments are stored entry by entry, as the index may show an
/// entry late.
fn advance(progress: &mut Progress, passed: Vec<Passed>, now: i64) {
    let late = now - LATE.as_secs();
    let mut kept = passed.iter().filter(|passed| passed.is_sent).count();
    let mut rest = passed.into_iter().peekable();
    while let Some(next) = rest.next_if(|next| next.is_sent && (next.position.at <= late || kept > MOST_KEPT)) {
        kept -= 1;
        progress.from = Some(next.position);
    }
    progress.sent = rest.filter(|passed| passed.is_sent).map(|passed| passed.hash).take(MOST_KEPT).collect();
}

/// Sends messages to a queue, each with the entries it contains. Returns the entries that were not accepted.
async fn send(queue: &dyn Sender, messages: Vec<(String, Vec<u64>)>) -> HashSet<u64> {
    if messages.is_empty() {
        return HashSet::new();
    }
    let (bodies, of): (Vec<String>, Vec<Vec<u64>>) = messages.into_iter().unzip();
    let report = queue.send(bodies, Delay::NONE).await;
    if let Some(first) = report.unsent.first() {
        tracing::warn!(unsent = report.unsent.len(), code = %first.code, "failed to send ticks; the next run finds them again");
    }
    report.unsent.iter().filter_map(|unsent| of.get(unsent.index)).flatten().copied().collect()
}
