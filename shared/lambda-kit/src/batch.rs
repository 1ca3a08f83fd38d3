//! SQS batches whose records fail one by one.
//!
//! Lambda deletes every message of a batch that is not in the response's failures, and retries the whole batch if a
//! failure's identifier is empty or unknown. So a record without an id fails the invocation, and every other failure,
//! panics included, fails only its own record.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures::FutureExt;
use futures::stream::{self, StreamExt};

/// The whole batch is refused; Lambda will deliver it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// A record has no message id, so its failure could not be reported.
    #[error("record {index} of the batch has no message id")]
    NoMessageId {
        /// Its place in the batch, from 0.
        index: usize,
    },
}

/// One message of a batch.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// SQS's id of the message: never empty.
    pub message_id: String,
    /// The message's body. A message without a body is empty here and fails where it is parsed.
    pub body: String,
    /// The number of times the message was received, this time included; 1 if SQS does not say.
    pub receive_count: u32,
    /// SQS's handle of this receipt; empty if SQS does not say. It is not secret, and useless without permission for
    /// the queue.
    pub receipt_handle: String,
}

impl std::fmt::Debug for Record {
    // A body may hold personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("message_id", &self.message_id)
            .field("body_bytes", &self.body.len())
            .field("receive_count", &self.receive_count)
            .finish()
    }
}

/// A batch being worked on: hands out its records and gathers the failures.
#[derive(Debug, Default)]
pub struct Batch {
    order: Vec<String>,
    failed: BTreeSet<String>,
}

impl Batch {
    /// Splits an event into its records and the batch that answers for them.
    ///
    /// # Errors
    /// [`BatchError::NoMessageId`] if a record's message id is missing or blank.
    pub fn open(event: SqsEvent) -> Result<(Self, Vec<Record>), BatchError> {
        let mut batch = Self::default();
        let mut records = Vec::with_capacity(event.records.len());
        for (index, message) in event.records.into_iter().enumerate() {
            let message_id =
                message.message_id.filter(|id| !id.trim().is_empty()).ok_or(BatchError::NoMessageId { index })?;
            let receive_count = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
            batch.order.push(message_id.clone());
            records.push(Record {
                message_id,
                body: message.body.unwrap_or_default(),
                receive_count: receive_count.unwrap_or(1),
                receipt_handle: message.receipt_handle.unwrap_or_default(),
            });
        }
        Ok((batch, records))
    }

    /// Marks a message as failed: SQS will deliver it again, or move it to the dead-letter queue. Ids that are not of this batch are ignored,
    /// because reporting one would fail the whole batch.
    pub fn fail(&mut self, message_id: &str) {
        if self.order.iter().any(|id| id == message_id) {
            self.failed.insert(message_id.to_owned());
        }
    }

    /// Returns whether a message was marked as failed.
    #[must_use]
    pub fn has_failed(&self, message_id: &str) -> bool {
        self.failed.contains(message_id)
    }

    /// Returns the number of failed messages.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.failed.len()
    }

    /// Returns the number of messages in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Returns whether the batch has no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The response that Lambda expects under `ReportBatchItemFailures`, failures in the batch's order.
    #[must_use]
    pub fn into_response(self) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for id in self.order.iter().filter(|id| self.failed.contains(*id)) {
            response.add_failure(id.as_str());
        }
        response
    }
}

/// A future panicked. The panic's text is not kept, because it may quote personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work on this record panicked")]
pub struct Panicked;

/// Awaits `work` and converts a panic in it to an error.
///
/// # Errors
/// [`Panicked`] if it panicked. Drop or re-read what it was changing: a panic may leave it half done.
pub async fn catch<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_: Box<dyn Any + Send>| Panicked)
}

/// Runs `work` on every record of `event`, at most `concurrency` at a time (at least one), and returns those that
/// failed or panicked.
///
/// `work` logs its own failure, with its context; a panic is logged here.
///
/// # Errors
/// [`BatchError`] if a record has no id, so that partial failures cannot be reported.
pub async fn each<W, F, E>(event: SqsEvent, concurrency: usize, work: W) -> Result<SqsBatchResponse, BatchError>
where
    W: Fn(Record) -> F,
    F: Future<Output = Result<(), E>>,
{
    let (mut batch, records) = Batch::open(event)?;
    let outcomes: Vec<(String, bool)> = stream::iter(records)
        .map(|record| {
            let id = record.message_id.clone();
            // The closure's own body may panic as well as its future.
            let run = catch(async { work(record).await });
            async move {
                match run.await {
                    Ok(outcome) => (id, outcome.is_ok()),
                    Err(Panicked) => {
                        tracing::error!(message_id = %id, "a record's handler panicked");
                        (id, false)
                    }
                }
            }
        })
        .buffer_unordered(concurrency.max(1))
        .collect()
        .await;
    for (id, _) in outcomes.iter().filter(|(_, done)| !done) {
        batch.fail(id);
    }
    Ok(batch.into_response())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn event(records: serde_json::Value) -> SqsEvent {
        serde_json::from_value(serde_json::json!({ "Records": records })).unwrap()
    }

    fn ids(response: &SqsBatchResponse) -> Vec<&str> {
        response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
    }

    #[tokio::test]
    async fn when_records_fail_or_panic_only_they_are_reported() {
        let event = event(serde_json::json!([
            { "messageId": "a", "body": "good" },
            { "messageId": "b", "body": "bad" },
            { "messageId": "c", "body": "panic" },
            { "messageId": "d" },
            { "messageId": "e", "body": "good" },
        ]));
        let response = each(event, 2, |record| async move {
            match record.body.as_str() {
                "good" => Ok(()),
                "panic" => panic!("boom"),
                _ => Err(()),
            }
        })
        .await
        .unwrap();
        assert_eq!(ids(&response), ["b", "c", "d"]);
    }

    #[tokio::test]
    async fn when_the_work_panics_before_its_future_exists_its_record_fails() {
        let event = event(serde_json::json!([{ "messageId": "a", "body": "x" }]));
        let response = each(event, 1, |record: Record| {
            assert_ne!(record.body, "x");
            async { Ok::<_, ()>(()) }
        })
        .await
        .unwrap();
        assert_eq!(ids(&response), ["a"]);
    }

    #[test]
    fn when_a_message_id_is_missing_or_blank_the_whole_batch_is_refused() {
        for nameless in [serde_json::json!({ "body": "x" }), serde_json::json!({ "messageId": " " })] {
            let error = Batch::open(event(serde_json::json!([{ "messageId": "a" }, nameless]))).unwrap_err();
            assert_eq!(error, BatchError::NoMessageId { index: 1 });
        }
    }

    #[test]
    fn a_failure_is_reported_once_and_only_if_it_belongs_to_the_batch() {
        let event = event(serde_json::json!([
            { "messageId": "a", "attributes": { "ApproximateReceiveCount": "3" } },
            { "messageId": "b" },
        ]));
        let (mut batch, records) = Batch::open(event).unwrap();
        assert_eq!((records[0].receive_count, records[1].receive_count), (3, 1));
        batch.fail("a");
        batch.fail("a");
        batch.fail("someone else's");
        assert_eq!((batch.failures(), batch.len(), batch.has_failed("b")), (1, 2, false));
        assert_eq!(ids(&batch.into_response()), ["a"]);
    }

    #[test]
    fn the_response_has_the_shape_lambda_reads() {
        let (mut batch, _) = Batch::open(event(serde_json::json!([{ "messageId": "a" }]))).unwrap();
        batch.fail("a");
        let json = serde_json::to_string(&batch.into_response()).unwrap();
        assert_eq!(json, r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#);
    }

    #[test]
    fn a_record_does_not_print_its_body() {
        let (_, records) =
            Batch::open(event(serde_json::json!([{ "messageId": "a", "body": "ada@example.com" }]))).unwrap();
        assert!(!format!("{:?}", records[0]).contains("ada"));
    }
}
