//! One event, as conditions look it up.

use crate::sentiment;
use perennial_config::cel::{Lookup, Value};
use perennial_config::vocabulary::EventSlot;
use perennial_domain::{Event, EventKind, Properties};
use std::cell::OnceCell;

/// An event, with what is worked out of it at most once.
pub(crate) struct Occurrence<'a> {
    event: &'a Event,
    texts: &'a [String],
    read: OnceCell<Read>,
}

/// What the event's texts say.
#[derive(Debug, Clone, Copy)]
struct Read {
    /// How kind those are that were understood, on average.
    sentiment: Option<f64>,
    /// Whether there is text, and none of it was understood.
    is_foreign: bool,
}

impl<'a> Occurrence<'a> {
    /// `texts` names the properties that hold what people wrote.
    pub(crate) fn new(event: &'a Event, texts: &'a [String]) -> Self {
        Self { event, texts, read: OnceCell::new() }
    }

    /// Returns how kind the event's texts are on average; `None` where it has none, or none in a language that is known.
    pub(crate) fn sentiment(&self) -> Option<f64> {
        self.read().sentiment
    }

    /// Returns whether the event has texts, and all of them are in languages that are not known.
    pub(crate) fn is_foreign(&self) -> bool {
        self.read().is_foreign
    }

    fn read(&self) -> Read {
        *self.read.get_or_init(|| {
            let texts = self.texts.iter().filter_map(|name| self.event.properties.get(name)?.as_str());
            let (mut all, mut scores) = (0, Vec::new());
            for text in texts.filter(|text| !text.trim().is_empty()) {
                all += 1;
                scores.extend(sentiment::read(text));
            }
            let sentiment = (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64);
            Read { sentiment, is_foreign: all > 0 && sentiment.is_none() }
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
