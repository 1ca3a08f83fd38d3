//! One pass over profiles: everything that reports count of them.

use crate::activity::{self, Activity};
use crate::adoption::Adoption;
use crate::cohorts::{self, Cohorts};
use crate::funnel::Funnel;
use crate::name::Name;
use crate::nps::Nps;
use crate::people::Leaders;
use crate::report::{Report, Table};
use crate::retention::Retention;
use crate::revenue::Ledger;
use crate::risk::Risk;
use crate::scores::Scores;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::time::{date_of, day_of, month_of};
use perennial_domain::{Likelihood, Score, Stage};
use perennial_engine::{Moment, Profile, stage_history};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A profile with the results of its last evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The profile.
    pub profile: &'a Profile,
    /// Its stage, with its account considered.
    pub stage: Stage,
    /// The scores that applied.
    pub scores: &'a BTreeMap<Likelihood, Score>,
    /// The names of its segments.
    pub segments: &'a [String],
}

/// The counts of profiles, at one moment and under one configuration. Those of parts of the profiles add up to those of
/// all, in any order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    at: Timestamp,
    /// Profiles that were counted.
    pub people: u64,
    /// Profiles that cannot be read, and are not counted.
    pub unreadable: u64,
    activity: Activity,
    cohorts: Cohorts,
    funnel: Funnel,
    retention: Retention,
    adoption: Adoption,
    nps: Nps,
    risk: Risk,
    scores: Scores,
    leaders: Leaders,
}

impl Tally {
    /// Nobody, as of `at`.
    pub fn new(at: Timestamp) -> Self {
        Self {
            at,
            people: 0,
            unreadable: 0,
            activity: Activity::default(),
            cohorts: Cohorts::default(),
            funnel: Funnel::default(),
            retention: Retention::default(),
            adoption: Adoption::default(),
            nps: Nps::default(),
            risk: Risk::default(),
            scores: Scores::default(),
            leaders: Leaders::default(),
        }
    }

    /// Returns the time that is described.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Counts a profile.
    pub fn add(&mut self, config: &Config, person: &Counted<'_>) {
        let (state, facts) = (person.profile.view(), person.profile.facts());
        let (today, month) = (day_of(self.at), month_of(self.at));
        let history = stage_history(&Moment::new(config, self.at), &state);
        self.people += 1;
        self.activity.add(&state.days, today);
        self.cohorts.add(config, &state, month);
        self.funnel.add(person.stage, &history);
        self.retention.add(config, &history, &facts, self.at);
        self.adoption.add(config, &state, person.stage.pays(), today);
        self.nps.add(&state, person.segments, month);
        self.risk.add(config, person, &state, self.at);
        self.scores.add(person, &facts, self.at);
        self.leaders.add(person.profile, &state, self.at);
    }

    /// Adds the counts of other profiles, at the same moment and under the same configuration.
    pub fn merge(&mut self, other: &Self) {
        self.people += other.people;
        self.unreadable += other.unreadable;
        self.activity.merge(&other.activity);
        self.cohorts.merge(&other.cohorts);
        self.funnel.merge(&other.funnel);
        self.retention.merge(&other.retention);
        self.adoption.merge(&other.adoption);
        self.nps.merge(&other.nps);
        self.risk.merge(&other.risk);
        self.scores.merge(&other.scores);
        self.leaders.merge(&other.leaders);
    }

    /// Returns all reports, under the configuration that profiles were counted under; those of money from `ledger`.
    pub fn reports(&self, config: &Config, ledger: &Ledger) -> Vec<Report> {
        Name::ALL.into_iter().map(|name| self.report(name, config, ledger)).collect()
    }

    fn report(&self, name: Name, config: &Config, ledger: &Ledger) -> Report {
        let (today, month) = (day_of(self.at), month_of(self.at));
        let mut notes = Vec::new();
        let tables: Vec<Table> = match name {
            Name::Activity => vec![self.activity.table(today)],
            Name::Cohorts => {
                notes.push("the current month is not over".to_owned());
                vec![self.cohorts.retention(month)]
            }
            Name::Activation => vec![self.cohorts.activation()],
            Name::Funnel => self.funnel.tables(self.people),
            Name::Retention => self.retention.tables(config, self.at, &mut notes),
            Name::Revenue => ledger.revenue(config, self.at, &mut notes),
            Name::Plans => vec![ledger.plans(config, self.at)],
            Name::Risk => vec![self.risk.table()],
            Name::Adoption => self.adoption.tables(config, self.people),
            Name::Nps => self.nps.tables(),
            Name::Scores => self.scores.tables(self.at),
            Name::People => self.leaders.tables(),
        };
        let (from, to) = match name {
            Name::Activity => (today - activity::DAYS, today - 1),
            Name::Cohorts | Name::Activation | Name::Nps | Name::Revenue => {
                (perennial_domain::time::day_of_date(first_of(month - cohorts::MONTHS + 1)), today)
            }
            Name::Retention => (today - 365, today),
            _ => (today, today),
        };
        Report {
            name,
            at: self.at,
            config: config.version.clone(),
            from: date_of(from),
            to: date_of(to),
            people: self.people,
            unreadable: self.unreadable + ledger.unreadable,
            notes,
            tables,
        }
    }
}

/// Returns the first day of a month since January 1970.
pub(crate) fn first_of(month: i32) -> jiff::civil::Date {
    let year = i16::try_from(1970 + month.div_euclid(12)).unwrap_or(i16::MAX);
    let month = i8::try_from(month.rem_euclid(12) + 1).unwrap_or(1);
    jiff::civil::Date::new(year, month, 1).unwrap_or(jiff::civil::Date::MAX)
}
