//! Delivers one decision: plans, claims, sends and records it.

use crate::act::{Try, act, put_back};
use crate::claims::{at_work, is_too_old, record};
use crate::delivered::Delivered;
use crate::deps::Deps;
use crate::doubt::{DIED, doubt};
use crate::error::DeliverError;
use crate::plan::{self, Plan};
use crate::requeue::{self, Patience};
use jiff::{SignedDuration, Timestamp};
use perennial_contracts::queue::MessagesPayload;
use perennial_domain::{Channel, Decision};
use perennial_store::messages::{Claim, MessageState, Outcome as Recorded};

/// The next action on a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next<'a> {
    /// Carry the plan out.
    Act,
    /// An earlier attempt claimed it and died, and may have sent it.
    Doubt(&'a str),
    /// Another delivery may still be running: look again after this time.
    Wait(SignedDuration),
    /// It is done.
    Leave,
}

/// Delivers `decision`, or finds that it was delivered. `claimant` identifies this delivery.
///
/// # Errors
/// [`DeliverError`] if the queue is to retry; a retry then sends nothing twice.
pub(crate) async fn deliver(
    deps: &Deps,
    decision: &Decision,
    claimant: &str,
    patience: Patience,
) -> Result<Delivered, DeliverError> {
    let now = deps.clock.now();
    if let Some(withheld) = decision.withheld {
        // Only the history is written: no address, text or secret is needed, and nothing could be done twice.
        let is_new = deps.store.record_withheld(decision, withheld.into(), claimant, now).await?;
        return Ok(if is_new { Delivered::Withheld } else { Delivered::Before });
    }
    let config = deps.config.current().await;
    if is_too_old(&config, decision, now) {
        return expire(deps, decision, claimant, now).await;
    }
    let own = Try { decision, claimant, instead_of: None, patience };
    let plan = match plan::make(deps, &config, decision, patience, now).await {
        Ok(Plan::Wait { until, patience }) => return put_back(deps, &own, until, patience).await,
        Ok(plan) => plan,
        // A repetition of a finished delivery needs no plan: its template may have been removed.
        Err(error) => return if is_done(deps, decision).await? { Ok(Delivered::Before) } else { Err(error) },
    };
    let claim = deps.store.claim(decision, claimant, now).await?;
    match next(&claim, plan.is_repeatable(), claimant, now) {
        Next::Act => act(deps, own, plan).await,
        Next::Leave => Ok(Delivered::Before),
        Next::Wait(left) => {
            requeue::send_after(deps, MessagesPayload::Decision(decision.clone()), left).await?;
            Ok(Delivered::Waiting)
        }
        Next::Doubt(dead) => doubt(deps, decision, dead, DIED, None).await,
    }
}

/// Records a message that became too old while it waited. One that was claimed before may have been sent.
async fn expire(deps: &Deps, decision: &Decision, claimant: &str, now: Timestamp) -> Result<Delivered, DeliverError> {
    if deps.store.record_withheld(decision, MessageState::Expired, claimant, now).await? {
        return Ok(Delivered::Expired);
    }
    let Some(held) = deps.store.held(decision.person, decision.id).await? else {
        // Given up this moment by another delivery, which has its own message in the queue.
        return Ok(Delivered::Before);
    };
    if held.claimant == claimant && held.record.state == MessageState::Expired {
        return Ok(Delivered::Expired);
    }
    if held.record.state != MessageState::Claimed {
        return Ok(Delivered::Before);
    }
    if let Some(left) = at_work(&held, claimant, now).filter(|_| held.record.detail.is_none()) {
        requeue::send_after(deps, MessagesPayload::Decision(decision.clone()), left).await?;
        return Ok(Delivered::Waiting);
    }
    match decision.channel {
        Channel::Mail => doubt(deps, decision, &held.claimant, DIED, None).await,
        // The receiver's last response, if any.
        Channel::InApp | Channel::Webhook => {
            let outcome = Recorded { detail: held.record.detail, ..Recorded::new(MessageState::Expired, now) };
            record(deps, decision, &outcome).await?;
            Ok(Delivered::Expired)
        }
    }
}

async fn is_done(deps: &Deps, decision: &Decision) -> Result<bool, DeliverError> {
    let record = deps.store.message(decision.person, decision.id).await?;
    Ok(record.is_some_and(|record| record.state != MessageState::Claimed))
}

/// Returns the next action of `claimant`, by the state of the claim and by whether its plan can be repeated.
fn next<'a>(claim: &'a Claim, is_repeatable: bool, claimant: &str, now: Timestamp) -> Next<'a> {
    match claim {
        Claim::Ours => Next::Act,
        Claim::Taken(held) if held.record.state != MessageState::Claimed => Next::Leave,
        Claim::Taken(_) if is_repeatable => Next::Act,
        Claim::Taken(held) => match at_work(held, claimant, now) {
            Some(left) => Next::Wait(left),
            None => Next::Doubt(&held.claimant),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_domain::{Cause, Channel, ConfigVersion, DecisionId, PersonId};
    use perennial_store::messages::{Held, MessageRecord};

    fn taken(state: MessageState) -> Claim {
        let person = PersonId::derive(&[b"p"]);
        let record = MessageRecord {
            id: DecisionId::of(person, "j", 0, b"c"),
            person,
            state,
            channel: Channel::Mail,
            journey: "j".into(),
            step: 0,
            template: "t".into(),
            endpoint: None,
            cause: Cause::Quiet { since: Timestamp::UNIX_EPOCH, days: 1 },
            config: ConfigVersion::parse("v").unwrap(),
            variant: None,
            decided_at: Timestamp::UNIX_EPOCH,
            times: [(MessageState::Claimed, Timestamp::UNIX_EPOCH)].into(),
            subject: None,
            text: None,
            link: None,
            provider_id: None,
            domain: None,
            detail: None,
            tries: None,
            test: false,
            read_at: None,
            dismissed_at: None,
        };
        Claim::Taken(Box::new(Held { record, claimant: "m-1/1".into() }))
    }

    #[test]
    fn only_an_open_claim_is_acted_on_and_what_cannot_be_repeated_never_twice() {
        for is_repeatable in [true, false] {
            let now = Timestamp::UNIX_EPOCH;
            assert_eq!(next(&Claim::Ours, is_repeatable, "m-1/2", now), Next::Act);
            for state in MessageState::ALL {
                let expected = match (state, is_repeatable) {
                    (MessageState::Claimed, true) => Next::Act,
                    (MessageState::Claimed, false) => Next::Doubt("m-1/1"),
                    _ => Next::Leave,
                };
                assert_eq!(next(&taken(state), is_repeatable, "m-1/2", now), expected, "{state:?} {is_repeatable}");
            }
        }
    }

    #[test]
    fn a_copy_waits_for_the_delivery_that_is_at_it_and_takes_the_decision_from_one_that_died() {
        let claim = taken(MessageState::Claimed);
        let after = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        assert_eq!(next(&claim, false, "m-2/1", after(1)), Next::Wait(SignedDuration::from_mins(14)));
        // The same message again: its delivery before this one ended.
        assert_eq!(next(&claim, false, "m-1/2", after(1)), Next::Doubt("m-1/1"));
        // After a redrive a message has another id.
        assert_eq!(next(&claim, false, "m-2/1", after(16)), Next::Doubt("m-1/1"));
        assert_eq!(next(&claim, true, "m-2/1", after(1)), Next::Act, "what can be repeated is");
    }
}
