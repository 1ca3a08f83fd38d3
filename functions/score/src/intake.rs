//! A batch's records, parsed one by one.

use jiff::Timestamp;
use perennial_contracts::queue::EventsPayload;
use perennial_domain::{Event, PersonId};
use perennial_lambda_kit::batch::Record;

/// A record by its place in the batch.
pub(crate) type RecordIndex = usize;

/// What a batch asks for.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    /// Events with the record that brought them, in the batch's order.
    pub(crate) events: Vec<(RecordIndex, Event)>,
    /// Timers with the record that brought them.
    pub(crate) ticks: Vec<(RecordIndex, PersonId, Timestamp)>,
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
                Ok(EventsPayload::Tick { person, due_at }) => intake.ticks.push((index, person, due_at)),
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
