//! Carries a plan out: sends, and records the outcome.

use crate::claims::record;
use crate::confirm;
use crate::delivered::{Delivered, later};
use crate::deps::Deps;
use crate::doubt::doubt;
use crate::error::DeliverError;
use crate::plan::Plan;
use crate::requeue::{self, Patience};
use jiff::{SignedDuration, Timestamp};
use perennial_channels::Outcome;
use perennial_contracts::queue::{MessagesPayload, Unsettled};
use perennial_domain::Decision;
use perennial_lambda_kit::redact::short;
use perennial_store::messages::{MessageState, Outcome as Recorded};
use std::time::Duration;

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

/// Executes `plan` and records the outcome. The decision is claimed.
///
/// # Errors
/// As of [`crate::decision::deliver`].
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
                Outcome::Unknown { reason } => doubt(deps, decision, own.claimant, &reason, Some(subject)).await,
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

/// Requeues a message until `until`, or until it is too old, if that is sooner. It is not claimed, or its claim may be
/// taken over.
pub(crate) async fn put_back(
    deps: &Deps,
    own: &Try<'_>,
    until: Timestamp,
    patience: Patience,
) -> Result<Delivered, DeliverError> {
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
