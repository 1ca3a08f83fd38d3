//! Determines from the mail's record whether a reader opened a mail or followed its link.

use crate::deps::Deps;
use crate::error::DeliverError;
use jiff::{SignedDuration, Timestamp};
use perennial_contracts::ses::{Agent, MailEvent, MailEventKind};
use perennial_domain::{DecisionId, PersonId};
use perennial_store::messages::MessageState;

/// The time within which no human follows two links of one mail.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(2);

/// Returns the event with its agent: a machine if the mail had only just arrived, or if another of its links was
/// followed at the same moment. Of links followed at once the first one reported stays the reader's, because the others
/// are unknown then.
pub(super) async fn judged(
    deps: &Deps,
    event: MailEvent,
    mail: Option<(PersonId, DecisionId)>,
) -> Result<MailEvent, DeliverError> {
    let (Some(mail), Some(by)) = (mail, agent(&event.kind)) else { return Ok(event) };
    let mut by = by.after(delivered(deps, mail).await?, event.at);
    if let (Agent::Reader, MailEventKind::Click { link, .. }) = (by, &event.kind)
        && deps.store.note_click(mail.0, mail.1, link, event.at, AT_ONCE).await?
    {
        by = Agent::Machine;
    }
    Ok(MailEvent { kind: done_by(event.kind, by), ..event })
}

/// Returns who opened the mail or followed its link, according to SES's report.
fn agent(kind: &MailEventKind) -> Option<Agent> {
    match kind {
        MailEventKind::Open { by } | MailEventKind::Click { by, .. } => Some(*by),
        _ => None,
    }
}

fn done_by(kind: MailEventKind, by: Agent) -> MailEventKind {
    match kind {
        MailEventKind::Open { .. } => MailEventKind::Open { by },
        MailEventKind::Click { link, .. } => MailEventKind::Click { link, by },
        other => other,
    }
}

/// When the receiving server took the mail, where that is known already.
async fn delivered(deps: &Deps, (person, decision): (PersonId, DecisionId)) -> Result<Option<Timestamp>, DeliverError> {
    let record = deps.store.message(person, decision).await?;
    Ok(record.and_then(|record| record.times.get(&MessageState::Delivered).copied()))
}
