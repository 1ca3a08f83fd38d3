//! Request bodies: the same bytes in every run.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};

/// The moment at which all traffic of the benchmark begins.
pub(crate) const START: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// The events of the stream, as a product sends them in steady use: names that the default configuration scores, and
/// one that it does not.
const NAMES: [&str; 5] = ["Feature Used", "Report Shared", "Feature Used", "Settings Opened", "Content Viewed"];

/// The JSON of one `track` call of about 464 bytes, which is what a Segment SDK's call has with a few properties.
fn track(out: &mut String, number: usize, person: usize, at: Timestamp) {
    let name = NAMES[number % NAMES.len()];
    let write = write!(
        out,
        "{{\"messageId\":\"api-1nhuu7r2lkrhqs{number:012}\",\"type\":\"track\",\"event\":\"{name}\",\"userId\":\"user-{person:08}\",\
         \"timestamp\":\"{at:.3}\",\"properties\":{{\"plan\":\"pro\",\"seats\":12,\"feature\":\"export-{:03}\",\"path\":\"/reports/weekly\",\
         \"durationMs\":{},\"beta\":false}},\"context\":{{\"library\":{{\"name\":\"@segment/analytics-node\",\"version\":\"2.1.0\"}},\
         \"locale\":\"en-GB\",\"timezone\":\"Europe/Berlin\",\"ip\":\"203.0.113.7\"}},\"integrations\":{{}},\"_metadata\":{{\"nodeVersion\":\"20.11.1\"}}}}",
        number % 1000,
        100 + number % 900,
    );
    debug_assert!(write.is_ok(), "writing to a string does not fail");
}

/// Returns a `POST /v1/batch` of `events` calls, sent at `sent`: `each` calls for a person one after another, ten a
/// second, calls and people numbered from `first_event` and `first_person` on.
pub(crate) fn batch(events: usize, each: usize, first_event: usize, first_person: usize, sent: Timestamp) -> String {
    let mut body = String::with_capacity(events * 480 + 64);
    body.push_str("{\"batch\":[");
    for nth in 0..events {
        if nth > 0 {
            body.push(',');
        }
        let before = i64::try_from(events - nth).unwrap_or_default().saturating_mul(100);
        let at = sent.checked_sub(SignedDuration::from_millis(before)).unwrap_or(sent);
        track(&mut body, first_event + nth, first_person + nth / each, at);
    }
    let write = write!(body, "],\"sentAt\":\"{sent:.3}\"}}");
    debug_assert!(write.is_ok(), "writing to a string does not fail");
    body
}
