//! The event catalogue: which events arrive, how many, with which properties, and who listens to them.

use crate::bounded::{Bounded, Sum};
use crate::report::{Cell, Table, Unit};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::listeners::Listeners;
use perennial_domain::Event;
use perennial_domain::time::{date_of, day_of};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// The days that count as recent.
const RECENT_DAYS: i32 = 30;
/// The most properties of one event that are noted.
const PROPERTIES: usize = 50;
/// The most sources of one event that are noted.
const SOURCES: usize = 20;
/// The most events, those with the most occurrences, and the most properties of each that a report shows.
const SHOWN: (usize, usize) = (500, 20);
/// The types of properties, in the order of their bits.
const TYPES: [&str; 6] = ["text", "number", "boolean", "list", "object", "null"];

/// The events that were received, by their names as counted. Those of days add up to those of all, in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    events: Bounded<Seen>,
}

/// The observations of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    count: u64,
    /// Of these, in the recent days.
    #[serde(default)]
    recent: u64,
    /// The days of the first and of the last receipt, counted from 1970-01-01.
    days: Option<(i32, i32)>,
    sources: Bounded<u64, SOURCES>,
    properties: Bounded<Property, PROPERTIES>,
}

/// The observations of a property.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Property {
    count: u64,
    /// A bit for each of [`TYPES`].
    types: u8,
}

impl Sum for Property {
    fn sum(&mut self, other: &Self) {
        self.count += other.count;
        self.types |= other.types;
    }
}

impl Sum for Seen {
    fn sum(&mut self, other: &Self) {
        self.count += other.count;
        self.recent += other.recent;
        let both = self.days.into_iter().chain(other.days);
        self.days = both.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)));
        self.sources.merge(&other.sources);
        self.properties.merge(&other.properties);
    }
}

impl Catalogue {
    /// Adds an event.
    pub fn add(&mut self, event: &Event) {
        let day = day_of(event.received_at);
        let mut seen = Seen { count: 1, days: Some((day, day)), ..Seen::default() };
        seen.sources.add(event.source.as_str(), &1);
        for (name, value) in event.properties.iter().chain(&event.traits) {
            seen.properties.add(name, &Property { count: 1, types: 1 << type_of(value) });
        }
        self.events.add(event.counted_as(), &seen);
    }

    /// Adds the events received on a day, as of `now`.
    pub fn add_day(&mut self, day: i32, mut events: Self, now: Timestamp) {
        if day > day_of(now) - RECENT_DAYS {
            events.events.each(|seen| seen.recent = seen.count);
        }
        self.events.merge(&events.events);
    }

    /// Returns a table of events and one of their properties. Events that the configuration listens to and that never came are
    /// among the former.
    pub(crate) fn tables(&self, config: &Config, notes: &mut Vec<String>) -> Vec<Table> {
        let listeners = Listeners::of(config);
        let columns = [
            ("event", Unit::Text),
            ("received", Unit::Count),
            ("within 30 days", Unit::Count),
            ("first", Unit::Text),
            ("last", Unit::Text),
            ("sources", Unit::Text),
            ("listeners", Unit::Text),
        ];
        let mut events = Table::new("events", &columns);
        let columns = [("event", Unit::Text), ("property", Unit::Text), ("types", Unit::Text), ("in", Unit::Share)];
        let mut properties = Table::new("properties", &columns);
        let all = self.events.largest(|seen| seen.count);
        let mut missing: BTreeSet<&str> = listeners.events().collect();
        for (name, _) in &all {
            missing.remove(name);
        }
        for (name, seen) in all.iter().take(SHOWN.0) {
            events.row(seen.row(name, &listeners));
            for (property, of) in seen.properties.largest(|of| of.count).into_iter().take(SHOWN.1) {
                let names = [*name, property, &of.types()].map(Cell::text);
                properties.row(names.into_iter().chain([Cell::share(of.count, seen.count)]));
            }
        }
        for name in missing {
            events.row(Seen::default().row(name, &listeners));
        }
        let others = all.len().saturating_sub(SHOWN.0);
        if others > 0 || *self.events.rest() != Seen::default() {
            notes.push(format!("only the {} events with the most occurrences are shown", SHOWN.0));
        }
        vec![events, properties]
    }
}

impl Seen {
    fn row(&self, name: &str, listeners: &Listeners) -> [Cell; 7] {
        let mut sources: Vec<&str> = self.sources.largest(|count| *count).into_iter().map(|(name, _)| name).collect();
        sources.sort_unstable();
        let listeners: Vec<&str> = listeners.to(name).collect();
        let date = |day: Option<i32>| day.map_or(Cell::NOTHING, |day| Cell::text(date_of(day).to_string()));
        [
            Cell::text(name),
            Cell::Count(self.count),
            Cell::Count(self.recent),
            date(self.days.map(|(first, _)| first)),
            date(self.days.map(|(_, last)| last)),
            Cell::text(sources.join(", ")),
            Cell::text(listeners.join(", ")),
        ]
    }
}

impl Property {
    /// Returns the names of its types.
    fn types(&self) -> String {
        let names: Vec<&str> =
            TYPES.iter().enumerate().filter(|(bit, _)| self.types & (1 << bit) != 0).map(|(_, name)| *name).collect();
        names.join(", ")
    }
}

/// Returns the index of a value's type in [`TYPES`].
fn type_of(value: &Value) -> usize {
    match value {
        Value::String(_) => 0,
        Value::Number(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    }
}
