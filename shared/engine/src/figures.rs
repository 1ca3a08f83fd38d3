//! The figures counted over all profiles: use and errors of features, people by journey, and experiments.
//!
//! Profiles are counted one by one, in any order; counting can be interrupted, stored and resumed.

use crate::experiment::Tally;
use crate::profile::Profile;
use crate::state::State;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::features::{ERROR_DAYS, Feature};
use perennial_domain::time::day_of;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many days back use and errors of features are counted, today included.
pub const FEATURE_DAYS: u16 = ERROR_DAYS;

/// The figures counted over profiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The time at which profiles are evaluated.
    at: Timestamp,
    /// Profiles that were counted.
    pub people: u64,
    /// Profiles that cannot be read, and are in none of the numbers.
    pub unreadable: u64,
    /// Features by name.
    pub features: BTreeMap<String, FeatureFigures>,
    /// Journeys by id.
    pub journeys: BTreeMap<String, JourneyFigures>,
    /// Splits and holdouts.
    pub experiments: Tally,
}

/// A feature in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureFigures {
    /// People who used it within [`FEATURE_DAYS`].
    pub people: u64,
    /// People who ever did.
    pub people_ever: u64,
    /// Errors that were met in it within [`FEATURE_DAYS`].
    pub errors: u64,
    /// People who met them.
    pub people_with_errors: u64,
}

impl FeatureFigures {
    /// Returns the figures of one person's `state` on the day `today`, counted from 1970-01-01.
    pub fn of(feature: &Feature, state: &State, today: i32) -> Self {
        let uses = state.uses.get(&feature.key);
        let errors = state.windowed(feature.errors_key, today, FEATURE_DAYS);
        Self {
            people: u64::from(uses.is_some_and(|uses| uses.active(today, u32::from(FEATURE_DAYS)) > 0)),
            people_ever: u64::from(uses.is_some()),
            errors: u64::from(errors),
            people_with_errors: u64::from(errors > 0),
        }
    }

    /// Adds the figures of other people.
    pub fn add(&mut self, other: Self) {
        self.people += other.people;
        self.people_ever += other.people_ever;
        self.errors += other.errors;
        self.people_with_errors += other.people_with_errors;
    }
}

/// A journey in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JourneyFigures {
    /// People who entered it.
    pub entered: u64,
    /// Of them, those who are in progress.
    pub under_way: u64,
    /// Those who reached its goal after they last entered.
    pub reached: u64,
}

impl Figures {
    /// Nobody yet, of the features and journeys of `config`, as of `at`.
    pub fn new(config: &Config, at: Timestamp) -> Self {
        let features = config.features.all.iter().map(|feature| (feature.name.clone(), FeatureFigures::default()));
        let journeys = config.journeys.all.iter().map(|journey| (journey.id.clone(), JourneyFigures::default()));
        Self {
            at,
            people: 0,
            unreadable: 0,
            features: features.collect(),
            journeys: journeys.collect(),
            experiments: Tally::new(config, at),
        }
    }

    /// Counts a profile. `config` is that of [`Self::new`].
    pub fn add(&mut self, config: &Config, profile: &Profile) {
        let (state, facts, today) = (profile.view(), profile.facts(), day_of(self.at));
        self.people += 1;
        for feature in &config.features.all {
            let Some(of) = self.features.get_mut(&feature.name) else { continue };
            of.add(FeatureFigures::of(feature, &state, today));
        }
        for journey in &config.journeys.all {
            let entered = facts.entered.get(&journey.key);
            let (Some(of), Some(entered)) = (self.journeys.get_mut(&journey.id), entered) else { continue };
            of.entered += 1;
            of.under_way += u64::from(facts.runs.contains_key(&journey.key));
            of.reached += u64::from(entered.reached.is_some());
        }
        self.experiments.add(config, &facts);
    }
}
