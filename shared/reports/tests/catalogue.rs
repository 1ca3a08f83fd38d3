//! The event catalogue: what was received, and who listens.

use jiff::Timestamp;
use perennial_domain::Event;
use perennial_domain::time::day_of;
use perennial_reports::{Archived, Catalogue, Name, Report, Tally, shown};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use proptest::prelude::*;
use serde_json::json;

const NOW: &str = "2026-03-31T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn event(name: &str, received: &str, properties: serde_json::Value) -> Event {
    let event = EventBuilder::track("m", "u", name).properties(properties).build();
    Event { received_at: received.parse().unwrap(), ..event }
}

fn catalogue(events: &[Event]) -> Catalogue {
    let mut all = Catalogue::default();
    for event in events {
        let mut day = Catalogue::default();
        day.add(event);
        all.add_day(day_of(event.received_at), day, now());
    }
    all
}

fn report(catalogue: Catalogue) -> Report {
    let files = [(
        "scoring.toml",
        "[[rule]]\nid = \"prices\"\nscore = \"purchase\"\nevent = \"Prices Viewed\"\npoints = 5\n[[rule]]\nid = \"demo\"\nscore = \"purchase\"\nevent = \"Demo Watched\"\npoints = 5\n",
    )];
    let config = ConfigBuilder::least().with(&files).load();
    let archived = Archived { catalogue, ..Archived::default() };
    Tally::new(now()).reports(&config, &archived).into_iter().find(|report| report.name == Name::Events).unwrap()
}

fn rows(report: &Report, table: usize) -> Vec<Vec<String>> {
    report.tables[table].rows.iter().map(|row| row.iter().map(shown::text).collect()).collect()
}

#[test]
fn each_event_has_its_volume_its_days_its_properties_and_its_listeners() {
    let events = [
        event("Prices Viewed", "2026-01-05T10:00:00Z", json!({ "plan": "team", "seats": 5 })),
        event("Prices Viewed", "2026-03-30T10:00:00Z", json!({ "plan": null })),
        event("Prices Viewed", "2026-03-02T00:00:00Z", json!({ "plan": ["a"], "is_new": true })),
        event("Logged In", "2026-03-01T23:59:59Z", json!({ "device": { "os": "x" } })),
    ];
    let report = report(catalogue(&events));
    let source = events[0].source.as_str();
    let shown = rows(&report, 0);
    assert_eq!(shown[0], ["Prices Viewed", "3", "2", "2026-01-05", "2026-03-30", source, "rule prices"]);
    assert_eq!(shown[1], ["Logged In", "1", "0", "2026-03-01", "2026-03-01", source, ""]);
    let never = shown.iter().find(|row| row[0] == "Demo Watched").unwrap();
    assert_eq!(never[..], ["Demo Watched", "0", "0", "", "", "", "rule demo"], "listened to, and never received");
    let properties = [
        ["Prices Viewed", "plan", "text, list, null", "100.0 %"],
        ["Prices Viewed", "is_new", "boolean", "33.3 %"],
        ["Prices Viewed", "seats", "number", "33.3 %"],
        ["Logged In", "device", "object", "100.0 %"],
    ];
    assert_eq!(rows(&report, 1), properties);
}

#[test]
fn any_number_of_names_and_properties_takes_bounded_space() {
    let mut catalogue = Catalogue::default();
    for i in 0..3_000 {
        let properties: serde_json::Map<String, serde_json::Value> =
            (0..100).map(|property| (format!("property {i} {property}"), json!(property))).collect();
        catalogue.add(&event(&format!("Event {i}"), NOW, properties.into()));
    }
    let report = report(catalogue);
    assert!(report.tables[0].rows.len() <= 550 && report.tables[1].rows.len() <= 500 * 20);
    assert!(!report.notes.is_empty(), "a reader is told that there are more");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn days_add_up_in_any_order(events in proptest::collection::vec((0..4_u8, 0..90_i64, 0..3_u8), 0..40), cut in 0..40_usize) {
        let build = |(name, day, property): &(u8, i64, u8)| {
            let received = now() - jiff::SignedDuration::from_hours(day * 24);
            event(&format!("E{name}"), &received.to_string(), json!({ format!("p{property}"): property }))
        };
        let events: Vec<Event> = events.iter().map(build).collect();
        let (one, other) = events.split_at(cut.min(events.len()));
        let turned: Vec<Event> = other.iter().chain(one).cloned().collect();
        prop_assert_eq!(rows(&report(catalogue(&events)), 0), rows(&report(catalogue(&turned)), 0));
        let counted: usize = rows(&report(catalogue(&events)), 0).iter().map(|row| row[1].parse::<usize>().unwrap()).sum();
        prop_assert_eq!(counted, events.len());
    }
}
