//! Scores: their levels now and four weeks ago, and what came of high and low ones.

use crate::counted::Counted;
use crate::report::{Cell, Table, Unit};
use jiff::Timestamp;
use perennial_domain::time::week_of;
use perennial_domain::{Likelihood, Score};
use perennial_engine::trend::WEEKS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The lower limits of the bands, with their names.
const BANDS: [(u8, &str); 4] = [(0, "0-24"), (25, "25-49"), (50, "50-74"), (75, "75-100")];
/// The scores of a person at the beginnings of weeks.
type Trends = BTreeMap<i32, BTreeMap<Likelihood, Score>>;

/// People and the sum of their scores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Level {
    people: u64,
    sum: u64,
}

impl Level {
    fn count(&mut self, score: u8) {
        self.people += 1;
        self.sum += u64::from(score);
    }

    fn merge(&mut self, other: Self) {
        self.people += other.people;
        self.sum += other.sum;
    }

    fn mean(self) -> Cell {
        if self.people == 0 { Cell::NOTHING } else { Cell::number(self.sum as f64 / self.people as f64) }
    }
}

/// One score over all people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct OfScore {
    now: Level,
    /// At the beginning of each week, by the week's number.
    weeks: BTreeMap<i32, Level>,
    /// People by their band at the oldest of these weeks.
    then: BTreeMap<usize, u64>,
    /// Those of them who pay now.
    pay: BTreeMap<usize, u64>,
}

/// All nine scores.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scores {
    scores: BTreeMap<Likelihood, OfScore>,
}

impl Scores {
    /// Counts a person.
    pub(crate) fn add(&mut self, person: &Counted<'_>, trends: &Trends) {
        for likelihood in Likelihood::ALL {
            let of = self.scores.entry(likelihood).or_default();
            if let Some(score) = person.scores.get(&likelihood) {
                of.now.count(score.get());
            }
            let known = trends.iter().filter_map(|(week, scores)| Some((*week, scores.get(&likelihood)?.get())));
            for (index, (week, score)) in known.enumerate() {
                of.weeks.entry(week).or_default().count(score);
                if index == 0 {
                    let band = BANDS.iter().rposition(|(least, _)| score >= *least).unwrap_or(0);
                    *of.then.entry(band).or_default() += 1;
                    *of.pay.entry(band).or_default() += u64::from(person.stage.pays());
                }
            }
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (likelihood, more) in &other.scores {
            let mine = self.scores.entry(*likelihood).or_default();
            mine.now.merge(more.now);
            for (week, level) in &more.weeks {
                mine.weeks.entry(*week).or_default().merge(*level);
            }
            for (mine, more) in [(&mut mine.then, &more.then), (&mut mine.pay, &more.pay)] {
                for (band, people) in more {
                    *mine.entry(*band).or_default() += people;
                }
            }
        }
    }

    /// Returns the means, and what came of each band.
    pub(crate) fn tables(&self, now: Timestamp) -> Vec<Table> {
        let this_week = week_of(now);
        let weeks: Vec<i32> = (this_week - WEEKS + 1..=this_week).collect();
        let names: Vec<String> = weeks.iter().map(|week| format!("{} weeks ago", this_week - week)).collect();
        let mut columns = vec![("score", Unit::Text), ("people", Unit::Count), ("mean now", Unit::Number)];
        columns.extend(names.iter().map(|name| (name.as_str(), Unit::Number)));
        if let Some((name, _)) = columns.last_mut() {
            *name = "this Monday";
        }
        let mut trend = Table::new("trend", &columns);
        let columns = [("score", Unit::Text), ("then", Unit::Text), ("people", Unit::Count), ("pay now", Unit::Share)];
        let mut outcome = Table::new("outcome", &columns);
        for (likelihood, of) in &self.scores {
            let level = |week: &i32| of.weeks.get(week).copied().unwrap_or_default().mean();
            let first = [Cell::text(likelihood.as_str()), Cell::Count(of.now.people), of.now.mean()];
            trend.row(first.into_iter().chain(weeks.iter().map(level)));
            for (band, (_, name)) in BANDS.iter().enumerate() {
                let people = of.then.get(&band).copied().unwrap_or(0);
                let pay = of.pay.get(&band).copied().unwrap_or(0);
                outcome.row([
                    Cell::text(likelihood.as_str()),
                    Cell::text(*name),
                    Cell::Count(people),
                    Cell::share(pay, people),
                ]);
            }
        }
        vec![trend, outcome]
    }
}
