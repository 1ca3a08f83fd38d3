//! Sends events for what people do here.

use crate::answer::Failure;
use crate::deps::Deps;
use jiff::Timestamp;
use perennial_contracts::queue::EventsPayload;
use perennial_domain::{Event, EventKind, EventName, Identity, InvalidId, MessageId, Properties, SourceId, hash};
use perennial_lambda_kit::queue::Delay;

/// The source of the events.
const SOURCE: &str = "perennial";

/// Sends `name` to the events queue. `key` identifies this event among all others of its name: the same key counts
/// once, however often it is sent.
pub(crate) async fn send(
    deps: &Deps,
    identity: &Identity,
    name: &str,
    key: &[&[u8]],
    properties: Properties,
) -> Result<(), Failure> {
    let event = event(identity, name, key, properties, deps.views.clock.now())
        .map_err(|error| Failure::Queue(error.to_string()))?;
    let body = serde_json::to_string(&EventsPayload::Events { events: vec![event] })?;
    let report = deps.events.send(vec![body], Delay::NONE).await;
    report.into_result().map_err(|error| Failure::Queue(error.to_string()))
}

fn event(
    identity: &Identity,
    name: &str,
    key: &[&[u8]],
    properties: Properties,
    now: Timestamp,
) -> Result<Event, InvalidId> {
    let id = hash::sha256(&[&[b"api".as_slice(), name.as_bytes()], key].concat());
    let id = MessageId::parse(&format!("api-{}", hash::base32(&id[..20])))?;
    let event = Some(EventName::parse(name)?);
    Ok(Event { event, properties, ..Event::new(identity, EventKind::Track, id, SourceId::parse(SOURCE)?, now) })
}
