//! The names of the reports.

use serde::{Deserialize, Serialize};

/// A report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// Active people by day.
    Activity,
    /// Retention by month of first activity.
    Cohorts,
    /// First use of what makes customers stay, by month of first activity.
    Activation,
    /// Stages: people, conversions, times.
    Funnel,
    /// Customers who still pay.
    Retention,
    /// Recurring revenue and how it changes.
    Revenue,
    /// Monthly against yearly subscriptions.
    Plans,
    /// Recurring revenue at risk, and payments so far.
    Risk,
    /// Features: use and errors.
    Adoption,
    /// The recommendation survey by month and segment.
    Nps,
    /// The texts of survey answers by theme.
    Answers,
    /// Scores: levels, trends, and what came of high and low ones.
    Scores,
    /// Attendees of webinars and courses, against similar people who did not attend.
    Education,
    /// Splits and holdouts of journeys.
    Experiments,
    /// Messages: what was sent, what readers did with it, and what was withheld.
    Messages,
    /// Mails by recipient domain, journey and day.
    Deliverability,
    /// The event catalogue: events received, their properties and listeners.
    Events,
    /// The happiest, unhappiest and most active people.
    People,
}

impl Name {
    /// All reports, in display order.
    pub const ALL: [Self; 18] = [
        Self::Activity,
        Self::Cohorts,
        Self::Activation,
        Self::Funnel,
        Self::Retention,
        Self::Revenue,
        Self::Plans,
        Self::Risk,
        Self::Adoption,
        Self::Nps,
        Self::Answers,
        Self::Scores,
        Self::Education,
        Self::Experiments,
        Self::Messages,
        Self::Deliverability,
        Self::Events,
        Self::People,
    ];

    /// Returns the name in paths, commands and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Cohorts => "cohorts",
            Self::Activation => "activation",
            Self::Funnel => "funnel",
            Self::Retention => "retention",
            Self::Revenue => "revenue",
            Self::Plans => "plans",
            Self::Risk => "risk",
            Self::Adoption => "adoption",
            Self::Nps => "nps",
            Self::Answers => "answers",
            Self::Scores => "scores",
            Self::Education => "education",
            Self::Experiments => "experiments",
            Self::Messages => "messages",
            Self::Deliverability => "deliverability",
            Self::Events => "events",
            Self::People => "people",
        }
    }

    /// Parses [`Self::as_str`]; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }

    /// Returns what the report shows, in one line.
    pub fn description(self) -> &'static str {
        match self {
            Self::Activity => "active people by day: daily, weekly and monthly, and stickiness",
            Self::Cohorts => "people by month of first activity, and how many are active in each later month",
            Self::Activation => "people by month of first activity, and how many used a high-value feature",
            Self::Funnel => "people by stage, conversions between stages, and median days",
            Self::Retention => "of those who paid a year ago, the share that pays now, against each segment's target",
            Self::Revenue => "monthly recurring revenue, its changes, and net and gross retention, by currency",
            Self::Plans => "monthly against yearly subscriptions: how many, for how much, and how many end",
            Self::Risk => "recurring revenue at risk and payments so far, by segment and currency",
            Self::Adoption => "features by use, errors met, and the share of the product that customers use",
            Self::Nps => "net promoter score by month and by segment, with sudden changes",
            Self::Answers => "reasons that people gave in surveys in the last 90 days, by theme",
            Self::Scores => "scores now and four weeks ago, and who of high and low scorers pays now",
            Self::Education => "who attended a webinar or course, against similar people who did not: use and payment",
            Self::Experiments => {
                "splits and holdouts: who reached the goal, difference from the control, and a verdict that holds at every look"
            }
            Self::Messages => {
                "messages of 30 days by journey and content: sent, delivered, opened, clicked, and withheld"
            }
            Self::Deliverability => {
                "mails of 30 days by recipient domain, journey and day: delivered, bounced, complaints"
            }
            Self::Events => "events received, by name: how many, when, from where, their properties, and who listens",
            Self::People => "the happiest, unhappiest and most active people",
        }
    }

    /// Returns whether the report names people, quotes them, or names domains, which may be a person's own: such a report has no
    /// history, so that an erased person is in none.
    pub fn names_people(self) -> bool {
        matches!(self, Self::People | Self::Answers | Self::Deliverability)
    }
}
