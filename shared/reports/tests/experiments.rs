//! Experiments show their groups, and judge none before there are enough people.

use crate::support::{at, count, lived, report};
use jiff::SignedDuration;
use perennial_config::Config;
use perennial_reports::{Cell, Name};
use perennial_testkit::ConfigBuilder;

const NOW: &str = "2026-03-31T12:00:00Z";

/// A journey with a split in two, whose goal is within a week.
fn config() -> Config {
    let journeys = "[[journey]]\nid = \"offer\"\ntrigger = { event = \"Asked\" }\ngoal = { event = \"Paid\", within_days = 7 }\n\
        [[journey.step]]\nid = \"which\"\nsplit = { control = 50, gift = 50 }\n\
        [[journey.step]]\nid = \"control\"\nwait = { days = 1 }\nthen = \"end\"\n\
        [[journey.step]]\nid = \"gift\"\nwait = { days = 1 }\n\
        [[journey]]\nid = \"unused\"\ntrigger = { event = \"Never\" }\ngoal = { event = \"Paid\", within_days = 7 }\nholdout = 10\n\
        step = [{ wait = { days = 1 } }]\n";
    ConfigBuilder::least().with(&[("journeys.toml", journeys)]).load()
}

#[test]
fn groups_are_counted_and_judged_from_fifty_people_on() {
    let (config, now) = (config(), at(NOW));
    let ago = |days: i64| now - SignedDuration::from_hours(24 * days);
    let people = |number: u32| {
        (0..number).map(|number| {
            // The last ten have had no time for the goal; every second one of the others reached it.
            let mut events = vec![("Asked", ago(if number < 10 { 3 } else { 20 }))];
            events.extend((number >= 10 && number % 2 == 0).then(|| ("Paid", ago(18))));
            lived(&config, &format!("u{number}"), &events)
        })
    };
    for (number, verdict) in [(40, "too few yet"), (200, "no difference yet")] {
        let profiles: Vec<_> = people(number).collect();
        let report = report(&config, &count(&config, &profiles, now), Name::Experiments);
        let rows = &report.tables[0].rows;
        assert_eq!(rows.len(), 2, "a journey that nobody entered has no rows: {rows:?}");
        let text = |row: usize, column: usize| perennial_reports::shown::text(&rows[row][column]);
        assert_eq!([text(0, 2), text(1, 2)], ["control", "gift"]);
        let sum = |column: usize| {
            rows.iter()
                .map(|row| if let Cell::Count(count) = row[column] { count } else { panic!("{row:?}") })
                .sum::<u64>()
        };
        assert_eq!((sum(3), sum(4)), (number.into(), u64::from(number) - 10));
        let reached: i64 =
            rows.iter().map(|row| if let Cell::Share { part, .. } = row[5] { part } else { panic!("{row:?}") }).sum();
        assert_eq!(reached, i64::from(number - 10) / 2);
        assert_eq!([text(0, 9), text(1, 9)], ["control", verdict]);
        assert_eq!(rows[1][6] == Cell::NOTHING, verdict == "too few yet");
    }
}
