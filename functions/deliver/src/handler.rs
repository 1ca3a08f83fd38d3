//! Handles one batch, each message by itself.

use crate::claims::is_too_old;
use crate::decision;
use crate::delivered::Delivered;
use crate::deps::Deps;
use crate::error::DeliverError;
use crate::feedback;
use crate::input::{self, Input};
use crate::requeue::{self, Patience};
use crate::{test_send, unsettled, update};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::{SignedDuration, Timestamp};
use perennial_contracts::queue::{MessagesPayload, Waiting};
use perennial_domain::{Channel, Decision};
use perennial_lambda_kit::batch::{self, BatchError, Record};
use perennial_lambda_kit::metrics::{CONFIGS_COMPILED, Metrics};
use perennial_lambda_kit::redact::short;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Messages that are worked on at once: all of a batch of the usual size, so that what goes to one CRM goes in one call, and one write reserves the
/// places of all mails.
const CONCURRENCY: usize = 10;

/// A message that has waited for so long is an operator's concern: a receiver is down, or the account's rate or quota is too small.
const OVERDUE: SignedDuration = SignedDuration::from_hours(1);

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    withheld: AtomicU64,
    paused: AtomicU64,
    failed: AtomicU64,
    unknown: AtomicU64,
    waiting: AtomicU64,
    deferred: AtomicU64,
    overdue: AtomicU64,
    expired: AtomicU64,
    tests: AtomicU64,
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
            Delivered::Deferred => &self.deferred,
            Delivered::Test => &self.tests,
            Delivered::Expired => &self.expired,
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

    /// Counts a message that waits, where it has waited long.
    fn note_overdue(&self, message: &MessagesPayload, now: Timestamp) {
        let since = match message {
            MessagesPayload::AccountUpdate(update) | MessagesPayload::PersonUpdate(update) => Some(update.at),
            message => requeue::decision_of(message).map(|decision| decision.decided_at),
        };
        if since.is_some_and(|since| now.duration_since(since) > OVERDUE) {
            self.overdue.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Delivers the decisions and processes the mail events of a batch. A failed message stays in its queue, without
/// affecting others.
///
/// # Errors
/// [`BatchError`] if partial failures cannot be reported.
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
        .count("MessagesDeferred", of(&counts.deferred))
        .count("MessagesOverdue", of(&counts.overdue))
        .count("MessagesExpired", of(&counts.expired))
        .count("MessagesRepeated", of(&counts.repeated))
        .count("MailEvents", of(&counts.events))
        .count(CONFIGS_COMPILED, deps.config.take_compiled())
        .emit(deps.clock.now());
    let mails = counts.mails.into_inner().unwrap_or_else(PoisonError::into_inner);
    let now = deps.clock.now();
    if !mails.is_empty() {
        deps.noted.sent(&deps.store, &deps.public_url, now).await;
    }
    if counts.events.into_inner() > 0 {
        deps.noted.reported(&deps.store, now).await;
    }
    count_mails(deps, mails).await;
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
    }
    outcome
}

async fn work(deps: &Deps, record: &Record, counts: &Counts) -> Result<(), DeliverError> {
    // Unique to this delivery, among those of this message and of others for the same decision.
    let claimant = format!("{}/{}", record.message_id, record.receive_count);
    let count = match input::read(&record.body)? {
        Input::Nothing => return Ok(()),
        Input::Confirmation(topic) => {
            tracing::warn!(%topic, "SNS requests a change of the mail-events queue's subscription; confirm it in the SNS console");
            return Ok(());
        }
        Input::MailEvent(event) => {
            feedback::take_in(deps, &event).await?;
            &counts.events
        }
        Input::Decision(decision) => {
            carry(deps, MessagesPayload::Decision(*decision), Patience::default(), &claimant, counts).await?
        }
        Input::Unsettled(unsettled) => {
            carry(deps, MessagesPayload::Unsettled(*unsettled), Patience::default(), &claimant, counts).await?
        }
        Input::Update(update) => {
            carry(deps, MessagesPayload::update(*update), Patience::default(), &claimant, counts).await?
        }
        Input::TestSend(test) => counts.of(test_send::deliver(deps, &test, &claimant).await?),
        Input::Waiting(waiting) => {
            let Waiting { message, until, tries, slot } = *waiting;
            let (patience, now) = (Patience { tries, slot }, deps.clock.now());
            let is_too_old = match requeue::decision_of(&message) {
                Some(decision) => is_too_old(&*deps.config.current().await, decision, now),
                None => false,
            };
            if now < until && !is_too_old {
                // SQS delays a message for 15 minutes at most: this is a part of a longer wait.
                counts.note_overdue(&message, now);
                requeue::wait(deps, *message, until, patience).await?;
                &counts.deferred
            } else {
                carry(deps, *message, patience, &claimant, counts).await?
            }
        }
    };
    count.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Tries `message`, which has waited with `patience`.
async fn carry<'c>(
    deps: &Deps,
    message: MessagesPayload,
    patience: Patience,
    claimant: &str,
    counts: &'c Counts,
) -> Result<&'c AtomicU64, DeliverError> {
    let delivered = match &message {
        MessagesPayload::Decision(decision) => decision::deliver(deps, decision, claimant, patience).await?,
        MessagesPayload::Unsettled(unsettled) => unsettled::resolve(deps, unsettled, claimant, patience).await?,
        MessagesPayload::AccountUpdate(update) | MessagesPayload::PersonUpdate(update) => {
            update::deliver(deps, update, claimant, patience).await?
        }
        MessagesPayload::Waiting(_) | MessagesPayload::TestSend(_) => {
            return Err(DeliverError::Body("a message of this kind does not wait".to_owned()));
        }
    };
    if delivered == Delivered::Deferred {
        counts.note_overdue(&message, deps.clock.now());
    }
    Ok(match requeue::decision_of(&message) {
        Some(decision) => counts.add(decision, delivered),
        None => counts.of(delivered),
    })
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "waiting_tests.rs"]
mod waiting_tests;

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
