//! Feeds a queue to a function, as Lambda's event source mapping does: batches, partial failures, redelivery.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use futures::future::BoxFuture;
use perennial_embedded_aws::Queues;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A function as its event source calls it: with a batch, returning the failed messages; an error fails the whole
/// batch.
pub type Handler = Arc<dyn Fn(SqsEvent) -> BoxFuture<'static, anyhow::Result<SqsBatchResponse>> + Send + Sync>;

/// The longest wait of one receive: below the clients' deadline of one attempt.
const WAIT_SECONDS: i32 = 3;
/// The most messages of one receive.
const RECEIVE: usize = 10;

/// Which messages of a batch have failed.
enum Failed {
    /// The whole batch.
    All,
    /// Those with these ids.
    Some(HashSet<String>),
}

/// One mapping.
#[derive(Clone)]
pub struct EventSource {
    /// The function's name, for logs.
    pub function: &'static str,
    /// Which queue.
    pub queue_url: String,
    /// Messages of one invocation at most.
    pub batch_size: usize,
    /// The function.
    pub handler: Handler,
}

impl EventSource {
    /// Receives and invokes until `stop` is cancelled; the invocation in progress is finished.
    pub async fn run(self, sqs: aws_sdk_sqs::Client, queues: Queues, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let received = tokio::select! {
                received = self.receive(&sqs) => received,
                () = stop.cancelled() => return,
            };
            match received {
                Ok(messages) if messages.is_empty() => {}
                Ok(messages) => self.invoke(&sqs, &queues, messages).await,
                Err(error) => {
                    tracing::warn!(function = self.function, %error, "the queue could not be read");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Waits for messages, then takes what else is there up to the batch size.
    async fn receive(&self, sqs: &aws_sdk_sqs::Client) -> anyhow::Result<Vec<Message>> {
        let mut messages = self.receive_once(sqs, WAIT_SECONDS, self.batch_size).await?;
        while messages.len() >= RECEIVE && messages.len() < self.batch_size {
            // Received messages have to be processed even if no more can be received.
            match self.receive_once(sqs, 0, self.batch_size - messages.len()).await {
                Ok(more) if more.is_empty() => break,
                Ok(more) => messages.extend(more),
                Err(_) => break,
            }
        }
        Ok(messages)
    }

    async fn receive_once(&self, sqs: &aws_sdk_sqs::Client, wait: i32, most: usize) -> anyhow::Result<Vec<Message>> {
        let request = sqs.receive_message().queue_url(&self.queue_url).wait_time_seconds(wait);
        let request = request.max_number_of_messages(most.clamp(1, RECEIVE) as i32);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        Ok(request.send().await?.messages.unwrap_or_default())
    }

    /// Calls the function and deletes the messages that did not fail. Failed ones become visible again after the
    /// queue's timeout.
    async fn invoke(&self, sqs: &aws_sdk_sqs::Client, queues: &Queues, messages: Vec<Message>) {
        let failed = self.call(&messages).await;
        let handles = |failing: bool| -> Vec<&str> {
            let has_failed = |message: &&Message| match &failed {
                Failed::All => true,
                Failed::Some(ids) => message.message_id().is_some_and(|id| ids.contains(id)),
            };
            messages
                .iter()
                .filter(|message| has_failed(message) == failing)
                .filter_map(Message::receipt_handle)
                .collect()
        };
        for chunk in handles(false).chunks(RECEIVE) {
            self.delete(sqs, chunk).await;
        }
        queues.fail(&self.queue_url, &handles(true));
    }

    /// Calls the function, and returns which messages it failed.
    async fn call(&self, messages: &[Message]) -> Failed {
        // A separate task, so that a panic is one failed invocation, as on Lambda.
        let response = match tokio::spawn((self.handler)(event_of(messages))).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                tracing::error!(function = self.function, %error, "the invocation failed");
                return Failed::All;
            }
            Err(panic) => {
                tracing::error!(function = self.function, panicked = panic.is_panic(), "the invocation died");
                return Failed::All;
            }
        };
        let failed: HashSet<String> =
            response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        let known: HashSet<&str> = messages.iter().filter_map(Message::message_id).collect();
        if failed.iter().any(|id| !known.contains(id.as_str())) {
            tracing::error!(
                function = self.function,
                "the response names a message that is not of the batch: the whole batch fails, as on Lambda"
            );
            return Failed::All;
        }
        Failed::Some(failed)
    }

    /// Deletes messages; one that cannot be deleted is delivered again, which the functions bear.
    async fn delete(&self, sqs: &aws_sdk_sqs::Client, handles: &[&str]) {
        let entries = handles.iter().enumerate().filter_map(|(index, handle)| {
            DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(*handle).build().ok()
        });
        match sqs.delete_message_batch().queue_url(&self.queue_url).set_entries(Some(entries.collect())).send().await {
            Ok(answer) if answer.failed.is_empty() => {}
            Ok(answer) => tracing::warn!(
                function = self.function,
                failed = answer.failed.len(),
                "failed to delete messages; they will be redelivered"
            ),
            Err(error) => {
                tracing::warn!(function = self.function, %error, "failed to delete messages; they will be redelivered")
            }
        }
    }
}

fn event_of(messages: &[Message]) -> SqsEvent {
    let mut event = SqsEvent::default();
    for message in messages {
        let mut record = SqsMessage::default();
        record.message_id = message.message_id.clone();
        record.receipt_handle = message.receipt_handle.clone();
        record.body = message.body.clone();
        let attributes = message.attributes.iter().flatten();
        record.attributes = attributes.map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect();
        record.event_source = Some("aws:sqs".to_owned());
        event.records.push(record);
    }
    event
}
