//! Events that did not happen: what if they did?

use jiff::Timestamp;
use perennial_domain::{AccountId, Event, EventKind, EventName, Identity, InvalidId, MessageId, Properties, SourceId};
use serde::{Deserialize, Serialize};

/// The source of supposed events. Conditions on `source` see it.
pub const SOURCE: &str = "supposed";
/// The property with the account of a `$group`.
const GROUP_ID: &str = "groupId";

/// An event that is supposed to happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Supposed {
    /// When.
    pub at: Timestamp,
    /// Its name, as counted: `Login`, or `$page`, `$screen`, `$identify` and `$group` for calls.
    pub event: String,
    /// Its properties; for an `$identify` or a `$group` the traits, with the account as `groupId`.
    #[serde(default)]
    pub properties: Properties,
}

/// The reason why there can be no such event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSupposed {
    /// The name, or the account.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// A call that cannot be simulated.
    #[error("`{0}` is not allowed: use an event's name, $page, $screen, $identify or $group")]
    Call(String),
    /// A `$group` without an account.
    #[error("a $group names its account: {{\"groupId\": \"acme\"}}")]
    NoGroup,
}

impl Supposed {
    /// Returns the event of `identity`; `name` and `number` distinguish it from the others of the same person.
    pub(super) fn event(&self, identity: &Identity, name: &str, number: usize) -> Result<Event, InvalidSupposed> {
        let kind = match self.event.as_str() {
            "$page" => EventKind::Page,
            "$screen" => EventKind::Screen,
            "$identify" => EventKind::Identify,
            "$group" => EventKind::Group,
            name if name.starts_with('$') => return Err(InvalidSupposed::Call(name.to_owned())),
            _ => EventKind::Track,
        };
        let id = MessageId::parse(&format!("{name}-{number}-{}", self.at.as_millisecond()))?;
        let mut event = Event::new(identity, kind, id, SourceId::parse(SOURCE)?, self.at);
        match kind {
            EventKind::Identify => event.traits = self.properties.clone(),
            EventKind::Group => {
                event.traits = self.properties.clone();
                let account = event.traits.remove(GROUP_ID);
                let account = account.as_ref().and_then(|id| id.as_str()).ok_or(InvalidSupposed::NoGroup)?;
                event.group_id = Some(AccountId::parse(account)?);
            }
            EventKind::Track => {
                event.event = Some(EventName::parse(&self.event)?);
                event.properties = self.properties.clone();
            }
            EventKind::Page | EventKind::Screen | EventKind::Alias => event.properties = self.properties.clone(),
        }
        Ok(event)
    }
}
