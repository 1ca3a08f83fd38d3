//! The recommendation survey, by month and by segment.

use crate::cohorts::month_name;
use crate::merged::Merged;
use crate::report::{Cell, Table, Unit};
use crate::surveys::Surveys;
use jiff::Timestamp;
use perennial_domain::time::month_of;
use perennial_engine::NpsClass;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The newest months that are shown.
const MONTHS: i32 = 24;
/// Answers that a month needs to be compared with another.
const ENOUGH: u64 = 10;
/// The change in points from which a month is a sudden change.
const SUDDEN: f64 = 20.0;

/// Answers by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Answers {
    promoters: u64,
    passives: u64,
    detractors: u64,
}

impl Answers {
    fn count(&mut self, class: NpsClass) {
        match class {
            NpsClass::Promoter => self.promoters += 1,
            NpsClass::Passive => self.passives += 1,
            NpsClass::Detractor => self.detractors += 1,
            NpsClass::None => {}
        }
    }

    /// Counts an answer as it was given.
    fn count_points(&mut self, points: u8) {
        self.count(match points {
            9.. => NpsClass::Promoter,
            7..=8 => NpsClass::Passive,
            _ => NpsClass::Detractor,
        });
    }

    fn merge(&mut self, other: Self) {
        self.promoters += other.promoters;
        self.passives += other.passives;
        self.detractors += other.detractors;
    }

    fn all(self) -> u64 {
        self.promoters + self.passives + self.detractors
    }

    fn score(self) -> Option<f64> {
        let net = self.promoters as f64 - self.detractors as f64;
        (self.all() > 0).then(|| net / self.all() as f64 * 100.0)
    }

    fn cells(self, name: String) -> [Cell; 6] {
        let counts = [self.all(), self.promoters, self.passives, self.detractors].map(Cell::Count);
        let [all, promoters, passives, detractors] = counts;
        [Cell::Text(name), all, promoters, passives, detractors, self.score().map_or(Cell::NOTHING, Cell::number)]
    }
}

/// The latest answer of each person, by the class that the engine gives it, under which the status counts it, too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Nps {
    all: Answers,
    /// By segment that the person is in now.
    segments: BTreeMap<String, Answers>,
}

impl Nps {
    /// Counts a person of these segments.
    pub(crate) fn add(&mut self, class: NpsClass, segments: &[String]) {
        if class == NpsClass::None {
            return;
        }
        self.all.count(class);
        for segment in segments {
            self.segments.entry(segment.clone()).or_default().count(class);
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.all.merge(other.all);
        for (segment, answers) in &other.segments {
            self.segments.entry(segment.clone()).or_default().merge(*answers);
        }
    }

    /// Returns the answers by month, from `surveys`, and by segment.
    pub(crate) fn tables(&self, surveys: &Surveys, merged: &Merged, now: Timestamp) -> Vec<Table> {
        let columns = |first| {
            [
                (first, Unit::Text),
                ("answers", Unit::Count),
                ("promoters", Unit::Count),
                ("passives", Unit::Count),
                ("detractors", Unit::Count),
                ("score", Unit::Number),
                ("sudden change", Unit::Number),
            ]
        };
        let mut months = Table::new("months", &columns("month"));
        let mut before: Option<f64> = None;
        for (month, points) in surveys.by_month(merged, now).range(month_of(now) - MONTHS + 1..) {
            let mut answers = Answers::default();
            points.iter().for_each(|points| answers.count_points(*points));
            let score = answers.score().filter(|_| answers.all() >= ENOUGH);
            let change = score.zip(before).map(|(now, before)| now - before).filter(|by| by.abs() >= SUDDEN);
            let change = change.map_or(Cell::NOTHING, Cell::number);
            months.row(answers.cells(month_name(*month)).into_iter().chain([change]));
            before = score.or(before);
        }
        let mut segments = Table::new("segments", &columns("segment")[..6]);
        segments.row(self.all.cells("everyone".to_owned()));
        for (segment, answers) in &self.segments {
            segments.row(answers.cells(segment.clone()));
        }
        vec![months, segments]
    }
}
