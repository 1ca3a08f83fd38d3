//! Messages that this function puts on its own queue, to process them later.

use crate::deps::Deps;
use crate::error::DeliverError;
use jiff::SignedDuration;
use perennial_contracts::queue::MessagesPayload;
use perennial_lambda_kit::queue::Delay;

/// Sends `payload` to the messages queue, to be delivered after `wait`: after a second at least, and after the 15 minutes that SQS allows at most.
///
/// # Errors
/// [`DeliverError`] if the queue did not accept it.
pub(crate) async fn send_after(
    deps: &Deps,
    payload: MessagesPayload,
    wait: SignedDuration,
) -> Result<(), DeliverError> {
    let body = serde_json::to_string(&payload).map_err(|error| DeliverError::Event(error.to_string()))?;
    deps.messages.send(vec![body], delay(wait)).await.into_result().map_err(DeliverError::Wait)
}

/// SQS counts in whole seconds, and a message must not be delivered too early.
fn delay(wait: SignedDuration) -> Delay {
    let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
    Delay::at_most(seconds.max(1).unsigned_abs())
}
