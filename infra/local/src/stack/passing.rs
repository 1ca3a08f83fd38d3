//! What time brings: schedules that are due, and, where time is simulated, messages whose delay is over.

use super::schedules::Schedules;
use super::wiring::Wired;
use crate::aws::{QueueDepth, QueueTime};
use jiff::Timestamp;
use perennial_lambda_kit::Clock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Lets the stack's time pass.
pub(super) struct Passing {
    wired: Arc<Wired>,
    schedules: Mutex<Schedules>,
    queues: QueueTime,
    clock: Clock,
    /// Up to when simulated time has passed for the queues.
    moved_to: Mutex<Timestamp>,
}

impl Passing {
    /// Time passes from now on.
    pub(super) fn new(wired: Arc<Wired>, schedules: Schedules, queues: QueueTime, clock: Clock) -> Self {
        let moved_to = Mutex::new(clock.now());
        Self { wired, schedules: Mutex::new(schedules), queues, clock, moved_to }
    }

    /// The depth of each queue by name.
    pub(super) fn depths(&self) -> BTreeMap<String, QueueDepth> {
        self.queues.depths()
    }

    /// Does what is due by the clock: to be called every second, or, where time is simulated, whenever it was moved.
    pub(super) async fn catch_up(&self) {
        let now = self.clock.now();
        if self.clock.is_simulated() {
            let mut moved_to = self.moved_to.lock().unwrap_or_else(PoisonError::into_inner);
            self.queues.advance(now.duration_since(*moved_to));
            *moved_to = now;
        }
        let due = self.schedules.lock().unwrap_or_else(PoisonError::into_inner).due(now);
        for function in due {
            self.wired.run_scheduled(&function).await;
        }
    }
}
