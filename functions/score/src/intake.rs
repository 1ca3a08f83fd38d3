//! A batch's records, parsed one by one.

use crate::group::Timers;
use perennial_contracts::queue::{EventsPayload, Unmerge};
use perennial_domain::{AccountId, Event};
use perennial_lambda_kit::batch::Record;
use std::sync::Arc;

/// A record by its place in the batch.
pub(crate) type RecordIndex = usize;

/// What a batch asks for.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    /// Events with the record that brought them, in the batch's order.
    pub(crate) events: Vec<(RecordIndex, Event)>,
    /// Whom to look at besides.
    pub(crate) timers: Timers,
    /// The changed accounts, and the writes that hold what changed.
    pub(crate) changed: Vec<(AccountId, u64)>,
    /// Identities to take out of the people that they are part of, with the record that says so.
    pub(crate) unmerges: Vec<(RecordIndex, Unmerge)>,
    /// Records that cannot be read.
    pub(crate) unreadable: Vec<RecordIndex>,
}

impl Intake {
    pub(crate) fn read(records: &[Record]) -> Self {
        let mut intake = Self::default();
        for (index, record) in records.iter().enumerate() {
            match serde_json::from_str(&record.body) {
                Ok(EventsPayload::Events { events }) => {
                    intake.events.extend(events.into_iter().map(|event| (index, event)))
                }
                Ok(EventsPayload::Tick { person, due_at }) => intake.timers.ticks.push((index, person, due_at)),
                Ok(EventsPayload::Wake { account, version, people }) => {
                    intake.timers.woken.extend(people.into_iter().map(|person| (index, person)));
                    intake.changed.push((account, version));
                }
                Ok(EventsPayload::Enter { entry, people }) => {
                    let entry = Arc::new(entry);
                    let entries = people.into_iter().map(|person| (index, person, Arc::clone(&entry)));
                    intake.timers.entries.extend(entries);
                }
                Ok(EventsPayload::Unmerge(unmerge)) => intake.unmerges.push((index, unmerge)),
                Err(error) => {
                    // The error's text may quote the body.
                    tracing::error!(message_id = %record.message_id, line = error.line(), column = error.column(), "a record is no payload of the events queue");
                    intake.unreadable.push(index);
                }
            }
        }
        intake
    }
}
