//! The handler's dependencies.

use crate::access::Access;
use crate::status::Status;
use perennial_channels::unsubscribe::Keys;
use perennial_contracts::tokens::TokenSecrets;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::Sender;
use perennial_store::{ConfigHandle, Store};
use std::sync::Arc;

/// The handler's dependencies, one for the whole process.
pub struct Deps {
    pub(crate) store: Store,
    pub(crate) config: ConfigHandle,
    pub(crate) events: Arc<dyn Sender>,
    pub(crate) status: Status,
    pub(crate) access: Access,
    pub(crate) keys: Keys,
    pub(crate) clock: Clock,
    pub(crate) tokens: TokenSecrets,
}

impl Deps {
    /// `events` is the events queue; `keys` are what `deliver` signs unsubscribe links with.
    #[must_use]
    pub fn new(
        store: Store,
        config: ConfigHandle,
        events: Arc<dyn Sender>,
        status: Status,
        access: Access,
        keys: Keys,
        clock: Clock,
    ) -> Self {
        Self { store, config, events, status, access, keys, clock, tokens: TokenSecrets::default() }
    }

    /// Sets the secrets of tokens by which people's own browsers may read their inboxes.
    #[must_use]
    pub fn with_tokens(self, tokens: TokenSecrets) -> Self {
        Self { tokens, ..self }
    }
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps")
            .field("store", &self.store)
            .field("access", &self.access)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
