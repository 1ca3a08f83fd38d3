//! Real streams produce exactly their golden totals, and neither order, repeats nor batch sizes affect the profiles.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support;
use crate::support::{Random, derived, everyone, feed, gz_lines, is_soak, shared_data, stack_with, told_apart};
use perennial_domain::Currency;
use perennial_local::stack::StackOptions;
use perennial_store::Stored;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// After everything in the streams, so that no event is new.
const NOW: &str = "2026-06-01T00:00:00Z";

/// On a loaded machine a batch may take longer than a short visibility timeout, and messages that SQS redelivers are
/// not counted as duplicates, which this test counts.
fn patient(options: StackOptions) -> StackOptions {
    StackOptions { visibility: Duration::from_secs(300), ..options }
}

async fn holds(name: &str, stream: PathBuf, expected: PathBuf) {
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(expected).unwrap()).unwrap();
    let lines = told_apart(gz_lines(&stream));

    let (straight, _) = stack_with(NOW, patient).await;
    feed(&straight, &lines, || 500).await;
    let people = everyone(straight.store()).await;
    check_totals(name, &people, &expected);
    check_times(name, &people, &expected);
    let status = support::Client::new(straight.base_url()).status().await;
    assert_eq!(status["events"]["accepted"], expected["events"], "{name}: status");
    assert_eq!(status["events"]["rejected"], 0);
    assert_eq!(status["profiles"], expected["distinct_users"]);
    assert_eq!(status["accounts"], expected["distinct_groups"]);
    assert_eq!(status["messages"], 0, "{name}: an import of history writes to nobody");
    assert_eq!(status["idle"], true);
    let before = derived(&people);
    straight.stop().await;

    let some = of_some_people(lines);
    let events = some.len() as u64;
    let mut random = Random(7);
    let mut twice: Vec<String> = some.iter().chain(&some).cloned().collect();
    random.shuffle(&mut twice);
    let (shuffled, _) = stack_with(NOW, patient).await;
    feed(&shuffled, &twice, || 1 + random.below(900)).await;
    let after = derived(&everyone(shuffled.store()).await);
    let status = support::Client::new(shuffled.base_url()).status().await;
    assert_eq!(status["events"]["accepted"], events, "{name}: each event counted once");
    assert_eq!(status["events"]["duplicates"], events, "{name}: each event came twice");
    assert_eq!(status["profiles"], after.len());
    assert!(after.len() >= before.len() / 10, "{name}: {} of {} profiles", after.len(), before.len());
    for (person, bytes) in &after {
        assert_eq!(
            Some(bytes),
            before.get(person),
            "{name}: the profile of {person} depends on order, repeats or batches"
        );
    }
    shuffled.stop().await;
}

/// All events of an eighth of the people, and of everyone under `tests/run soak`: the same events twice, in another order and other batches, take
/// three times as long as the stream itself.
fn of_some_people(lines: Vec<String>) -> Vec<String> {
    if is_soak() {
        return lines;
    }
    let is_of_some = |line: &String| {
        let call: Value = serde_json::from_str(line).unwrap();
        let person = call["userId"].as_str().unwrap();
        person.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % 8 == 0
    };
    lines.into_iter().filter(is_of_some).collect()
}

pub(crate) fn check_totals(name: &str, people: &BTreeMap<String, Stored>, expected: &Value) {
    let mut by_event: BTreeMap<String, u64> = BTreeMap::new();
    let mut revenue = 0;
    let mut users: Vec<(u64, String)> = Vec::new();
    for stored in people.values() {
        let view = stored.profile.view();
        for (event, n) in view.counts.iter() {
            *by_event.entry(event.to_owned()).or_default() += u64::from(n);
        }
        revenue += view.revenue_in(Currency::USD);
        users.push((view.counts.total(), stored.profile.parts[0].identity.as_str().to_owned()));
    }
    let tracked = |by_event: &BTreeMap<String, u64>| {
        by_event.iter().filter(|(e, _)| !e.starts_with('$')).map(|(_, n)| n).sum::<u64>()
    };
    for (kind, n) in expected["by_type"].as_object().unwrap() {
        let counted =
            if kind == "track" { tracked(&by_event) } else { by_event.get(&format!("${kind}")).copied().unwrap_or(0) };
        assert_eq!(counted, n.as_u64().unwrap(), "{name}: {kind} calls");
    }
    for (event, n) in expected["by_event"].as_object().unwrap() {
        assert_eq!(by_event.get(event).copied(), n.as_u64(), "{name}: {event}");
    }
    assert_eq!(by_event.values().sum::<u64>(), expected["events"].as_u64().unwrap(), "{name}: events");
    assert_eq!(people.len() as u64, expected["distinct_users"].as_u64().unwrap(), "{name}: users");
    let cents = expected["revenue_sum_cents"]
        .as_i64()
        .unwrap_or_else(|| (expected["revenue_sum"].as_f64().unwrap() * 100.0).round() as i64);
    assert_eq!(revenue, cents, "{name}: revenue");
    for top in expected["top_users"].as_array().into_iter().flatten() {
        let found = users.iter().find(|(_, user)| Some(user.as_str()) == top[0].as_str());
        assert_eq!(found.map(|(n, _)| *n), top[1].as_u64(), "{name}: {}", top[0]);
    }
}

/// Every call of these streams is activity.
fn check_times(name: &str, people: &BTreeMap<String, Stored>, expected: &Value) {
    let seen: Vec<_> = people.values().map(|stored| stored.profile.view().seen.unwrap()).collect();
    let first = seen.iter().map(|seen| seen.first).min().unwrap();
    let last = seen.iter().map(|seen| seen.last).max().unwrap();
    let millis = |field: &str| expected[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    assert_eq!((first / 1000, last / 1000), (millis("first"), millis("last")), "{name}: first and last");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cdnow_purchases_give_their_golden_totals_however_they_come() {
    let events = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events");
    holds("cdnow", events.join("cdnow.ndjson.gz"), events.join("cdnow.expected.json")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oulad_students_give_their_golden_totals_however_they_come() {
    let (Some(stream), Some(expected)) =
        (shared_data("streams/oulad_100k.ndjson.gz"), shared_data("streams/oulad_100k.expected.json"))
    else {
        return;
    };
    holds("oulad", stream, expected).await;
}
