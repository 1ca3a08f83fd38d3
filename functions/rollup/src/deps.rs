//! The handler's dependencies.

use jiff::{SignedDuration, Timestamp};
use perennial_domain::AccountId;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::Sender;
use perennial_lambda_kit::recent::Recent;
use perennial_store::{ConfigHandle, Store};
use std::sync::Arc;

/// Accounts, and performed entries of their outboxes, that a process remembers.
const REMEMBERED: usize = 10_000;

/// The parts of [`Deps`].
#[derive(Clone)]
pub struct Parts {
    /// The table.
    pub store: Store,
    /// The active configuration.
    pub config: ConfigHandle,
    /// The messages queue, for CRM updates.
    pub messages: Arc<dyn Sender>,
    /// The events queue, for people to evaluate again.
    pub events: Arc<dyn Sender>,
    /// The accounts queue, for accounts that another one's change concerns.
    pub accounts: Arc<dyn Sender>,
    /// The time.
    pub clock: Clock,
    /// The shortest time between two evaluations of an account's people.
    pub wake_pause: SignedDuration,
}

/// The handler's dependencies, one for the process.
pub struct Deps {
    pub(crate) store: Store,
    pub(crate) config: ConfigHandle,
    pub(crate) messages: Arc<dyn Sender>,
    pub(crate) events: Arc<dyn Sender>,
    pub(crate) accounts: Arc<dyn Sender>,
    pub(crate) clock: Clock,
    pub(crate) wake_pause: SignedDuration,
    /// When an account's people were last read.
    pub(crate) read: Recent<AccountId, Timestamp>,
    /// Hashes of executed outbox actions.
    pub(crate) performed: Recent<u64, ()>,
}

impl Deps {
    /// Creates the dependencies from their parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, config, messages, events, accounts, clock, wake_pause } = parts;
        let (read, performed) = (Recent::new(REMEMBERED), Recent::new(REMEMBERED));
        Self { store, config, messages, events, accounts, clock, wake_pause, read, performed }
    }
}
