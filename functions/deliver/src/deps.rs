//! What the handler works with.

use crate::error::DeliverError;
use crate::workbench::Workbench;
use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use perennial_channels::Outcome;
use perennial_channels::mail::{Mail, Mailer};
use perennial_channels::unsubscribe::Keys;
use perennial_channels::webhook::WebhookSender;
use perennial_config::Config;
use perennial_config::channels::Endpoint;
use perennial_lambda_kit::queue::Sender;
use perennial_lambda_kit::{Clock, Env, Redacted};
use perennial_store::{ConfigHandle, Store};
use std::sync::{Arc, Mutex, PoisonError};

/// Offers mails to the mail service.
pub trait MailService: Send + Sync {
    /// Offers `mail`, once.
    fn send(&self, mail: Mail) -> BoxFuture<'_, Outcome>;
}

impl MailService for Mailer {
    fn send(&self, mail: Mail) -> BoxFuture<'_, Outcome> {
        Self::send(self, mail).boxed()
    }
}

/// Posts webhooks.
pub trait Webhooks: Send + Sync {
    /// Posts `body` to `endpoint` under `id`, signed with `secret` at `now`, once.
    fn post<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        secret: &'a str,
        id: &'a str,
        body: String,
        now: Timestamp,
    ) -> BoxFuture<'a, Outcome>;
}

impl Webhooks for WebhookSender {
    fn post<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        secret: &'a str,
        id: &'a str,
        body: String,
        now: Timestamp,
    ) -> BoxFuture<'a, Outcome> {
        self.send(endpoint, secret, id, body, now).boxed()
    }
}

/// What the handler works with. One for the whole process.
pub struct Deps {
    pub(crate) store: Store,
    pub(crate) config: ConfigHandle,
    pub(crate) mail: Arc<dyn MailService>,
    pub(crate) webhooks: Arc<dyn Webhooks>,
    pub(crate) events: Arc<dyn Sender>,
    pub(crate) clock: Clock,
    pub(crate) env: Env,
    pub(crate) public_url: String,
    pub(crate) keys: Keys,
    workbench: Mutex<Option<Arc<Workbench>>>,
}

/// The parts that [`Deps`] are made of.
pub struct Parts {
    /// The table.
    pub store: Store,
    /// The config in force.
    pub config: ConfigHandle,
    /// The mail service.
    pub mail: Arc<dyn MailService>,
    /// The way out for webhooks.
    pub webhooks: Arc<dyn Webhooks>,
    /// The events queue.
    pub events: Arc<dyn Sender>,
    /// Tells the time.
    pub clock: Clock,
    /// Holds the secrets that endpoints of the config name.
    pub env: Env,
    /// Where the api answers, without a slash at the end.
    pub public_url: String,
    /// What unsubscribe links are signed with.
    pub keys: Keys,
}

impl Deps {
    /// Deps of their parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, config, mail, webhooks, events, clock, env, public_url, keys } = parts;
        Self { store, config, mail, webhooks, events, clock, env, public_url, keys, workbench: Mutex::new(None) }
    }

    /// The templates of `config`, compiled; kept until another config is in force.
    pub(crate) fn workbench(&self, config: &Config) -> Arc<Workbench> {
        let mut held = self.workbench.lock().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some(workbench) if workbench.version == config.version => Arc::clone(workbench),
            _ => {
                let workbench = Arc::new(Workbench::new(config));
                *held = Some(Arc::clone(&workbench));
                workbench
            }
        }
    }

    /// The signing secret that the environment holds under `name`.
    pub(crate) fn secret(&self, name: &str) -> Result<Redacted<String>, DeliverError> {
        self.env.secret(name, "a whsec_ secret").map_err(|_| DeliverError::NoSecret(name.to_owned()))
    }
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps").field("store", &self.store).field("clock", &self.clock).finish_non_exhaustive()
    }
}
