//! Accounts: the companies that people belong to.

use crate::time::DAY_SECONDS;
use crate::{AccountId, ConfigVersion, Curve, DecisionId, Likelihood, PersonId, Score, Stage};
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
    /// How often and how much they do something, 0 to 100.
    pub engagement: Score,
    /// The newest activity.
    pub last_seen: Option<Timestamp>,
    /// The personas, by their names in config.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub personas: BTreeSet<String>,
    /// Whether the person's primary account is another one. Their scores and engagement count there, and are not part of this entry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
    /// How the points change while the person stays silent; `None` in entries of versions that did not know it, and in those of accounts that are not
    /// the person's primary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<Curve>,
}

impl Member {
    /// The stage at `now`, where the person has stayed silent since the entry was written.
    pub fn stage_at(&self, now: Timestamp) -> Stage {
        self.curve.as_ref().map_or(self.stage, |curve| curve.stage(self.stage, now))
    }
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
    /// When a subscription of its last ended, be it a trial, where it pays for nothing now.
    pub left: Option<Timestamp>,
    /// Subscriptions of it that are reported to have ended, by their keys, and when, in microseconds since 1970: whoever reported that.
    pub ended: BTreeMap<u64, i64>,
    /// How often it has renewed.
    pub renewals: u32,
    /// When it renews next, or was to when that was last said; `None` where nobody said, and where it has left.
    pub renews_at: Option<Timestamp>,
    /// Who of its buyers counted most when it became ready to buy; `None` where it is not.
    pub leading_buyer: Option<PersonId>,
    /// What `group` calls said of it.
    pub traits: BTreeMap<String, serde_json::Value>,
}

impl AccountFacts {
    /// Whole days from `now` until it renews next, begun days counted: 60 from the moment on that is 60 days before, 0 at the moment
    /// itself. `None` where nobody said when that is, and where it has passed.
    pub fn renews_in_days(&self, now: Timestamp) -> Option<i64> {
        let left = self.renews_at?.as_second() - now.as_second();
        (left >= 0).then(|| (left + DAY_SECONDS - 1) / DAY_SECONDS)
    }
}

/// What an account's people amount to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountSummary {
    /// How many people it has.
    pub people: u32,
    /// How many of them have another account as their primary one: their scores count there.
    #[serde(default)]
    pub elsewhere: u32,
    /// How many of them stand where.
    pub stages: BTreeMap<Stage, u32>,
    /// Readiness to buy: 0 to 100, the sum over its buyers.
    pub score: Score,
    /// Health as a customer: 0 to 100; `None` where nobody pays.
    pub health: Option<Score>,
    /// What the score is made of, the strongest first; their points add up to it, to the half point that rounding takes.
    pub reasons: Vec<AccountReason>,
    /// What the health is made of, in the same way.
    #[serde(default)]
    pub health_reasons: Vec<AccountReason>,
    /// The newest activity of anyone.
    pub last_seen: Option<Timestamp>,
    /// The config that it was worked out under.
    #[serde(default)]
    pub config: Option<ConfigVersion>,
}

/// A share of an account's score or health.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountReason {
    /// Whose; `None` for all the others together, and for [`Measure::Limit`].
    #[serde(default)]
    pub person: Option<PersonId>,
    /// Which of the person's measures.
    pub measure: Measure,
    /// Points of the account's score or health that it gives, in whole hundredths.
    pub points: f64,
    /// How many people it stands for; 0 for [`Measure::Limit`].
    #[serde(default = "one")]
    pub people: u32,
}

fn one() -> u32 {
    1
}

/// What an account's score and health are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A buyer's readiness: all of the score.
    Purchase,
    /// How active a paying person is.
    Engagement,
    /// A paying person's success with the product.
    Success,
    /// The likelihood that a paying person leaves, which lowers the health.
    Churn,
    /// What a paying person's silence has changed since their entry was written.
    Silence,
    /// What 0 and 100 cut off.
    Limit,
}

/// What is to be written into the CRM's record of an account: made once, carried through the account's outbox and the
/// messages queue to `deliver`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountUpdate {
    /// Derived from the account and the number: the same however often it is sent.
    pub id: DecisionId,
    /// Which account.
    pub account: AccountId,
    /// Counts the updates of the account, from 1: a later one replaces what an earlier one wrote.
    pub number: u64,
    /// The configured endpoint that it goes to.
    pub endpoint: String,
    /// The CRM's fields and what they are to hold; `null` empties one.
    pub fields: BTreeMap<String, serde_json::Value>,
    /// When it was decided.
    pub at: Timestamp,
    /// The config that it was decided under.
    pub config: ConfigVersion,
}

impl AccountUpdate {
    /// The id of the account's update `number`.
    pub fn id_of(account: &AccountId, number: u64) -> DecisionId {
        DecisionId::derive(&[b"account update", account.as_str().as_bytes(), &number.to_be_bytes()])
    }
}
