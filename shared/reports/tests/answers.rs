//! Survey answers are grouped by the words that people use, each once and without those of other days.

use crate::support::at;
use jiff::SignedDuration;
use perennial_config::Config;
use perennial_reports::{Archived, Cell, Name, Report, Tally, answer};
use perennial_testkit::{ConfigBuilder, EventBuilder};

const NOW: &str = "2026-03-31T12:00:00Z";

fn config(themes: &str) -> Config {
    let scoring = format!(
        "[nps]\nevent = \"Answered\"\nproperty = \"nps\"\nlowest = 0\npromoter_min_engagement = 0\n\
        [csat]\nevent = \"Answered\"\nproperty = \"csat\"\nhighest = 5\n\
        [sentiment]\nproperties = [\"comment\", \"text\"]\n{themes}"
    );
    ConfigBuilder::least().with(&[("scoring.toml", &scoring)]).load()
}

const THEMES: &str =
    "[[theme]]\nname = \"price\"\nwords = [\"Pric\"]\n[[theme]]\nname = \"speed\"\nwords = [\"slow\", \"too long\"]\n";

/// The report of answers of these people: each an id, the event, days ago, and its properties.
fn report(config: &Config, events: &[(&str, &str, i64, serde_json::Value)]) -> Report {
    let now = at(NOW);
    let mut archived = Archived::default();
    for (id, name, days, properties) in events {
        let mut event =
            EventBuilder::track(id, &format!("user of {id}"), name).at(now - SignedDuration::from_hours(24 * days));
        for (name, value) in properties.as_object().unwrap() {
            event = event.property(name, value.clone());
        }
        archived.answers.extend(answer(config, &event.build()));
    }
    let reports = Tally::new(now).reports(config, &archived);
    reports.into_iter().find(|report| report.name == Name::Answers).unwrap()
}

fn rows(report: &Report, table: usize) -> Vec<Vec<String>> {
    report.tables[table].rows.iter().map(|row| row.iter().map(perennial_reports::shown::text).collect()).collect()
}

#[test]
fn answer_is_of_each_theme_of_which_it_has_a_word() {
    let config = config(THEMES);
    let events = [
        ("a", "Answered", 3, serde_json::json!({ "nps": 2, "comment": "PRICING is too high,\n and it is slow" })),
        ("b", "Answered", 2, serde_json::json!({ "nps": "9", "text": "Great\u{1b}[31m price" })),
        ("c", "Answered", 1, serde_json::json!({ "csat": 4, "comment": "  ", "text": "Capricious" })),
        // The same message twice, one of another year, no text, no survey.
        ("a", "Answered", 3, serde_json::json!({ "nps": 2, "comment": "PRICING is too high,\n and it is slow" })),
        ("d", "Answered", 91, serde_json::json!({ "nps": 0, "comment": "price" })),
        ("e", "Answered", 1, serde_json::json!({ "nps": 7, "comment": 5 })),
        ("f", "Commented", 1, serde_json::json!({ "comment": "price" })),
    ];
    let report = report(&config, &events);
    let themes: Vec<Vec<String>> = rows(&report, 0).into_iter().map(|row| row[..7].to_vec()).collect();
    assert_eq!(
        themes,
        [
            ["all answers", "3", "100.0 %", "1", "0", "1", "4.0"],
            ["price", "2", "66.7 %", "1", "0", "1", ""],
            ["speed", "1", "33.3 %", "0", "0", "1", ""],
            ["no theme", "1", "33.3 %", "0", "0", "0", "4.0"],
        ]
    );
    assert_eq!(
        rows(&report, 1),
        [
            ["2026-03-30", "", "4", "", "Capricious"],
            ["2026-03-29", "9", "", "price", "Great[31m price"],
            ["2026-03-28", "2", "", "price, speed", "PRICING is too high, and it is slow"],
        ]
    );
    assert!(report.name.names_people() && report.notes.is_empty(), "{:?}", report.notes);
}

#[test]
fn without_themes_answers_are_shown_and_a_note_says_how_to_group_them() {
    let config = config("");
    let long = "é".repeat(400);
    let report = report(&config, &[("a", "Answered", 0, serde_json::json!({ "comment": long }))]);
    assert_eq!(report.tables[0].rows.len(), 1);
    let Cell::Text(text) = &report.tables[1].rows[0][4] else { panic!() };
    assert_eq!((text.chars().count(), text.chars().last()), (300, Some('…')));
    assert!(report.notes[0].contains("[[theme]]"), "{:?}", report.notes);
}

#[test]
fn newest_answers_are_kept() {
    let config = config(THEMES);
    let mut archived = Archived::default();
    for number in 0..10_050_i64 {
        let moment = at(NOW) - SignedDuration::from_secs(number);
        let event = EventBuilder::track(&format!("m{number}"), "u", "Answered").at(moment);
        archived.answers.extend(answer(&config, &event.property("comment", "slow").build()));
    }
    let reports = Tally::new(at(NOW)).reports(&config, &archived);
    let report = reports.into_iter().find(|report| report.name == Name::Answers).unwrap();
    assert_eq!(report.tables[0].rows[0][1], Cell::Count(10_000));
    assert_eq!(report.tables[1].rows.len(), 100);
    assert!(report.notes[0].contains("10000"), "{:?}", report.notes);
}
