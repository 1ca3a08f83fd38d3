//! Accounts: the companies that people belong to.

use crate::time::DAY_SECONDS;
use crate::{AccountId, ConfigVersion, Curve, Likelihood, PersonId, Score, Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An account's entry for one of its people: enough to aggregate it without reading the profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The profile.
    pub person: PersonId,
    /// The person's stage.
    pub stage: Stage,
    /// The scores above 0.
    pub scores: BTreeMap<Likelihood, Score>,
    /// Frequency and amount of activity, 0 to 100.
    pub engagement: Score,
    /// The newest activity.
    pub last_seen: Option<Timestamp>,
    /// Names of the personas in the configuration.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub personas: BTreeSet<String>,
    /// `true` if the person's primary account is another one. Their scores and engagement count there, and are not part
    /// of this entry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
    /// How the points change while the person is inactive; `None` in entries of older versions, and in those of
    /// accounts that are not the person's primary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<Curve>,
}

impl Member {
    /// Returns the stage at `now` if the person has been inactive since the entry was written.
    pub fn stage_at(&self, now: Timestamp) -> Stage {
        self.curve.as_ref().map_or(self.stage, |curve| curve.stage(self.stage, now))
    }
}

/// The touch model of an account: how much personal attention it gets.
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
    /// Returns the name in config and JSON, such as `high`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
            Self::None => "none",
        }
    }
}

/// The person's account, as conditions about the person read it.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountFacts {
    /// Which account.
    pub id: AccountId,
    /// The number of its people.
    pub people: u32,
    /// Readiness to buy: the sum over its buyers.
    pub score: Score,
    /// Health as a customer; `None` if nobody pays.
    pub health: Option<Score>,
    /// Annual value in minor units of the currency that accounts are valued in; `None` if unknown.
    pub value: Option<i64>,
    /// The touch model.
    pub touch: Touch,
    /// Which colleague looks after it.
    pub owner: Option<String>,
    /// The account's own stage from billing events that name it; `None` without such events.
    pub stage: Option<Stage>,
    /// When its last subscription, which may be a trial, ended, if it has none now.
    pub left: Option<Timestamp>,
    /// When its ended subscriptions ended, by their keys, in microseconds since 1970, regardless of the source.
    pub ended: BTreeMap<u64, i64>,
    /// The number of its renewals.
    pub renewals: u32,
    /// `true` if a subscription that it pays for is cancelled and ends with its period.
    pub cancels: bool,
    /// `true` if a payment for one of its subscriptions is overdue.
    pub past_due: bool,
    /// The latest known renewal date, which may have passed; `None` if unknown, or if the account has left.
    pub renews_at: Option<Timestamp>,
    /// The buyer with the most weight when the account became ready to buy; `None` if it is not.
    pub leading_buyer: Option<PersonId>,
    /// Traits from `group` calls.
    pub traits: BTreeMap<String, serde_json::Value>,
}

impl AccountFacts {
    /// Returns the days from `now` until the next renewal, rounded up: 60 from 60 days before, 0 at the moment itself.
    /// `None` if the date is unknown or has passed.
    pub fn renews_in_days(&self, now: Timestamp) -> Option<i64> {
        let left = self.renews_at?.as_second() - now.as_second();
        (left >= 0).then(|| (left + DAY_SECONDS - 1) / DAY_SECONDS)
    }
}

/// The aggregate of an account's people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountSummary {
    /// The number of people.
    pub people: u32,
    /// The number of people whose primary account is another one: their scores count there.
    #[serde(default)]
    pub elsewhere: u32,
    /// The number of people by stage.
    pub stages: BTreeMap<Stage, u32>,
    /// Readiness to buy: 0 to 100, the sum over its buyers.
    pub score: Score,
    /// Health as a customer, 0 to 100; `None` if nobody pays.
    pub health: Option<Score>,
    /// The contributions to the score, largest first; their points add up to it, except for up to half a point of
    /// rounding.
    pub reasons: Vec<AccountReason>,
    /// The contributions to the health, in the same form.
    #[serde(default)]
    pub health_reasons: Vec<AccountReason>,
    /// The newest activity of any of its people.
    pub last_seen: Option<Timestamp>,
    /// The config that it was computed under.
    #[serde(default)]
    pub config: Option<ConfigVersion>,
}

/// A share of an account's score or health.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountReason {
    /// The profile; `None` for all others together, and for [`Measure::Limit`].
    #[serde(default)]
    pub person: Option<PersonId>,
    /// The person's measure.
    pub measure: Measure,
    /// Points that it adds to the account's score or health, in whole hundredths.
    pub points: f64,
    /// The number of people in it; 0 for [`Measure::Limit`].
    #[serde(default = "one")]
    pub people: u32,
}

fn one() -> u32 {
    1
}

/// The components of an account's score and health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A buyer's readiness: all of the score.
    Purchase,
    /// The activity of a paying person.
    Engagement,
    /// A paying person's success with the product.
    Success,
    /// The likelihood that a paying person churns, which lowers the health.
    Churn,
    /// The change through a paying person's inactivity since their entry was written.
    Silence,
    /// The part beyond the limits 0 and 100.
    Limit,
}
