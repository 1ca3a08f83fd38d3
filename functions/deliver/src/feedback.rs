//! What SES says about a mail: recorded, acted on, and told as an event.

use crate::deps::Deps;
use crate::error::DeliverError;
use jiff::Timestamp;
use perennial_channels::address::Address;
use perennial_channels::mail::{TAG_DECISION, TAG_JOURNEY, TAG_PERSON, TAG_STEP};
use perennial_contracts::queue::EventsPayload;
use perennial_contracts::ses::{MailEvent, MailEventKind};
use perennial_domain::{
    DecisionId, Event, EventKind, EventName, Identity, MessageId, PersonId, Properties, SourceId, hash,
};
use perennial_engine::Profile;
use perennial_lambda_kit::queue::Delay;
use perennial_store::Consistency;
use perennial_store::messages::{MessageState, Outcome};
use perennial_store::pauses::Harm;
use perennial_store::suppressions::Reason;

/// The source of the events.
pub(crate) const SOURCE: &str = "ses";

/// Takes an event in. May be repeated.
///
/// # Errors
/// [`DeliverError`] where the queue is to try again.
pub(crate) async fn take_in(deps: &Deps, event: &MailEvent) -> Result<(), DeliverError> {
    if let Some(reason) = suppresses(&event.kind) {
        for address in &event.recipients {
            // What is no address of ours was not written to by us.
            if let Ok(address) = Address::parse(address) {
                deps.store.suppress(&address.normalised(), reason, event.at).await?;
            }
        }
    }
    if let MailEventKind::Bounce { hard: false, .. } = event.kind {
        count_soft(deps, event).await?;
    }
    let tag = |name: &str| event.tags.get(name).map(String::as_str);
    let person = tag(TAG_PERSON).and_then(|text| PersonId::parse(text).ok());
    // A mail that something else in the account sent carries no tags of ours.
    let Some(person) = person else { return Ok(()) };
    let decision = tag(TAG_DECISION).and_then(|text| DecisionId::parse(text).ok());
    if let (Some(decision), Some((state, detail))) = (decision, state(&event.kind)) {
        if let (Some(harm), Some(journey)) = (harm(&event.kind), tag(TAG_JOURNEY)) {
            deps.store.count_harm(journey, person, decision, harm, event.at).await?;
        }
        let outcome = Outcome { provider_id: Some(event.mail_id.clone()), detail, ..Outcome::new(state, event.at) };
        deps.store.record(person, decision, &outcome).await?;
    }
    let Some(name) = name(&event.kind) else { return Ok(()) };
    let Some(stored) = deps.store.follow(person, Consistency::Eventual).await? else { return Ok(()) };
    let Some(identity) = identity(&stored.profile, person) else { return Ok(()) };
    let told = as_event(event, name, identity, deps.clock.now())?;
    let payload = EventsPayload::Events { events: vec![told] };
    let body = serde_json::to_string(&payload).map_err(|error| DeliverError::Event(error.to_string()))?;
    Ok(deps.events.send(vec![body], Delay::NONE).await.into_result()?)
}

/// Counts a soft bounce, such as a full mailbox: an address that has many of them has a rest, as config says.
async fn count_soft(deps: &Deps, event: &MailEvent) -> Result<(), DeliverError> {
    let config = deps.config.current().await;
    for address in &event.recipients {
        if let Ok(address) = Address::parse(address) {
            let policy = &config.channels.mail.soft_bounces;
            deps.store.soft_bounce(&address.normalised(), &event.mail_id, event.at, policy).await?;
        }
    }
    Ok(())
}

/// Why the address gets no more mail. A soft bounce passes.
fn suppresses(kind: &MailEventKind) -> Option<Reason> {
    match kind {
        MailEventKind::Bounce { hard: true, .. } => Some(Reason::Bounce),
        MailEventKind::Complaint { .. } => Some(Reason::Complaint),
        MailEventKind::Subscription { unsubscribed: true } => Some(Reason::Unsubscribe),
        _ => None,
    }
}

/// What counts against the mail's journey. A soft bounce does not: nor does SES count it.
fn harm(kind: &MailEventKind) -> Option<Harm> {
    match kind {
        MailEventKind::Bounce { hard: true, .. } => Some(Harm::Bounced),
        MailEventKind::Complaint { .. } => Some(Harm::Complained),
        _ => None,
    }
}

/// The state that the message came into, and what is to be said about it.
fn state(kind: &MailEventKind) -> Option<(MessageState, Option<String>)> {
    match kind {
        MailEventKind::Send => Some((MessageState::Sent, None)),
        MailEventKind::Delivery => Some((MessageState::Delivered, None)),
        MailEventKind::Bounce { hard, sub_type } => {
            let kind = if *hard { "hard" } else { "soft" };
            Some((MessageState::Bounced, Some(format!("{kind} bounce: {sub_type}"))))
        }
        MailEventKind::Complaint { feedback } => Some((MessageState::Complained, feedback.clone())),
        MailEventKind::Open => Some((MessageState::Opened, None)),
        MailEventKind::Click { .. } => Some((MessageState::Clicked, None)),
        MailEventKind::Reject { reason } => Some((MessageState::Failed, Some(format!("SES rejected it: {reason}")))),
        MailEventKind::DeliveryDelay { .. } | MailEventKind::Subscription { .. } | MailEventKind::Other(_) => None,
    }
}

/// The event's name in the person's history; what tells nothing about the person has none.
fn name(kind: &MailEventKind) -> Option<&'static str> {
    match kind {
        MailEventKind::Delivery => Some("Email Delivered"),
        MailEventKind::Bounce { .. } => Some("Email Bounced"),
        MailEventKind::Complaint { .. } => Some("Email Complained"),
        MailEventKind::Open => Some("Email Opened"),
        MailEventKind::Click { .. } => Some("Email Clicked"),
        MailEventKind::Subscription { unsubscribed: true } => Some("Unsubscribed"),
        _ => None,
    }
}

/// The identity that the mail's person is: that of the part which was the person then, wherever it is now.
fn identity(profile: &Profile, person: PersonId) -> Option<&Identity> {
    let own = profile.parts.iter().find(|part| part.owner() == person);
    own.or_else(|| profile.parts.first()).map(|part| &part.identity)
}

fn as_event(event: &MailEvent, name: &str, identity: &Identity, now: Timestamp) -> Result<Event, DeliverError> {
    let mut properties = Properties::new();
    let mut set = |name: &str, value: &str| properties.insert(name.to_owned(), value.into());
    set("mail_id", &event.mail_id);
    for tag in [TAG_DECISION, TAG_JOURNEY, TAG_STEP] {
        if let Some(value) = event.tags.get(tag) {
            set(tag, value);
        }
    }
    let link = match &event.kind {
        MailEventKind::Click { link } => link.as_str(),
        _ => "",
    };
    match &event.kind {
        MailEventKind::Click { link } => drop(set("link", link)),
        MailEventKind::Bounce { hard, sub_type } => {
            set("bounce", if *hard { "hard" } else { "soft" });
            set("detail", sub_type);
        }
        _ => {}
    }
    let at = event.at.as_nanosecond().to_be_bytes();
    let id = hash::sha256(&[b"ses", event.mail_id.as_bytes(), event.kind.as_str().as_bytes(), &at, link.as_bytes()]);
    let invalid = |error: perennial_domain::InvalidId| DeliverError::Event(error.to_string());
    let id = MessageId::parse(&format!("ses-{}", hash::base32(&id[..20]))).map_err(invalid)?;
    let source = SourceId::parse(SOURCE).map_err(invalid)?;
    Ok(Event {
        original_timestamp: Some(event.at),
        received_at: now,
        event: Some(EventName::parse(name).map_err(invalid)?),
        properties,
        ..Event::new(identity, EventKind::Track, id, source, event.at)
    })
}
