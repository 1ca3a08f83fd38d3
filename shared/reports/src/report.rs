//! A report: tables of typed cells.

use crate::name::Name;
use jiff::Timestamp;
use jiff::civil::Date;
use perennial_domain::{ConfigVersion, Currency};
use serde::{Deserialize, Serialize};

/// A finished report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Which report.
    pub name: Name,
    /// The time that it describes: when its run began.
    pub at: Timestamp,
    /// The configuration under which it was counted.
    pub config: ConfigVersion,
    /// The first day that it covers.
    pub from: Date,
    /// The last day that it covers.
    pub to: Date,
    /// Profiles that were counted.
    pub people: u64,
    /// Profiles, events or objects that cannot be read, and are not counted.
    pub unreadable: u64,
    /// Statements that a reader needs, such as a period that is shorter than intended.
    pub notes: Vec<String>,
    /// The tables.
    pub tables: Vec<Table>,
}

/// A table of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its name within the report.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each with a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The unit of its cells.
    pub unit: Unit,
}

/// The unit of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A name, a date or a month.
    Text,
    /// A whole number of people, subscriptions or errors.
    Count,
    /// Whole days.
    Days,
    /// A part of a whole.
    Share,
    /// Minor units of a currency.
    Money,
    /// A number with one decimal.
    Number,
}

/// A cell. In JSON: a text, a number, `{"part", "of"}`, `{"minor", "currency"}` or null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A part of a whole, exactly: 1 of 3.
    Share {
        /// The part.
        part: i64,
        /// The whole; 0 where there is none.
        of: i64,
    },
    /// An amount of money.
    Money {
        /// In minor units.
        minor: i64,
        /// The currency.
        currency: Currency,
    },
    /// A whole number.
    Count(u64),
    /// Any other number.
    Number(f64),
    /// A text.
    Text(String),
    /// Unknown, or without meaning.
    Nothing(()),
}

impl Cell {
    /// An empty cell.
    pub const NOTHING: Self = Self::Nothing(());

    /// Returns a share of people.
    pub fn share(part: u64, of: u64) -> Self {
        Self::Share { part: clamped(part), of: clamped(of) }
    }

    /// Returns a number, rounded to one decimal.
    pub fn number(number: f64) -> Self {
        Self::Number((number * 10.0).round() / 10.0)
    }

    /// Returns a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

fn clamped(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Table {
    /// Returns an empty table.
    pub fn new(name: &str, columns: &[(&str, Unit)]) -> Self {
        let columns = columns.iter().map(|(name, unit)| Column { name: (*name).to_owned(), unit: *unit });
        Self { name: name.to_owned(), columns: columns.collect(), rows: Vec::new() }
    }

    /// Adds a row; what a row lacks is empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let mut cells: Vec<Cell> = cells.into_iter().take(self.columns.len()).collect();
        cells.resize(self.columns.len(), Cell::NOTHING);
        self.rows.push(cells);
    }
}
