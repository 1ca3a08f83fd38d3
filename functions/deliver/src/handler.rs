//! One batch: each message by itself.

use crate::decision::{self, Delivered};
use crate::deps::Deps;
use crate::error::DeliverError;
use crate::feedback;
use crate::input::{self, Input};
use crate::update;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use perennial_lambda_kit::batch::{self, BatchError, Record};
use perennial_lambda_kit::metrics::Metrics;
use perennial_lambda_kit::redact::short;
use std::sync::atomic::{AtomicU64, Ordering};

/// Messages of a batch that are worked on at once: as many as SES lets a new account send in a second would be 14.
const CONCURRENCY: usize = 8;

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    withheld: AtomicU64,
    failed: AtomicU64,
    unknown: AtomicU64,
    repeated: AtomicU64,
    events: AtomicU64,
}

impl Counts {
    fn of(&self, delivered: Delivered) -> &AtomicU64 {
        match delivered {
            Delivered::Sent => &self.sent,
            Delivered::Withheld => &self.withheld,
            Delivered::Failed => &self.failed,
            Delivered::Unknown => &self.unknown,
            Delivered::Before => &self.repeated,
        }
    }
}

/// Delivers the decisions and takes in the mail events of a batch. What fails stays in its queue and fails alone.
///
/// # Errors
/// [`BatchError`] where the batch cannot be answered record by record.
pub async fn handle(deps: &Deps, event: SqsEvent) -> Result<SqsBatchResponse, BatchError> {
    let counts = Counts::default();
    let response = batch::each(event, CONCURRENCY, |record| one(deps, record, &counts)).await;
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    Metrics::new("Perennial", "deliver")
        .count("MessagesSent", of(&counts.sent))
        .count("MessagesWithheld", of(&counts.withheld))
        .count("MessagesFailed", of(&counts.failed))
        .count("MessagesUnknown", of(&counts.unknown))
        .count("MessagesRepeated", of(&counts.repeated))
        .count("MailEvents", of(&counts.events))
        .emit(deps.clock.now());
    response
}

async fn one(deps: &Deps, record: Record, counts: &Counts) -> Result<(), DeliverError> {
    let (message, times) = (record.message_id.clone(), record.receive_count);
    let outcome = work(deps, record, counts).await;
    if let Err(error) = &outcome {
        tracing::warn!(message = %short(&message), times, %error, "a message stays in its queue");
    }
    outcome
}

async fn work(deps: &Deps, record: Record, counts: &Counts) -> Result<(), DeliverError> {
    let count = match input::read(&record.body)? {
        Input::Nothing => return Ok(()),
        Input::MailEvent(event) => {
            feedback::take_in(deps, &event).await?;
            &counts.events
        }
        Input::Decision(decision) => {
            // No other delivery, of this message or of another for the same decision, has this name.
            let claimant = format!("{}/{}", record.message_id, record.receive_count);
            counts.of(decision::deliver(deps, &decision, &claimant).await?)
        }
        Input::Update(update) => {
            let claimant = format!("{}/{}", record.message_id, record.receive_count);
            counts.of(update::deliver(deps, &update, &claimant).await?)
        }
    };
    count.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod endpoint_tests;

#[cfg(test)]
#[path = "preferences_tests.rs"]
mod preferences_tests;
