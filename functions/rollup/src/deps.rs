//! The handler's dependencies.

use jiff::{SignedDuration, Timestamp};
use perennial_domain::AccountId;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::{Delay, Sender};
use perennial_lambda_kit::recent::Recent;
use perennial_store::{ConfigHandle, Store};
use std::sync::Arc;

/// Accounts, and performed entries of their outboxes, that a process remembers.
const REMEMBERED: usize = 10_000;

/// A computation of an account.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    /// When its people were read, or before.
    pub(crate) at: Timestamp,
    /// The account, or the one that owns its people.
    pub(crate) account: AccountId,
    /// The version of that account.
    pub(crate) version: u64,
    /// The fingerprint of the facts with which its people were last evaluated; `None` if they never were.
    pub(crate) told: Option<u64>,
}

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
    /// How long an account is written before its people are evaluated with it: longer than other processes take to use what they have
    /// read of it before.
    pub wake_after: Delay,
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
    pub(crate) wake_after: Delay,
    /// The last computation of an account.
    pub(crate) read: Recent<AccountId, Read>,
    /// Hashes of executed outbox actions.
    pub(crate) performed: Recent<u64, ()>,
}

impl Deps {
    /// Creates the dependencies from their parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, config, messages, events, accounts, clock, wake_pause, wake_after } = parts;
        let (read, performed) = (Recent::new(REMEMBERED), Recent::new(REMEMBERED));
        Self { store, config, messages, events, accounts, clock, wake_pause, wake_after, read, performed }
    }
}
