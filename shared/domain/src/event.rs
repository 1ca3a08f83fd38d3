//! One thing that someone did, as every source is brought into.

use crate::external_id::ExternalId;
use crate::id::{AccountId, AnonymousId, EventName, MessageId, SourceId, UserId};
use crate::identity::{Identity, is_placeholder};
use crate::trust::Trust;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON object: an event's properties, traits or context.
pub type Properties = serde_json::Map<String, serde_json::Value>;

/// The most traits that a profile or an account keeps: the first by their [`place`](crate::traits::place).
pub const MAX_TRAITS: usize = 100;
/// The most bytes of a trait's JSON that is kept; a longer value stays in the archive only.
pub const MAX_TRAIT_BYTES: usize = 1024;
/// The most bytes of a trait's or a property's name that is kept.
pub const MAX_TRAIT_NAME_BYTES: usize = 128;

/// The most ids in other systems of one event that are looked at.
const MAX_EXTERNAL_IDS: usize = 20;
/// The collection of ids that are somebody's own, in Segment's form.
const USERS: &str = "users";
/// The collection of ids that an event links to its user.
const LINKED: &str = "linked";

/// The six calls of the tracking API (the Segment spec's names).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// Who someone is.
    Identify,
    /// What someone did.
    Track,
    /// A page that someone saw.
    Page,
    /// A screen of an app that someone saw.
    Screen,
    /// Which account someone belongs to.
    Group,
    /// Two ids are one person.
    Alias,
}

impl EventKind {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Track => "track",
            Self::Page => "page",
            Self::Screen => "screen",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }
}

/// The source of what journeys count for people: nothing that they did themselves. No configured source can have this id.
pub const JOURNEYS: &str = "journeys";

/// An accepted event: on the events queue, in the archive (one line of NDJSON) and in the engine. Written in the
/// tracking API's own field names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "RawEvent")]
pub struct Event {
    /// What duplicates are told by.
    pub message_id: MessageId,
    /// Which of the six calls.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The product's id of the person. Where neither this nor the client's id is there, the context names an id in another system
    /// ([`external_ids`]), but for a `group` call about an account alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The client's id of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<AnonymousId>,
    /// When it happened, corrected for the client's clock.
    pub timestamp: Timestamp,
    /// When the client says it happened, uncorrected and the same at every retry; `None` where it did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_timestamp: Option<Timestamp>,
    /// When it was received.
    pub received_at: Timestamp,
    /// Which configured source it came from.
    pub source: SourceId,
    /// How far it is believed, as it was when it was received.
    #[serde(skip_serializing_if = "Trust::is_default")]
    pub trust: Trust,
    /// The name of what was done (always there for `track`), or of the page or screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventName>,
    /// The account (always there for `group`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<AccountId>,
    /// The other id (always there for `alias`; there for an `identify` whose anonymous id may have been sent as a user id).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_id: Option<AnonymousId>,
    /// What was done, in detail (`track`, `page`, `screen`).
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// What is known of the person (`identify`) or the account (`group`); `null` removes a trait.
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub traits: Properties,
    /// Traits of the person that are written only where there are none (PostHog's `$set_once`).
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub traits_once: Properties,
    /// What the client said of itself: library, page, campaign.
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub context: Properties,
}

/// Why something of an event's shape is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(clippy::enum_variant_names, reason = "each says what is missing")]
pub enum InvalidEvent {
    /// Nobody did it.
    #[error("an event needs a userId, an anonymousId or an id in context.externalIds")]
    NoIdentity,
    /// A `track` without a name.
    #[error("a track call needs `event`, the name of what was done")]
    NoName,
    /// A `group` without an account.
    #[error("a group call needs `groupId`")]
    NoGroup,
    /// An `alias` without the other id.
    #[error("an alias call needs `previousId` and `userId`")]
    NoAlias,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEvent {
    message_id: MessageId,
    #[serde(rename = "type")]
    kind: EventKind,
    user_id: Option<UserId>,
    anonymous_id: Option<AnonymousId>,
    timestamp: Timestamp,
    original_timestamp: Option<Timestamp>,
    received_at: Timestamp,
    source: SourceId,
    #[serde(default)]
    trust: Trust,
    event: Option<EventName>,
    group_id: Option<AccountId>,
    previous_id: Option<AnonymousId>,
    #[serde(default)]
    properties: Properties,
    #[serde(default)]
    traits: Properties,
    #[serde(default)]
    traits_once: Properties,
    #[serde(default)]
    context: Properties,
}

impl TryFrom<RawEvent> for Event {
    type Error = InvalidEvent;

    fn try_from(raw: RawEvent) -> Result<Self, InvalidEvent> {
        let is_of_account = raw.kind == EventKind::Group && raw.group_id.is_some();
        let has_id = raw.user_id.is_some() || raw.anonymous_id.is_some();
        if !has_id && !is_of_account && external_ids(&raw.context).next().is_none() {
            return Err(InvalidEvent::NoIdentity);
        }
        match raw.kind {
            EventKind::Track if raw.event.is_none() => return Err(InvalidEvent::NoName),
            EventKind::Group if raw.group_id.is_none() => return Err(InvalidEvent::NoGroup),
            EventKind::Alias if raw.previous_id.is_none() || raw.user_id.is_none() => {
                return Err(InvalidEvent::NoAlias);
            }
            _ => {}
        }
        Ok(Self {
            message_id: raw.message_id,
            kind: raw.kind,
            user_id: raw.user_id,
            anonymous_id: raw.anonymous_id,
            timestamp: raw.timestamp,
            original_timestamp: raw.original_timestamp,
            received_at: raw.received_at,
            source: raw.source,
            trust: raw.trust,
            event: raw.event,
            group_id: raw.group_id,
            previous_id: raw.previous_id,
            properties: raw.properties,
            traits: raw.traits,
            traits_once: raw.traits_once,
            context: raw.context,
        })
    }
}

impl Event {
    /// An event of `identity` at `at`, without anything that only some events have.
    pub fn new(identity: &Identity, kind: EventKind, message_id: MessageId, source: SourceId, at: Timestamp) -> Self {
        let (mut user_id, mut anonymous_id, mut context) = (None, None, Properties::new());
        match identity {
            Identity::User(id) => user_id = Some(id.clone()),
            Identity::Anonymous(id) => anonymous_id = Some(id.clone()),
            Identity::External(id) => context = context_of(id.kind(), &id.id().into()),
        }
        Self {
            message_id,
            kind,
            user_id,
            anonymous_id,
            timestamp: at,
            original_timestamp: None,
            received_at: at,
            source,
            trust: Trust::default(),
            event: None,
            group_id: None,
            previous_id: None,
            properties: Properties::new(),
            traits: Properties::new(),
            traits_once: Properties::new(),
            context,
        }
    }

    /// The identity that the event belongs to; `None` for what is said of an account alone.
    pub fn identity(&self) -> Option<Identity> {
        match (&self.user_id, &self.anonymous_id) {
            (Some(user), _) => Some(Identity::User(user.clone())),
            (None, Some(anonymous)) => Some(Identity::Anonymous(anonymous.clone())),
            (None, None) => external_ids(&self.context).next().map(Identity::External),
        }
    }

    /// Whether it is believed about identities, accounts and money too: it is not of a public source, or was signed.
    pub fn is_trusted(&self) -> bool {
        self.trust > Trust::Public
    }

    /// Whether it is believed about who else the person is: users, addresses and ids in other systems. A token says who the user is, and is in their
    /// own hands.
    pub fn vouches(&self) -> bool {
        self.trust > Trust::Signed
    }

    /// What tells the event from others of its person. What public sources send has ids of its own: whoever guesses the id that a server will use
    /// cannot make that server's event a repetition.
    pub fn seen_id(&self) -> u64 {
        match self.trust {
            Trust::Public | Trust::Signed => self.message_id.hash64_public(),
            Trust::Server | Trust::Verified => self.message_id.hash64(),
        }
    }

    /// The account that the event is believed to be of.
    pub fn account(&self) -> Option<&AccountId> {
        self.group_id.as_ref().filter(|_| self.is_trusted())
    }

    /// The identity that this event says is its user: the anonymous id of an `identify` with both ids, or of an `alias`; or the id in another system that
    /// its context links to the user ([`link_to`]).
    pub fn link(&self) -> Option<(Identity, &UserId)> {
        let user = self.user_id.as_ref()?;
        let anonymous = match self.kind {
            EventKind::Alias => self.previous_id.as_ref(),
            EventKind::Identify => self.anonymous_id.as_ref(),
            _ => None,
        };
        let external = || ids_of(&self.context, |collection| collection == Some(LINKED)).next();
        let linked = anonymous.cloned().map(Identity::Anonymous).or_else(|| external().map(Identity::External));
        linked.map(|linked| (linked, user))
    }

    /// The earlier user id that this event says its user had: an `alias` whose `previousId` may be one, or an `identify` with one, as
    /// PostHog's are. Which kind of id that was, no client says.
    pub fn earlier_user(&self) -> Option<UserId> {
        match (self.kind, &self.previous_id) {
            (EventKind::Alias | EventKind::Identify, Some(previous)) => UserId::parse(previous.as_str()).ok(),
            _ => None,
        }
    }

    /// The name that it is counted under: its own for `track`, else `$` and the call, such as `$page`.
    pub fn counted_as(&self) -> &str {
        match (self.kind, &self.event) {
            (EventKind::Track, Some(name)) => name.as_str(),
            (EventKind::Identify, _) => "$identify",
            (EventKind::Page, _) => "$page",
            (EventKind::Screen, _) => "$screen",
            (EventKind::Group, _) => "$group",
            (EventKind::Alias, _) => "$alias",
            (EventKind::Track, None) => "$track",
        }
    }
}

/// The ids of people in other systems that an event's context names, in Segment's form: `externalIds`, a list of objects with `type`, `id` and
/// `collection`, which is `users` or left out. What stands for no id, such as `null`, is none.
pub fn external_ids(context: &Properties) -> impl Iterator<Item = ExternalId> + '_ {
    ids_of(context, |collection| matches!(collection, None | Some(USERS)))
}

fn ids_of(context: &Properties, is_wanted: fn(Option<&str>) -> bool) -> impl Iterator<Item = ExternalId> + '_ {
    let ids = context.get("externalIds").and_then(Value::as_array);
    ids.into_iter().flatten().take(MAX_EXTERNAL_IDS).filter_map(move |id| {
        let is_wanted = is_wanted(id.get("collection").and_then(Value::as_str));
        let kind = id.get("type").and_then(Value::as_str).filter(|_| is_wanted)?;
        ExternalId::of_json(kind, id.get("id")?).ok().filter(|id| !is_placeholder(id.id()))
    })
}

/// A context that names one id of a person in another system, as [`external_ids`] reads it.
pub fn context_of(kind: &str, id: &Value) -> Properties {
    context_with(kind, id, USERS)
}

/// A context of an event of a user that is about this id in another system too, which need not be the user's alone: a customer of the billing system for
/// whom several users have subscribed. What is known of the id alone is the first such user's, unless somebody gives the id as their own.
pub fn link_to(kind: &str, id: &Value) -> Properties {
    context_with(kind, id, LINKED)
}

fn context_with(kind: &str, id: &Value, collection: &str) -> Properties {
    let named = serde_json::json!([{ "type": kind, "id": id, "collection": collection, "encoding": "none" }]);
    Properties::from_iter([("externalIds".to_owned(), named)])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(json: serde_json::Value) -> Result<Event, String> {
        serde_json::from_value(json).map_err(|e| e.to_string())
    }

    #[test]
    fn an_event_keeps_its_wire_names() {
        let json = serde_json::json!({"messageId":"m1","type":"track","userId":"u1","timestamp":"2026-01-01T00:00:00Z",
            "receivedAt":"2026-01-01T00:00:01Z","source":"web","event":"Signed Up","properties":{"plan":"pro"}});
        let event = parse(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), json);
        assert_eq!(event.counted_as(), "Signed Up");
    }

    #[test]
    fn what_a_call_needs_is_said() {
        let base = |kind: &str| {
            serde_json::json!({"messageId":"m","type":kind,"userId":"u","timestamp":"2026-01-01T00:00:00Z",
            "receivedAt":"2026-01-01T00:00:00Z","source":"web"})
        };
        assert!(parse(base("track")).unwrap_err().contains("`event`"));
        assert!(parse(base("group")).unwrap_err().contains("`groupId`"));
        assert!(parse(base("alias")).unwrap_err().contains("`previousId`"));
        let mut nobody = base("page");
        nobody.as_object_mut().unwrap().remove("userId");
        assert!(parse(nobody).unwrap_err().contains("userId, an anonymousId"));
    }
}
