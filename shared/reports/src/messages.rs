//! Messages: what was sent, what readers did with it, and what was withheld and why.

mod deliverability;
mod seen;
mod week;

pub(crate) use deliverability::Deliverability;
pub use seen::{Fate, Message};
pub(crate) use week::{DAYS as WEEK_DAYS, Week};

use crate::bounded::{Bounded, Sum};
use crate::report::{Cell, Table, Unit};
use seen::Counts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The days before the report in which the messages were decided that it covers.
pub(crate) const DAYS: i32 = 30;
/// Separates the parts of a key; no name has it.
const BETWEEN: char = '\u{1f}';

/// The messages of the last [`DAYS`] days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Messages {
    /// By channel, journey, step, template and variant.
    content: Bounded<Counts>,
    /// By journey and reason.
    withheld: Bounded<u64>,
}

fn key(parts: &[&str]) -> String {
    parts.join(&BETWEEN.to_string())
}

impl Messages {
    /// Counts a message.
    pub(crate) fn add(&mut self, message: &Message<'_>) {
        if let Fate::Withheld(reason) = message.fate {
            self.withheld.add(&key(&[message.journey, reason]), &1);
            return;
        }
        let step = (u32::from(message.step) + 1).to_string();
        let (channel, variant) = (message.channel.as_str(), message.variant.unwrap_or_default());
        let parts = [channel, message.journey, &step, message.template, variant];
        self.content.add(&key(&parts), &Counts::of(message.fate));
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.content.merge(&other.content);
        self.withheld.merge(&other.withheld);
    }

    /// Returns the messages by journey, by content, and those withheld.
    pub(crate) fn tables(&self) -> Vec<Table> {
        vec![self.journeys(), self.content(), self.withheld()]
    }

    fn journeys(&self) -> Table {
        let mut table =
            Table::new("journeys", &[&[("journey", Unit::Text), ("channel", Unit::Text)][..], &RESULTS].concat());
        let mut journeys: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
        for (key, counts) in self.content.largest(Counts::sent) {
            let mut parts = key.split(BETWEEN);
            let (channel, journey) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            journeys.entry((journey, channel)).or_default().sum(counts);
        }
        for ((journey, channel), counts) in journeys {
            table.row([Cell::text(journey), Cell::text(channel)].into_iter().chain(results(&counts)));
        }
        if *self.content.rest() != Counts::default() {
            table.row([Cell::text("others"), Cell::NOTHING].into_iter().chain(results(self.content.rest())));
        }
        table
    }

    fn content(&self) -> Table {
        let names = [
            ("journey", Unit::Text),
            ("step", Unit::Count),
            ("template", Unit::Text),
            ("channel", Unit::Text),
            ("variant", Unit::Text),
        ];
        let mut table = Table::new("content", &[&names[..], &RESULTS].concat());
        for (key, counts) in self.content.largest(Counts::sent) {
            let parts: Vec<&str> = key.split(BETWEEN).collect();
            let [channel, journey, step, template, variant] = parts[..] else { continue };
            let variant = if variant.is_empty() { Cell::NOTHING } else { Cell::text(variant) };
            let step = step.parse().map_or(Cell::NOTHING, Cell::Count);
            let names = [Cell::text(journey), step, Cell::text(template), Cell::text(channel), variant];
            table.row(names.into_iter().chain(results(counts)));
        }
        table
    }

    fn withheld(&self) -> Table {
        let columns = [("journey", Unit::Text), ("reason", Unit::Text), ("messages", Unit::Count)];
        let mut table = Table::new("withheld", &columns);
        for (key, messages) in self.withheld.largest(|messages| *messages) {
            let (journey, reason) = key.split_once(BETWEEN).unwrap_or((key, ""));
            table.row([Cell::text(journey), Cell::text(reason), Cell::Count(*messages)]);
        }
        if *self.withheld.rest() > 0 {
            table.row([Cell::text("others"), Cell::NOTHING, Cell::Count(*self.withheld.rest())]);
        }
        table
    }
}

/// The columns of results.
const RESULTS: [(&str, Unit); 8] = [
    ("sent", Unit::Count),
    ("delivered", Unit::Share),
    ("opened", Unit::Share),
    ("clicked", Unit::Share),
    ("bounced", Unit::Share),
    ("complained", Unit::Share),
    ("failed", Unit::Count),
    ("under way", Unit::Count),
];

/// Returns the cells of [`RESULTS`]. Delivered and bounced are shares of what was sent, the others of what was delivered.
fn results(counts: &Counts) -> [Cell; 8] {
    [
        Cell::Count(counts.sent()),
        Cell::share(counts.delivered, counts.sent()),
        Cell::share(counts.opened, counts.delivered),
        Cell::share(counts.clicked, counts.delivered),
        Cell::share(counts.bounced, counts.sent()),
        Cell::share(counts.complained, counts.delivered),
        Cell::Count(counts.failed),
        Cell::Count(counts.under_way),
    ]
}
