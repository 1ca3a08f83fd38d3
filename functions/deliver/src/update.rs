//! Delivers one CRM update of an account: claims, sends and records it.

use crate::decision::{Delivered, later};
use crate::deps::Deps;
use crate::error::DeliverError;
use crate::requeue::{self, Patience};
use perennial_channels::Outcome;
use perennial_channels::endpoint::Message;
use perennial_contracts::queue::MessagesPayload;
use perennial_domain::AccountUpdate;
use perennial_store::Consistency;
use perennial_store::messages::{MessageState, Outcome as Recorded};

/// Delivers `update`, or finds that it was delivered, or that a later one replaces it. `claimant` identifies this
/// delivery.
///
/// # Errors
/// [`DeliverError`] if the queue is to retry; the receiver recognizes a repetition by its id.
pub(crate) async fn deliver(
    deps: &Deps,
    update: &AccountUpdate,
    claimant: &str,
    patience: Patience,
) -> Result<Delivered, DeliverError> {
    let now = deps.clock.now();
    let config = deps.config.current().await;
    let endpoint = config.channels.webhook.get(&update.endpoint);
    let endpoint = endpoint.ok_or_else(|| DeliverError::NoEndpoint(update.endpoint.clone()))?;
    let secret = deps.secrets.get(&endpoint.secret, now).await?;
    // The account read here is at least as new as the update: it was written before the update was sent.
    let stored = deps.store.account(&update.account, Consistency::Strong).await?;
    // Its record may be forgotten by now.
    if deps.store.is_update_done(update).await? {
        return Ok(Delivered::Before);
    }
    if deps.store.claim_update(update, claimant, now).await?.is_some_and(|state| state != MessageState::Claimed) {
        // The process that recorded the outcome may have stopped before this write.
        deps.store.note_update_done(update).await?;
        return Ok(Delivered::Before);
    }
    let newest = stored.as_ref().and_then(|stored| stored.account.written.as_ref()).map_or(0, |held| held.number);
    if newest > update.number {
        finish(deps, update, MessageState::Suppressed, Some("a later update replaces it".to_owned())).await?;
        return Ok(Delivered::Withheld);
    }
    let message = Message::about_account(&endpoint.kind, update, stored.as_ref().map(|stored| &stored.account))
        .ok_or_else(|| DeliverError::NoRecords(update.endpoint.clone()))?;
    let sent = deps.endpoints.send(endpoint, secret.expose(), &update.id.to_string(), &message, now).await;
    match sent {
        Outcome::Sent { .. } => {
            finish(deps, update, MessageState::Sent, None).await?;
            Ok(Delivered::Sent)
        }
        Outcome::Rejected { reason } => {
            finish(deps, update, MessageState::Failed, Some(reason)).await?;
            Ok(Delivered::Failed)
        }
        Outcome::Retry { .. } | Outcome::Unknown { .. } | Outcome::Paused { .. } => {
            let is_news = patience.tries == 0 || !matches!(sent, Outcome::Paused { .. });
            let (reason, after) = later(sent);
            // The claim stays: the next delivery sends under the same id.
            if is_news {
                record(deps, update, MessageState::Claimed, Some(reason.clone())).await?;
            }
            let now = deps.clock.now();
            if now.duration_since(update.at) > config.limits.max_age() {
                // Account data does not become outdated like a message: it moves to the dead-letter queue, and can be
                // redriven.
                return Err(DeliverError::Refused { channel: endpoint.kind.as_str(), reason });
            }
            let (until, patience) = patience.next(after, &update.id, now);
            requeue::wait(deps, MessagesPayload::AccountUpdate(update.clone()), until, patience).await?;
            Ok(Delivered::Deferred)
        }
        Outcome::Refused { reason } => {
            record(deps, update, MessageState::Claimed, Some(reason.clone())).await?;
            Err(DeliverError::Refused { channel: endpoint.kind.as_str(), reason })
        }
    }
}

/// Records what came of the update for good.
async fn finish(
    deps: &Deps,
    update: &AccountUpdate,
    state: MessageState,
    detail: Option<String>,
) -> Result<(), DeliverError> {
    record(deps, update, state, detail).await?;
    Ok(deps.store.note_update_done(update).await?)
}

async fn record(
    deps: &Deps,
    update: &AccountUpdate,
    state: MessageState,
    detail: Option<String>,
) -> Result<(), DeliverError> {
    let outcome = Recorded { detail, ..Recorded::new(state, deps.clock.now()) };
    let first = deps.store.record_update(&update.account, update.id, &outcome).await;
    // The result should not be lost because of one lost response: recording is idempotent.
    if first.is_err() {
        deps.store.record_update(&update.account, update.id, &outcome).await?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
