//! The texts of survey answers, by theme: the reasons for scores in people's own words.

use crate::report::{Cell, Table, Unit};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::scoring::SurveyKind;
use perennial_domain::text::cut;
use perennial_domain::time::{date_of, day_of};
use perennial_domain::{Event, hash};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The days whose answers are shown.
pub(crate) const DAYS: i32 = 90;
/// The most answers that are kept: the newest.
const KEPT: usize = 10_000;
/// The most answers that are shown: the newest.
const SHOWN: usize = 100;
/// The characters of a text that are kept.
const LENGTH: usize = 300;
/// The row of all answers, and of those without a theme.
const ALL: &str = "all answers";
const NO_THEME: &str = "no theme";

/// An answer with a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The person's identity and the message's id, hashed.
    id: u64,
    at: Timestamp,
    /// The answers to the surveys of the event.
    nps: Option<u8>,
    csat: Option<u8>,
    text: String,
}

/// Returns the text of a survey answer that an event brings; `None` for any other event.
pub fn answer(config: &Config, event: &Event) -> Option<Answer> {
    let scoring = &config.scoring;
    let name = config.counted_as(event);
    if !scoring.surveys.iter().any(|survey| survey.event == name) {
        return None;
    }
    let text = scoring.texts.iter().find_map(|property| {
        let text = line(event.properties.get(property)?.as_str()?);
        (!text.is_empty()).then_some(text)
    })?;
    let points = |kind| {
        let survey = scoring.survey(kind).filter(|survey| survey.event == name)?;
        survey.read(event.properties.get(&survey.property)?)
    };
    let person = event.identity()?.person_id();
    Some(Answer {
        id: hash::hash64(&[person.as_bytes(), &event.seen_id().to_be_bytes()]),
        at: event.timestamp,
        nps: points(SurveyKind::Nps),
        csat: points(SurveyKind::Csat),
        text,
    })
}

/// Returns a hash of the rules that decide which events [`answer`] reads, and how.
pub(crate) fn rules(config: &Config) -> u64 {
    let scoring = &config.scoring;
    let rules: Vec<String> =
        scoring.surveys.iter().map(|survey| format!("{survey:?}")).chain(scoring.texts.iter().cloned()).collect();
    let parts: Vec<&[u8]> = rules.iter().map(String::as_bytes).collect();
    hash::hash64(&parts)
}

/// Returns a text in one line of at most [`LENGTH`] characters, without control characters.
fn line(text: &str) -> String {
    let words = text.split_whitespace().map(|word| word.chars().filter(|c| !c.is_control()).collect::<String>());
    cut(&words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "), LENGTH)
}

/// The newest answers, each once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers(BTreeMap<(Timestamp, u64), Answer>);

impl Extend<Answer> for Answers {
    /// Adds answers, each once.
    fn extend<I: IntoIterator<Item = Answer>>(&mut self, answers: I) {
        for answer in answers {
            self.0.insert((answer.at, answer.id), answer);
            if self.0.len() > KEPT {
                self.0.pop_first();
            }
        }
    }
}

impl Answers {
    /// Returns the answers of the last days by theme, and the newest of them as they were written.
    pub(crate) fn tables(&self, config: &Config, now: Timestamp, notes: &mut Vec<String>) -> Vec<Table> {
        let first = day_of(now) - DAYS;
        let answers: Vec<&Answer> =
            self.0.values().rev().filter(|answer| answer.at <= now && day_of(answer.at) >= first).collect();
        if self.0.len() == KEPT {
            notes.push(format!("only the newest {KEPT} answers are counted"));
        }
        if config.scoring.themes.is_empty() {
            notes.push("scoring.toml names no themes: add [[theme]] with words to group the answers".to_owned());
        }
        let themes: Vec<(&Answer, Vec<&str>)> =
            answers.iter().map(|answer| (*answer, themes(config, answer))).collect();
        vec![by_theme(config, &themes), newest(&themes)]
    }
}

/// Returns the names of the themes of an answer.
fn themes<'c>(config: &'c Config, answer: &Answer) -> Vec<&'c str> {
    let text = answer.text.to_lowercase();
    config.scoring.themes.iter().filter(|theme| theme.is_of(&text)).map(|theme| theme.name.as_str()).collect()
}

fn by_theme(config: &Config, answers: &[(&Answer, Vec<&str>)]) -> Table {
    let columns = [
        ("theme", Unit::Text),
        ("answers", Unit::Count),
        ("of all", Unit::Share),
        ("from 9 on", Unit::Count),
        ("7 or 8", Unit::Count),
        ("to 6", Unit::Count),
        ("mean satisfaction", Unit::Number),
        ("newest", Unit::Text),
    ];
    let mut table = Table::new("themes", &columns);
    let all = answers.len() as u64;
    let mut row = |name: &str, is_in: &dyn Fn(&[&str]) -> bool| {
        let of: Vec<&Answer> = answers.iter().filter(|(_, themes)| is_in(themes)).map(|(answer, _)| *answer).collect();
        let recommend = |points: std::ops::RangeInclusive<u8>| {
            Cell::Count(of.iter().filter(|answer| answer.nps.is_some_and(|nps| points.contains(&nps))).count() as u64)
        };
        let satisfied: Vec<f64> = of.iter().filter_map(|answer| answer.csat.map(f64::from)).collect();
        let mean = (!satisfied.is_empty()).then(|| satisfied.iter().sum::<f64>() / satisfied.len() as f64);
        table.row([
            Cell::text(name),
            Cell::Count(of.len() as u64),
            Cell::share(of.len() as u64, all),
            recommend(9..=10),
            recommend(7..=8),
            recommend(0..=6),
            mean.map_or(Cell::NOTHING, Cell::number),
            of.first().map_or(Cell::NOTHING, |answer| Cell::text(cut(&answer.text, LENGTH / 2))),
        ]);
    };
    row(ALL, &|_| true);
    for theme in &config.scoring.themes {
        row(&theme.name, &|themes| themes.contains(&theme.name.as_str()));
    }
    if !config.scoring.themes.is_empty() {
        row(NO_THEME, &|themes| themes.is_empty());
    }
    table
}

fn newest(answers: &[(&Answer, Vec<&str>)]) -> Table {
    let columns = [
        ("day", Unit::Text),
        // Points of a scale, which no chart should add up or draw.
        ("recommends", Unit::Text),
        ("satisfaction", Unit::Text),
        ("themes", Unit::Text),
        ("text", Unit::Text),
    ];
    let mut table = Table::new("answers", &columns);
    let points = |points: Option<u8>| points.map_or(Cell::NOTHING, |points| Cell::text(points.to_string()));
    for (answer, themes) in answers.iter().take(SHOWN) {
        table.row([
            Cell::text(date_of(day_of(answer.at)).to_string()),
            points(answer.nps),
            points(answer.csat),
            Cell::text(themes.join(", ")),
            Cell::text(&answer.text),
        ]);
    }
    table
}
