//! Mails with an unknown delivery outcome: the process that claimed one died, or got no response.
//!
//! SES publishes an event for every mail that it accepts, with the decision's id, so a missing report is as informative
//! as a report: a mail that SES has not reported within `mail.resend_unknown_after_minutes` of `channels.toml` was not
//! accepted, and is sent again under a new claim. While one waits, the messages queue contains an [`Unsettled`] with
//! everything that is needed, delayed by as much as SQS allows and then requeued for the rest. It is sent before the
//! record says `unknown`, and its queue message is deleted after the next step is durable, so at every moment either
//! the record is final or a queue contains the message that will finalize it.
//!
//! A mail can still be sent twice if its report arrives later than the wait: SES publishes within seconds, but its
//! events may be delayed on their way, or in this function's own queue. So the wait is long compared with that (an hour
//! by default, twice what the queue takes to retry a failing report), and a mail is sent to SES three times at most. A
//! mail can still be lost if it was sent three times and never reported: it stays `unknown`, and is counted and logged.

use crate::act::{Try, act};
use crate::claims::{at_work, is_too_old, record};
use crate::delivered::Delivered;
use crate::deps::Deps;
use crate::doubt::{DIED, doubt};
use crate::error::DeliverError;
use crate::plan::{self, Plan};
use crate::requeue::{self, Patience};
use jiff::{SignedDuration, Timestamp};
use perennial_contracts::queue::{MessagesPayload, Unsettled};
use perennial_lambda_kit::redact::short;
use perennial_store::messages::{Held, MessageState, Outcome as Recorded};

/// The most attempts to send one mail to SES. Three missing reports are no accident: an operator has to investigate.
const MOST_TRIES: u32 = 3;

/// The next action for a mail with an unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    /// It is final, or handled elsewhere.
    Leave,
    /// Its report may still come: look again after this.
    Wait(SignedDuration),
    /// It was not accepted: send it again.
    Send,
    /// The delivery that sent it again died, and may have sent it.
    Doubt(&'a str),
    /// It is not sent again.
    GiveUp,
}

/// Determines the outcome of a mail, and sends it again if it was not accepted. `claimant` identifies this delivery.
///
/// # Errors
/// As of [`crate::decision::deliver`].
pub(crate) async fn resolve(
    deps: &Deps,
    unsettled: &Unsettled,
    claimant: &str,
    patience: Patience,
) -> Result<Delivered, DeliverError> {
    let (decision, now) = (&unsettled.decision, deps.clock.now());
    let config = deps.config.current().await;
    // A claim that is gone was released because nothing was sent, and its message is in the queue.
    let Some(held) = deps.store.held(decision.person, decision.id).await? else { return Ok(Delivered::Before) };
    match step(&held, unsettled, config.channels.mail.report_wait(), claimant, now) {
        Step::Leave => Ok(Delivered::Before),
        Step::Wait(left) => {
            requeue::send_after(deps, MessagesPayload::Unsettled(unsettled.clone()), left).await?;
            Ok(Delivered::Waiting)
        }
        Step::Doubt(dead) => doubt(deps, decision, dead, DIED, None).await,
        Step::Send if is_too_old(&config, decision, now) => {
            // SES did not take it, and it is no longer to be sent.
            record(deps, decision, &Recorded::new(MessageState::Expired, now)).await?;
            Ok(Delivered::Expired)
        }
        Step::Send => {
            let plan = plan::make(deps, &config, decision, patience, now).await?;
            if let Plan::Wait { until, patience } = plan {
                requeue::wait(deps, MessagesPayload::Unsettled(unsettled.clone()), until, patience).await?;
                return Ok(Delivered::Deferred);
            }
            let ours = deps.store.claim_again(decision.person, decision.id, &unsettled.claimant, claimant, now).await?;
            if !ours {
                // Its report came this moment, or another delivery sends it.
                return Ok(Delivered::Before);
            }
            tracing::info!(decision = %short(&decision.id.to_string()), tries = held.tries() + 1, "SES did not report a mail: it is sent again");
            act(deps, Try { decision, claimant, instead_of: Some(unsettled), patience }, plan).await
        }
        Step::GiveUp => {
            let tries = held.tries();
            tracing::warn!(decision = %short(&decision.id.to_string()), tries, "the delivery outcome of a mail remains unknown");
            let detail = format!("SES did not report it; attempts: {tries}");
            let outcome = Recorded { detail: Some(detail), ..Recorded::new(MessageState::Unknown, unsettled.since) };
            record(deps, decision, &outcome).await?;
            Ok(Delivered::Unknown)
        }
    }
}

/// Returns the next action, by the state of the message.
fn step<'a>(
    held: &'a Held,
    unsettled: &Unsettled,
    wait: Option<SignedDuration>,
    claimant: &str,
    now: Timestamp,
) -> Step<'a> {
    let is_claimed = match held.record.state {
        MessageState::Claimed => true,
        MessageState::Unknown => false,
        _ => return Step::Leave,
    };
    if held.claimant != unsettled.claimant {
        // Another delivery replaced it; if its outcome is unknown too, its own message is in the queue.
        if !is_claimed {
            return Step::Leave;
        }
        return at_work(held, claimant, now).map_or(Step::Doubt(&held.claimant), Step::Wait);
    }
    let Some(wait) = wait.filter(|_| held.tries() < MOST_TRIES) else { return Step::GiveUp };
    let left = wait.saturating_sub(now.duration_since(unsettled.since));
    if left.is_positive() { Step::Wait(left) } else { Step::Send }
}
