//! Stages: who is in which, who reached which, conversions and their median days.

use crate::report::{Cell, Table, Unit};
use jiff::Timestamp;
use perennial_domain::Stage;
use perennial_domain::time::days_between;
use perennial_engine::StageMove;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longer conversions count as this many days: ten years.
const MOST_DAYS: i64 = 3660;

/// A step of the funnel: the first time that a person's stage history reaches one of its stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Lead,
    Trial,
    Freemium,
    Customer,
    Churned,
    Returned,
}

impl Step {
    const ALL: [Self; 6] = [Self::Lead, Self::Trial, Self::Freemium, Self::Customer, Self::Churned, Self::Returned];

    fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Trial => "trial",
            Self::Freemium => "freemium",
            Self::Customer => "customer",
            Self::Churned => "churned",
            Self::Returned => "won_back",
        }
    }
}

/// The conversions that are shown.
const PATHS: [(Step, Step); 8] = [
    (Step::Lead, Step::Trial),
    (Step::Lead, Step::Customer),
    (Step::Trial, Step::Customer),
    (Step::Trial, Step::Freemium),
    (Step::Freemium, Step::Customer),
    (Step::Trial, Step::Churned),
    (Step::Customer, Step::Churned),
    (Step::Churned, Step::Returned),
];

/// People who took a path, by the whole days that it took them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Durations {
    by_days: BTreeMap<i64, u64>,
}

impl Durations {
    fn people(&self) -> u64 {
        self.by_days.values().sum()
    }

    /// Returns the fewest days within which at least half of them converted.
    fn median(&self) -> Option<u64> {
        let half = self.people().div_ceil(2);
        let mut passed = 0;
        let reached = |(_, people): &(&i64, &u64)| {
            passed += **people;
            passed >= half
        };
        self.by_days.iter().find(reached).and_then(|(days, _)| u64::try_from(*days).ok())
    }
}

/// The funnel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Funnel {
    now: BTreeMap<Stage, u64>,
    reached: BTreeMap<Step, u64>,
    /// By the index in [`PATHS`].
    paths: BTreeMap<usize, Durations>,
}

impl Funnel {
    /// Counts a person in `stage` with this history, the oldest change first.
    pub(crate) fn add(&mut self, stage: Stage, history: &[StageMove]) {
        *self.now.entry(stage).or_default() += 1;
        let firsts = firsts(history);
        for step in firsts.keys() {
            *self.reached.entry(*step).or_default() += 1;
        }
        for (index, (from, to)) in PATHS.iter().enumerate() {
            let (Some(left), Some(reached)) = (firsts.get(from), firsts.get(to)) else { continue };
            if reached >= left {
                let days = days_between(*left, *reached).min(MOST_DAYS);
                *self.paths.entry(index).or_default().by_days.entry(days).or_default() += 1;
            }
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (stage, people) in &other.now {
            *self.now.entry(*stage).or_default() += people;
        }
        for (step, people) in &other.reached {
            *self.reached.entry(*step).or_default() += people;
        }
        for (path, durations) in &other.paths {
            let mine = self.paths.entry(*path).or_default();
            for (days, people) in &durations.by_days {
                *mine.by_days.entry(*days).or_default() += people;
            }
        }
    }

    /// Returns the people of each stage, and the conversions.
    pub(crate) fn tables(&self, people: u64) -> Vec<Table> {
        let mut now = Table::new("stages", &[("stage", Unit::Text), ("people", Unit::Count), ("share", Unit::Share)]);
        for stage in Stage::ALL {
            let count = self.now.get(&stage).copied().unwrap_or(0);
            now.row([Cell::text(stage.as_str()), Cell::Count(count), Cell::share(count, people)]);
        }
        let reached = |step: Step| self.reached.get(&step).copied().unwrap_or(0);
        let mut steps = Table::new("reached", &[("step", Unit::Text), ("people", Unit::Count), ("share", Unit::Share)]);
        for step in Step::ALL {
            steps.row([Cell::text(step.as_str()), Cell::Count(reached(step)), Cell::share(reached(step), people)]);
        }
        let columns = [
            ("from", Unit::Text),
            ("to", Unit::Text),
            ("people", Unit::Count),
            ("converted", Unit::Share),
            ("median days", Unit::Days),
        ];
        let mut paths = Table::new("conversions", &columns);
        for (index, (from, to)) in PATHS.iter().enumerate() {
            let taken = self.paths.get(&index);
            let converted = taken.map_or(0, Durations::people);
            paths.row([
                Cell::text(from.as_str()),
                Cell::text(to.as_str()),
                Cell::Count(converted),
                Cell::share(converted, reached(*from)),
                taken.and_then(Durations::median).map_or(Cell::NOTHING, Cell::Count),
            ]);
        }
        vec![now, steps, paths]
    }
}

/// Returns when each step was reached first.
fn firsts(history: &[StageMove]) -> BTreeMap<Step, Timestamp> {
    let mut firsts = BTreeMap::new();
    let mut left = false;
    for StageMove { at, stage } in history {
        let step = match stage {
            Stage::Visitor => continue,
            Stage::Lead => Step::Lead,
            Stage::Trial => Step::Trial,
            Stage::Freemium => Step::Freemium,
            Stage::Churned => Step::Churned,
            Stage::Onboarding | Stage::Adopting | Stage::Established | Stage::AtRisk | Stage::WonBack => Step::Customer,
        };
        left |= step == Step::Churned;
        if step == Step::Customer && left {
            firsts.entry(Step::Returned).or_insert(*at);
        }
        firsts.entry(step).or_insert(*at);
    }
    firsts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn moves(all: &[(&str, Stage)]) -> Vec<StageMove> {
        let moved =
            |(day, stage): &(&str, Stage)| StageMove { at: format!("{day}T12:00:00Z").parse().unwrap(), stage: *stage };
        all.iter().map(moved).collect()
    }

    #[test]
    fn median_is_the_days_within_which_half_converted() {
        let mut funnel = Funnel::default();
        for (trial, paid) in [("2024-02-28", "2024-03-01"), ("2024-02-01", "2024-02-02"), ("2024-01-01", "2024-01-31")]
        {
            funnel.add(Stage::Adopting, &moves(&[(trial, Stage::Trial), (paid, Stage::Onboarding)]));
        }
        funnel.add(Stage::Trial, &moves(&[("2024-02-28", Stage::Trial)]));
        let tables = funnel.tables(4);
        let path = &tables[2].rows[2];
        assert_eq!(path[2..], [Cell::Count(3), Cell::Share { part: 3, of: 4 }, Cell::Count(2)]);
    }

    #[test]
    fn a_customer_who_left_and_pays_again_is_won_back_once() {
        let history = moves(&[
            ("2026-01-01", Stage::Trial),
            ("2026-01-11", Stage::Onboarding),
            ("2026-02-10", Stage::Churned),
            ("2026-03-12", Stage::WonBack),
            ("2026-04-11", Stage::Adopting),
        ]);
        let firsts = firsts(&history);
        assert_eq!(firsts[&Step::Returned], history[3].at);
        assert_eq!(firsts[&Step::Customer], history[1].at);
    }
}
