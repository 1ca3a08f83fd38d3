//! Splits and holdouts: rates, differences from the control, and verdicts.

use crate::report::{Cell, Table, Unit};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_engine::experiment::report::{EFFECT, Experiment, Group};
use perennial_engine::experiment::verdict::LEAST_PEOPLE;
use perennial_engine::experiment::{Comparison, Tally, Verdict, reports};
use perennial_engine::facts::Facts;
use serde::{Deserialize, Serialize};

/// People by the groups that they were assigned to; `None` before the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Experiments(Option<Tally>);

impl Experiments {
    /// Counts a person.
    pub(crate) fn add(&mut self, config: &Config, facts: &Facts, now: Timestamp) {
        self.0.get_or_insert_with(|| Tally::new(config, now)).add(config, facts);
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (Some(tally), Some(other)) => tally.merge(other),
            (none @ None, Some(other)) => *none = Some(other.clone()),
            (_, None) => {}
        }
    }

    /// Returns a row for each group of each experiment that has people, the control first.
    pub(crate) fn table(&self, config: &Config, now: Timestamp) -> Table {
        let columns = [
            ("journey", Unit::Text),
            ("experiment", Unit::Text),
            ("group", Unit::Text),
            ("people", Unit::Count),
            ("judged", Unit::Count),
            ("reached", Unit::Share),
            ("difference", Unit::Number),
            ("at least", Unit::Number),
            ("at most", Unit::Number),
            ("verdict", Unit::Text),
            ("needed", Unit::Count),
        ];
        let mut table = Table::new("groups", &columns);
        let nobody = || Tally::new(config, now);
        let tally = self.0.clone().unwrap_or_else(nobody);
        // The effect is a constant in the allowed range.
        for report in reports(config, &tally, EFFECT).unwrap_or_default() {
            let is_empty = |experiment: &&Experiment| experiment.groups.iter().all(|group| group.people == 0);
            for experiment in report.experiments.iter().filter(|experiment| !is_empty(experiment)) {
                let control = experiment.groups.first();
                for group in &experiment.groups {
                    table.row(row(&report.journey, experiment, group, control.map_or(0, |control| control.judged)));
                }
            }
        }
        table
    }
}

fn row(journey: &str, experiment: &Experiment, group: &Group, judged_of_control: u64) -> Vec<Cell> {
    let is_enough = group.judged.min(judged_of_control) >= LEAST_PEOPLE;
    let comparison = group.comparison.as_ref();
    let difference = comparison.and_then(|comparison| comparison.difference.as_ref()).filter(|_| is_enough);
    let points = |of: Option<f64>| of.map_or(Cell::NOTHING, |rate| Cell::number(rate * 100.0));
    vec![
        Cell::text(journey),
        Cell::text(experiment.of.to_string()),
        Cell::text(&group.name),
        Cell::Count(group.people),
        Cell::Count(group.judged),
        group.reached.map_or(Cell::NOTHING, |reached| Cell::share(reached, group.judged)),
        points(difference.map(|difference| difference.value)),
        points(difference.map(|difference| difference.interval.low)),
        points(difference.map(|difference| difference.interval.high)),
        Cell::text(verdict(experiment, comparison, is_enough)),
        experiment.needed.filter(|_| comparison.is_some()).map_or(Cell::NOTHING, Cell::Count),
    ]
}

fn verdict(experiment: &Experiment, comparison: Option<&Comparison>, is_enough: bool) -> &'static str {
    match comparison.map(|comparison| comparison.verdict) {
        _ if experiment.mismatch => "void: the groups have other sizes than configured",
        None => "control",
        Some(Verdict::Leading) => "better",
        Some(Verdict::Worse) => "worse",
        Some(Verdict::Void) => "void",
        Some(Verdict::NoDifferenceYet) if is_enough => "no difference yet",
        Some(Verdict::NoDifferenceYet) => "too few yet",
    }
}
