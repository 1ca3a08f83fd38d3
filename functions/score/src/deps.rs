//! What the handler works with.

use crate::accounts::Accounts;
use crate::performed::Performed;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::{Delay, Sender};
use perennial_lambda_kit::recent::Recent;
use perennial_store::{Archive, ConfigHandle, Store};
use std::sync::Arc;

/// People worked on at once where nothing else is said.
const CONCURRENCY: usize = 16;
/// Archived records that come again and a process remembers.
const ARCHIVED: usize = 10_000;
/// Performed outbox entries that a process remembers: 8 bytes each, twice.
const REMEMBERED: usize = 50_000;

/// What [`Deps`] are made of.
#[derive(Clone)]
pub struct Parts {
    /// The table.
    pub store: Store,
    /// Where every event is kept.
    pub archive: Archive,
    /// The messages queue.
    pub messages: Arc<dyn Sender>,
    /// The queue of essential messages, which wait for nothing else.
    pub essential: Arc<dyn Sender>,
    /// The accounts queue.
    pub accounts: Arc<dyn Sender>,
    /// The events queue, for what journeys count.
    pub events: Arc<dyn Sender>,
    /// The config in force.
    pub config: ConfigHandle,
    /// The time.
    pub clock: Clock,
    /// How long a changed account waits for more changes.
    pub debounce: Delay,
}

/// What the handler works with: one a process.
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
    /// Hashes of records that come again, and whose events are in the archive already.
    pub(crate) archived: Recent<u64, ()>,
}

impl Deps {
    /// Puts the parts together.
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

    /// The same with at most `concurrency` people (at least one) worked on at once; 16 where nothing is said.
    #[must_use]
    pub fn with_concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }
}
