//! Claims of other deliveries, and what is recorded of messages.

use crate::deps::Deps;
use crate::error::DeliverError;
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::Decision;
use perennial_store::messages::{Held, MessageState, Outcome as Recorded};

/// The longest duration of a delivery: Lambda's own limit. The process of an older claim has ended.
const LONGEST_DELIVERY: SignedDuration = SignedDuration::from_mins(15);

/// Returns whether a message is older than its journey allows, so that its content may no longer be true.
pub(crate) fn is_too_old(config: &Config, decision: &Decision, now: Timestamp) -> bool {
    now.duration_since(decision.decided_at) > config.max_age(decision)
}

/// Returns how much longer the owner of a claim may still be running; `None` once it must have ended.
///
/// An earlier delivery of the same queue message has ended, since SQS delivers a message to one consumer at a time. Any
/// other owner may have received a second copy, which SQS redelivers if that delivery dies, or this very message before
/// it was redriven from a dead-letter queue under another id. The two cannot be distinguished, so the message is kept
/// until the claim is resolved or too old.
pub(crate) fn at_work(held: &Held, claimant: &str, now: Timestamp) -> Option<SignedDuration> {
    let claimed = held.record.times.get(&MessageState::Claimed)?;
    let left = LONGEST_DELIVERY.saturating_sub(now.duration_since(*claimed));
    (message_of(&held.claimant) != message_of(claimant) && left.is_positive()).then_some(left)
}

/// The queue message's id of a claimant: `ID/RECEIVES`.
fn message_of(claimant: &str) -> &str {
    claimant.rsplit_once('/').map_or(claimant, |(message, _)| message)
}

/// Records `outcome` of the decision's message.
pub(crate) async fn record(deps: &Deps, decision: &Decision, outcome: &Recorded) -> Result<(), DeliverError> {
    let first = deps.store.record(decision.person, decision.id, outcome).await;
    // A single lost response must not lose the outcome. Recording is idempotent.
    if first.is_err() {
        deps.store.record(decision.person, decision.id, outcome).await?;
    }
    Ok(())
}
