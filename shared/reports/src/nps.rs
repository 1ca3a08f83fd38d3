//! The recommendation survey, by month and by segment.

use crate::cohorts::month_name;
use crate::report::{Cell, Table, Unit};
use perennial_domain::time::month_of;
use perennial_engine::instant;
use perennial_engine::{NpsClass, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The newest months that are kept.
const MONTHS: i32 = 24;
/// Answers that a month needs to be compared with another.
const ENOUGH: u64 = 10;
/// The change in points from which a month is a sudden change.
const SUDDEN: f64 = 20.0;

/// Answers by the class that the engine gives them, under which the status counts them, too.
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

/// The latest answer of each person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Nps {
    all: Answers,
    /// By month of the answer since January 1970.
    months: BTreeMap<i32, Answers>,
    /// By segment that the person is in now.
    segments: BTreeMap<String, Answers>,
}

impl Nps {
    /// Counts a person of these segments.
    pub(crate) fn add(&mut self, state: &State, class: NpsClass, segments: &[String], this_month: i32) {
        let Some(answer) = state.nps.filter(|_| class != NpsClass::None) else { return };
        self.all.count(class);
        for segment in segments {
            self.segments.entry(segment.clone()).or_default().count(class);
        }
        let month = month_of(instant::timestamp(answer.at));
        if (this_month - MONTHS + 1..=this_month).contains(&month) {
            self.months.entry(month).or_default().count(class);
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.all.merge(other.all);
        for (month, answers) in &other.months {
            self.months.entry(*month).or_default().merge(*answers);
        }
        for (segment, answers) in &other.segments {
            self.segments.entry(segment.clone()).or_default().merge(*answers);
        }
    }

    /// Returns the answers by month and by segment.
    pub(crate) fn tables(&self) -> Vec<Table> {
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
        for (month, answers) in &self.months {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_engine::state::Answer;

    #[test]
    fn a_month_that_falls_by_twenty_points_is_a_sudden_change() {
        let mut nps = Nps::default();
        let month = month_of("2026-03-01T00:00:00Z".parse().unwrap());
        let (for_it, against) = (NpsClass::Promoter, NpsClass::Detractor);
        for (at, class, times) in [("2026-01-31T23:59:59Z", for_it, 10), ("2026-02-01T00:00:00Z", against, 10)] {
            let at = at.parse::<jiff::Timestamp>().unwrap().as_microsecond();
            let state = State { nps: Some(Answer { at, points: 9 }), ..State::default() };
            (0..times).for_each(|_| nps.add(&state, class, &["a".to_owned()], month));
        }
        let tables = nps.tables();
        assert_eq!(tables[0].rows[0][0], Cell::text("2026-01"));
        assert_eq!(tables[0].rows[1][5..], [Cell::Number(-100.0), Cell::Number(-200.0)]);
        assert_eq!(tables[1].rows[1][1..5], [20, 10, 0, 10].map(Cell::Count));
    }
}
