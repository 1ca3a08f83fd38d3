//! Accounts: the companies that people belong to.

use crate::{AccountId, Likelihood, PersonId, Score, Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What an account keeps of one of its people: enough to roll it up without reading the profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub person: PersonId,
    /// Where the person stands.
    pub stage: Stage,
    /// The scores above 0.
    pub scores: BTreeMap<Likelihood, Score>,
    /// Active days of the last 28, as 0 to 100.
    pub engagement: Score,
    /// The newest activity.
    pub last_seen: Option<Timestamp>,
    /// The personas, by their names in config.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub personas: BTreeSet<String>,
}

/// How much personal attention an account gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Touch {
    /// Colleagues look after it in person.
    High,
    /// Automatic, with a colleague where it matters.
    Low,
    /// Automatic only.
    #[default]
    None,
}

impl Touch {
    /// The name in config and JSON, such as `high`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
            Self::None => "none",
        }
    }
}

/// What conditions about a person may know of the account that the person belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountFacts {
    /// Which account.
    pub id: AccountId,
    /// How many people it has.
    pub people: u32,
    /// Readiness to buy: the sum over its buyers.
    pub score: Score,
    /// Health as a customer; `None` where nobody pays.
    pub health: Option<Score>,
    /// What it pays in a year, in minor units of the currency that accounts are valued in; `None` where nobody said.
    pub value: Option<i64>,
    /// How much personal attention it gets.
    pub touch: Touch,
    /// Which colleague looks after it.
    pub owner: Option<String>,
    /// Where the account itself stands by billing facts that name it; `None` where there were none.
    pub stage: Option<Stage>,
    /// What `group` calls said of it.
    pub traits: BTreeMap<String, serde_json::Value>,
}
