//! One event, as conditions look it up.

use crate::sentiment::sentiment;
use perennial_config::cel::{Lookup, Value};
use perennial_config::vocabulary::EventSlot;
use perennial_domain::{Event, EventKind, Properties};
use std::cell::OnceCell;

/// An event, with what is worked out of it at most once.
pub(crate) struct Occurrence<'a> {
    event: &'a Event,
    texts: &'a [String],
    sentiment: OnceCell<Option<f64>>,
}

impl<'a> Occurrence<'a> {
    /// `texts` names the properties that hold what people wrote.
    pub(crate) fn new(event: &'a Event, texts: &'a [String]) -> Self {
        Self { event, texts, sentiment: OnceCell::new() }
    }

    /// How kind the event's texts are on average; `None` where it has none.
    pub(crate) fn sentiment(&self) -> Option<f64> {
        *self.sentiment.get_or_init(|| {
            let texts = self.texts.iter().filter_map(|name| self.event.properties.get(name)?.as_str());
            let scores: Vec<f64> = texts.filter(|text| !text.trim().is_empty()).map(sentiment).collect();
            (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
        })
    }
}

impl Lookup<EventSlot> for Occurrence<'_> {
    fn get(&self, slot: &EventSlot) -> Option<Value<'_>> {
        match slot {
            EventSlot::Event => Some(self.event.counted_as().into()),
            EventSlot::Kind => Some(kind(self.event.kind).into()),
            EventSlot::Source => Some(self.event.source.as_str().into()),
            EventSlot::GroupId => self.event.group_id.as_ref().map(|id| id.as_str().into()),
            EventSlot::Sentiment => self.sentiment().map(Value::Double),
            EventSlot::Property(path) => member(&self.event.properties, path),
            EventSlot::Trait(path) => member(&self.event.traits, path),
            EventSlot::Context(path) => member(&self.event.context, path),
        }
    }
}

fn member<'a>(map: &'a Properties, path: &[String]) -> Option<Value<'a>> {
    let (first, rest) = path.split_first()?;
    let mut value = map.get(first)?;
    for name in rest {
        value = value.get(name)?;
    }
    Some(Value::from(value))
}

fn kind(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Track => "track",
        EventKind::Identify => "identify",
        EventKind::Page => "page",
        EventKind::Screen => "screen",
        EventKind::Group => "group",
        EventKind::Alias => "alias",
    }
}
