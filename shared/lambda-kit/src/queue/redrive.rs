//! Moves dead letters back to their source queue.
//!
//! They are sent and then deleted, one batch after the other, so that an interruption loses nothing: a message that was
//! sent but not yet deleted arrives twice, which every function handles. SQS's own `StartMessageMoveTask` would need a
//! permission for each queue's redrive policy and reports neither when it is done nor what failed.

use super::WatchedQueue;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, SendMessageBatchRequestEntry};

/// The size of a batch: SQS's maximum.
const BATCH: i32 = 10;
/// Seconds for which a received dead letter is invisible to others.
const VISIBILITY: i32 = 60;
/// Seconds to wait for an empty queue: only a long poll queries all of SQS's servers.
const WAIT: i32 = 1;

/// The reason why not all dead letters were moved back. Those that were moved before stay moved.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// SQS did not respond, or refused a call.
    #[error("dead letters could not be {what}: {code}")]
    Refused {
        /// `received`, `sent back` or `deleted`.
        what: &'static str,
        /// SQS's error code.
        code: String,
    },
    /// A message has no id or receipt.
    #[error(transparent)]
    Message(#[from] BuildError),
    /// The queue did not take some of them.
    #[error("{refused} dead letters were not moved back, the first because of {code}; {moved} were")]
    NotTaken {
        /// How many.
        refused: usize,
        /// SQS's error code of the first.
        code: String,
        /// The number of those that were moved.
        moved: u64,
    },
    /// Some were sent back and could not be deleted.
    #[error(
        "{left} messages were sent back but are still among the dead letters ({code}): they arrive twice, which is harmless"
    )]
    NotDeleted {
        /// How many.
        left: usize,
        /// SQS's error code of the first.
        code: String,
    },
}

/// Moves dead letters of the queue back, at most about `most`, and reports their number so far to `tell` after each batch.
/// Returns the number, and whether more may be left.
///
/// # Errors
/// [`RedriveError`] if a call fails, or SQS does not accept a message; messages moved so far stay moved.
pub async fn redrive(
    sqs: &Client,
    queue: &WatchedQueue,
    most: u64,
    tell: impl Fn(u64),
) -> Result<(u64, bool), RedriveError> {
    let mut moved = 0;
    while moved < most {
        let received = sqs.receive_message().queue_url(&queue.dlq_url).max_number_of_messages(BATCH);
        let received = received.visibility_timeout(VISIBILITY).wait_time_seconds(WAIT).message_attribute_names("All");
        let answer = received.send().await.map_err(|error| refused("received", &error))?;
        let messages = answer.messages.unwrap_or_default();
        if messages.is_empty() {
            return Ok((moved, false));
        }
        let refused = send(sqs, &queue.url, &messages).await?;
        let is_taken = |at: &usize| !refused.iter().any(|(of, _)| of == at);
        let taken: Vec<&Message> =
            messages.iter().enumerate().filter(|(at, _)| is_taken(at)).map(|(_, message)| message).collect();
        delete(sqs, &queue.dlq_url, &taken).await?;
        moved += taken.len() as u64;
        tell(moved);
        if let Some((_, code)) = refused.first() {
            return Err(RedriveError::NotTaken { refused: refused.len(), code: code.clone(), moved });
        }
    }
    Ok((moved, true))
}

fn refused<E: ProvideErrorMetadata, R>(what: &'static str, error: &SdkError<E, R>) -> RedriveError {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or("NotReached").to_owned();
    RedriveError::Refused { what, code }
}

/// Sends the messages unchanged; returns the positions of those that were not accepted, with SQS's code.
async fn send(sqs: &Client, url: &str, messages: &[Message]) -> Result<Vec<(usize, String)>, RedriveError> {
    let mut request = sqs.send_message_batch().queue_url(url);
    for (at, message) in messages.iter().enumerate() {
        let entry = SendMessageBatchRequestEntry::builder()
            .id(at.to_string())
            .message_body(message.body().unwrap_or_default())
            .set_message_attributes(message.message_attributes.clone());
        request = request.entries(entry.build()?);
    }
    let answer = request.send().await.map_err(|error| refused("sent back", &error))?;
    let is_taken = |at: usize| answer.successful().iter().any(|entry| entry.id() == at.to_string());
    let code = |at: usize| {
        let failed = answer.failed().iter().find(|entry| entry.id() == at.to_string());
        failed.map_or_else(|| "NotAnswered".to_owned(), |entry| entry.code().to_owned())
    };
    Ok((0..messages.len()).filter(|at| !is_taken(*at)).map(|at| (at, code(at))).collect())
}

async fn delete(sqs: &Client, url: &str, messages: &[&Message]) -> Result<(), RedriveError> {
    if messages.is_empty() {
        return Ok(());
    }
    let mut request = sqs.delete_message_batch().queue_url(url);
    for (at, message) in messages.iter().enumerate() {
        let receipt = message.receipt_handle().unwrap_or_default();
        let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string()).receipt_handle(receipt);
        request = request.entries(entry.build()?);
    }
    let answer = request.send().await.map_err(|error| refused("deleted", &error))?;
    match answer.failed().first() {
        None => Ok(()),
        Some(first) => Err(RedriveError::NotDeleted { left: answer.failed().len(), code: first.code().to_owned() }),
    }
}
