//! Requests to evaluate people without an event, by the records that contain them.

use jiff::Timestamp;
use perennial_domain::{Entry, PersonId};
use std::sync::Arc;

/// A record by its place in the batch.
pub(crate) type RecordIndex = usize;

/// Requests to evaluate people without an event.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// Timers that fired, with the record that contained each.
    pub(crate) ticks: Vec<(RecordIndex, PersonId, Timestamp)>,
    /// People whose account has changed, with their records.
    pub(crate) woken: Vec<(RecordIndex, PersonId)>,
    /// Journey entries because of an account, with their records.
    pub(crate) entries: Vec<(RecordIndex, PersonId, Arc<Entry>)>,
}

impl Timers {
    /// The people whom this is about.
    pub(crate) fn people(&self) -> impl Iterator<Item = PersonId> + '_ {
        let woken = self.woken.iter().map(|(_, person)| *person);
        let entries = self.entries.iter().map(|(_, person, _)| *person);
        self.ticks.iter().map(|(_, person, _)| *person).chain(woken).chain(entries)
    }

    /// The records that this comes from.
    pub(crate) fn records(&self) -> impl Iterator<Item = RecordIndex> + '_ {
        let woken = self.woken.iter().map(|(record, _)| *record);
        let entries = self.entries.iter().map(|(record, ..)| *record);
        self.ticks.iter().map(|(record, ..)| *record).chain(woken).chain(entries)
    }
}
