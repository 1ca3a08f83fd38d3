//! A test mail of a journey: sent to a given address, recorded as a test, and never counted.

use crate::delivered::{Delivered, later};
use crate::deps::Deps;
use crate::error::DeliverError;
use perennial_channels::Outcome;
use perennial_channels::address::Address;
use perennial_channels::mail::Mail;
use perennial_channels::render::Rendered;
use perennial_channels::unsubscribe::{Unsubscribe, address_hash};
use perennial_contracts::queue::TestSend;
use perennial_domain::{Cause, Channel, Decision, PersonId, Properties};
use perennial_store::messages::{Claim, MessageState, Outcome as Recorded};

/// Sends `test`, once: an unknown outcome stays unknown. `claimant` identifies this delivery.
///
/// # Errors
/// [`DeliverError`] if the queue is to retry.
pub(crate) async fn deliver(deps: &Deps, test: &TestSend, claimant: &str) -> Result<Delivered, DeliverError> {
    let now = deps.clock.now();
    let Ok(address) = Address::parse(&test.to) else {
        tracing::warn!("a test mail's address cannot be written to");
        return Ok(Delivered::Failed);
    };
    let config = deps.config.current().await;
    let decision = decision(test);
    // Its unsubscribe link is a real one: following it has the same effect as for a reader.
    let request = Unsubscribe { person: decision.person, address: address_hash(&address.normalised()), topic: None };
    let url = deps.unsubscribe_url(&request);
    let rendered = Rendered {
        subject: test.subject.clone(),
        text: test.text.clone(),
        html: test.html.clone(),
        link: None,
        invitation: None,
    };
    let workbench = deps.workbench(&config);
    let mail = Mail::compose(workbench.letterhead()?, &address, &rendered, &decision, &url, now)
        .map_err(DeliverError::Compose)?
        .into_test();
    match deps.store.claim_test(&decision, test.person.is_some(), claimant, now).await? {
        Claim::Ours => {}
        Claim::Taken(_) => return Ok(Delivered::Before),
    }
    let mut recorded = match deps.mail.send(mail).await {
        Outcome::Sent { provider_id } => Recorded { provider_id, ..Recorded::new(MessageState::Sent, now) },
        Outcome::Unknown { reason } => Recorded { detail: Some(reason), ..Recorded::new(MessageState::Unknown, now) },
        // A test is not retried: the operator is waiting for its result.
        not_sent => Recorded { detail: Some(later(not_sent).0), ..Recorded::new(MessageState::Failed, now) },
    };
    recorded.subject = test.person.map(|_| test.subject.clone());
    let delivered = if recorded.state == MessageState::Sent { Delivered::Test } else { Delivered::Failed };
    deps.store.record(decision.person, decision.id, &recorded).await?;
    Ok(delivered)
}

/// Returns the test as a decision, for composing and recording the mail.
///
/// An invented person has no profile: the claim is kept for a while under an unused id.
fn decision(test: &TestSend) -> Decision {
    Decision {
        id: test.id,
        person: test.person.unwrap_or_else(|| PersonId::derive(&[b"test", test.id.to_string().as_bytes()])),
        journey: test.journey.clone(),
        step: test.step,
        channel: Channel::Mail,
        template: test.template.clone(),
        endpoint: None,
        cause: Cause::Became { condition: "test".to_owned() },
        properties: Properties::new(),
        decided_at: test.at,
        config: test.config.clone(),
        variant: None,
        withheld: None,
    }
}
