//! A queue that keeps what is sent to it, for tests of the functions.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};

use super::{Delay, NotPostponed, Postpone, SendReport, Sender, Unsent};

/// Keeps bodies in memory and refuses some on demand.
#[derive(Debug, Default)]
pub struct MemoryQueue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    sent: Vec<(String, Delay)>,
    put_off: Vec<(String, Duration)>,
    refuse: usize,
}

impl MemoryQueue {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Refuses the next `n` bodies with the code `Refused`.
    pub fn refuse_next(&self, n: usize) {
        self.with(|state| state.refuse = n);
    }

    /// The bodies taken so far, in order.
    #[must_use]
    pub fn bodies(&self) -> Vec<String> {
        self.with(|state| state.sent.iter().map(|(body, _)| body.clone()).collect())
    }

    /// The receipts that were put off so far, each with by how long.
    #[must_use]
    pub fn put_off(&self) -> Vec<(String, Duration)> {
        self.with(|state| state.put_off.clone())
    }

    /// Takes out everything sent so far, with its delay.
    #[must_use]
    pub fn drain(&self) -> Vec<(String, Delay)> {
        self.with(|state| std::mem::take(&mut state.sent))
    }
}

impl Sender for MemoryQueue {
    fn send(&self, bodies: Vec<String>, delay: Delay) -> BoxFuture<'_, SendReport> {
        let report = self.with(|state| {
            let mut report = SendReport { unsent: Vec::new(), requests: bodies.len().div_ceil(super::MAX_ENTRIES) };
            for (index, body) in bodies.into_iter().enumerate() {
                if state.refuse > 0 {
                    state.refuse -= 1;
                    report.unsent.push(Unsent { index, code: "Refused".to_owned() });
                } else {
                    state.sent.push((body, delay));
                }
            }
            report
        });
        std::future::ready(report).boxed()
    }
}

impl Postpone for MemoryQueue {
    fn postpone<'a>(&'a self, receipt_handle: &'a str, by: Duration) -> BoxFuture<'a, Result<(), NotPostponed>> {
        self.with(|state| state.put_off.push((receipt_handle.to_owned(), by)));
        std::future::ready(Ok(())).boxed()
    }
}
