//! The handler's dependencies.

use crate::access::Access;
use perennial_channels::unsubscribe::Keys;
use perennial_contracts::tokens::TokenSecrets;
use perennial_lambda_kit::queue::Sender;
use perennial_views::Views;
use std::sync::Arc;

/// The handler's dependencies, one for the whole process.
pub struct Deps {
    pub(crate) views: Views,
    pub(crate) events: Arc<dyn Sender>,
    pub(crate) access: Access,
    pub(crate) keys: Keys,
    pub(crate) tokens: TokenSecrets,
}

impl Deps {
    /// `events` is the events queue; `keys` are what `deliver` signs unsubscribe links with.
    #[must_use]
    pub fn new(views: Views, events: Arc<dyn Sender>, access: Access, keys: Keys) -> Self {
        Self { views, events, access, keys, tokens: TokenSecrets::default() }
    }

    /// Sets the secrets of tokens by which people's own browsers may read their inboxes.
    #[must_use]
    pub fn with_tokens(self, tokens: TokenSecrets) -> Self {
        Self { tokens, ..self }
    }
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps").field("views", &self.views).field("access", &self.access).finish_non_exhaustive()
    }
}
