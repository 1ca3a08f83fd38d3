//! Conditions on one event.

use super::person_names::PERSON_NAMES;
use crate::cel::{Const, Form, Name, Refused, Type, Vocabulary};
use crate::spelling::unknown;
use serde::{Deserialize, Serialize};

/// A lookup of a condition on an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventSlot {
    /// The name that the event is counted under.
    Event,
    /// `track`, `identify`, `page`, `screen`, `group` or `alias`.
    Kind,
    /// The source's name.
    Source,
    /// The group id.
    GroupId,
    /// The sentiment of its text, from -1 to 1; missing without text.
    Sentiment,
    /// A property, by its path.
    Property(Vec<String>),
    /// A trait, by its path.
    Trait(Vec<String>),
    /// A field of the context, by its path.
    Context(Vec<String>),
}

/// The names of [`EventVocabulary`].
pub static EVENT_NAMES: &[Name] = &[
    Name {
        name: "event",
        form: Form::Variable,
        ty: Type::Text,
        doc: "The event's name; calls that are no `track` have \"$page\", \"$screen\", \"$identify\", \"$group\" or \"$alias\".",
    },
    Name {
        name: "kind",
        form: Form::Variable,
        ty: Type::Text,
        doc: "The call: \"track\", \"identify\", \"page\", \"screen\", \"group\" or \"alias\".",
    },
    Name { name: "source", form: Form::Variable, ty: Type::Text, doc: "Its source in sources.toml." },
    Name { name: "group_id", form: Form::Variable, ty: Type::Text, doc: "The event's account; missing without one." },
    Name {
        name: "sentiment",
        form: Form::Variable,
        ty: Type::Double,
        doc: "The sentiment of the event's text, from -1 (angry) to 1 (delighted); missing without text. scoring.toml, [sentiment], lists the properties with texts.",
    },
    Name {
        name: "properties",
        form: Form::Map,
        ty: Type::Dyn,
        doc: "The event's properties: properties.plan, properties.product.sku, properties[\"First Name\"].",
    },
    Name {
        name: "traits",
        form: Form::Map,
        ty: Type::Dyn,
        doc: "The traits of an `identify` or `group` call: traits.title.",
    },
    Name {
        name: "context",
        form: Form::Map,
        ty: Type::Dyn,
        doc: "The context that the client adds: context.campaign.source, context.page.path.",
    },
];

/// The vocabulary of a condition on one event: `properties.nps <= 6 && source != "import"`.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventVocabulary;

impl Vocabulary for EventVocabulary {
    type Slot = EventSlot;

    fn names(&self) -> &[Name] {
        EVENT_NAMES
    }

    fn variable(&self, name: &str) -> Option<(EventSlot, Type)> {
        Some(match name {
            "event" => (EventSlot::Event, Type::Text),
            "kind" => (EventSlot::Kind, Type::Text),
            "source" => (EventSlot::Source, Type::Text),
            "group_id" => (EventSlot::GroupId, Type::Text),
            "sentiment" => (EventSlot::Sentiment, Type::Double),
            _ => return None,
        })
    }

    fn elsewhere(&self, name: &str) -> Option<&'static str> {
        PERSON_NAMES.iter().any(|known| known.name == name && !matches!(known.form, Form::Function(_))).then_some(
            "is for conditions on a person, such as `when`; a condition on an event speaks of the event only, such as `properties.NAME`",
        )
    }

    fn member(&self, map: &str, path: &[String]) -> Result<(EventSlot, Type), String> {
        let path = path.to_vec();
        match map {
            "properties" => Ok((EventSlot::Property(path), Type::Dyn)),
            "traits" => Ok((EventSlot::Trait(path), Type::Dyn)),
            "context" => Ok((EventSlot::Context(path), Type::Dyn)),
            other => Err(unknown("name that has members", other, ["properties", "traits", "context"])),
        }
    }

    fn call(&self, function: &str, _: &[Const]) -> Result<(EventSlot, Type), Refused> {
        let message = format!("`{function}` asks about a person; a condition on an event speaks of the event only");
        Err(Refused { argument: None, message })
    }
}
