//! One batch: each message by itself.

use crate::decision::{self, Delivered};
use crate::deps::Deps;
use crate::error::DeliverError;
use crate::feedback;
use crate::input::{self, Input};
use crate::{unsettled, update};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use perennial_domain::{Channel, Decision};
use perennial_lambda_kit::batch::{self, BatchError, Record};
use perennial_lambda_kit::metrics::Metrics;
use perennial_lambda_kit::redact::short;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Messages that are worked on at once: all of a batch of the usual size, so that what goes to one CRM goes in one call, and no more mails than the 14
/// that SES lets a new account send in a second.
const CONCURRENCY: usize = 10;

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    withheld: AtomicU64,
    paused: AtomicU64,
    failed: AtomicU64,
    unknown: AtomicU64,
    waiting: AtomicU64,
    repeated: AtomicU64,
    events: AtomicU64,
    /// Mails that SES took, by journey.
    mails: Mutex<BTreeMap<String, u64>>,
}

impl Counts {
    fn of(&self, delivered: Delivered) -> &AtomicU64 {
        match delivered {
            Delivered::Sent => &self.sent,
            Delivered::Withheld => &self.withheld,
            Delivered::Paused => &self.paused,
            Delivered::Failed => &self.failed,
            Delivered::Unknown => &self.unknown,
            Delivered::Waiting => &self.waiting,
            Delivered::Before => &self.repeated,
        }
    }

    /// Counts what came of a decision.
    fn add(&self, decision: &Decision, delivered: Delivered) -> &AtomicU64 {
        if delivered == Delivered::Sent && decision.channel == Channel::Mail {
            let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
            *mails.entry(decision.journey.clone()).or_default() += 1;
        }
        self.of(delivered)
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
        .count("MessagesPaused", of(&counts.paused))
        .count("MessagesFailed", of(&counts.failed))
        .count("MessagesUnknown", of(&counts.unknown))
        .count("MessagesWaiting", of(&counts.waiting))
        .count("MessagesRepeated", of(&counts.repeated))
        .count("MailEvents", of(&counts.events))
        .emit(deps.clock.now());
    count_mails(deps, counts.mails.into_inner().unwrap_or_else(PoisonError::into_inner)).await;
    response
}

/// Counts the batch's mails, one write for each journey: what share of them does harm is of no use without.
async fn count_mails(deps: &Deps, mails: BTreeMap<String, u64>) {
    for (journey, mails) in mails {
        if let Err(error) = deps.store.count_sent(&journey, mails, deps.clock.now()).await {
            tracing::warn!(journey, mails, %error, "mails that were sent are not counted for [pause]");
        }
    }
}

async fn one(deps: &Deps, record: Record, counts: &Counts) -> Result<(), DeliverError> {
    let outcome = work(deps, &record, counts).await;
    if let Err(error) = &outcome {
        let (message, times) = (short(&record.message_id), record.receive_count);
        tracing::warn!(%message, times, %error, "a message stays in its queue");
        put_off(deps, &record, error).await;
    }
    outcome
}

/// Has a message come again when its receiver wants it, instead of when the queue would have it.
async fn put_off(deps: &Deps, record: &Record, error: &DeliverError) {
    let DeliverError::Later { after: Some(after), .. } = error else { return };
    if !record.receipt_handle.is_empty()
        && let Err(error) = deps.put_off.postpone(&record.receipt_handle, *after).await
    {
        // It comes sooner then, and its receiver is asked, or spared, once more.
        tracing::warn!(message = %short(&record.message_id), %error, "a message comes sooner than its receiver wants");
    }
}

async fn work(deps: &Deps, record: &Record, counts: &Counts) -> Result<(), DeliverError> {
    // No other delivery, of this message or of another for the same decision, has this name.
    let claimant = format!("{}/{}", record.message_id, record.receive_count);
    let count = match input::read(&record.body)? {
        Input::Nothing => return Ok(()),
        Input::Confirmation(topic) => {
            tracing::warn!(%topic, "SNS asks to confirm or end a subscription of the mail-events queue; confirm it in the SNS console");
            return Ok(());
        }
        Input::MailEvent(event) => {
            feedback::take_in(deps, &event).await?;
            &counts.events
        }
        Input::Decision(decision) => counts.add(&decision, decision::deliver(deps, &decision, &claimant).await?),
        Input::Unsettled(unsettled) => {
            counts.add(&unsettled.decision, unsettled::resolve(deps, &unsettled, &claimant).await?)
        }
        Input::Update(update) => counts.of(update::deliver(deps, &update, &claimant).await?),
    };
    count.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "report_tests.rs"]
mod report_tests;

#[cfg(test)]
#[path = "unsettled_tests.rs"]
mod unsettled_tests;

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod endpoint_tests;

#[cfg(test)]
#[path = "feedback_tests.rs"]
mod feedback_tests;

#[cfg(test)]
#[path = "caps_tests.rs"]
mod caps_tests;
#[cfg(test)]
#[path = "preferences_tests.rs"]
mod preferences_tests;
