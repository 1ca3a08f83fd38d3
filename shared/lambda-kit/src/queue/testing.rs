//! A queue in memory, for tests of the functions.

use std::sync::{Mutex, PoisonError};

use futures::future::{BoxFuture, FutureExt};

use super::{Delay, SendReport, Sender, Unsent};

/// Keeps bodies in memory and rejects some on demand.
#[derive(Debug, Default)]
pub struct MemoryQueue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    sent: Vec<(String, Delay)>,
    refuse: usize,
    requests: usize,
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

    /// The number of requests so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.with(|state| state.requests)
    }

    /// Removes and returns everything sent so far, with its delay.
    #[must_use]
    pub fn drain(&self) -> Vec<(String, Delay)> {
        self.with(|state| std::mem::take(&mut state.sent))
    }
}

impl Sender for MemoryQueue {
    fn send_each(&self, messages: Vec<(String, Delay)>) -> BoxFuture<'_, SendReport> {
        let report = self.with(|state| {
            let mut report = SendReport { unsent: Vec::new(), requests: messages.len().div_ceil(super::MAX_ENTRIES) };
            state.requests += report.requests;
            for (index, message) in messages.into_iter().enumerate() {
                if state.refuse > 0 {
                    state.refuse -= 1;
                    report.unsent.push(Unsent { index, code: "Refused".to_owned() });
                } else {
                    state.sent.push(message);
                }
            }
            report
        });
        std::future::ready(report).boxed()
    }
}
