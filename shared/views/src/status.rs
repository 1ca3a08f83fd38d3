//! The state of the system in numbers.

use crate::segments::NpsView;
use crate::{ViewError, Views};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{ConfigVersion, Stage};
use perennial_lambda_kit::queue::{Depths, WatchedQueue};
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

/// The numbers, and the time at which counting began; `None` before the first count.
pub type Counted<T> = Option<(Timestamp, T)>;

impl Status {
    /// `queues` in the order in which work flows through them.
    #[must_use]
    pub fn new(queues: Vec<WatchedQueue>, depths: Arc<dyn Depths>, max_age: MaxAge) -> Self {
        Self { queues, depths, max_age, pages_at_once: PAGES_AT_ONCE, held: Mutex::default() }
    }

    /// Returns the queue with this name.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<&WatchedQueue> {
        self.queues.iter().find(|queue| queue.name == name)
    }

    /// The same, where a table of so many pages of 1 MB is counted when somebody asks.
    #[must_use]
    pub fn with_pages_at_once(self, pages_at_once: u64) -> Self {
        Self { pages_at_once, ..self }
    }

    /// Returns the queue depths and the totals: cached ones, unless they are too old.
    ///
    /// # Errors
    /// [`ViewError`] if the table or a queue fails.
    pub async fn look_and_count(&self, store: &Store, now: Timestamp) -> Result<(Look, Counted<Totals>), ViewError> {
        let look = self.look().await;
        let (queues, idle) =
            look.map_err(|code| ViewError::Queue(format!("a queue's depth could not be read: {code}")))?;
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
    /// [`ViewError::NotCounted`] before the first pass is through, or if the table fails.
    pub async fn count(&self, store: &Store, config: &Config, now: Timestamp) -> Result<Count, ViewError> {
        let last = store.last_count().await?;
        if self.is_small(last.as_ref())
            && let Some(fresh) = store.count_within(config, self.pages_at_once, now).await?
        {
            return Ok(fresh);
        }
        last.ok_or(ViewError::NotCounted)
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
#[derive(Debug)]
pub struct Look {
    /// By the displayed name.
    pub queues: BTreeMap<String, QueueView>,
    /// `true` if nothing is in flight.
    pub idle: bool,
}

/// The state of the system.
#[derive(Debug, Serialize)]
pub struct StatusView {
    /// When the numbers began to be counted; `null`, without the numbers, before the sweep has counted a large table for the first time.
    pub counted_at: Option<Timestamp>,
    /// The numbers.
    #[serde(flatten)]
    pub totals: Option<TotalsView>,
    /// Journeys that send no mail until they are resumed, with the figures that did it.
    pub paused_journeys: Vec<Paused>,
    /// The queues by name.
    pub queues: BTreeMap<String, QueueView>,
    /// `true` if nothing is in flight.
    pub idle: bool,
    /// The last runs of the sweep within a week, the newest first.
    pub sweeps: Vec<Sweep>,
    /// The time that this is of.
    pub now: Timestamp,
    /// The configuration that this instance uses.
    pub config: ConfigVersion,
    /// The active configuration. The instance of this function may still use one that is a minute older.
    pub in_force: Option<InForce>,
}

/// The totals of the table.
#[derive(Debug, Serialize)]
pub struct TotalsView {
    /// Events.
    pub events: EventsView,
    /// People.
    pub profiles: u64,
    /// Ids in other systems that are not linked to a person yet.
    pub unlinked_ids: u64,
    /// The number of people by stage at their last evaluation.
    pub stages: BTreeMap<Stage, u64>,
    /// The number of people by persona.
    pub personas: BTreeMap<String, u64>,
    /// The answers to the recommendation survey.
    pub nps: NpsView,
    /// Texts of the last three months in languages that are not known: they count for no sentiment.
    pub unread_texts: u64,
    /// Accounts.
    pub accounts: u64,
    /// Items that could not be read, and are in none of the numbers.
    pub unreadable: u64,
    /// Messages and tasks.
    pub messages: u64,
    /// Messages by channel and state.
    pub messages_by: BTreeMap<String, BTreeMap<String, u64>>,
    /// Updates of the CRM's account records.
    pub crm_updates: u64,
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
#[derive(Debug, Serialize)]
pub struct InForce {
    /// Its version.
    pub version: ConfigVersion,
    /// When it was activated.
    pub since: Timestamp,
    /// `true` if a rollback activated it.
    pub rolled_back: bool,
    /// The version before.
    pub previous: Option<ConfigVersion>,
}

/// The numbers of events.
#[derive(Debug, Serialize)]
pub struct EventsView {
    /// Counted.
    pub accepted: u64,
    /// Rejected, and still kept.
    pub rejected: u64,
    /// Repeated, as far as was noted.
    pub duplicates: u64,
}

/// The numbers of messages of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueView {
    /// Ready to be received.
    pub depth: u64,
    /// Being worked on.
    pub in_flight: u64,
    /// Delayed.
    pub delayed: u64,
    /// Dead letters.
    pub dlq: u64,
}

/// Returns the state of the system.
///
/// # Errors
/// [`ViewError`] if the table or a queue fails.
pub async fn show(views: &Views) -> Result<StatusView, ViewError> {
    let now = views.clock.now();
    let (Look { queues, idle }, totals) = views.status.look_and_count(&views.store, now).await?;
    let in_force = views.store.current_config().await?.map(|current| InForce {
        version: current.version,
        since: current.since,
        rolled_back: current.rolled_back,
        previous: current.previous,
    });
    Ok(StatusView {
        counted_at: totals.as_ref().map(|(at, _)| *at),
        totals: totals.map(|(_, totals)| totals.into()),
        paused_journeys: views.store.paused_journeys().await?,
        queues,
        idle,
        sweeps: views.store.sweeps(SWEEPS).await?,
        now,
        in_force,
        config: views.config.current().await.version.clone(),
    })
}
