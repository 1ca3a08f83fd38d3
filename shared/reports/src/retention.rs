//! Of those who paid a time ago, the share that pays now: everyone, and each segment against its target.

use crate::report::{Cell, Table, Unit};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::time::{date_of, day_of, month_of, plus_days};
use perennial_engine::StageMove;
use perennial_engine::facts::Facts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The steps back from now, of a twelfth of a year each.
const STEPS: i64 = 12;
/// The days of a year.
const YEAR: i64 = 365;
/// The group of all customers.
const EVERYONE: &str = "everyone";

/// Customers of then, and how many of them pay now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Stayed {
    then: u64,
    now: u64,
}

/// Retention by the number of steps back, and by group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retention {
    steps: BTreeMap<i64, BTreeMap<String, Stayed>>,
}

/// Returns the days that `step` steps go back, rounded to the nearest.
fn days_back(step: i64) -> i64 {
    (step * YEAR + STEPS / 2) / STEPS
}

impl Retention {
    /// Counts a person with this stage history, the oldest change first.
    pub(crate) fn add(&mut self, config: &Config, history: &[StageMove], facts: &Facts, now: Timestamp) {
        let pays_now = history.last().is_some_and(|last| last.stage.pays());
        for step in 1..=STEPS {
            let then = plus_days(now, -days_back(step));
            if !paid_at(history, then) {
                continue;
            }
            let groups = self.steps.entry(step).or_default();
            let targets = config.segments.all.iter().filter(|segment| segment.retention_target.is_some());
            let month = month_of(then);
            let segments = targets.filter(|segment| facts.was_in_segment(segment.key, month));
            for group in [EVERYONE].into_iter().chain(segments.map(|segment| segment.name.as_str())) {
                let stayed = groups.entry(group.to_owned()).or_default();
                stayed.then += 1;
                stayed.now += u64::from(pays_now);
            }
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (step, groups) in &other.steps {
            let mine = self.steps.entry(*step).or_default();
            for (group, stayed) in groups {
                let mine = mine.entry(group.clone()).or_default();
                mine.then += stayed.then;
                mine.now += stayed.now;
            }
        }
    }

    fn get(&self, step: i64, group: &str) -> Stayed {
        self.steps.get(&step).and_then(|groups| groups.get(group)).copied().unwrap_or_default()
    }

    /// Returns a row for everyone and for each segment with a target, over the longest period with customers, up to a
    /// year; and everyone's retention over each period. Says in `notes` where a period is shorter than a year.
    pub(crate) fn tables(&self, config: &Config, now: Timestamp, notes: &mut Vec<String>) -> Vec<Table> {
        let columns = [
            ("segment", Unit::Text),
            ("days", Unit::Days),
            ("since", Unit::Text),
            ("paid then", Unit::Count),
            ("pay now", Unit::Count),
            ("retention", Unit::Share),
            ("target", Unit::Share),
        ];
        let mut table = Table::new("segments", &columns);
        let targets = config.segments.all.iter().filter_map(|of| Some((of.name.as_str(), of.retention_target?)));
        for (group, target) in [(EVERYONE, None)].into_iter().chain(targets.map(|(name, of)| (name, Some(of)))) {
            let longest = (1..=STEPS).rev().find(|step| self.get(*step, group).then > 0);
            let Some(step) = longest else {
                notes.push(format!("{group}: no customer paid a month ago, as far as is known"));
                continue;
            };
            let (stayed, days) = (self.get(step, group), days_back(step));
            if step < STEPS {
                notes.push(format!("{group}: there is a history of {days} days only; the target is for 365 days"));
            }
            table.row([
                Cell::text(group),
                Cell::Count(days.unsigned_abs()),
                Cell::text(date_of(day_of(plus_days(now, -days))).to_string()),
                Cell::Count(stayed.then),
                Cell::Count(stayed.now),
                Cell::share(stayed.now, stayed.then),
                target.map_or(Cell::NOTHING, |target| Cell::share(target.into(), 100)),
            ]);
        }
        let columns = [
            ("days", Unit::Days),
            ("since", Unit::Text),
            ("paid then", Unit::Count),
            ("pay now", Unit::Count),
            ("retention", Unit::Share),
        ];
        let mut periods = Table::new("periods", &columns);
        for step in 1..=STEPS {
            let (stayed, days) = (self.get(step, EVERYONE), days_back(step));
            if stayed.then > 0 {
                periods.row([
                    Cell::Count(days.unsigned_abs()),
                    Cell::text(date_of(day_of(plus_days(now, -days))).to_string()),
                    Cell::Count(stayed.then),
                    Cell::Count(stayed.now),
                    Cell::share(stayed.now, stayed.then),
                ]);
            }
        }
        vec![table, periods]
    }
}

/// Returns whether a person with this history paid at `then`.
pub(crate) fn paid_at(history: &[StageMove], then: Timestamp) -> bool {
    history.iter().rev().find(|moved| moved.at <= then).is_some_and(|moved| moved.stage.pays())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_steps_back_are_a_year() {
        let days: Vec<i64> = (1..=STEPS).map(days_back).collect();
        assert_eq!(days, [30, 61, 91, 122, 152, 183, 213, 243, 274, 304, 335, 365]);
    }
}
