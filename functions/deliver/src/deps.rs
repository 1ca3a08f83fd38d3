//! The handler's dependencies.

use crate::noted::Noted;
use crate::pace::{MailAccount, Pace};
use crate::pauses::Pauses;
use crate::secrets::Secrets;
use crate::workbench::Workbench;
use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use perennial_channels::Outcome;
use perennial_channels::endpoint::{EndpointSender, Message};
use perennial_channels::mail::{Mail, Mailer};
use perennial_channels::unsubscribe::{Keys, Unsubscribe};
use perennial_config::Config;
use perennial_config::channels::Endpoint;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::{Joined, Sender};
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

/// Sends messages to the endpoints of the config.
pub trait EndpointService: Send + Sync {
    /// Sends `message` to `endpoint` under `id` with its `secret` at `now`, once.
    fn send<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        secret: &'a str,
        id: &'a str,
        message: &'a Message,
        now: Timestamp,
    ) -> BoxFuture<'a, Outcome>;
}

impl EndpointService for EndpointSender {
    fn send<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        secret: &'a str,
        id: &'a str,
        message: &'a Message,
        now: Timestamp,
    ) -> BoxFuture<'a, Outcome> {
        Self::send(self, endpoint, secret, id, message, now).boxed()
    }
}

/// The handler's dependencies, one for the whole process.
pub struct Deps {
    pub(crate) store: Store,
    pub(crate) config: ConfigHandle,
    pub(crate) mail: Arc<dyn MailService>,
    pub(crate) endpoints: Arc<dyn EndpointService>,
    pub(crate) events: Arc<dyn Sender>,
    pub(crate) messages: Joined<Arc<dyn Sender>>,
    pub(crate) essential: Joined<Arc<dyn Sender>>,
    pub(crate) clock: Clock,
    pub(crate) secrets: Secrets,
    pub(crate) public_url: String,
    pub(crate) keys: Keys,
    pub(crate) pauses: Pauses,
    pub(crate) pace: Pace,
    pub(crate) noted: Noted,
    workbench: Mutex<Option<Arc<Workbench>>>,
}

/// The parts of [`Deps`].
pub struct Parts {
    /// The table.
    pub store: Store,
    /// The active configuration.
    pub config: ConfigHandle,
    /// The mail service.
    pub mail: Arc<dyn MailService>,
    /// Sends to the configured endpoints.
    pub endpoints: Arc<dyn EndpointService>,
    /// The events queue.
    pub events: Arc<dyn Sender>,
    /// The messages queue, for what has to wait.
    pub messages: Arc<dyn Sender>,
    /// The queue of essential messages, the same.
    pub essential: Arc<dyn Sender>,
    /// The limits of the mail service's account.
    pub account: Arc<dyn MailAccount>,
    /// The current time.
    pub clock: Clock,
    /// The secrets of the configured endpoints.
    pub secrets: Secrets,
    /// The public URL of the api, without a trailing slash.
    pub public_url: String,
    /// The keys of unsubscribe links.
    pub keys: Keys,
}

impl Deps {
    /// Creates the dependencies from their parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, config, mail, account, endpoints, events, messages, essential, .. } = parts;
        let Parts { clock, secrets, public_url, keys, .. } = parts;
        let (pauses, pace, workbench) = (Pauses::default(), Pace::new(account), Mutex::new(None));
        let noted = Noted::default();
        // The waiting messages of a batch are requeued in one request.
        let (messages, essential) = (Joined::new(messages), Joined::new(essential));
        Self {
            store,
            config,
            mail,
            endpoints,
            events,
            messages,
            essential,
            clock,
            secrets,
            public_url,
            keys,
            pauses,
            pace,
            noted,
            workbench,
        }
    }

    /// Returns the page on which the reader of `request` unsubscribes and chooses topics.
    pub(crate) fn unsubscribe_url(&self, request: &Unsubscribe) -> String {
        format!("{}/u/{}", self.public_url, self.keys.sign(request))
    }

    /// Returns the compiled templates of `config`, cached until another configuration is active.
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
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps").field("store", &self.store).field("clock", &self.clock).finish_non_exhaustive()
    }
}
