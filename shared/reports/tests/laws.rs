//! Counts of parts add up to those of all; days, leap days and months are those of the calendar.

use crate::support::{at, count, person, report};
use jiff::SignedDuration;
use perennial_config::Config;
use perennial_engine::{Mode, Moment, Profile, process};
use perennial_reports::{Cell, Name, Tally};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use proptest::prelude::*;
use std::collections::HashSet;

fn config() -> Config {
    let files = [
        (
            "lifecycle.toml",
            "lead = [\"Signed Up\"]\ntrial = [\"Trial Started\"]\ncustomer = [\"Paid\"]\nchurned = [\"Left\"]\n[activity]\npassive = [\"Email Delivered\"]\n",
        ),
        (
            "scoring.toml",
            "[nps]\nevent = \"Answered\"\nproperty = \"nps\"\nlowest = 0\npromoter_min_engagement = 0\n[base]\nchurn = 70\n",
        ),
        (
            "features.toml",
            "[[feature]]\nname = \"maps\"\nevent = \"Maps Used\"\nhigh_value = true\n[[feature]]\nname = \"prints\"\nevent = \"Printed\"\n[[education]]\nname = \"printing\"\nevent = \"Printed\"\n",
        ),
        ("segments.toml", "[[segment]]\nname = \"payers\"\nwhen = 'pays'\nretention_target = 90\n"),
    ];
    ConfigBuilder::least().with(&files).load()
}

const NAMES: [&str; 9] = [
    "Signed Up",
    "Trial Started",
    "Paid",
    "Left",
    "Email Delivered",
    "Answered=9",
    "Answered=3",
    "Maps Used",
    "Printed",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn tallies_of_parts_add_up_in_any_order(
        people in proptest::collection::vec(proptest::collection::vec((0..NAMES.len(), 0..63_072_000_i64), 0..12), 1..14),
        cuts in proptest::collection::vec(0..3_usize, 14),
    ) {
        let (config, begin, now) = (config(), at("2023-03-01T00:00:00Z"), at("2025-03-01T10:00:00Z"));
        let people: Vec<Profile> = people.iter().enumerate().map(|(number, events)| {
            let events: Vec<_> = events.iter().map(|(name, second)| (NAMES[*name], begin + SignedDuration::from_secs(*second))).collect();
            person(&config, &format!("u{number}"), &events, now)
        }).collect();
        let whole = count(&config, &people, now);
        let part = |of: usize| {
            let own: Vec<Profile> = people.iter().zip(&cuts).filter(|(_, cut)| **cut == of).map(|(profile, _)| profile.clone()).collect();
            count(&config, &own, now)
        };
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let mut merged = part(order[0]);
            let mut rest = part(order[1]);
            rest.merge(&part(order[2]));
            merged.merge(&rest);
            prop_assert_eq!(&merged, &whole);
        }
        let stored: Tally = serde_json::from_str(&serde_json::to_string(&whole).unwrap()).unwrap();
        prop_assert_eq!(&stored, &whole);
        prop_assert_eq!(whole.people, people.len() as u64);
    }
}

#[test]
fn activity_counts_closed_days_of_utc_and_windows_that_end_with_them() {
    let (config, now) = (config(), at("2024-03-02T00:00:00Z"));
    let people = [
        person(&config, "a", &[("Printed", at("2024-02-28T23:59:59Z")), ("Printed", at("2024-02-29T00:00:00Z"))], now),
        // A second event of a day, a passive one, and one of today.
        person(&config, "b", &[("Printed", at("2024-02-29T01:00:00Z")), ("Printed", at("2024-02-29T23:59:59Z"))], now),
        person(
            &config,
            "c",
            &[("Email Delivered", at("2024-02-29T12:00:00Z")), ("Printed", at("2024-01-31T12:00:00Z"))],
            now,
        ),
        person(&config, "d", &[("Printed", now)], now),
    ];
    let report = report(&config, &count(&config, &people, now), Name::Activity);
    let row = |day: &str| {
        let row = report.tables[0].rows.iter().find(|row| row[0] == Cell::text(day)).unwrap();
        row[1..4].iter().map(|cell| if let Cell::Count(n) = cell { *n } else { panic!("{cell:?}") }).collect::<Vec<_>>()
    };
    assert_eq!(row("2024-02-28"), [1, 1, 2]);
    assert_eq!(row("2024-02-29"), [2, 2, 3], "30 days back from leap day are those since 31 January");
    assert_eq!(row("2024-03-01"), [0, 2, 2]);
    let last = report.tables[0].rows.last().unwrap();
    assert_eq!((&last[0], &last[4]), (&Cell::text("2024-03-01"), &Cell::share(0, 2)), "today is not over");
    assert_eq!((report.from.to_string().as_str(), report.to.to_string().as_str()), ("2023-11-25", "2024-03-01"));
}

#[test]
fn cohorts_are_of_the_month_of_first_activity_and_follow_the_calendar() {
    let (config, now) = (config(), at("2024-03-31T12:00:00Z"));
    let people = [
        person(
            &config,
            "a",
            &[("Printed", at("2023-12-31T23:59:59Z")), ("Maps Used", at("2024-01-01T00:00:00Z"))],
            now,
        ),
        person(&config, "b", &[("Printed", at("2023-12-01T00:00:00Z")), ("Printed", at("2024-02-29T23:59:59Z"))], now),
        person(&config, "c", &[("Printed", at("2024-03-01T00:00:00Z"))], now),
        person(&config, "d", &[("Email Delivered", at("2024-03-01T00:00:00Z"))], now),
    ];
    let tally = count(&config, &people, now);
    let cohorts = &report(&config, &tally, Name::Cohorts).tables[0];
    let names: Vec<&str> = cohorts.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["cohort", "people", "month 1", "month 2", "month 3"]);
    let december = vec![Cell::text("2023-12"), Cell::Count(2), Cell::share(1, 2), Cell::share(1, 2), Cell::share(0, 2)];
    let march = vec![Cell::text("2024-03"), Cell::Count(1), Cell::NOTHING, Cell::NOTHING, Cell::NOTHING];
    assert_eq!(cohorts.rows, [december, march], "a person without activity is in no cohort");
    let activation = &report(&config, &tally, Name::Activation).tables[0];
    assert_eq!(activation.rows[0][2..], [Cell::share(1, 2), Cell::share(1, 2)]);
}

#[test]
fn retention_is_of_those_who_paid_in_the_segment_then_and_names_a_short_period() {
    let (config, now) = (config(), at("2026-06-30T12:00:00Z"));
    let stays = person(&config, "a", &[("Paid", at("2026-01-10T00:00:00Z"))], at("2026-01-10T00:00:01Z"));
    let mut leaves = person(&config, "b", &[("Paid", at("2026-01-10T00:00:00Z"))], at("2026-01-10T00:00:01Z"));
    let left = EventBuilder::track("left", "b", "Left").at(at("2026-05-20T00:00:00Z")).build();
    process(&Moment::new(&config, left.timestamp), &mut leaves, &[left], &HashSet::new(), Mode::Live);
    let late = person(&config, "c", &[("Paid", at("2026-06-20T00:00:00Z"))], now);
    let report = report(&config, &count(&config, &[stays, leaves, late], now), Name::Retention);
    let rows: Vec<Vec<String>> =
        report.tables[0].rows.iter().map(|row| row.iter().map(perennial_reports::shown::text).collect()).collect();
    assert_eq!(rows[0], ["everyone", "152", "2026-01-29", "2", "1", "50.0 %", ""]);
    assert_eq!(rows[1], ["payers", "152", "2026-01-29", "2", "1", "50.0 %", "90.0 %"]);
    assert!(report.notes.iter().any(|note| note.starts_with("payers: there is a history of 152 days only")));
    assert_eq!(report.tables[1].rows.len(), 5);
}

#[test]
fn funnel_and_adoption_count_each_person_once() {
    let (config, now) = (config(), at("2026-06-30T12:00:00Z"));
    let people = [
        person(
            &config,
            "a",
            &[("Trial Started", at("2026-06-01T00:00:00Z")), ("Paid", at("2026-06-11T23:00:00Z")), ("Maps Used", now)],
            now,
        ),
        person(
            &config,
            "b",
            &[("Trial Started", at("2026-06-01T00:00:00Z")), ("Printed", at("2026-06-01T00:00:00Z"))],
            now,
        ),
        person(&config, "c", &[("Printed", at("2026-05-01T00:00:00Z"))], now),
    ];
    let tally = count(&config, &people, now);
    let funnel = report(&config, &tally, Name::Funnel);
    let path = funnel.tables[2].rows.iter().find(|row| row[..2] == ["trial", "customer"].map(Cell::text)).unwrap();
    assert_eq!(path[2..], [Cell::Count(1), Cell::share(1, 2), Cell::Count(10)]);
    let adoption = report(&config, &tally, Name::Adoption);
    let shown: Vec<Vec<String>> =
        adoption.tables[0].rows.iter().map(|row| row.iter().map(perennial_reports::shown::text).collect()).collect();
    assert_eq!(shown[0], ["maps", "yes", "1", "33.3 %", "1", "2", "0", "0"]);
    assert_eq!(shown[1], ["prints", "", "0", "0.0 %", "2", "1", "0", "0"], "29 days ago is too long ago");
    assert_eq!(adoption.tables[1].rows[0][1..4], [Cell::Count(2), Cell::Count(1), Cell::share(1, 2)]);
}
