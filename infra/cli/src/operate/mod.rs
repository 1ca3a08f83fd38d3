//! Access to a running system for its operator: the table, the queues and the archive themselves, with the operator's
//! own permissions. The same for the embedded stack, whose services are real HTTP endpoints on this machine, and for a
//! stack deployed in an AWS account.

mod account_facts;
pub(crate) mod alarms;
pub(crate) mod concurrency;
pub(crate) mod deployed;
pub(crate) mod embedded;
pub(crate) mod erase;
pub(crate) mod export;
pub(crate) mod push;
pub(crate) mod receipt;

use aws_sdk_sqs::types::QueueAttributeName;
use aws_types::SdkConfig;
use http::{Method, Request, StatusCode};
use jiff::Timestamp;
use lambda_http::Body;
use perennial_api::{Access, Deps};
use perennial_channels::unsubscribe::Keys;
use perennial_import::QueueBacklog;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::{Delay, Queue, WatchedQueue};
use perennial_local::stack::pages_at_once;
use perennial_local::stack::queues::NAMES;
use perennial_store::config::ConfigStoreError;
use perennial_store::{Archive, ConfigHandle, Store};
use perennial_views::{MaxAge, Status, Views};
use std::sync::Arc;
use std::time::Duration;

/// The key of unsubscribe links that are shown to an operator: they are invalid.
const LINKS: &str = "links that an operator is shown lead nowhere";

/// A system that is operated.
#[derive(Debug, Clone)]
pub(crate) struct Operated {
    /// Its name in output.
    pub(crate) name: String,
    pub(crate) store: Store,
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// In the order in which work flows through them.
    pub(crate) queues: Vec<WatchedQueue>,
    pub(crate) archive: Archive,
    pub(crate) kind: Kind,
    /// The configuration of its clients.
    pub(crate) aws: SdkConfig,
    clock: Clock,
}

/// The kind of system.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// The embedded stack.
    Embedded,
    /// Deployed in an AWS account, with this configuration.
    Deployed(Box<SdkConfig>),
}

/// The reason why a system cannot be operated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreachable {
    /// No region is known.
    #[error("no AWS region is set: set AWS_REGION, or AWS_PROFILE to a profile with a region")]
    NoRegion,
    /// There is no such stack.
    #[error("there is no stack {stack} in this account and region: no queue is called {queue}")]
    NoStack {
        /// The given name.
        stack: String,
        /// The queue that is missing.
        queue: String,
    },
    /// A call was refused, or no answer came.
    #[error("{what} could not be found: {why}")]
    Refused {
        /// The missing resource.
        what: String,
        /// AWS's error.
        why: String,
    },
}

impl Operated {
    /// Returns the system's current time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the queue called `name`: events, incoming, imports, messages, essential, accounts or mail-events.
    pub(crate) fn queue(&self, name: &str) -> anyhow::Result<&WatchedQueue> {
        let found = self.queues.iter().find(|queue| queue.name == name);
        found.ok_or_else(|| anyhow::anyhow!("no queue is called {name}; there are {}", NAMES.join(", ")))
    }

    /// Returns a sender to the queue called `name`.
    pub(crate) fn sender(&self, name: &str) -> anyhow::Result<Queue> {
        Ok(Queue::new(self.sqs.clone(), &self.queue(name)?.url))
    }

    /// Returns the number of failed calls of schedules, which have a queue of their own in a deployed stack.
    ///
    /// # Errors
    /// If SQS does not respond.
    pub(crate) async fn schedules_dlq(&self) -> anyhow::Result<u64> {
        let name = format!("{}-schedules-dlq", self.name);
        let url = self.sqs.get_queue_url().queue_name(name).send().await?.queue_url.unwrap_or_default();
        self.waiting(&url).await
    }

    /// Returns how many messages wait in the queue at `url`, approximately.
    ///
    /// # Errors
    /// If SQS does not answer.
    pub(crate) async fn waiting(&self, url: &str) -> anyhow::Result<u64> {
        let depth = QueueAttributeName::ApproximateNumberOfMessages;
        let answer = self.sqs.get_queue_attributes().queue_url(url).attribute_names(depth.clone()).send().await?;
        let waiting = answer.attributes().and_then(|all| all.get(&depth));
        Ok(waiting.and_then(|waiting| waiting.parse().ok()).unwrap_or(0))
    }

    /// Returns the api's response, computed in this process: no key is needed beyond the permissions for the table and
    /// the queues.
    ///
    /// # Errors
    /// If there is no active configuration, or a service does not respond.
    pub(crate) async fn ask(
        &self,
        method: &Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> anyhow::Result<(StatusCode, Vec<u8>)> {
        let deps = self.api().await?;
        let body = body.map_or(Body::Empty, |body| Body::Text(body.to_string()));
        let request = Request::builder().method(method).uri(path).body(body)?;
        let (parts, body) = perennial_api::handler::handle(&deps, request).await.into_parts();
        Ok((parts.status, body.as_ref().to_vec()))
    }

    async fn api(&self) -> anyhow::Result<Deps> {
        let config = ConfigHandle::load(self.store.clone()).await.map_err(|error| self.explained(error))?;
        let age = MaxAge { busy: Duration::ZERO, idle: Duration::ZERO };
        let status = Status::new(self.queues.clone(), Arc::new(self.sqs.clone()), age);
        let status = match self.kind {
            Kind::Embedded => status.with_pages_at_once(pages_at_once(&self.clock)),
            Kind::Deployed(_) => status,
        };
        let events = Arc::new(self.sender("events")?);
        let views = Views { store: self.store.clone(), config, status, clock: self.clock.clone() };
        Ok(Deps::new(views, events, Access::Open, Keys::new([LINKS])?))
    }

    /// Returns the dependencies of `score`, for work over all history.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(crate) async fn score(&self) -> anyhow::Result<perennial_score::Deps> {
        let config = ConfigHandle::load(self.store.clone()).await.map_err(|error| self.explained(error))?;
        Ok(perennial_score::Deps::new(perennial_score::Parts {
            store: self.store.clone(),
            archive: self.archive.clone(),
            messages: Arc::new(self.sender("messages")?),
            essential: Arc::new(self.sender("essential")?),
            accounts: Arc::new(self.sender("accounts")?),
            events: Arc::new(self.sender("events")?),
            config,
            clock: self.clock.clone(),
            debounce: Delay::NONE,
        }))
    }

    /// Returns the dependencies of `report`.
    pub(crate) fn report(&self) -> perennial_report::Deps {
        perennial_report::Deps::new(self.store.clone(), self.archive.clone(), self.clock.clone())
    }

    /// Returns the dependencies of an import. It waits while its queue is long, so that it never fills the queue's
    /// storage, and its progress is that of counting.
    ///
    /// # Errors
    /// If there is no such queue.
    pub(crate) fn importer(&self) -> anyhow::Result<perennial_import::Deps> {
        let url = self.queue("imports")?.url.clone();
        Ok(perennial_import::Deps {
            archive: self.archive.clone(),
            rejects: Arc::new(self.store.clone()),
            suppressions: Arc::new(self.store.clone()),
            imports: Arc::new(self.sender("imports")?),
            backlog: Some(Arc::new(QueueBacklog::new(self.sqs.clone(), url))),
            clock: self.clock.clone(),
        })
    }

    /// Returns the active configuration, compiled.
    ///
    /// # Errors
    /// If there is none, or the table does not respond.
    pub(crate) async fn config(&self) -> anyhow::Result<Arc<perennial_config::Config>> {
        let config = ConfigHandle::load(self.store.clone()).await.map_err(|error| self.explained(error))?;
        Ok(config.current().await)
    }

    /// The error with what to do about it.
    fn explained(&self, error: ConfigStoreError) -> anyhow::Error {
        match (&error, &self.kind) {
            (ConfigStoreError::Nothing, Kind::Deployed(_)) => anyhow::anyhow!(
                "no configuration is active in {0}: push one with `perennial config push infra/config --stack {0}`",
                self.name
            ),
            _ => error.into(),
        }
    }
}
