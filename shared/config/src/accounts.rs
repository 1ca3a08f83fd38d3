//! `accounts.toml`: what an account is worth, who looks after it, what its score and health are made of, and what of that
//! and of people is written into the CRM.

mod crm;
mod load;
mod membership;
mod stage;

pub use crm::{Crm, CrmField, PeopleCrm, PersonField, SUBSCRIPTION_EVENTS};
#[cfg(feature = "schema")]
pub(crate) use load::File;
pub use membership::Membership;
pub(crate) use stage::unknown_stage_events;

use perennial_domain::{Currency, Touch};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The unit of weights and coefficients, which keeps sums over people exact in any order.
pub const THOUSAND: i64 = 1000;

/// The trait that contains an account's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// The trait, a number in whole units of the currency.
    pub r#trait: String,
    /// The currency that accounts are valued in.
    pub currency: Currency,
    /// Payments a year: 12 or 1.
    pub times_a_year: i64,
}

/// The annual value from which an account gets each touch model, in minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchLevels {
    /// From here on `high`; never where `None`.
    pub high: Option<i64>,
    /// From here on `low`; never where `None`.
    pub low: Option<i64>,
    /// Until when accounts that pay keep the touch model that they had, in seconds since 1970; not at all where `None`.
    pub existing_until: Option<i64>,
}

/// The owner of an account: a colleague or team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The account's trait that contains the owner.
    pub r#trait: Option<String>,
    /// The owner by touch model, if the trait is missing.
    pub by_touch: BTreeMap<Touch, String>,
}

impl Owner {
    /// Returns whether accounts can have owners.
    pub fn is_any(&self) -> bool {
        self.r#trait.is_some() || !self.by_touch.is_empty()
    }
}

/// Weights by persona, in thousandths.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weights(BTreeMap<String, i64>);

impl Weights {
    /// The greatest weight of those of `personas`, in thousandths; 1,000 where none of them has one.
    pub fn of<'a>(&self, personas: impl IntoIterator<Item = &'a String>) -> i64 {
        personas.into_iter().filter_map(|persona| self.0.get(persona)).copied().max().unwrap_or(THOUSAND)
    }
}

/// An account's renewals and its next renewal date.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// Events (as counted) that are one renewal each, if they name the account.
    pub events: BTreeSet<String>,
    /// The account's trait with the next renewal date: from `group` calls, and from the property of that name of any
    /// event that names the account.
    pub r#trait: Option<String>,
}

/// The people whose readiness adds up to the account's score.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreRule {
    /// The score from which the account counts as ready; never where `None`.
    pub ready: Option<u8>,
    /// The personas whose readiness counts; everyone's if empty. Only people who do not pay yet count.
    pub buyers: BTreeSet<String>,
    /// The weight of a persona's readiness.
    pub weights: Weights,
}

/// The components of a customer's health; coefficients in thousandths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthRule {
    /// The coefficient of engagement, 0 to 1,000.
    pub engagement: i64,
    /// The coefficient of success with the product, 1,000 minus that of engagement.
    pub success: i64,
    /// The coefficient of the churn likelihood, 0 to 1,000; subtracted.
    pub churn: i64,
    /// The weight of a persona in the mean.
    pub weights: Weights,
}

impl Default for HealthRule {
    fn default() -> Self {
        Self { engagement: THOUSAND / 2, success: THOUSAND / 2, churn: THOUSAND, weights: Weights::default() }
    }
}

/// How people are assigned to accounts without a `group` call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domains {
    /// `true` if people belong to the account of their company's domain.
    pub company_domain: bool,
    /// Further free-mail domains, in lower case.
    pub free_mail: BTreeSet<String>,
    /// Traits that contain an account's own domains.
    pub traits: Vec<String>,
}

/// Compiled `accounts.toml`. The default is that of a config without the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// The trait with an account's value; `None` if accounts have no value.
    pub value: Option<Value>,
    /// Touch models by value.
    pub touch: TouchLevels,
    /// The owners of accounts.
    pub owner: Owner,
    /// Events (as counted) that set the account's own stage; each is one of `lifecycle.toml`.
    pub stage_events: BTreeSet<String>,
    /// Events (as counted) that assign a person to an account, like a `group` call.
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
    /// The CRM that accounts are written to, if there is one.
    pub crm: Option<Crm>,
    /// The CRM that people are written to, if there is one.
    pub people: Option<PeopleCrm>,
}

#[cfg(test)]
mod tests;
