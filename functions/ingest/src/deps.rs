//! The handler's dependencies.

use crate::receipt::Receipts;
use crate::throttle::Throttle;
use http::HeaderName;
use perennial_contracts::tokens::TokenSecrets;
use perennial_contracts::tracking::Nonce;
use perennial_contracts::webhooks::Secret;
use perennial_lambda_kit::queue::Sender;
use perennial_lambda_kit::{Clock, Env};
use perennial_store::ConfigHandle;
use perennial_store::rejects::Rejects;
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The rejects of one source that an instance stores in a minute: enough to see what is wrong, while limiting the cost
/// when a source sends nothing else.
const REJECTS_A_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

/// Looks up the signing secrets of hooks by their names in `sources.toml`. Does not print them.
#[derive(Clone)]
pub struct Secrets(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Secrets {
    /// Finds them by `lookup`. Its text may hold several secrets with white space between, while one is rotated.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    /// Finds them in the environment.
    #[must_use]
    pub fn from_env(env: Env) -> Self {
        // Text always parses; a key that is not set has no secret.
        Self::new(move |name| env.optional::<String>(name, "a signing secret").ok().flatten())
    }

    /// Returns the secrets under `name`; empty if there are none.
    pub(crate) fn get(&self, name: &str) -> Vec<Secret> {
        (self.0)(name).map(|secrets| Secret::list(&secrets)).unwrap_or_default()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets([redacted])")
    }
}

/// Returns random bytes of the system; `None` if that fails.
pub(crate) fn nonce() -> Option<Nonce> {
    let mut nonce = Nonce::default();
    SystemRandom::new().fill(&mut nonce).ok().map(|()| nonce)
}

/// The handler's dependencies, one for the whole process.
pub struct Deps {
    pub(crate) config: ConfigHandle,
    pub(crate) events: Arc<dyn Sender>,
    pub(crate) rejects: Arc<dyn Rejects>,
    pub(crate) secrets: Secrets,
    pub(crate) tokens: TokenSecrets,
    pub(crate) clock: Clock,
    pub(crate) receipts: Receipts,
    pub(crate) in_flight: Semaphore,
    pub(crate) throttle: Option<Throttle>,
    /// Limits the stored rejects of a source.
    pub(crate) kept_rejects: Throttle,
    pub(crate) client_ip_header: Option<HeaderName>,
}

impl Deps {
    /// `events` is the events queue; `max_in_flight` how many bodies are worked on at once.
    pub fn new(
        config: ConfigHandle,
        events: Arc<dyn Sender>,
        rejects: Arc<dyn Rejects>,
        secrets: Secrets,
        clock: Clock,
        max_in_flight: usize,
    ) -> Self {
        let (receipts, in_flight) = (Receipts::new(), Semaphore::new(max_in_flight));
        let (tokens, throttle, client_ip_header) = (TokenSecrets::default(), None, None);
        let kept_rejects = Throttle::a_minute(REJECTS_A_MINUTE);
        Self {
            config,
            events,
            rejects,
            secrets,
            tokens,
            clock,
            receipts,
            in_flight,
            throttle,
            kept_rejects,
            client_ip_header,
        }
    }

    /// Sets the limit of events from one address with a public key; `None` for no limit.
    #[must_use]
    pub fn with_throttle(self, throttle: Option<Throttle>) -> Self {
        Self { throttle, ..self }
    }

    /// Sets the header in which a proxy in front sends the client's address. Only for a function that cannot be called
    /// directly: otherwise callers can set the header to any value.
    #[must_use]
    pub fn with_client_ip_header(self, header: Option<HeaderName>) -> Self {
        Self { client_ip_header: header, ..self }
    }

    /// Sets the secrets of users' tokens, which authenticate the users of a public source.
    #[must_use]
    pub fn with_tokens(self, tokens: TokenSecrets) -> Self {
        Self { tokens, ..self }
    }
}

impl fmt::Debug for Deps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deps").field("secrets", &self.secrets).field("clock", &self.clock).finish_non_exhaustive()
    }
}
