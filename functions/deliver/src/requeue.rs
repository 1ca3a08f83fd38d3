//! Messages that this function puts on its own queues, to process them later: each is a new message, so waiting uses up no receives.

use crate::deps::Deps;
use crate::error::DeliverError;
use crate::jitter;
use jiff::{SignedDuration, Timestamp};
use perennial_contracts::queue::{MessagesPayload, Slot, Waiting};
use perennial_domain::{Decision, DecisionId};
use perennial_lambda_kit::queue::{Delay, Sender};
use std::time::Duration;

/// The largest part of a requested wait that is added as jitter.
const MOST_JITTER: SignedDuration = SignedDuration::from_mins(2);

/// A message's attempts so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Patience {
    /// The number of rejected attempts.
    pub(crate) tries: u32,
    /// A place that is reserved for it.
    pub(crate) slot: Option<Slot>,
}

impl Patience {
    /// Returns the time of the next attempt after one more rejection: after `asked` if the receiver asked for a pause.
    pub(crate) fn next(self, asked: Option<Duration>, id: &DecisionId, now: Timestamp) -> (Timestamp, Self) {
        let wait = match asked.and_then(|asked| SignedDuration::try_from(asked).ok()) {
            Some(asked) => asked + jitter::up_to((asked / 4).clamp(SignedDuration::from_secs(2), MOST_JITTER), id, now),
            None => jitter::backoff(self.tries, id, now),
        };
        (now + wait, Self { tries: self.tries.saturating_add(1), slot: None })
    }
}

/// Sends `payload` to the queue that it belongs to, to be delivered after `wait`: after a second at least, and after the 15 minutes that SQS allows at most.
///
/// # Errors
/// [`DeliverError`] if the queue did not accept it.
pub(crate) async fn send_after(
    deps: &Deps,
    payload: MessagesPayload,
    wait: SignedDuration,
) -> Result<(), DeliverError> {
    let is_essential = match decision_of(&payload) {
        Some(decision) => deps.config.current().await.takes_essential_queue(decision),
        None => false,
    };
    let queue = if is_essential { &deps.essential } else { &deps.messages };
    let body = serde_json::to_string(&payload).map_err(|error| DeliverError::Event(error.to_string()))?;
    queue.send(vec![body], delay(wait)).await.into_result().map_err(DeliverError::Wait)
}

/// Requeues `message` until `until`.
///
/// # Errors
/// As of [`send_after`].
pub(crate) async fn wait(
    deps: &Deps,
    message: MessagesPayload,
    until: Timestamp,
    patience: Patience,
) -> Result<(), DeliverError> {
    let Patience { tries, slot } = patience;
    let left = until.duration_since(deps.clock.now());
    send_after(deps, MessagesPayload::Waiting(Waiting { message: Box::new(message), until, tries, slot }), left).await
}

/// The decision that a message is about.
pub(crate) fn decision_of(payload: &MessagesPayload) -> Option<&Decision> {
    match payload {
        MessagesPayload::Decision(decision) => Some(decision),
        MessagesPayload::Unsettled(unsettled) => Some(&unsettled.decision),
        MessagesPayload::Waiting(waiting) => decision_of(&waiting.message),
        MessagesPayload::AccountUpdate(_) | MessagesPayload::PersonUpdate(_) | MessagesPayload::TestSend(_) => None,
    }
}

/// SQS counts in whole seconds, and a message must not be delivered too early.
fn delay(wait: SignedDuration) -> Delay {
    let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
    Delay::at_most(seconds.max(1).unsigned_abs())
}
