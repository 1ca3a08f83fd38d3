//! Builds events as `ingest` hands them on.

use jiff::Timestamp;
use perennial_domain::event::context_of;
use perennial_domain::{
    AccountId, AnonymousId, Event, EventKind, EventName, MessageId, Properties, SourceId, Trust, UserId,
};

/// Builds one event; valid from the start.
#[derive(Debug, Clone)]
pub struct EventBuilder(Event);

impl EventBuilder {
    /// Returns a `track` of `name` by `user`, with the message id `id`, at second 0 of 1970.
    #[must_use]
    pub fn track(id: &str, user: &str, name: &str) -> Self {
        let mut event = Self::call(id, EventKind::Track);
        event.0.user_id = Some(UserId::parse(user).expect("a user id"));
        event.0.event = Some(EventName::parse(name).expect("an event name"));
        event
    }

    /// An `identify` of `user`, perhaps with an anonymous id that is theirs.
    #[must_use]
    pub fn identify(id: &str, user: &str, anonymous: Option<&str>) -> Self {
        let mut event = Self::call(id, EventKind::Identify);
        event.0.user_id = Some(UserId::parse(user).expect("a user id"));
        event.0.anonymous_id = anonymous.map(|text| AnonymousId::parse(text).expect("an anonymous id"));
        event
    }

    /// Returns a `page` of an anonymous visitor.
    #[must_use]
    pub fn page(id: &str, anonymous: &str) -> Self {
        let mut event = Self::call(id, EventKind::Page);
        event.0.anonymous_id = Some(AnonymousId::parse(anonymous).expect("an anonymous id"));
        event
    }

    /// A `group` call of `user`.
    #[must_use]
    pub fn group(id: &str, user: &str, account: &str) -> Self {
        let mut event = Self::call(id, EventKind::Group);
        event.0.user_id = Some(UserId::parse(user).expect("a user id"));
        event.0.group_id = Some(AccountId::parse(account).expect("an account id"));
        event
    }

    /// An `alias` call of `user`, who was `previous` before.
    #[must_use]
    pub fn alias(id: &str, user: &str, previous: &str) -> Self {
        let mut event = Self::call(id, EventKind::Alias);
        event.0.user_id = Some(UserId::parse(user).expect("a user id"));
        event.0.previous_id = Some(AnonymousId::parse(previous).expect("an anonymous id"));
        event
    }

    fn call(id: &str, kind: EventKind) -> Self {
        Self(Event {
            message_id: MessageId::parse(id).expect("a message id"),
            kind,
            user_id: None,
            anonymous_id: None,
            timestamp: Timestamp::UNIX_EPOCH,
            original_timestamp: Some(Timestamp::UNIX_EPOCH),
            received_at: Timestamp::UNIX_EPOCH,
            source: SourceId::parse("test").expect("a source"),
            trust: Trust::default(),
            history: false,
            event: None,
            group_id: None,
            previous_id: None,
            properties: Properties::new(),
            traits: Properties::new(),
            traits_once: Properties::new(),
            context: Properties::new(),
        })
    }

    /// When it happened, by everyone's clock.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.0.timestamp = at;
        self.0.original_timestamp = Some(at);
        self.0.received_at = at;
        self
    }

    /// A property.
    #[must_use]
    pub fn property(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.properties.insert(name.to_owned(), value.into());
        self
    }

    /// A trait.
    #[must_use]
    pub fn with_trait(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.traits.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a trait that is set only if absent.
    #[must_use]
    pub fn with_trait_once(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.traits_once.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the properties to a JSON object.
    #[must_use]
    pub fn properties(mut self, properties: serde_json::Value) -> Self {
        self.0.properties = serde_json::from_value(properties).expect("a JSON object");
        self
    }

    /// Sets the traits to a JSON object.
    #[must_use]
    pub fn traits(mut self, traits: serde_json::Value) -> Self {
        self.0.traits = serde_json::from_value(traits).expect("a JSON object");
        self
    }

    /// Sets the account of the call.
    #[must_use]
    pub fn group_id(mut self, account: &str) -> Self {
        self.0.group_id = Some(AccountId::parse(account).expect("an account id"));
        self
    }

    /// Sets a known user.
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        self.0.user_id = Some(UserId::parse(user).expect("a user id"));
        self
    }

    /// Makes the event an unsigned one of a public source.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.0.trust = Trust::Public;
        self
    }

    /// Sets the client's context.
    #[must_use]
    pub fn context(mut self, context: perennial_domain::Properties) -> Self {
        self.0.context.extend(context);
        self
    }

    /// Sets only an id in another system, like a webhook without an id of the product.
    #[must_use]
    pub fn external(mut self, kind: &str, id: &str) -> Self {
        self.0.user_id = None;
        self.0.anonymous_id = None;
        self.0.context.extend(context_of(kind, &id.into()));
        self
    }

    /// The event.
    #[must_use]
    pub fn build(self) -> Event {
        self.0
    }
}
