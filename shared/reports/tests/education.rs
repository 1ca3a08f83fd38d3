//! Education is compared with people who were alike, as a count by hand compares them.

use crate::support::{at, count, person, report};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_reports::{Cell, Name};
use perennial_testkit::ConfigBuilder;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const NOW: &str = "2026-03-31T12:00:00Z";

fn config() -> Config {
    let files = [
        ("lifecycle.toml", "lead = [\"Signed Up\"]\ncustomer = [\"Paid\"]\nchurned = [\"Left\"]\n"),
        ("features.toml", "[[education]]\nname = \"course\"\nevent = \"Attended\"\nwhere = 'properties.nps == 1'\n"),
    ];
    ConfigBuilder::least().with(&files).load()
}

fn day(of: Timestamp) -> i64 {
    of.as_second().div_euclid(86_400)
}

/// A person before a day: the week, new or not, paying or not, and the band of active days.
type Before = (i64, bool, bool, usize);

/// The outcome after it: active days, and in percent whether there were any and whether the person pays.
type After = [f64; 3];

/// The figures of a person for a day.
fn by_hand(events: &[(&str, Timestamp)], on: i64) -> (Before, After) {
    let days: BTreeSet<i64> = events.iter().map(|(_, at)| day(*at)).collect();
    let among = |from: i64, to: i64| days.iter().filter(|day| (from..=to).contains(*day)).count();
    let pays = |until: i64| {
        let paid = events.iter().filter(|(name, at)| *name == "Paid" && at.as_second() <= until * 86_400);
        paid.count() > 0
    };
    let before = among(on - 28, on - 1);
    let band = [before > 0, before > 2, before > 5, before > 9, before > 14].into_iter().filter(|over| *over).count();
    let is_new = *days.first().unwrap() >= on - 28;
    let after = among(on + 1, on + 28);
    let hundred = |is: bool| if is { 100.0 } else { 0.0 };
    (((on + 3).div_euclid(7), is_new, pays(on), band), [after as f64, hundred(after > 0), hundred(pays(on + 29))])
}

fn number(cell: &Cell) -> f64 {
    match cell {
        Cell::Count(number) => *number as f64,
        Cell::Number(number) => *number,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn who_attended_is_compared_with_who_was_alike(
        people in proptest::collection::vec(
            (proptest::collection::vec((0..20_usize, 0..140_i64), 1..40), proptest::option::weighted(0.4, 0..140_i64)),
            20..60,
        ),
    ) {
        let (config, now) = (config(), at(NOW));
        let begin = at("2025-11-12T09:00:00Z");
        let moment = |day: i64| begin + SignedDuration::from_hours(24 * day);
        let people: Vec<Vec<(&str, Timestamp)>> = people.into_iter().map(|(events, attends)| {
            // One of twenty events is a payment, and nobody leaves.
            let events = events.into_iter().map(|(kind, day)| (if kind == 0 { "Paid" } else { "Printed" }, moment(day)));
            let attends = attends.map(|day| ("Attended=1", moment(day)));
            // The same event about another course.
            events.chain(attends).chain([("Attended=2", moment(3))]).filter(|(_, at)| *at <= now).collect()
        }).collect();
        let profiles: Vec<_> = people.iter().enumerate()
            .map(|(number, events)| person(&config, &format!("u{number}"), events, now)).collect();
        let report = report(&config, &count(&config, &profiles, now), Name::Education);

        let today = day(now);
        let days = today - 98..=today - 29;
        let mut attended = Vec::new();
        let mut others: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for events in &people {
            let attends = events.iter().find(|(name, _)| *name == "Attended=1").map(|(_, at)| day(*at));
            attended.extend(attends.filter(|day| days.contains(day)).map(|day| by_hand(events, day)));
            let first = events.iter().map(|(_, at)| day(*at)).min().unwrap();
            for thursday in days.clone().filter(|day| day % 7 == 0) {
                if first <= thursday && attends.is_none_or(|day| day > thursday + 28) {
                    let (alike, after) = by_hand(events, thursday);
                    others.entry(alike).or_default().push(after);
                }
            }
        }
        let matched: Vec<_> = attended.iter().filter(|(alike, _)| others.contains_key(alike)).collect();
        let in_strata: BTreeSet<_> = matched.iter().map(|(alike, _)| *alike).collect();
        let compared: usize = in_strata.iter().map(|alike| others[alike].len()).sum();
        for (at, row) in report.tables[0].rows.iter().enumerate() {
            let outcome = |after: &After| after[at];
            prop_assert_eq!(number(&row[2]), attended.len() as f64);
            prop_assert_eq!(number(&row[3]), (attended.len() - matched.len()) as f64);
            prop_assert_eq!(number(&row[4]), compared as f64);
            if matched.is_empty() {
                prop_assert_eq!(&row[5], &Cell::NOTHING);
                continue;
            }
            let theirs = matched.iter().map(|(_, after)| outcome(after)).sum::<f64>() / matched.len() as f64;
            let mean = |alike| others[alike].iter().map(outcome).sum::<f64>() / others[alike].len() as f64;
            let alike = matched.iter().map(|(alike, _)| mean(alike)).sum::<f64>() / matched.len() as f64;
            for (cell, value) in [(&row[5], theirs), (&row[6], alike), (&row[7], theirs - alike)] {
                prop_assert!((number(cell) - value).abs() <= 0.051, "{cell:?} for {value}");
            }
            // Without two who are alike among either, nothing is known of the variance.
            let is_known = matched.len() > in_strata.len() && compared > in_strata.len();
            if matched.len() >= 10 && compared >= 10 && is_known {
                prop_assert!(number(&row[8]) <= number(&row[7]) && number(&row[7]) <= number(&row[9]), "{row:?}");
            } else {
                prop_assert_eq!(&row[8], &Cell::NOTHING);
            }
        }
    }
}

/// The interval of one group that is alike is that of two means: 10 attendees with 6 active days, and 10 others with 2, of whom one of
/// each has one more and one has one less.
#[test]
fn interval_of_one_group_is_that_of_a_difference_of_means() {
    let (config, now) = (config(), at(NOW));
    // A Thursday, 40 days ago.
    let on = at("2026-02-19T09:00:00Z");
    let later = |days: i64| on + SignedDuration::from_hours(24 * days);
    let mut profiles = Vec::new();
    for number in 0..20 {
        let attends = number < 10;
        let active = (if attends { 6 } else { 2 }) + [1, -1, 0, 0, 0, 0, 0, 0, 0, 0][number % 10];
        let mut events = vec![("Printed", later(-60))];
        events.extend(attends.then_some(("Attended=1", on)));
        events.extend((1..=active).map(|day| ("Printed", later(day))));
        profiles.push(person(&config, &format!("u{number}"), &events, now));
    }
    let report = report(&config, &count(&config, &profiles, now), Name::Education);
    let row: Vec<f64> = report.tables[0].rows[0][2..].iter().map(number).collect();
    // The variances are 2 / 9 each, so the error is the root of 2 * (2 / 9) / 10: 0.2108, and 1.96 of it are 0.4.
    assert_eq!(row, [10.0, 0.0, 10.0, 6.0, 2.0, 4.0, 3.6, 4.4]);
    assert!(report.notes[0].contains("chose to attend"), "{:?}", report.notes);
}
