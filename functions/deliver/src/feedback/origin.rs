//! Finds the mail of an event without our tags.
//!
//! Event publishing reports a mail with its tags. The notifications of an identity (`notificationType`) have none: the
//! mail is found by its recipient, whose address leads to a profile, among whose messages is the one with this SES id,
//! or with the decision in the mail's header. A few reads an event, and no index.

use crate::deps::Deps;
use crate::error::DeliverError;
use perennial_channels::mail::{TAG_DECISION, TAG_JOURNEY, TAG_PERSON, TAG_STEP, TAG_TEST};
use perennial_contracts::ses::{MailEvent, MailEventKind};
use perennial_domain::PersonId;
use perennial_store::Consistency;
use perennial_store::messages::MessageRecord;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Returns the event with the tags of its mail. It is unchanged if it has them, or if the mail is not ours.
pub(super) async fn tagged<'e>(deps: &Deps, event: &'e MailEvent) -> Result<Cow<'e, MailEvent>, DeliverError> {
    if event.tags.contains_key(TAG_PERSON) || !is_of_notifications(&event.kind) {
        return Ok(Cow::Borrowed(event));
    }
    let Some(record) = find(deps, event).await? else { return Ok(Cow::Borrowed(event)) };
    let mut event = event.clone();
    event.tags.extend([
        (TAG_DECISION.to_owned(), record.id.to_string()),
        (TAG_PERSON.to_owned(), record.person.to_string()),
        (TAG_JOURNEY.to_owned(), record.journey),
        (TAG_STEP.to_owned(), record.step.to_string()),
    ]);
    if record.test {
        event.tags.insert(TAG_TEST.to_owned(), "1".to_owned());
    }
    Ok(Cow::Owned(event))
}

/// Returns whether notifications of an identity report such events.
fn is_of_notifications(kind: &MailEventKind) -> bool {
    matches!(
        kind,
        MailEventKind::Delivery | MailEventKind::Bounce(_) | MailEventKind::Complaint { .. } | MailEventKind::NotSpam
    )
}

/// The record of the mail, among those of everyone that the recipients' profiles are made of.
async fn find(deps: &Deps, event: &MailEvent) -> Result<Option<MessageRecord>, DeliverError> {
    let decision = event.tags.get(TAG_DECISION);
    let is_it = |record: &MessageRecord| {
        record.provider_id.as_ref() == Some(&event.mail_id) || decision.is_some_and(|id| *id == record.id.to_string())
    };
    for address in &event.recipients {
        let Some(person) = deps.store.find_address(&address.key()).await? else { continue };
        let Some(stored) = deps.store.follow(person, Consistency::Eventual).await? else { continue };
        let parts = stored.profile.parts.iter().map(|part| part.owner());
        let people: BTreeSet<PersonId> = parts.chain([person, stored.profile.id]).collect();
        for person in people {
            let found = deps.store.messages(person).await?.items.into_iter().find(is_it);
            if found.is_some() {
                return Ok(found);
            }
        }
    }
    Ok(None)
}
