//! Advances the stack's time: schedules are called and, under simulated time, it stops at every moment at which
//! something is due.

use super::reached::Reached;
use super::schedules::{Schedules, UnknownZone};
use super::wiring::Wired;
use jiff::Timestamp;
use perennial_config::schedules::Schedule;
use perennial_embedded_aws::{QueueDepth, Queues};
use perennial_lambda_kit::{Clock, SimulatedTime};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The function that finds the profiles that are due.
const SWEEP: &str = "sweep";
/// How long queues may make no progress before time moves no further.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Why time was not moved to where it should be.
#[derive(Debug, thiserror::Error)]
pub enum NotMoved {
    /// That time has passed.
    #[error("simulated time is {now} and never goes back: {to} is earlier; `now` has to be {now} or later")]
    Earlier {
        /// The requested time.
        to: Timestamp,
        /// The current time.
        now: Timestamp,
    },
    /// Work that was due before is not done.
    #[error("simulated time stays at {now}: the queues have made no progress for a minute: {queues}")]
    Stuck {
        /// The current time.
        now: Timestamp,
        /// The queues that hold work, with how much.
        queues: String,
    },
}

/// Advances the stack's time.
pub(super) struct Passing {
    wired: Arc<Wired>,
    schedules: Mutex<Schedules>,
    queues: Queues,
    clock: Clock,
    reached: Reached,
    /// Queues with a consumer. Messages in others wait for one.
    read: Vec<String>,
    /// Held while time moves, so that two callers do not move it at once.
    moving: tokio::sync::Mutex<()>,
}

impl Passing {
    /// Time passes from now on.
    pub(super) fn new(wired: Arc<Wired>, schedules: Schedules, queues: Queues, clock: Clock, reached: Reached) -> Self {
        let name = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
        let read = wired.sources.iter().map(|source| name(&source.queue_url)).collect();
        let (schedules, moving) = (Mutex::new(schedules), tokio::sync::Mutex::default());
        Self { wired, schedules, queues, clock, reached, read, moving }
    }

    /// Returns the depth of each queue by name.
    pub(super) fn depths(&self) -> BTreeMap<String, QueueDepth> {
        self.queues.depths()
    }

    fn schedules(&self) -> MutexGuard<'_, Schedules> {
        self.schedules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the schedules.
    ///
    /// # Errors
    /// [`UnknownZone`]; the schedules are then unchanged.
    pub(super) fn replan(&self, schedules: &[Schedule]) -> Result<(), UnknownZone> {
        let mut current = self.schedules();
        *current = current.replanned(schedules, self.clock.now())?;
        Ok(())
    }

    /// Does what is due by the clock: call it every second, or, under simulated time, whenever that was moved. Returns
    /// whether a sweep left profiles for the next one.
    pub(super) async fn catch_up(&self) -> bool {
        let now = self.clock.now();
        self.reached.note(now, self.clock.is_simulated());
        if self.clock.is_simulated() {
            self.queues.clock_moved();
        }
        let due = self.schedules().due(now);
        let mut more = false;
        for function in due {
            more |= self.wired.run_scheduled(&function).await;
        }
        more
    }

    /// Moves simulated time to `to` as if it had passed by itself: it stops at each moment at which a queue's delay
    /// ends, a message is redelivered, or a sweep finds due profiles, and continues when the consequences are
    /// processed. Sweeps without due profiles are skipped, so that the cost depends on what happens in the period.
    /// Returns the time that it is then.
    ///
    /// # Errors
    /// [`NotMoved`] if `to` has passed already, or work does not finish.
    pub(super) async fn move_to(&self, time: &SimulatedTime, to: Timestamp) -> Result<Timestamp, NotMoved> {
        let _only = self.moving.lock().await;
        let now = time.now();
        if to < now {
            return Err(NotMoved::Earlier { to, now });
        }
        // The time from which due profiles have not been swept yet.
        let mut unswept = Timestamp::MIN;
        loop {
            self.at_rest().await?;
            let others = self.schedules().next_call_of_others(SWEEP);
            let next = others.into_iter().chain(self.queues.next_due()).min();
            let first = self.schedules().first_call(SWEEP, self.clock.now());
            let sweep = match next.zip(first) {
                // No sweep is called before, even if a profile is due.
                Some((next, first)) if next < first => None,
                _ => self.next_sweep(unswept).await,
            };
            let next = next.into_iter().chain(sweep).min();
            let Some(next) = next.filter(|next| *next < to) else { break };
            // Before moving: nothing may be stored at a time that the folder does not know of.
            self.reached.note(next, true);
            let now = time.set(next);
            let more = self.catch_up().await;
            if !more && sweep.is_some_and(|sweep| sweep <= now) {
                // The index knows whole seconds.
                unswept = Timestamp::from_second(now.as_second()).unwrap_or(now);
            }
        }
        self.reached.note(to, true);
        let now = time.set(to);
        self.catch_up().await;
        self.at_rest().await?;
        Ok(now)
    }

    /// Returns the next time at which a sweep is called and finds a due profile, at `unswept` or later.
    async fn next_sweep(&self, unswept: Timestamp) -> Option<Timestamp> {
        let due = match self.wired.store.next_due(unswept).await {
            Ok(due) => due?,
            Err(error) => {
                // The next regular call finds out.
                tracing::warn!(%error, "failed to read the next due time");
                self.clock.now()
            }
        };
        self.schedules().first_call(SWEEP, due.max(self.clock.now()))
    }

    /// Waits until nothing is left to do at the present time.
    async fn at_rest(&self) -> Result<(), NotMoved> {
        let busy = || -> BTreeMap<String, QueueDepth> {
            let mut depths = self.queues.depths();
            depths.retain(|name, depth| self.read.contains(name) && depth.busy() > 0);
            depths
        };
        let (mut last, mut since) = (BTreeMap::new(), tokio::time::Instant::now());
        loop {
            // Twice, because a message may move from a queue that is not yet checked to one that was.
            let depths = [busy(), busy()].into_iter().find(|depths| !depths.is_empty());
            let Some(depths) = depths else { return Ok(()) };
            if depths != last {
                (last, since) = (depths, tokio::time::Instant::now());
            } else if since.elapsed() > STUCK_AFTER {
                let queues: Vec<String> =
                    last.iter().map(|(name, depth)| format!("{name} has {} messages", depth.busy())).collect();
                return Err(NotMoved::Stuck { now: self.clock.now(), queues: queues.join(", ") });
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
