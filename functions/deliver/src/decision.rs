//! One decision: made ready, claimed, sent, recorded.

use crate::deps::Deps;
use crate::error::DeliverError;
use crate::plan::{self, Plan};
use perennial_channels::Outcome;
use perennial_domain::{Channel, Decision};
use perennial_store::messages::{Claim, MessageState, Outcome as Recorded};

/// What came of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// It went out.
    Sent,
    /// It was not to go out.
    Withheld,
    /// It did not go out, and will not.
    Failed,
    /// Whether it went out is not known.
    Unknown,
    /// Another delivery was done with it before.
    Before,
}

/// What to do about a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Carry the plan out.
    Act,
    /// The delivery that claimed it died, and may have sent it.
    Unknown,
    /// It is done.
    Leave,
}

/// Delivers `decision`, or finds that it was delivered. `claimant` names this delivery and no other.
///
/// # Errors
/// [`DeliverError`] where the queue is to try again; nothing was sent then that a second try would send twice.
pub(crate) async fn deliver(deps: &Deps, decision: &Decision, claimant: &str) -> Result<Delivered, DeliverError> {
    let now = deps.clock.now();
    let config = deps.config.current().await;
    let plan = match plan::make(deps, &config, decision, now).await {
        Ok(plan) => plan,
        // A repetition of what is done needs no plan: its template may be gone by now.
        Err(error) => return if is_done(deps, decision).await? { Ok(Delivered::Before) } else { Err(error) },
    };
    let claim = deps.store.claim(decision, claimant, now).await?;
    match next(&claim, decision.channel) {
        Next::Act => act(deps, decision, plan, claimant).await,
        Next::Leave => Ok(Delivered::Before),
        Next::Unknown => {
            let mut outcome = Recorded::new(MessageState::Unknown, now);
            outcome.detail = Some("a delivery ended between claiming and recording".to_owned());
            record(deps, decision, &outcome).await?;
            Ok(Delivered::Unknown)
        }
    }
}

async fn is_done(deps: &Deps, decision: &Decision) -> Result<bool, DeliverError> {
    let record = deps.store.message(decision.person, decision.id).await?;
    Ok(record.is_some_and(|record| record.state != MessageState::Claimed))
}

/// The policy of each channel for a claim that an earlier delivery holds: a mail may have been sent and is not sent again; an in-app message is its
/// record; a webhook's receiver tells a repetition by its id.
fn next(claim: &Claim, channel: Channel) -> Next {
    match claim {
        Claim::Ours => Next::Act,
        Claim::Taken(record) if record.state != MessageState::Claimed => Next::Leave,
        Claim::Taken(_) => match channel {
            Channel::Mail => Next::Unknown,
            Channel::InApp | Channel::Webhook => Next::Act,
        },
    }
}

async fn act(deps: &Deps, decision: &Decision, plan: Plan, claimant: &str) -> Result<Delivered, DeliverError> {
    match plan {
        Plan::Withhold(reason) => {
            let mut outcome = Recorded::new(MessageState::Suppressed, deps.clock.now());
            outcome.detail = Some(reason.to_owned());
            record(deps, decision, &outcome).await?;
            Ok(Delivered::Withheld)
        }
        Plan::InApp(message) => {
            let mut outcome = Recorded::new(MessageState::Sent, deps.clock.now());
            outcome.subject = Some(message.title);
            outcome.text = Some(message.body);
            outcome.link = message.link;
            record(deps, decision, &outcome).await?;
            Ok(Delivered::Sent)
        }
        Plan::Mail { mail, subject } => {
            let outcome = deps.mail.send(mail).await;
            if let Outcome::Retry { reason } = outcome {
                give_back(deps, decision, claimant).await?;
                return Err(DeliverError::Later { channel: "mail", reason });
            }
            settle(deps, decision, outcome, subject).await
        }
        Plan::Webhook { endpoint, secret, body, subject } => {
            let outcome =
                deps.webhooks.post(&endpoint, secret.expose(), &decision.id.to_string(), body, deps.clock.now()).await;
            if let Outcome::Retry { reason } | Outcome::Unknown { reason } = outcome {
                // The claim stays: the next delivery sends under the same id.
                let mut held = Recorded::new(MessageState::Claimed, deps.clock.now());
                held.detail = Some(reason.clone());
                record(deps, decision, &held).await?;
                return Err(DeliverError::Later { channel: "webhook", reason });
            }
            settle(deps, decision, outcome, subject).await
        }
    }
}

/// Records what a channel said for good.
async fn settle(
    deps: &Deps,
    decision: &Decision,
    outcome: Outcome,
    subject: String,
) -> Result<Delivered, DeliverError> {
    let (state, delivered, provider_id, detail) = match outcome {
        Outcome::Sent { provider_id } => (MessageState::Sent, Delivered::Sent, provider_id, None),
        Outcome::Rejected { reason } => (MessageState::Failed, Delivered::Failed, None, Some(reason)),
        Outcome::Unknown { reason } | Outcome::Retry { reason } => {
            (MessageState::Unknown, Delivered::Unknown, None, Some(reason))
        }
    };
    let recorded = Recorded { subject: Some(subject), provider_id, detail, ..Recorded::new(state, deps.clock.now()) };
    record(deps, decision, &recorded).await?;
    Ok(delivered)
}

/// Gives the claim of a mail back that was certainly not sent. Where that fails the mail stays claimed, and the next delivery has to take it for sent.
async fn give_back(deps: &Deps, decision: &Decision, claimant: &str) -> Result<(), DeliverError> {
    let first = deps.store.release(decision.person, decision.id, claimant).await;
    if first.is_err() {
        deps.store.release(decision.person, decision.id, claimant).await?;
    }
    Ok(())
}

async fn record(deps: &Deps, decision: &Decision, outcome: &Recorded) -> Result<(), DeliverError> {
    let first = deps.store.record(decision.person, decision.id, outcome).await;
    // What is known should not be lost for one lost answer: recording may be repeated.
    if first.is_err() {
        deps.store.record(decision.person, decision.id, outcome).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::Timestamp;
    use perennial_domain::{Cause, ConfigVersion, DecisionId, PersonId};
    use perennial_store::messages::MessageRecord;

    fn taken(state: MessageState, channel: Channel) -> Claim {
        let person = PersonId::derive(&[b"p"]);
        Claim::Taken(Box::new(MessageRecord {
            id: DecisionId::of(person, "j", 0, b"c"),
            person,
            state,
            channel,
            journey: "j".into(),
            step: 0,
            template: "t".into(),
            endpoint: None,
            cause: Cause::Quiet { since: Timestamp::UNIX_EPOCH, days: 1 },
            config: ConfigVersion::parse("v").unwrap(),
            decided_at: Timestamp::UNIX_EPOCH,
            times: [].into(),
            subject: None,
            text: None,
            link: None,
            provider_id: None,
            detail: None,
            read_at: None,
            dismissed_at: None,
        }))
    }

    #[test]
    fn only_an_open_claim_is_acted_on_and_a_mail_never_twice() {
        for channel in Channel::ALL {
            assert_eq!(next(&Claim::Ours, channel), Next::Act);
            for state in MessageState::ALL {
                let expected = match (state, channel) {
                    (MessageState::Claimed, Channel::Mail) => Next::Unknown,
                    (MessageState::Claimed, _) => Next::Act,
                    _ => Next::Leave,
                };
                assert_eq!(next(&taken(state, channel), channel), expected, "{state:?} {channel:?}");
            }
        }
    }
}
