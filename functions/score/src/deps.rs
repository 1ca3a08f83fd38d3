//! The handler's dependencies.

use crate::accounts::Accounts;
use crate::performed::Performed;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::{Delay, Sender};
use perennial_lambda_kit::recent::Recent;
use perennial_store::{Archive, ConfigHandle, Store};
use std::sync::Arc;

/// The default number of profiles processed at once.
const CONCURRENCY: usize = 16;
/// The number of archived records that a process remembers, in case they are redelivered.
const ARCHIVED: usize = 10_000;
/// The number of executed outbox entries that a process remembers: 8 bytes each, twice.
const REMEMBERED: usize = 50_000;

/// The parts of [`Deps`].
#[derive(Clone)]
pub struct Parts {
    /// The table.
    pub store: Store,
    /// The archive of every event.
    pub archive: Archive,
    /// The messages queue.
    pub messages: Arc<dyn Sender>,
    /// The queue of essential messages, which do not wait behind others.
    pub essential: Arc<dyn Sender>,
    /// The accounts queue.
    pub accounts: Arc<dyn Sender>,
    /// The events queue, for what journeys count.
    pub events: Arc<dyn Sender>,
    /// The active configuration.
    pub config: ConfigHandle,
    /// The time.
    pub clock: Clock,
    /// How long a changed account waits for more changes.
    pub debounce: Delay,
}

/// The handler's dependencies, one for the process.
pub struct Deps {
    pub(crate) store: Store,
    pub(crate) archive: Archive,
    pub(crate) messages: Arc<dyn Sender>,
    pub(crate) essential: Arc<dyn Sender>,
    pub(crate) accounts: Arc<dyn Sender>,
    pub(crate) events: Arc<dyn Sender>,
    pub(crate) config: ConfigHandle,
    pub(crate) clock: Clock,
    pub(crate) debounce: Delay,
    pub(crate) concurrency: usize,
    pub(crate) performed: Performed,
    pub(crate) known: Accounts,
    /// Hashes of redelivered records whose events are in the archive already.
    pub(crate) archived: Recent<u64, ()>,
}

impl Deps {
    /// Creates the dependencies from their parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { store, archive, messages, essential, accounts, events, config, clock, debounce } = parts;
        Self {
            store,
            archive,
            messages,
            essential,
            accounts,
            events,
            config,
            clock,
            debounce,
            concurrency: CONCURRENCY,
            performed: Performed::new(REMEMBERED),
            known: Accounts::new(),
            archived: Recent::new(ARCHIVED),
        }
    }

    /// Sets the number of profiles processed at once (at least one); default: 16.
    #[must_use]
    pub fn with_concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }
}
