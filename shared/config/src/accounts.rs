//! `accounts.toml`: what an account is worth, who looks after it, what its score and health are made of, and what of that
//! is written into the CRM.

mod load;
mod membership;
mod stage;

#[cfg(feature = "schema")]
pub(crate) use load::File;
pub use membership::Membership;
pub(crate) use stage::unknown_stage_events;

use perennial_domain::{Currency, Touch};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What weights and coefficients are counted in, so that sums over people are exact whatever their order.
pub const THOUSAND: i64 = 1000;

/// Which trait says what an account pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The trait, a number in whole units of the currency.
    pub r#trait: String,
    /// The currency that accounts are valued in.
    pub currency: Currency,
    /// How often a year it is paid: 12 or 1.
    pub times_a_year: i64,
}

/// From which value on an account gets which touch level, in minor units a year.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TouchLevels {
    /// From here on `high`; never where `None`.
    pub high: Option<i64>,
    /// From here on `low`; never where `None`.
    pub low: Option<i64>,
}

/// Who looks after an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    /// The account's trait that names the owner.
    pub r#trait: Option<String>,
    /// The owner of a touch level, where the trait says nothing.
    pub by_touch: BTreeMap<Touch, String>,
}

/// Weights by persona, in thousandths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weights(BTreeMap<String, i64>);

impl Weights {
    /// The greatest weight of those of `personas`, in thousandths; 1,000 where none of them has one.
    pub fn of<'a>(&self, personas: impl IntoIterator<Item = &'a String>) -> i64 {
        personas.into_iter().filter_map(|persona| self.0.get(persona)).copied().max().unwrap_or(THOUSAND)
    }
}

/// How often an account has renewed, and when it does so next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewal {
    /// Events (as counted) of which each is one renewal, where it names the account.
    pub events: BTreeSet<String>,
    /// The account's trait that says when it renews next: from `group` calls, and from the property of that name of any event that
    /// names the account.
    pub r#trait: Option<String>,
}

/// Whose readiness makes the account's score.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreRule {
    /// The score from which the account counts as ready; never where `None`.
    pub ready: Option<u8>,
    /// The personas whose readiness counts; everyone's where empty. Always only of who does not pay yet.
    pub buyers: BTreeSet<String>,
    /// How much a persona's readiness counts.
    pub weights: Weights,
}

/// What a customer's health is made of; coefficients in thousandths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthRule {
    /// Of engagement, 0 to 1,000.
    pub engagement: i64,
    /// Of success with the product, 1,000 less that of engagement.
    pub success: i64,
    /// Of the likelihood to leave, 0 to 1,000; taken away.
    pub churn: i64,
    /// How much a persona weighs in the mean.
    pub weights: Weights,
}

impl Default for HealthRule {
    fn default() -> Self {
        Self { engagement: THOUSAND / 2, success: THOUSAND / 2, churn: THOUSAND, weights: Weights::default() }
    }
}

/// Who belongs together without any `group` call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Domains {
    /// Whether people belong to the account of their company's domain.
    pub company_domain: bool,
    /// Further free-mail domains, in lower case.
    pub free_mail: BTreeSet<String>,
    /// Traits by which an account names its own domains.
    pub traits: Vec<String>,
}

/// What of an account the CRM can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrmField {
    /// Readiness to buy, 0 to 100.
    Score,
    /// Health, 0 to 100.
    Health,
    /// Whether the score is at the threshold or over it.
    Ready,
    /// The touch level.
    Touch,
    /// Where the account stands.
    Stage,
    /// Who looks after it.
    Owner,
    /// What it pays in a year, in whole units of the currency.
    Value,
}

/// Where accounts are written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crm {
    /// An endpoint of `channels.toml`.
    pub endpoint: String,
    /// The least change of score or health that is worth a webhook, in points: 1 to 100.
    pub least_change: u8,
    /// What is written into which field of the CRM; at least one.
    pub fields: BTreeMap<CrmField, String>,
}

/// Compiled `accounts.toml`. The default is that of a config without the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Which trait says what an account pays; nothing has a value where `None`.
    pub value: Option<Value>,
    /// Touch levels by value.
    pub touch: TouchLevels,
    /// Who looks after which.
    pub owner: Owner,
    /// Events (as counted) that say where the account itself stands; each is one of `lifecycle.toml`.
    pub stage_events: BTreeSet<String>,
    /// Events (as counted) that name the account a person belongs to, as a `group` call does.
    pub member_events: BTreeSet<String>,
    /// How people belong to accounts.
    pub membership: Membership,
    /// Renewals.
    pub renewal: Renewal,
    /// The score.
    pub score: ScoreRule,
    /// The health.
    pub health: HealthRule,
    /// Company domains.
    pub domains: Domains,
    /// The CRM, where there is one.
    pub crm: Option<Crm>,
}

#[cfg(test)]
mod tests;
