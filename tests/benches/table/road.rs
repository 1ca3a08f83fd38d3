//! The event pipeline on the embedded services, one step at a time: requests into `ingest`, batches of a chosen size
//! into `score`.
//!
//! The stack's own event source forwards messages as they arrive; here a batch is what a batching window collects under
//! steady traffic, so that the counts do not depend on this machine's speed.

use std::sync::Arc;

use anyhow::{Result, ensure};
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message};
use futures::TryStreamExt;
use jiff::Timestamp;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use perennial_config::deployment::Deployment;
use perennial_embedded_aws::Usage;
use perennial_lambda_kit::queue::{Delay, Queue};
use perennial_lambda_kit::{Clock, SimulatedTime};
use perennial_store::{Archive, ConfigHandle};

use crate::house;
use crate::services::Services;

/// The most messages that SQS returns, and deletes, in one request.
const AT_ONCE: usize = 10;

/// `ingest` and `score` with real clients of the embedded services.
pub(crate) struct Road {
    pub(crate) services: Services,
    time: SimulatedTime,
    clock: Clock,
    ingest: perennial_ingest::Deps,
    score: perennial_score::Deps,
    objects: Arc<InMemory>,
    deployment: Deployment,
    invocations: Invocations,
}

/// Invocations of each function.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Invocations {
    pub(crate) ingest: u64,
    pub(crate) score: u64,
}

/// The usage since the last [`Road::reset`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Used {
    /// The usage of the services with a meter.
    pub(crate) usage: Usage,
    /// Objects written to the archive.
    pub(crate) puts: u64,
    /// Invocations of both functions.
    pub(crate) invocations: Invocations,
}

impl Road {
    /// Starts the services without data, at `now`.
    pub(crate) fn start(now: Timestamp) -> Result<Self> {
        let services = Services::start()?;
        let (clock, time) = Clock::simulated(now);
        let config = Arc::new(house::config()?);
        let queue = |url: &str| Arc::new(Queue::new(services.sqs.clone(), url));
        let ingest = house::ingest_with(
            &config,
            &queue(&services.queues.events),
            Arc::new(services.store.clone()),
            clock.clone(),
        );
        let objects = Arc::new(InMemory::new());
        let score = perennial_score::Deps::new(perennial_score::Parts {
            store: services.store.clone(),
            archive: Archive::new(Arc::clone(&objects) as Arc<dyn ObjectStore>),
            messages: queue(&services.queues.messages),
            essential: queue(&services.queues.messages),
            accounts: queue(&services.queues.accounts),
            events: queue(&services.queues.events),
            config: services.runtime.block_on(ConfigHandle::load(services.store.clone()))?,
            clock: clock.clone(),
            debounce: Delay::NONE,
        });
        let (deployment, invocations) = (config.deployment.clone(), Invocations::default());
        Ok(Self { services, time, clock, ingest, score, objects, deployment, invocations })
    }

    /// Returns the resources of the deployed functions.
    pub(crate) fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// Moves the time on.
    pub(crate) fn at(&self, now: Timestamp) {
        self.time.set(now);
    }

    /// Returns the clock of the functions.
    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Returns the archive that `score` writes.
    pub(crate) fn archive(&self) -> Archive {
        Archive::new(Arc::clone(&self.objects) as Arc<dyn ObjectStore>)
    }

    /// Sends one request to `ingest`.
    pub(crate) fn post(&mut self, body: &str) -> Result<()> {
        let request = house::request(body)?;
        let answer = self.services.runtime.block_on(perennial_ingest::handler::handle(&self.ingest, request));
        self.invocations.ingest += 1;
        ensure!(answer.status().is_success(), "ingest answers {}", answer.status());
        Ok(())
    }

    /// Passes all waiting messages to `score`, in batches of the deployment's size.
    pub(crate) fn score(&mut self) -> Result<()> {
        let mut batch: Vec<Message> = Vec::new();
        let most = self.deployment.score.batch.map_or(1, |batch| usize::from(batch.messages));
        let sqs = &self.services.sqs;
        let url = &self.services.queues.events;
        self.services.runtime.block_on(async {
            loop {
                let received = sqs.receive_message().queue_url(url).max_number_of_messages(10).send().await?;
                match received.messages {
                    Some(messages) if !messages.is_empty() => batch.extend(messages),
                    _ => break,
                }
            }
            for messages in batch.chunks(most) {
                let response = perennial_score::handler::handle(&self.score, event_of(messages)).await?;
                let failed = response.batch_item_failures.len();
                ensure!(failed == 0, "score fails {failed} messages");
            }
            for done in batch.chunks(AT_ONCE) {
                let entries = done.iter().enumerate().map(|(nth, message)| {
                    let entry = DeleteMessageBatchRequestEntry::builder().id(nth.to_string());
                    entry.receipt_handle(message.receipt_handle().unwrap_or_default()).build()
                });
                let entries = entries.collect::<Result<Vec<_>, _>>()?;
                let deleted = sqs.delete_message_batch().queue_url(url).set_entries(Some(entries)).send().await?;
                ensure!(deleted.failed().is_empty(), "messages are not deleted");
            }
            anyhow::Ok(())
        })?;
        self.invocations.score += batch.len().div_ceil(most) as u64;
        Ok(())
    }

    /// Begins to count from zero.
    pub(crate) fn reset(&mut self) -> Result<()> {
        self.services.meter()?.reset();
        self.invocations = Invocations::default();
        // The archive is only written to: its content is not needed.
        let objects = Arc::clone(&self.objects);
        self.services.runtime.block_on(async {
            for object in objects.list(None).try_collect::<Vec<_>>().await? {
                object_store::ObjectStoreExt::delete(objects.as_ref(), &object.location).await?;
            }
            anyhow::Ok(())
        })
    }

    /// Returns the usage since then.
    pub(crate) fn used(&self) -> Result<Used> {
        let objects: Vec<_> = self.services.runtime.block_on(self.objects.list(None).try_collect())?;
        let usage = self.services.meter()?.snapshot();
        Ok(Used { usage, puts: objects.len() as u64, invocations: self.invocations })
    }
}

fn event_of(batch: &[Message]) -> SqsEvent {
    let mut event = SqsEvent::default();
    for message in batch {
        let mut record = SqsMessage::default();
        record.message_id = message.message_id.clone();
        record.receipt_handle = message.receipt_handle.clone();
        record.body = message.body.clone();
        event.records.push(record);
    }
    event
}
