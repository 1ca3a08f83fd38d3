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
    /// Scores: levels, trends, and what came of high and low ones.
    Scores,
    /// The happiest, unhappiest and most active people.
    People,
}

impl Name {
    /// All reports, in display order.
    pub const ALL: [Self; 12] = [
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
        Self::Scores,
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
            Self::Scores => "scores",
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
            Self::Scores => "scores now and four weeks ago, and who of high and low scorers pays now",
            Self::People => "the happiest, unhappiest and most active people",
        }
    }

    /// Returns whether the report names people: such a report has no history, so that an erased person is in none.
    pub fn names_people(self) -> bool {
        self == Self::People
    }
}
