//! Moves dead letters back to their source queue.
//!
//! They are sent and then deleted, one batch after the other, so that an interruption loses nothing: a message that was
//! sent but not yet deleted arrives twice, which every function handles. SQS's own `StartMessageMoveTask` would need a
//! permission for each queue's redrive policy and reports neither when it is done nor what failed.

use super::Operated;
use anyhow::Context;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, SendMessageBatchRequestEntry};
use perennial_api::WatchedQueue;

/// The size of a batch: SQS's maximum.
const BATCH: i32 = 10;
/// Seconds for which a received dead letter is invisible to others.
const VISIBILITY: i32 = 60;
/// Seconds to wait for an empty queue: only a long poll queries all of SQS's servers.
const WAIT: i32 = 1;

/// Moves all dead letters of the queue `name` back, and reports their number so far after each batch. Returns the
/// number.
///
/// # Errors
/// If a call fails, or SQS does not accept a message; messages moved so far stay moved.
pub(crate) async fn redrive(operated: &Operated, name: &str, tell: impl Fn(u64)) -> anyhow::Result<u64> {
    let WatchedQueue { url, dlq_url, .. } = operated.queue(name)?;
    let mut moved = 0;
    loop {
        let received = operated.sqs.receive_message().queue_url(dlq_url).max_number_of_messages(BATCH);
        let received = received.visibility_timeout(VISIBILITY).wait_time_seconds(WAIT).message_attribute_names("All");
        let messages =
            received.send().await.context("dead letters could not be received")?.messages.unwrap_or_default();
        if messages.is_empty() {
            return Ok(moved);
        }
        let refused = send(&operated.sqs, url, &messages).await?;
        let taken: Vec<&Message> = messages
            .iter()
            .enumerate()
            .filter(|(at, _)| !refused.iter().any(|(of, _)| of == at))
            .map(|(_, m)| m)
            .collect();
        delete(&operated.sqs, dlq_url, &taken).await?;
        moved += taken.len() as u64;
        tell(moved);
        if let Some((_, code)) = refused.first() {
            anyhow::bail!(
                "{} dead letters were not moved back, the first because of {code}; {moved} were",
                refused.len()
            );
        }
    }
}

/// Sends the messages unchanged; returns the positions of those that were not accepted, with SQS's code.
async fn send(sqs: &Client, url: &str, messages: &[Message]) -> anyhow::Result<Vec<(usize, String)>> {
    let mut request = sqs.send_message_batch().queue_url(url);
    for (at, message) in messages.iter().enumerate() {
        let entry = SendMessageBatchRequestEntry::builder()
            .id(at.to_string())
            .message_body(message.body().unwrap_or_default())
            .set_message_attributes(message.message_attributes.clone());
        request = request.entries(entry.build()?);
    }
    let answer = request.send().await.context("dead letters could not be sent back")?;
    let is_taken = |at: usize| answer.successful().iter().any(|entry| entry.id() == at.to_string());
    let code = |at: usize| {
        let failed = answer.failed().iter().find(|entry| entry.id() == at.to_string());
        failed.map_or_else(|| "NotAnswered".to_owned(), |entry| entry.code().to_owned())
    };
    Ok((0..messages.len()).filter(|at| !is_taken(*at)).map(|at| (at, code(at))).collect())
}

async fn delete(sqs: &Client, url: &str, messages: &[&Message]) -> anyhow::Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let mut request = sqs.delete_message_batch().queue_url(url);
    for (at, message) in messages.iter().enumerate() {
        let receipt = message.receipt_handle().unwrap_or_default();
        request = request
            .entries(DeleteMessageBatchRequestEntry::builder().id(at.to_string()).receipt_handle(receipt).build()?);
    }
    let answer = request.send().await.context("failed to delete redriven messages from the dead letters")?;
    match answer.failed().first() {
        None => Ok(()),
        Some(first) => anyhow::bail!(
            "{} messages were sent back but are still among the dead letters ({}): they arrive twice, which is harmless",
            answer.failed().len(),
            first.code()
        ),
    }
}
