//! Delivers one decision: plans, claims, sends and records it.

use crate::confirm;
use crate::deps::Deps;
use crate::error::DeliverError;
use crate::plan::{self, Plan};
use crate::requeue::{self, Patience};
use crate::unsettled;
use jiff::{SignedDuration, Timestamp};
use perennial_channels::Outcome;
use perennial_config::Config;
use perennial_contracts::queue::{MessagesPayload, Unsettled};
use perennial_domain::{Channel, Decision};
use perennial_lambda_kit::redact::short;
use perennial_store::messages::{Claim, Held, MessageState, Outcome as Recorded};
use std::time::Duration;

/// The longest duration of a delivery: Lambda's own limit. The process of an older claim has ended.
const LONGEST_DELIVERY: SignedDuration = SignedDuration::from_mins(15);

/// The outcome of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// It was sent.
    Sent,
    /// It was sent as a test.
    Test,
    /// It was withheld.
    Withheld,
    /// It was withheld: its journey is paused.
    Paused,
    /// It was not sent, and will not be.
    Failed,
    /// Unknown: it may or may not have gone out.
    Unknown,
    /// Unknown so far: it is evaluated again later.
    Waiting,
    /// It was requeued: for quiet hours, the rate or the quota, or its receiver.
    Deferred,
    /// It is older than its journey allows, and is not sent.
    Expired,
    /// Another delivery was done with it before.
    Before,
}

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

/// One attempt at a decision, by the delivery that claimed it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Try<'a> {
    /// The decision to carry out.
    pub(crate) decision: &'a Decision,
    /// Identifies this delivery.
    pub(crate) claimant: &'a str,
    /// The unresolved claim that this one replaces.
    pub(crate) instead_of: Option<&'a Unsettled>,
    /// Its attempts so far.
    pub(crate) patience: Patience,
}

impl Try<'_> {
    /// Returns the queue message that continues it.
    fn again(&self) -> MessagesPayload {
        match self.instead_of {
            Some(unsettled) => MessagesPayload::Unsettled(unsettled.clone()),
            None => MessagesPayload::Decision(self.decision.clone()),
        }
    }
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
        Next::Doubt(dead) => unsettled::doubt(deps, decision, dead, unsettled::DIED, None).await,
    }
}

/// Returns whether a message is older than its journey allows, so that its content may no longer be true.
pub(crate) fn is_too_old(config: &Config, decision: &Decision, now: Timestamp) -> bool {
    now.duration_since(decision.decided_at) > config.max_age(decision)
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
        Channel::Mail => unsettled::doubt(deps, decision, &held.claimant, unsettled::DIED, None).await,
        // The receiver's last response, if any.
        Channel::InApp | Channel::Webhook => {
            let outcome = Recorded { detail: held.record.detail, ..Recorded::new(MessageState::Expired, now) };
            record(deps, decision, &outcome).await?;
            Ok(Delivered::Expired)
        }
    }
}

/// Requeues a message until `until`, or until it is too old, if that is sooner. It is not claimed, or its claim may be
/// taken over.
async fn put_back(deps: &Deps, own: &Try<'_>, until: Timestamp, patience: Patience) -> Result<Delivered, DeliverError> {
    let config = deps.config.current().await;
    let too_old = own.decision.decided_at + config.max_age(own.decision) + SignedDuration::from_secs(1);
    requeue::wait(deps, own.again(), until.min(too_old), patience).await?;
    Ok(Delivered::Deferred)
}

/// Requeues a message that its receiver, or the mail service, did not accept.
async fn refused(deps: &Deps, own: &Try<'_>, reason: &str, after: Option<Duration>) -> Result<Delivered, DeliverError> {
    let (decision, now) = (own.decision, deps.clock.now());
    let (until, patience) = own.patience.next(after, &decision.id, now);
    let id = decision.id.to_string();
    tracing::info!(decision = %short(&id), tries = patience.tries, reason, "a message is not accepted and will be retried");
    put_back(deps, own, until, patience).await
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

/// Executes `plan` and records the outcome. The decision is claimed.
///
/// # Errors
/// As of [`deliver`].
pub(crate) async fn act(deps: &Deps, own: Try<'_>, plan: Plan) -> Result<Delivered, DeliverError> {
    let decision = own.decision;
    match plan {
        Plan::Withhold(reason) => {
            suppress(deps, decision, reason.to_owned()).await?;
            Ok(Delivered::Withheld)
        }
        Plan::Capped(why) => {
            let outcome = Recorded { detail: Some(why), ..Recorded::new(MessageState::Capped, deps.clock.now()) };
            record(deps, decision, &outcome).await?;
            Ok(Delivered::Withheld)
        }
        Plan::Confirm(confirmation) => {
            confirm::ask(deps, *confirmation).await?;
            suppress(deps, decision, "the reader has not confirmed the mail address yet".to_owned()).await?;
            Ok(Delivered::Withheld)
        }
        Plan::Paused(figures) => {
            suppress(deps, decision, figures).await?;
            Ok(Delivered::Paused)
        }
        Plan::InApp(message) => {
            let mut outcome = Recorded::new(MessageState::Sent, deps.clock.now());
            outcome.subject = Some(message.title);
            outcome.text = Some(message.body);
            outcome.link = message.link;
            // Idempotent: a single lost response must not lose the message.
            if deps.store.record_in_app(decision, &outcome).await.is_err() {
                deps.store.record_in_app(decision, &outcome).await?;
            }
            Ok(Delivered::Sent)
        }
        // Decided before anything was claimed.
        Plan::Wait { until, patience } => {
            give_back(deps, own).await?;
            put_back(deps, &own, until, patience).await
        }
        Plan::Mail { mail, subject } => {
            let domain = mail.domain().to_owned();
            match deps.mail.send(mail).await {
                outcome @ (Outcome::Retry { .. } | Outcome::Paused { .. }) => {
                    let (reason, after) = later(outcome);
                    give_back(deps, own).await?;
                    if let Some(until) = after.and_then(|after| deps.clock.now().checked_add(after).ok()) {
                        deps.pace.hold(until);
                    }
                    refused(deps, &own, &reason, after).await
                }
                Outcome::Refused { reason } => {
                    give_back(deps, own).await?;
                    Err(DeliverError::Refused { channel: "mail", reason })
                }
                Outcome::Unknown { reason } => {
                    unsettled::doubt(deps, decision, own.claimant, &reason, Some(subject)).await
                }
                outcome => settle(deps, decision, outcome, subject, Some(domain)).await,
            }
        }
        Plan::Endpoint { endpoint, secret, message, subject } => {
            let id = decision.id.to_string();
            let outcome = deps.endpoints.send(&endpoint, secret.expose(), &id, &message, deps.clock.now()).await;
            let channel = endpoint.kind.as_str();
            match outcome {
                Outcome::Retry { .. } | Outcome::Unknown { .. } | Outcome::Paused { .. } if message.is_repeatable() => {
                    let is_news = own.patience.tries == 0 || !matches!(outcome, Outcome::Paused { .. });
                    let (reason, after) = later(outcome);
                    // The claim stays: the next delivery sends under the same id. It shows what the receiver said last.
                    if is_news {
                        let mut held = Recorded::new(MessageState::Claimed, deps.clock.now());
                        held.detail = Some(reason.clone());
                        record(deps, decision, &held).await?;
                    }
                    refused(deps, &own, &reason, after).await
                }
                Outcome::Retry { .. } | Outcome::Paused { .. } => {
                    let (reason, after) = later(outcome);
                    give_back(deps, own).await?;
                    refused(deps, &own, &reason, after).await
                }
                Outcome::Refused { reason } => {
                    give_back(deps, own).await?;
                    Err(DeliverError::Refused { channel, reason })
                }
                outcome => settle(deps, decision, outcome, subject, None).await,
            }
        }
    }
}

async fn suppress(deps: &Deps, decision: &Decision, why: String) -> Result<(), DeliverError> {
    let outcome = Recorded { detail: Some(why), ..Recorded::new(MessageState::Suppressed, deps.clock.now()) };
    record(deps, decision, &outcome).await
}

/// Returns why something is to be retried, and when, if the receiver said so.
pub(crate) fn later(outcome: Outcome) -> (String, Option<Duration>) {
    match outcome {
        Outcome::Retry { reason, after } => (reason, after),
        Outcome::Paused { reason, after } => (reason.to_owned(), Some(after)),
        Outcome::Unknown { reason } | Outcome::Rejected { reason } | Outcome::Refused { reason } => (reason, None),
        Outcome::Sent { .. } => (String::new(), None),
    }
}

/// Records a channel's final outcome; `domain` is that of a mail's recipient.
async fn settle(
    deps: &Deps,
    decision: &Decision,
    outcome: Outcome,
    subject: String,
    domain: Option<String>,
) -> Result<Delivered, DeliverError> {
    let (state, delivered, provider_id, detail) = match outcome {
        Outcome::Sent { provider_id } => (MessageState::Sent, Delivered::Sent, provider_id, None),
        Outcome::Rejected { reason } => (MessageState::Failed, Delivered::Failed, None, Some(reason)),
        unknown => (MessageState::Unknown, Delivered::Unknown, None, Some(later(unknown).0)),
    };
    let recorded =
        Recorded { subject: Some(subject), provider_id, domain, detail, ..Recorded::new(state, deps.clock.now()) };
    record(deps, decision, &recorded).await?;
    Ok(delivered)
}

/// Releases the claim on a message known not to have been sent that must not be sent twice. If that fails it stays
/// claimed, and the next delivery has to treat it as sent.
async fn give_back(deps: &Deps, own: Try<'_>) -> Result<(), DeliverError> {
    let (person, id) = (own.decision.person, own.decision.id);
    let once = || async {
        match own.instead_of {
            None => deps.store.release(person, id, own.claimant).await,
            // The earlier claim stays unresolved: its report may still arrive, and needs the record.
            Some(first) => deps.store.hand_back(person, id, own.claimant, &first.claimant, first.since).await,
        }
    };
    if once().await.is_err() {
        once().await?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_domain::{Cause, Channel, ConfigVersion, DecisionId, PersonId};
    use perennial_store::messages::MessageRecord;

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
