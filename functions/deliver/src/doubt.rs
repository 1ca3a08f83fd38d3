//! Records that nobody knows whether a message was sent.

use crate::claims::record;
use crate::delivered::Delivered;
use crate::deps::Deps;
use crate::error::DeliverError;
use crate::requeue;
use perennial_contracts::queue::{MessagesPayload, Unsettled};
use perennial_domain::{Channel, Decision};
use perennial_store::messages::{MessageState, Outcome as Recorded};

/// The reason for a message whose delivery died.
pub(crate) const DIED: &str = "a delivery ended between claiming and recording";
/// Records that the outcome of `claimant`'s attempt is unknown. For a mail, requests another check through the messages
/// queue.
///
/// # Errors
/// [`DeliverError`] if that could not be made durable: the claim stays as it is, and the next delivery of the same
/// message comes here.
pub(crate) async fn doubt(
    deps: &Deps,
    decision: &Decision,
    claimant: &str,
    reason: &str,
    subject: Option<String>,
) -> Result<Delivered, DeliverError> {
    let now = deps.clock.now();
    let wait = deps.config.current().await.channels.mail.report_wait();
    let wait = wait.filter(|_| decision.channel == Channel::Mail);
    if let Some(wait) = wait {
        let unsettled = Unsettled { decision: decision.clone(), claimant: claimant.to_owned(), since: now };
        requeue::send_after(deps, MessagesPayload::Unsettled(unsettled), wait).await?;
    }
    let detail = Some(reason.to_owned());
    record(deps, decision, &Recorded { subject, detail, ..Recorded::new(MessageState::Unknown, now) }).await?;
    Ok(if wait.is_some() { Delivered::Waiting } else { Delivered::Unknown })
}
