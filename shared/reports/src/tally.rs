//! One pass over profiles: everything that reports count of them.

use crate::activity::{self, Activity};
use crate::adoption::Adoption;
use crate::answers::{self, Answers};
use crate::catalogue::Catalogue;
use crate::cohorts::{self, Cohorts};
use crate::counted::Counted;
use crate::education::{self, Effects};
use crate::experiments::Experiments;
use crate::funnel::Funnel;
use crate::merged::Merged;
use crate::messages::{self, Deliverability, Message, Messages, Week};
use crate::name::Name;
use crate::nps::Nps;
use crate::people::Leaders;
use crate::report::{Report, Table};
use crate::retention::Retention;
use crate::revenue::Ledger;
use crate::risk::Risk;
use crate::scores::Scores;
use crate::surveys::Surveys;
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::time::{date_of, day_of, month_of};
use perennial_engine::trend::trends;
use perennial_engine::{Moment, stage_history};
use serde::{Deserialize, Serialize};

/// More than the events of one request are apart that have no times of their own.
const TOLD_APART: SignedDuration = SignedDuration::from_millis(10);

/// The content of the archived events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Archived {
    /// About subscriptions.
    pub ledger: Ledger,
    /// About the events themselves.
    pub catalogue: Catalogue,
    /// The texts of survey answers.
    pub answers: Answers,
    /// Answers to the recommendation survey.
    pub surveys: Surveys,
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
    experiments: Experiments,
    education: Effects,
    messages: Messages,
    deliverability: Deliverability,
    week: Week,
    merged: Merged,
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
            experiments: Experiments::default(),
            education: Effects::default(),
            messages: Messages::default(),
            deliverability: Deliverability::default(),
            week: Week::default(),
            merged: Merged::default(),
        }
    }

    /// Returns the time that is described.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns the time of the last event that is counted: events of one request without times of their own are a microsecond
    /// apart, so that the last ones happen, by their times, a little after they were received.
    fn until(&self) -> Timestamp {
        let until = self.at.checked_add(TOLD_APART).unwrap_or(self.at);
        if day_of(until) == day_of(self.at) { until } else { self.at }
    }

    /// Counts a profile.
    pub fn add(&mut self, config: &Config, person: &Counted<'_>) {
        let (state, facts) = (person.profile.view(), person.profile.facts());
        let today = day_of(self.at);
        let moment = Moment::new(config, self.at);
        let history = stage_history(&moment, &state);
        self.people += 1;
        self.activity.add(&state.days, today);
        self.cohorts.add(config, &state, self.at);
        self.funnel.add(person.stage, &history);
        self.retention.add(config, &history, &facts, self.at);
        self.adoption.add(config, &state, person.stage.pays(), today);
        self.nps.add(person.nps, person.segments);
        self.risk.add(&moment, person, &state);
        self.scores.add(person, &trends(&moment, &state, &facts));
        self.leaders.add(person.profile, &state, self.at);
        self.experiments.add(config, &facts, self.at);
        self.education.add(config, &state, &history, self.at);
        self.merged.add(person.profile);
    }

    /// Counts a message, if it was decided in the days that reports of messages cover. Test mails are not to be counted.
    pub fn add_message(&mut self, message: &Message<'_>) {
        if message.decided_at <= self.at && day_of(message.decided_at) >= day_of(self.at) - messages::DAYS {
            self.messages.add(message);
            self.deliverability.add(message);
        }
        if self.is_of_week(message.decided_at) {
            self.week.add(message);
        }
    }

    /// Returns whether a message that was decided at `decided_at` is counted by the owners of its recipient's segments: within the last
    /// seven closed days.
    pub fn is_of_week(&self, decided_at: Timestamp) -> bool {
        let today = day_of(self.at);
        (today - messages::WEEK_DAYS..today).contains(&day_of(decided_at))
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
        self.experiments.merge(&other.experiments);
        self.education.merge(&other.education);
        self.messages.merge(&other.messages);
        self.deliverability.merge(&other.deliverability);
        self.week.merge(&other.week);
        self.merged.merge(&other.merged);
    }

    /// Returns all reports, under the configuration that profiles were counted under; those of money and of events from
    /// `archived`.
    pub fn reports(&self, config: &Config, archived: &Archived) -> Vec<Report> {
        let ledger = archived.ledger.by_profile(&self.merged, config.billing.trial_days);
        Name::ALL.into_iter().map(|name| self.report(name, config, &ledger, archived)).collect()
    }

    fn report(&self, name: Name, config: &Config, ledger: &Ledger, archived: &Archived) -> Report {
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
            Name::Revenue => ledger.revenue(config, self.until(), &mut notes),
            Name::Plans => vec![ledger.plans(config, self.until())],
            Name::Risk => vec![self.risk.table(&mut notes)],
            Name::Adoption => self.adoption.tables(config, self.people),
            Name::Nps => self.nps.tables(&archived.surveys, &self.merged, self.until()),
            Name::Answers => archived.answers.tables(config, self.until(), &mut notes),
            Name::Scores => self.scores.tables(self.at),
            Name::Education => vec![self.education.table(config, &mut notes)],
            Name::Experiments => vec![self.experiments.table(config, self.at)],
            Name::Messages => self.messages.tables().into_iter().chain([self.week.table()]).collect(),
            Name::Deliverability => self.deliverability.tables(today),
            Name::Events => archived.catalogue.tables(config, &mut notes),
            Name::People => self.leaders.tables(),
        };
        let (from, to) = match name {
            Name::Activity => (today - activity::DAYS, today - 1),
            Name::Cohorts | Name::Activation | Name::Nps | Name::Revenue => {
                (perennial_domain::time::day_of_date(first_of(month - cohorts::MONTHS + 1)), today)
            }
            Name::Retention => (today - 365, today),
            Name::Education => education::days(today),
            Name::Answers => (today - answers::DAYS, today),
            Name::Messages | Name::Deliverability => (today - messages::DAYS, today),
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
