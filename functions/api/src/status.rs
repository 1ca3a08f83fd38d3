//! The state of the system in numbers.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use crate::segments::NpsView;
use aws_sdk_sqs::types::QueueAttributeName;
use futures::future::{BoxFuture, FutureExt};
use http::Response;
use jiff::Timestamp;
use lambda_http::Body;
use perennial_config::Config;
use perennial_domain::{ConfigVersion, Stage};
use perennial_store::count::Count;
use perennial_store::pauses::Paused;
use perennial_store::sweeps::Sweep;
use perennial_store::totals::Totals;
use perennial_store::{Store, StoreError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Pages of 1 MB of a table that is counted when somebody asks: at most 512 read units, and no wait for the sweep while there is little.
const PAGES_AT_ONCE: u64 = 4;
/// Runs of the sweep that are shown.
const SWEEPS: u16 = 5;

/// A queue to read the depth of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedQueue {
    /// Its displayed name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// Its dead-letter queue's URL.
    pub dlq_url: String,
}

/// The number of messages in a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Ready to be received.
    pub visible: u64,
    /// Received, and neither deleted nor visible again.
    pub in_flight: u64,
    /// Delayed.
    pub delayed: u64,
    /// `true` if delayed messages wait until a simulated clock is moved, and so never become visible by themselves.
    pub held_by_clock: bool,
}

impl Depth {
    /// Returns the number of all messages.
    fn total(self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }

    /// Those that are dealt with, or will be by themselves.
    fn under_way(self) -> u64 {
        self.visible + self.in_flight + if self.held_by_clock { 0 } else { self.delayed }
    }
}

/// Reads the depth of queues.
pub trait Depths: Send + Sync {
    /// Returns the number of messages in the queue at `url`, or the error's code.
    fn depth<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Depth, String>>;
}

impl Depths for aws_sdk_sqs::Client {
    fn depth<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Depth, String>> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed, ApproximateNumberOfMessagesNotVisible,
        };
        async move {
            let names = [
                ApproximateNumberOfMessages,
                ApproximateNumberOfMessagesNotVisible,
                ApproximateNumberOfMessagesDelayed,
            ];
            let answer =
                self.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec())).send().await;
            let answer =
                answer.map_err(|error| error.into_service_error().meta().code().unwrap_or("NotReached").to_owned())?;
            let number = |name: &QueueAttributeName| {
                let text = answer.attributes().and_then(|attributes| attributes.get(name));
                text.and_then(|text| text.parse().ok()).ok_or_else(|| "MissingAttribute".to_owned())
            };
            let [visible, in_flight, delayed] = &names;
            let (visible, in_flight, delayed) = (number(visible)?, number(in_flight)?, number(delayed)?);
            Ok(Depth { visible, in_flight, delayed, held_by_clock: false })
        }
        .boxed()
    }
}

/// The longest age of shown totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxAge {
    /// While work is in flight.
    pub busy: Duration,
    /// While the system is idle.
    pub idle: Duration,
}

/// Reads and caches queue depths and table totals.
pub struct Status {
    queues: Vec<WatchedQueue>,
    depths: Arc<dyn Depths>,
    max_age: MaxAge,
    pages_at_once: u64,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// The time of the last read, and the totals with the time of their count.
    totals: Option<(Timestamp, Counted<Totals>)>,
    /// `true` if work was in flight at or after that time.
    busy_since: bool,
}

/// The numbers, and the time at which counting began.
pub(crate) type Counted<T> = Option<(Timestamp, T)>;

impl Status {
    /// `queues` in the order in which work flows through them.
    #[must_use]
    pub fn new(queues: Vec<WatchedQueue>, depths: Arc<dyn Depths>, max_age: MaxAge) -> Self {
        Self { queues, depths, max_age, pages_at_once: PAGES_AT_ONCE, held: Mutex::default() }
    }

    /// The same, where a table of so many pages of 1 MB is counted when somebody asks.
    #[must_use]
    pub fn with_pages_at_once(self, pages_at_once: u64) -> Self {
        Self { pages_at_once, ..self }
    }

    /// Returns the queue depths and the totals; see [`Self::totals`].
    pub(crate) async fn look_and_count(
        &self,
        store: &Store,
        now: Timestamp,
    ) -> Result<(Look, Counted<Totals>), Failure> {
        let look = self.look().await;
        let (queues, idle) =
            look.map_err(|code| Failure::Queue(format!("a queue's depth could not be read: {code}")))?;
        let totals = self.totals(store, idle, now).await?;
        Ok((Look { queues, idle }, totals))
    }

    /// Returns the cached totals, and refreshes them once they are too old or the system has become idle since.
    async fn totals(&self, store: &Store, idle: bool, now: Timestamp) -> Result<Counted<Totals>, StoreError> {
        // One caller counts; concurrent callers wait for its result.
        let mut held = self.held.lock().await;
        held.busy_since |= !idle;
        let max_age = if idle { self.max_age.idle } else { self.max_age.busy };
        let settled = idle && held.busy_since;
        if let Some((at, totals)) = &held.totals
            && !settled
            && now.duration_since(*at).unsigned_abs() < max_age
        {
            return Ok(totals.clone());
        }
        let last = store.last_count().await?;
        let fresh = if self.is_small(last.as_ref()) { store.totals_within(self.pages_at_once).await? } else { None };
        let totals = match fresh {
            Some(totals) => Some((now, totals)),
            None => last.map(|last| (last.at, last.totals)),
        };
        *held = Held { totals: Some((now, totals.clone())), busy_since: !idle };
        Ok(totals)
    }

    /// Returns the count of all profiles: a fresh one of a small table, else that of the sweep's last pass.
    ///
    /// # Errors
    /// [`Failure::NotCounted`] before the first pass is through.
    pub(crate) async fn count(&self, store: &Store, config: &Config, now: Timestamp) -> Result<Count, Failure> {
        let last = store.last_count().await?;
        if self.is_small(last.as_ref())
            && let Some(fresh) = store.count_within(config, self.pages_at_once, now).await?
        {
            return Ok(fresh);
        }
        last.ok_or(Failure::NotCounted)
    }

    /// Returns whether the table is small enough to be counted on request, as far as its size is known.
    fn is_small(&self, last: Option<&Count>) -> bool {
        last.is_none_or(|last| last.pages <= self.pages_at_once)
    }

    /// All queues' depths, and whether nothing is in flight. A message that moves on is in its next queue before it leaves the one before, so looking in
    /// the order of the flow finds it; the second round is for what went around in a circle meanwhile.
    async fn look(&self) -> Result<(BTreeMap<String, QueueView>, bool), String> {
        let (views, idle) = self.round().await?;
        if idle { self.round().await } else { Ok((views, false)) }
    }

    async fn round(&self) -> Result<(BTreeMap<String, QueueView>, bool), String> {
        let mut views = BTreeMap::new();
        let mut idle = true;
        for queue in &self.queues {
            let (own, dead) =
                futures::future::try_join(self.depths.depth(&queue.url), self.depths.depth(&queue.dlq_url)).await?;
            idle &= own.under_way() == 0;
            let view =
                QueueView { depth: own.visible, in_flight: own.in_flight, delayed: own.delayed, dlq: dead.total() };
            views.insert(queue.name.clone(), view);
        }
        Ok((views, idle))
    }
}

impl std::fmt::Debug for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Status").field("queues", &self.queues).field("max_age", &self.max_age).finish_non_exhaustive()
    }
}

/// The depths of the queues.
pub(crate) struct Look {
    queues: BTreeMap<String, QueueView>,
    /// `true` if nothing is in flight.
    idle: bool,
}

#[derive(Serialize)]
struct StatusView {
    /// When the numbers began to be counted; `null`, without the numbers, before the sweep has counted a large table for the first time.
    counted_at: Option<Timestamp>,
    #[serde(flatten)]
    totals: Option<TotalsView>,
    /// Journeys that send no mail until they are resumed, with the figures that did it.
    paused_journeys: Vec<Paused>,
    queues: BTreeMap<String, QueueView>,
    idle: bool,
    /// The last runs of the sweep within a week, the newest first.
    sweeps: Vec<Sweep>,
    now: Timestamp,
    config: ConfigVersion,
    /// The active configuration. The instance of this function may still use one that is a minute older.
    in_force: Option<InForce>,
}

/// The totals of the table.
#[derive(Serialize)]
struct TotalsView {
    events: EventsView,
    profiles: u64,
    /// Ids in other systems that are not linked to a person yet.
    unlinked_ids: u64,
    /// The number of people by stage at their last evaluation.
    stages: BTreeMap<Stage, u64>,
    /// The number of people by persona.
    personas: BTreeMap<String, u64>,
    nps: NpsView,
    /// Texts of the last three months in languages that are not known: they count for no sentiment.
    unread_texts: u64,
    accounts: u64,
    /// Items that could not be read, and are in none of the numbers.
    unreadable: u64,
    messages: u64,
    messages_by: BTreeMap<String, BTreeMap<String, u64>>,
    /// Updates of the CRM's account records.
    crm_updates: u64,
}

impl From<Totals> for TotalsView {
    fn from(totals: Totals) -> Self {
        Self {
            events: EventsView { accepted: totals.accepted, rejected: totals.rejected, duplicates: totals.duplicates },
            profiles: totals.profiles,
            unlinked_ids: totals.external,
            stages: totals.stages,
            personas: totals.personas,
            nps: totals.nps.into(),
            unread_texts: totals.unread_texts,
            accounts: totals.accounts,
            unreadable: totals.unreadable,
            messages: totals.messages,
            messages_by: totals.channels,
            crm_updates: totals.crm_updates,
        }
    }
}

/// The active configuration.
#[derive(Serialize)]
struct InForce {
    version: ConfigVersion,
    since: Timestamp,
    /// `true` if a rollback activated it.
    rolled_back: bool,
    previous: Option<ConfigVersion>,
}

#[derive(Serialize)]
struct EventsView {
    accepted: u64,
    rejected: u64,
    duplicates: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct QueueView {
    depth: u64,
    in_flight: u64,
    delayed: u64,
    dlq: u64,
}

/// `GET /api/status`.
pub(crate) async fn show(deps: &Deps) -> Result<Response<Body>, Failure> {
    let now = deps.clock.now();
    let (Look { queues, idle }, totals) = deps.status.look_and_count(&deps.store, now).await?;
    let in_force = deps.store.current_config().await?.map(|current| InForce {
        version: current.version,
        since: current.since,
        rolled_back: current.rolled_back,
        previous: current.previous,
    });
    answer::json(&StatusView {
        counted_at: totals.as_ref().map(|(at, _)| *at),
        totals: totals.map(|(_, totals)| totals.into()),
        paused_journeys: deps.store.paused_journeys().await?,
        queues,
        idle,
        sweeps: deps.store.sweeps(SWEEPS).await?,
        now,
        in_force,
        config: deps.config.current().await.version.clone(),
    })
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
