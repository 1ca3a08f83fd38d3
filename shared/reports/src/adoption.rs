//! Features: who uses them, who meets errors, and how much of the product customers use.

use crate::report::{Cell, Table, Unit};
use perennial_config::Config;
use perennial_engine::State;
use perennial_engine::figures::FeatureFigures;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The use of features.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Adoption {
    features: BTreeMap<String, FeatureFigures>,
    /// People who pay.
    customers: u64,
    /// The same by how many features they used within 28 days.
    by_features: BTreeMap<usize, u64>,
    /// The same by how many high-value features.
    by_high_value: BTreeMap<usize, u64>,
}

impl Adoption {
    /// Counts a person.
    pub(crate) fn add(&mut self, config: &Config, state: &State, pays: bool, today: i32) {
        let (mut used, mut high_value) = (0, 0);
        for feature in &config.features.all {
            let of = FeatureFigures::of(feature, state, today);
            used += usize::from(of.people > 0);
            high_value += usize::from(of.people > 0 && feature.high_value);
            self.features.entry(feature.name.clone()).or_default().add(of);
        }
        if pays {
            self.customers += 1;
            *self.by_features.entry(used).or_default() += 1;
            *self.by_high_value.entry(high_value).or_default() += 1;
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (feature, figures) in &other.features {
            self.features.entry(feature.clone()).or_default().add(*figures);
        }
        self.customers += other.customers;
        for (mine, more) in
            [(&mut self.by_features, &other.by_features), (&mut self.by_high_value, &other.by_high_value)]
        {
            for (used, people) in more {
                *mine.entry(*used).or_default() += people;
            }
        }
    }

    /// Returns the features, the most used first, and the use of all of them by customers.
    pub(crate) fn tables(&self, config: &Config, people: u64) -> Vec<Table> {
        let columns = [
            ("feature", Unit::Text),
            ("high value", Unit::Text),
            ("people", Unit::Count),
            ("share", Unit::Share),
            ("ever", Unit::Count),
            ("never", Unit::Count),
            ("errors", Unit::Count),
            ("people with errors", Unit::Count),
        ];
        let mut table = Table::new("features", &columns);
        let mut features: Vec<_> = config.features.all.iter().map(|of| (of, self.figures(&of.name))).collect();
        features.sort_by_key(|(_, figures)| std::cmp::Reverse(figures.people));
        for (feature, figures) in &features {
            table.row([
                Cell::text(feature.name.clone()),
                Cell::text(if feature.high_value { "yes" } else { "" }),
                Cell::Count(figures.people),
                Cell::share(figures.people, people),
                Cell::Count(figures.people_ever),
                Cell::Count(people - figures.people_ever.min(people)),
                Cell::Count(figures.errors),
                Cell::Count(figures.people_with_errors),
            ]);
        }
        let columns = [
            ("features", Unit::Text),
            ("of", Unit::Count),
            ("customers", Unit::Count),
            ("used together", Unit::Share),
            ("customers who use none", Unit::Share),
        ];
        let mut capability = Table::new("capability", &columns);
        let high_value = config.features.high_value().count();
        for (name, of, by) in
            [("all", features.len(), &self.by_features), ("high value", high_value, &self.by_high_value)]
        {
            let used: u64 = by.iter().map(|(used, people)| *used as u64 * people).sum();
            capability.row([
                Cell::text(name),
                Cell::Count(of as u64),
                Cell::Count(self.customers),
                Cell::share(used, of as u64 * self.customers),
                Cell::share(by.get(&0).copied().unwrap_or(0), self.customers),
            ]);
        }
        vec![table, capability]
    }

    fn figures(&self, feature: &str) -> FeatureFigures {
        self.features.get(feature).copied().unwrap_or_default()
    }
}
