//! The dependencies of an import.

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use futures::future::{BoxFuture, FutureExt};
use perennial_imports::suppression::Suppression;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::Sender;
use perennial_store::archive::Archive;
use perennial_store::rejects::Rejects;
use perennial_store::{Store, StoreError};
use std::fmt;
use std::sync::Arc;

/// The length of the imports queue.
pub trait Backlog: Send + Sync {
    /// Returns the number of messages on it; `None` if it is unknown.
    fn waiting(&self) -> BoxFuture<'_, Option<u64>>;
}

/// The backlog of a queue of SQS.
#[derive(Debug, Clone)]
pub struct QueueBacklog {
    sqs: aws_sdk_sqs::Client,
    url: String,
}

impl QueueBacklog {
    /// Returns the backlog of the queue at `url`.
    pub fn new(sqs: aws_sdk_sqs::Client, url: impl Into<String>) -> Self {
        Self { sqs, url: url.into() }
    }
}

impl Backlog for QueueBacklog {
    /// Returns the number of messages that wait or are being processed, approximately.
    fn waiting(&self) -> BoxFuture<'_, Option<u64>> {
        let names = [Attribute::ApproximateNumberOfMessages, Attribute::ApproximateNumberOfMessagesNotVisible];
        async move {
            let request =
                self.sqs.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(names.to_vec()));
            let answer = request.send().await.ok()?;
            let depth = |name| answer.attributes().and_then(|all| all.get(name)?.parse::<u64>().ok()).unwrap_or(0);
            Some(names.iter().map(depth).sum())
        }
        .boxed()
    }
}

/// The addresses that get no mail.
pub trait Suppressions: Send + Sync {
    /// Adds an address, as if the mail service had reported it. Idempotent.
    fn add<'a>(&'a self, suppression: &'a Suppression) -> BoxFuture<'a, Result<(), StoreError>>;
}

impl Suppressions for Store {
    fn add<'a>(&'a self, suppression: &'a Suppression) -> BoxFuture<'a, Result<(), StoreError>> {
        let Suppression { address, reason, since } = suppression;
        async move { self.suppress(&address.key(), *reason, *since).await.map(drop) }.boxed()
    }
}

/// The dependencies of an import, one for the whole process.
pub struct Deps {
    /// Where the progress of imports is stored.
    pub archive: Archive,
    /// Where rejected rows are stored.
    pub rejects: Arc<dyn Rejects>,
    /// Where addresses that get no mail are stored.
    pub suppressions: Arc<dyn Suppressions>,
    /// The imports queue.
    pub imports: Arc<dyn Sender>,
    /// Its length, if an import is to wait while it is long.
    pub backlog: Option<Arc<dyn Backlog>>,
    /// The clock.
    pub clock: Clock,
}

impl fmt::Debug for Deps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deps").field("clock", &self.clock).finish_non_exhaustive()
    }
}
