//! `lifecycle.toml`: which of the product's events say where someone stands.

use crate::error::Reporter;
use crate::spanned::Spanned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A fact of the product's that moves someone between stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    /// Became known.
    Lead,
    /// Began a trial.
    Trial,
    /// Began a free plan.
    Freemium,
    /// Pays (began, renewed, converted).
    Customer,
    /// Stopped paying.
    Churned,
}

impl Milestone {
    /// Its name in `lifecycle.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Trial => "trial",
            Self::Freemium => "freemium",
            Self::Customer => "customer",
            Self::Churned => "churned",
        }
    }
}

/// Which of the product's and billing's events say where someone stands: visitor, lead, trial, freemium, onboarding, adopting,
/// established, at_risk, churned, won_back.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The events of each milestone, by their names exactly as they are sent: lead (became known), trial, freemium (uses a free
    /// plan), customer (pays: began, renewed, converted) and churned (stopped paying). One name may stand in several; the newest
    /// fact counts.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::schema::MilestoneName, Vec<String>>"))]
    milestones: BTreeMap<Milestone, Vec<Spanned<String>>>,
    /// How long it takes a customer to grow into the product.
    customer: RawCustomer,
    /// What is no activity.
    #[serde(default)]
    activity: RawActivity,
    /// Whether accounts decide where their people stand.
    #[serde(default)]
    account: RawAccount,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawAccount {
    /// Whether people stand where their account stands: once it pays, colleagues who are no customers yet count as such; once it
    /// has left, they have left.
    #[serde(default)]
    people_follow: bool,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawActivity {
    /// Events that happen to people rather than being done by them: they count, and are no activity. Nor is any event that says
    /// `context.active = false`, what machines do with mails, and what servers and webhooks say of people (`identify`, `group`, `alias`).
    #[serde(default)]
    passive: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawCustomer {
    /// Days from paying until someone counts as adopting.
    onboarding_days: u16,
    /// Days from paying until someone counts as established; more than `onboarding_days`.
    adopting_days: Spanned<u16>,
    /// Days without any activity, 1 or more, after which someone who pays counts as at risk.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    at_risk_after_idle_days: Spanned<u16>,
}

/// Compiled lifecycle.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// Event name (as counted) to the milestones that it is.
    pub milestones: HashMap<String, Vec<Milestone>>,
    /// Days from paying until someone is adopting.
    pub onboarding_days: u16,
    /// Days from paying until someone is established; more than `onboarding_days`.
    pub adopting_days: u16,
    /// Idle days after which who pays is at risk.
    pub at_risk_after_idle_days: u16,
    /// Events (as counted) that happen to someone rather than being done by them: they count, and are no activity.
    pub passive: HashSet<String>,
    /// Whether people stand where their account stands once it pays or has left.
    pub people_follow_account: bool,
}

impl Lifecycle {
    /// Checks and compiles the file.
    pub(crate) fn load(report: &mut Reporter<'_>) -> Self {
        let Some(file) = report.parse::<File>() else {
            return Self::default();
        };
        let c = file.customer;
        let adopting_days = *c.adopting_days.get_ref();
        if adopting_days <= c.onboarding_days {
            report.at(
                c.adopting_days.span(),
                format!(
                    "customer.adopting_days must be more than customer.onboarding_days, which is {}",
                    c.onboarding_days
                ),
            );
        }
        let at_risk_after_idle_days = *c.at_risk_after_idle_days.get_ref();
        if at_risk_after_idle_days == 0 {
            report.at(c.at_risk_after_idle_days.span(), "customer.at_risk_after_idle_days must be at least 1");
        }
        let mut milestones: HashMap<String, Vec<Milestone>> = HashMap::new();
        for (milestone, events) in file.milestones {
            for event in events {
                report.event(&event);
                milestones.entry(event.into_inner()).or_default().push(milestone);
            }
        }
        Self {
            milestones,
            onboarding_days: c.onboarding_days,
            adopting_days,
            at_risk_after_idle_days,
            passive: file.activity.passive.into_iter().collect(),
            people_follow_account: file.account.people_follow,
        }
    }
}
