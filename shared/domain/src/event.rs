//! The event format that every source is converted to.

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
/// The longest name of a trait or property that is kept, in bytes.
pub const MAX_TRAIT_NAME_BYTES: usize = 128;

/// The most ids in other systems of one event that are looked at.
const MAX_EXTERNAL_IDS: usize = 20;
/// The collection of ids that identify people, in Segment's format.
const USERS: &str = "users";
/// The collection of ids that an event links to its user.
const LINKED: &str = "linked";

/// The six calls of the tracking API, with the names of Segment's spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// Sets a person's traits.
    Identify,
    /// Records an action.
    Track,
    /// Records a page view.
    Page,
    /// Records a screen view in an app.
    Screen,
    /// Assigns a person to an account.
    Group,
    /// Links two ids of one person.
    Alias,
}

impl EventKind {
    /// Returns the name on the wire.
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

/// The source of events that journeys record for people, which are not their own activity. No configured source can
/// have this id.
pub const JOURNEYS: &str = "journeys";

/// An accepted event: on the events queue, in the archive (one line of NDJSON) and in the engine. Serialized with the
/// tracking API's own field names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "RawEvent")]
pub struct Event {
    /// The id by which duplicates are recognized.
    pub message_id: MessageId,
    /// Which of the six calls.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The product's id of the person. If both this and `anonymous_id` are absent, the context contains an id in
    /// another system ([`external_ids`]), except in a `group` call about an account alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The client's id of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<AnonymousId>,
    /// When it happened, corrected for the client's clock.
    pub timestamp: Timestamp,
    /// When the client says it happened, uncorrected and the same at every retry; `None` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_timestamp: Option<Timestamp>,
    /// When it was received.
    pub received_at: Timestamp,
    /// Which configured source it came from.
    pub source: SourceId,
    /// The trust in the event when it was received.
    #[serde(skip_serializing_if = "Trust::is_default")]
    pub trust: Trust,
    /// `true` if it was imported as history: it changes the profile and triggers nothing, however young it is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub history: bool,
    /// The name of the action (always present for `track`), or of the page or screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventName>,
    /// The account (always there for `group`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<AccountId>,
    /// The other id (always present for `alias`; present for an `identify` whose anonymous id may have been sent as a
    /// user id).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_id: Option<AnonymousId>,
    /// Details of the action (`track`, `page`, `screen`).
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// Traits of the person (`identify`) or the account (`group`); `null` removes a trait.
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub traits: Properties,
    /// Traits of the person that are set only if absent (PostHog's `$set_once`).
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub traits_once: Properties,
    /// The client's data about itself: library, page, campaign.
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub context: Properties,
}

/// Why something of an event's shape is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(clippy::enum_variant_names, reason = "each says what is missing")]
pub enum InvalidEvent {
    /// No identity.
    #[error("an event needs a userId, an anonymousId or an id in context.externalIds")]
    NoIdentity,
    /// A `track` call without a name.
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
    #[serde(default)]
    history: bool,
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
            history: raw.history,
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
            history: false,
            event: None,
            group_id: None,
            previous_id: None,
            properties: Properties::new(),
            traits: Properties::new(),
            traits_once: Properties::new(),
            context,
        }
    }

    /// Returns the identity that the event belongs to; `None` for an event about an account alone.
    pub fn identity(&self) -> Option<Identity> {
        match (&self.user_id, &self.anonymous_id) {
            (Some(user), _) => Some(Identity::User(user.clone())),
            (None, Some(anonymous)) => Some(Identity::Anonymous(anonymous.clone())),
            (None, None) => external_ids(&self.context).next().map(Identity::External),
        }
    }

    /// Returns whether it is trusted about identities, accounts and money too: it is signed, or not from a public
    /// source.
    pub fn is_trusted(&self) -> bool {
        self.trust > Trust::Public
    }

    /// Returns whether it is trusted about the person's other identities: users, addresses and ids in other systems. A
    /// token proves who the user is, but is in the user's own hands.
    pub fn vouches(&self) -> bool {
        self.trust > Trust::Signed
    }

    /// Returns the key that identifies the event among those of its person. Public sources have keys of their own, so
    /// that nobody can guess a server's next id and make its event look like a duplicate.
    pub fn seen_id(&self) -> u64 {
        match self.trust {
            Trust::Public | Trust::Signed => self.message_id.hash64_public(),
            Trust::Server | Trust::Verified => self.message_id.hash64(),
        }
    }

    /// Returns the event's account, if the event is trusted about it.
    pub fn account(&self) -> Option<&AccountId> {
        self.group_id.as_ref().filter(|_| self.is_trusted())
    }

    /// Returns the identity that this event links to its user: the anonymous id of an `identify` with both ids, or of
    /// an `alias`; or the id in another system that its context links to the user ([`link_to`]).
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

    /// Returns the user's earlier user id: the `previousId` of an `alias`, if it may be one, or of an `identify`, as
    /// PostHog sends it. Clients do not say which kind of id it was.
    pub fn earlier_user(&self) -> Option<UserId> {
        match (self.kind, &self.previous_id) {
            (EventKind::Alias | EventKind::Identify, Some(previous)) => UserId::parse(previous.as_str()).ok(),
            _ => None,
        }
    }

    /// Returns the name that it is counted under: its own for `track`, else `$` and the call, such as `$page`.
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

/// Returns the ids of people in other systems from an event's context, in Segment's format: `externalIds`, or `externalId` as
/// RudderStack calls it, a list of objects with `type`, `id` and `collection`, which is `users` or left out. Placeholders such as `null` are skipped.
pub fn external_ids(context: &Properties) -> impl Iterator<Item = ExternalId> + '_ {
    ids_of(context, |collection| matches!(collection, None | Some(USERS)))
}

fn ids_of(context: &Properties, is_wanted: fn(Option<&str>) -> bool) -> impl Iterator<Item = ExternalId> + '_ {
    // Segment, and Customer.io after it; RudderStack.
    let named = |name| context.get(name).and_then(Value::as_array).into_iter().flatten();
    named("externalIds").chain(named("externalId")).take(MAX_EXTERNAL_IDS).filter_map(move |id| {
        let is_wanted = is_wanted(id.get("collection").and_then(Value::as_str));
        let kind = id.get("type").and_then(Value::as_str).filter(|_| is_wanted)?;
        ExternalId::of_json(kind, id.get("id")?).ok().filter(|id| !is_placeholder(id.id()))
    })
}

/// Returns a context with one id of a person in another system, in the format that [`external_ids`] reads.
pub fn context_of(kind: &str, id: &Value) -> Properties {
    context_with(kind, id, USERS)
}

/// Returns a context that links a user's event to an id in another system that several users may share, such as a
/// customer of the billing system for whom several users have subscribed. What is known about the id alone belongs to
/// the first such user, unless a user claims the id as their own.
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
    fn ids_in_other_systems_are_read_by_the_name_of_segment_and_by_that_of_rudderstack() {
        let ids = |context: serde_json::Value| -> Vec<String> {
            external_ids(&serde_json::from_value(context).unwrap()).map(|id| id.as_str().to_owned()).collect()
        };
        let one = |id: &str| serde_json::json!([{"type": "stripe_customer_id", "id": id}]);
        assert_eq!(ids(serde_json::json!({"externalId": one("cus_1")})), ["stripe_customer_id:cus_1"]);
        let both = serde_json::json!({"externalId": one("cus_1"), "externalIds": one("cus_2")});
        assert_eq!(ids(both), ["stripe_customer_id:cus_2", "stripe_customer_id:cus_1"]);
    }

    #[test]
    fn an_event_keeps_its_wire_names() {
        let json = serde_json::json!({"messageId":"m1","type":"track","userId":"u1","timestamp":"2026-01-01T00:00:00Z",
            "receivedAt":"2026-01-01T00:00:01Z","source":"web","event":"Signed Up","properties":{"plan":"pro"}});
        let event = parse(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), json);
        let mut history = json;
        history["history"] = true.into();
        assert!(parse(history.clone()).unwrap().history);
        assert_eq!(serde_json::to_value(parse(history.clone()).unwrap()).unwrap(), history);
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
