//! A batch's records, parsed one by one, and the events of one that cannot be read as a whole one by one.

use crate::timers::{RecordIndex, Timers};
use perennial_contracts::queue::{EventsPayload, Unmerge};
use perennial_domain::{AccountId, Event};
use perennial_lambda_kit::batch::Record;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// The content of a batch.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    /// Events with the record that brought them, in the batch's order.
    pub(crate) events: Vec<(RecordIndex, Event)>,
    /// Other profiles to evaluate.
    pub(crate) timers: Timers,
    /// The changed accounts, and the writes that hold what changed.
    pub(crate) changed: Vec<(AccountId, u64)>,
    /// Identities to unmerge, with their records.
    pub(crate) unmerges: Vec<(RecordIndex, Unmerge)>,
    /// Records that cannot be read.
    pub(crate) unreadable: Vec<RecordIndex>,
    /// Payloads of one unreadable event each, with the record that contains it among readable ones. Separately it ends
    /// in the dead-letter queue, and its neighbours are not retried with it.
    pub(crate) apart: Vec<(RecordIndex, String)>,
}

/// The events of a payload, each still as it is written.
#[derive(Deserialize)]
enum Unread<'a> {
    #[serde(rename = "events.v1")]
    Events {
        #[serde(borrow)]
        events: Vec<&'a RawValue>,
    },
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
                Ok(EventsPayload::Ticks { due }) => {
                    let ticks = due.into_iter().map(|(person, due_at)| (index, person, due_at));
                    intake.timers.ticks.extend(ticks);
                }
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
                Err(_) if intake.read_apart(index, &record.body) => {
                    tracing::error!(message_id = %record.message_id, "events of a record cannot be read; each is sent again by itself");
                }
                Err(error) => {
                    // The error's text may quote the body.
                    tracing::error!(message_id = %record.message_id, line = error.line(), column = error.column(), "failed to parse a record of the events queue");
                    intake.unreadable.push(index);
                }
            }
        }
        intake
    }
    /// Reads the events of a record each by itself; returns whether any could be read.
    fn read_apart(&mut self, index: RecordIndex, body: &str) -> bool {
        let Ok(Unread::Events { events }) = serde_json::from_str(body) else { return false };
        let read = |raw: &&RawValue| serde_json::from_str::<Event>(raw.get());
        if !events.iter().any(|raw| read(raw).is_ok()) {
            return false;
        }
        for raw in events {
            match read(&raw) {
                Ok(event) => self.events.push((index, event)),
                Err(_) => self.apart.push((index, format!("{{\"events.v1\":{{\"events\":[{raw}]}}}}"))),
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_testkit::EventBuilder;

    #[test]
    fn an_event_that_cannot_be_read_is_set_apart_from_its_neighbours() {
        let event = |id: &str| EventBuilder::track(id, "u", "E").build();
        let good = |id: &str| serde_json::to_string(&event(id)).unwrap();
        let poison = good("p").replace("\"timestamp\":\"", "\"timestamp\":\"x");
        let record = |events: &[&str]| Record {
            message_id: "r".to_owned(),
            body: format!("{{\"events.v1\":{{\"events\":[{}]}}}}", events.join(",")),
            receive_count: 1,
            receipt_handle: String::new(),
        };
        let (a, b) = (good("a"), good("b"));
        let records = [record(&[&a, &poison, &b]), record(&[&poison]), record(&[&b])];
        let intake = Intake::read(&records);
        assert_eq!(intake.events, [(0, event("a")), (0, event("b")), (2, event("b"))]);
        assert_eq!(intake.apart, [(0, records[1].body.clone())]);
        assert_eq!(intake.unreadable, [1]);
    }
}
