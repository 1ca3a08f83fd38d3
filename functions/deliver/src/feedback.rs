//! SES events about a mail: recorded, acted on, and sent as events.

mod origin;
mod preferences;
mod reader;

use crate::deps::Deps;
use crate::error::DeliverError;
use jiff::Timestamp;
use perennial_channels::mail::{TAG_DECISION, TAG_JOURNEY, TAG_PERSON, TAG_STEP, TAG_TEST};
use perennial_channels::unsubscribe::{address_hash, owners_of};
use perennial_contracts::queue::EventsPayload;
use perennial_contracts::ses::{Agent, Bounce, MailEvent, MailEventKind, Subscription};
use perennial_domain::{
    DecisionId, Event, EventKind, EventName, Identity, MessageId, PersonId, Properties, SourceId, hash,
};
use perennial_engine::Profile;
use perennial_engine::activity::ACTIVE;
use perennial_lambda_kit::queue::Delay;
use perennial_store::Consistency;
use perennial_store::messages::{MessageState, Outcome};
use perennial_store::pauses::Harm;
use perennial_store::suppressions::Reason;

/// The source of the events.
pub(crate) const SOURCE: &str = "ses";

/// The reason for a mail that SES did not send.
const HELD_BACK: &str = "SES did not send it: the address is on the account's suppression list";
/// The same where its reader unsubscribed at SES.
const UNSUBSCRIBED: &str = "SES did not send it: its reader unsubscribed there";

/// Processes a mail event. Idempotent.
///
/// # Errors
/// [`DeliverError`] if the queue is to retry.
pub(crate) async fn take_in(deps: &Deps, event: &MailEvent) -> Result<(), DeliverError> {
    let event = origin::tagged(deps, event).await?.into_owned();
    if event.tags.contains_key(TAG_TEST) {
        return note_test(deps, &event).await;
    }
    let event = &preferences::translated(deps, event).await;
    if let Some(reason) = suppresses(&event.kind) {
        for address in &event.recipients {
            deps.store.suppress(&address.key(), reason, event.at).await?;
        }
    }
    let tag = |name: &str| event.tags.get(name).map(String::as_str);
    let person = tag(TAG_PERSON).and_then(|text| PersonId::parse(text).ok());
    let decision = tag(TAG_DECISION).and_then(|text| DecisionId::parse(text).ok());
    if let Some(person) = person.filter(|_| is_wish(&event.kind))
        && is_theirs(deps, person, event).await?
    {
        deps.store.stop_mails(person, event.at).await?;
    }
    if let MailEventKind::Subscription(changed) = &event.kind {
        preferences::keep(deps, event, changed, person).await?;
    }
    if let MailEventKind::Bounce(bounce) = &event.kind
        && !bounce.hard
    {
        // Whether another system's mail was delivered is unknown; a server's own report of it is a bounce.
        if bounce.is_automatic_reply(was_delivered(deps, person.zip(decision)).await?.unwrap_or(true)) {
            return Ok(());
        }
        if !bounce.is_about_the_mail() {
            count_soft(deps, event).await?;
        }
    }
    // A mail that something else in the account sent carries no tags of ours.
    let Some(person) = person else { return Ok(()) };
    let event = &reader::judged(deps, event.clone(), decision.map(|decision| (person, decision))).await?;
    if let (Some(decision), Some((state, detail))) = (decision, state(&event.kind)) {
        if let (Some(harm), Some(journey)) = (harm(&event.kind), tag(TAG_JOURNEY)) {
            deps.store.count_harm(journey, person, decision, harm, event.at).await?;
        }
        let until_delivered = matches!(&event.kind, MailEventKind::Bounce(bounce) if bounce.is_automatic_reply(true));
        let provider_id = Some(event.mail_id.clone());
        let outcome = Outcome { provider_id, detail, until_delivered, ..Outcome::new(state, event.at) };
        deps.store.record(person, decision, &outcome).await?;
    }
    let told = told(&event.kind);
    if told.is_empty() {
        return Ok(());
    }
    let Some(stored) = deps.store.follow(person, Consistency::Eventual).await? else { return Ok(()) };
    let Some(identity) = identity(&stored.profile, person) else { return Ok(()) };
    let now = deps.clock.now();
    let events = told.iter().map(|told| as_event(event, told, identity, now)).collect::<Result<_, _>>()?;
    let payload = EventsPayload::Events { events };
    let body = serde_json::to_string(&payload).map_err(|error| DeliverError::Event(error.to_string()))?;
    Ok(deps.events.send(vec![body], Delay::NONE).await.into_result()?)
}

/// Records the outcome of a test mail, without any effect on the address, the journey or the profile.
async fn note_test(deps: &Deps, event: &MailEvent) -> Result<(), DeliverError> {
    let tag = |name: &str| event.tags.get(name).map(String::as_str);
    let person = tag(TAG_PERSON).and_then(|text| PersonId::parse(text).ok());
    let decision = tag(TAG_DECISION).and_then(|text| DecisionId::parse(text).ok());
    if let (Some((person, decision)), Some((state, detail))) = (person.zip(decision), state(&event.kind)) {
        let outcome = Outcome { detail, ..Outcome::new(state, event.at) };
        deps.store.record(person, decision, &outcome).await?;
    }
    Ok(())
}

/// Returns whether one of our mails was delivered; `None` for other mails.
async fn was_delivered(deps: &Deps, mail: Option<(PersonId, DecisionId)>) -> Result<Option<bool>, DeliverError> {
    let Some((person, decision)) = mail else { return Ok(None) };
    let record = deps.store.message(person, decision).await?;
    let states = [MessageState::Delivered, MessageState::Opened, MessageState::Clicked];
    Ok(record.map(|record| states.iter().any(|state| record.times.contains_key(state))))
}

/// Counts a temporary bounce of the address, such as a full mailbox: an address with many of them is paused, as
/// configured.
async fn count_soft(deps: &Deps, event: &MailEvent) -> Result<(), DeliverError> {
    let config = deps.config.current().await;
    for address in &event.recipients {
        let policy = &config.channels.mail.soft_bounces;
        deps.store.soft_bounce(&address.key(), &event.mail_id, event.at, policy).await?;
    }
    Ok(())
}

/// Why the address gets no more mail. A soft bounce passes.
fn suppresses(kind: &MailEventKind) -> Option<Reason> {
    match kind {
        MailEventKind::Bounce(bounce) if bounce.was_unsubscribed() => Some(Reason::Unsubscribe),
        MailEventKind::Bounce(bounce) if bounce.hard => Some(Reason::Bounce),
        MailEventKind::Complaint { .. } => Some(Reason::Complaint),
        MailEventKind::Subscription(Subscription { unsubscribed: Some(true), .. }) => Some(Reason::Unsubscribe),
        _ => None,
    }
}

/// Returns whether the profile exists and, for a complaint, still has the address: the reader of a former address is
/// unknown. Nothing is written about an erased person.
async fn is_theirs(deps: &Deps, person: PersonId, event: &MailEvent) -> Result<bool, DeliverError> {
    let is_complaint = matches!(event.kind, MailEventKind::Complaint { .. });
    match deps.store.follow(person, Consistency::Eventual).await {
        Ok(Some(stored)) if is_complaint => {
            let is_had = |hash: &[u8; 32]| owners_of(&stored.profile, hash).next().is_some();
            Ok(event.recipients.iter().any(|address| is_had(&address_hash(&address.key()))))
        }
        Ok(stored) => Ok(stored.is_some()),
        Err(error) if error.is_unreadable() => Ok(!is_complaint),
        Err(error) => Err(error.into()),
    }
}

/// Returns whether the reader unsubscribed from all our mails, which applies to any address of theirs.
fn is_wish(kind: &MailEventKind) -> bool {
    match kind {
        MailEventKind::Complaint { held_back: false, .. }
        | MailEventKind::Subscription(Subscription { unsubscribed: Some(true), .. }) => true,
        MailEventKind::Bounce(bounce) => bounce.was_unsubscribed(),
        _ => false,
    }
}

/// Returns what counts against the mail's journey. A temporary bounce does not, nor does a mail that SES did not send:
/// SES does not count them either.
fn harm(kind: &MailEventKind) -> Option<Harm> {
    match kind {
        MailEventKind::Bounce(bounce) if bounce.hard && !bounce.was_held_back() => Some(Harm::Bounced),
        MailEventKind::Complaint { held_back: false, .. } => Some(Harm::Complained),
        _ => None,
    }
}

/// Returns the message's new state, and its reason.
fn state(kind: &MailEventKind) -> Option<(MessageState, Option<String>)> {
    match kind {
        MailEventKind::Send => Some((MessageState::Sent, None)),
        MailEventKind::Delivery => Some((MessageState::Delivered, None)),
        // It did not bounce, because it was never sent.
        MailEventKind::Bounce(bounce) if bounce.was_held_back() => {
            let why = if bounce.was_unsubscribed() { UNSUBSCRIBED } else { HELD_BACK };
            Some((MessageState::Suppressed, Some(why.to_owned())))
        }
        MailEventKind::Bounce(bounce) => {
            let detail = format!("{} bounce: {}", hard_or_soft(bounce), bounce.sub_type);
            Some((MessageState::Bounced, Some(detail)))
        }
        MailEventKind::Complaint { held_back: true, .. } => {
            Some((MessageState::Suppressed, Some(HELD_BACK.to_owned())))
        }
        MailEventKind::Complaint { feedback, .. } => Some((MessageState::Complained, feedback.clone())),
        // A machine's access means nothing about the reader.
        MailEventKind::Open { by: Agent::Machine } | MailEventKind::Click { by: Agent::Machine, .. } => None,
        MailEventKind::Open { .. } => Some((MessageState::Opened, None)),
        MailEventKind::Click { .. } => Some((MessageState::Clicked, None)),
        MailEventKind::RenderingFailure => Some((MessageState::Failed, Some("SES could not render it".to_owned()))),
        MailEventKind::Reject { reason } => Some((MessageState::Failed, Some(format!("SES rejected it: {reason}")))),
        MailEventKind::NotSpam
        | MailEventKind::DeliveryDelay { .. }
        | MailEventKind::Subscription(_)
        | MailEventKind::Other(_) => None,
    }
}

/// An event of the profile's history.
struct Told {
    name: &'static str,
    /// The topic that it is about, where it is about one.
    topic: Option<String>,
}

/// Returns the events for the profile's history; events without meaning for the profile are left out.
fn told(kind: &MailEventKind) -> Vec<Told> {
    if let MailEventKind::Subscription(changed) = kind {
        let all = changed.unsubscribed.map(|stopped| Told { name: stopped_or_not(stopped), topic: None });
        let topics = changed.topics.iter();
        let topics = topics.map(|(id, wants)| Told { name: stopped_or_not(!wants), topic: Some(id.clone()) });
        return all.into_iter().chain(topics).collect();
    }
    name(kind).map(|name| Told { name, topic: None }).into_iter().collect()
}

fn stopped_or_not(stopped: bool) -> &'static str {
    if stopped { "Unsubscribed" } else { "Subscribed" }
}

/// Returns the event's name in the profile's history, except for changed preferences.
fn name(kind: &MailEventKind) -> Option<&'static str> {
    match kind {
        MailEventKind::Delivery => Some("Email Delivered"),
        MailEventKind::Bounce(bounce) if !bounce.was_held_back() => Some("Email Bounced"),
        MailEventKind::Complaint { held_back: false, .. } => Some("Email Complained"),
        MailEventKind::NotSpam => Some("Email Marked Not Spam"),
        MailEventKind::Open { by: Agent::Machine } => Some("Email Prefetched"),
        MailEventKind::Click { by: Agent::Machine, .. } => Some("Email Scanned"),
        MailEventKind::Open { .. } => Some("Email Opened"),
        MailEventKind::Click { .. } => Some("Email Clicked"),
        _ => None,
    }
}

/// Returns the identity that had the mail's profile id when it was sent, wherever its identity state is now.
fn identity(profile: &Profile, person: PersonId) -> Option<&Identity> {
    let own = profile.parts.iter().find(|part| part.owner() == person);
    own.or_else(|| profile.parts.first()).map(|part| &part.identity)
}

fn hard_or_soft(bounce: &Bounce) -> &'static str {
    if bounce.hard { "hard" } else { "soft" }
}

/// Returns whether the mail's reader did it. Actions of servers, relays and machines are not activity.
fn is_of_the_reader(kind: &MailEventKind) -> bool {
    match kind {
        MailEventKind::Open { by } | MailEventKind::Click { by, .. } => *by == Agent::Reader,
        MailEventKind::NotSpam | MailEventKind::Complaint { .. } | MailEventKind::Subscription(_) => true,
        _ => false,
    }
}

fn as_event(event: &MailEvent, told: &Told, identity: &Identity, now: Timestamp) -> Result<Event, DeliverError> {
    let mut properties = Properties::new();
    let mut set = |name: &str, value: &str| properties.insert(name.to_owned(), value.into());
    set("mail_id", &event.mail_id);
    for tag in [TAG_DECISION, TAG_JOURNEY, TAG_STEP] {
        if let Some(value) = event.tags.get(tag) {
            set(tag, value);
        }
    }
    if let Some(topic) = &told.topic {
        set("topic", topic);
    }
    // Distinguishes the events of one moment.
    let which = match &event.kind {
        MailEventKind::Click { link, .. } => link.as_str(),
        _ => told.topic.as_deref().unwrap_or_default(),
    };
    match &event.kind {
        MailEventKind::Click { link, .. } => drop(set("link", link)),
        MailEventKind::Bounce(bounce) => {
            set("bounce", hard_or_soft(bounce));
            set("detail", &bounce.sub_type);
        }
        _ => {}
    }
    let mut context = Properties::new();
    if !is_of_the_reader(&event.kind) {
        context.insert(ACTIVE.to_owned(), false.into());
    }
    let at = event.at.as_nanosecond().to_be_bytes();
    let id = hash::sha256(&[b"ses", event.mail_id.as_bytes(), event.kind.as_str().as_bytes(), &at, which.as_bytes()]);
    let invalid = |error: perennial_domain::InvalidId| DeliverError::Event(error.to_string());
    let id = MessageId::parse(&format!("ses-{}", hash::base32(&id[..20]))).map_err(invalid)?;
    let source = SourceId::parse(SOURCE).map_err(invalid)?;
    Ok(Event {
        original_timestamp: Some(event.at),
        received_at: now,
        event: Some(EventName::parse(told.name).map_err(invalid)?),
        properties,
        context,
        ..Event::new(identity, EventKind::Track, id, source, event.at)
    })
}
