//! One event, as the lookup of conditions.

use crate::sentiment;
use perennial_config::Config;
use perennial_config::cel::{Lookup, Value};
use perennial_config::scoring::{Survey, SurveyKind};
use perennial_config::vocabulary::EventSlot;
use perennial_domain::traits::find;
use perennial_domain::{Event, EventKind, Properties};
use std::cell::OnceCell;

/// An event, with derived values that are computed at most once.
pub(crate) struct Occurrence<'a> {
    config: &'a Config,
    event: &'a Event,
    name: &'a str,
    read: OnceCell<Read>,
}

/// The analysis of the event's texts.
#[derive(Debug, Clone, Copy)]
struct Read {
    /// The average sentiment of those that were understood.
    sentiment: Option<f64>,
    /// `true` if there is text, and none of it was understood.
    is_foreign: bool,
}

impl<'a> Occurrence<'a> {
    /// The event under the rules of `config`.
    pub(crate) fn new(config: &'a Config, event: &'a Event) -> Self {
        Self { config, event, name: config.counted_as(event), read: OnceCell::new() }
    }

    /// Returns the name that the event is counted under.
    pub(crate) fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the average sentiment of the event's texts; `None` without any, or without any in a supported language.
    pub(crate) fn sentiment(&self) -> Option<f64> {
        self.read().sentiment
    }

    /// Returns whether the event has texts, and all of them are in languages that are not known.
    pub(crate) fn is_foreign(&self) -> bool {
        self.read().is_foreign
    }

    fn read(&self) -> Read {
        *self.read.get_or_init(|| {
            let texts = self.config.scoring.texts.iter().filter_map(|name| self.event.properties.get(name)?.as_str());
            let (mut all, mut scores) = (0, Vec::new());
            for text in texts.filter(|text| !text.trim().is_empty()) {
                all += 1;
                scores.extend(sentiment::read(text));
            }
            let sentiment = (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64);
            Read { sentiment, is_foreign: all > 0 && sentiment.is_none() }
        })
    }

    /// The answers to surveys that the event brings.
    pub(crate) fn answers(&self) -> impl Iterator<Item = (SurveyKind, u8)> {
        let surveys = self.config.scoring.surveys.iter().filter(|survey| survey.event == self.name);
        surveys.filter_map(|survey| Some((survey.kind, self.answer(survey)?)))
    }

    fn answer(&self, survey: &Survey) -> Option<u8> {
        survey.read(self.event.properties.get(&survey.property)?)
    }

    /// Returns a property. A survey's answer is read as the answer: it is missing if it is invalid.
    fn property(&self, path: &[String]) -> Option<Value<'_>> {
        if let [name] = path
            && let Some(survey) = self.config.scoring.survey_of(self.name, name)
        {
            return self.answer(survey).map(|points| Value::Int(points.into()));
        }
        member(&self.event.properties, path)
    }
}

impl Lookup<EventSlot> for Occurrence<'_> {
    fn get(&self, slot: &EventSlot) -> Option<Value<'_>> {
        match slot {
            EventSlot::Event => Some(self.name.into()),
            EventSlot::Kind => Some(kind(self.event.kind).into()),
            EventSlot::Source => Some(self.event.source.as_str().into()),
            EventSlot::GroupId => self.event.group_id.as_ref().map(|id| id.as_str().into()),
            EventSlot::Sentiment => self.sentiment().map(Value::Double),
            EventSlot::Property(path) => self.property(path),
            EventSlot::Trait(path) => {
                let (first, rest) = path.split_first()?;
                below(find(&self.event.traits, first)?, rest)
            }
            EventSlot::Context(path) => member(&self.event.context, path),
        }
    }
}

/// The event of an answer, as far as the answer contains it: for rules that test nothing else.
pub(crate) struct AnswerOf<'a> {
    pub(crate) survey: &'a Survey,
    pub(crate) points: u8,
}

impl Lookup<EventSlot> for AnswerOf<'_> {
    fn get(&self, slot: &EventSlot) -> Option<Value<'_>> {
        match slot {
            EventSlot::Event => Some(self.survey.event.as_str().into()),
            EventSlot::Property(path) if *path == [self.survey.property.as_str()] => {
                Some(Value::Int(self.points.into()))
            }
            _ => None,
        }
    }
}

fn member<'a>(map: &'a Properties, path: &[String]) -> Option<Value<'a>> {
    let (first, rest) = path.split_first()?;
    below(map.get(first)?, rest)
}

fn below<'a>(mut value: &'a serde_json::Value, path: &[String]) -> Option<Value<'a>> {
    for name in path {
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
