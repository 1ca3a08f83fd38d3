//! `lifecycle.toml`: which events change a person's stage.

use crate::error::Reporter;
use crate::spanned::Spanned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A fact that moves a person between stages.
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
    /// Returns its name in `lifecycle.toml`.
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

/// The product and billing events that set a person's stage: visitor, lead, trial, freemium, onboarding, adopting,
/// established, at_risk, churned, won_back.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The events of each milestone, by their exact names: lead (became known), trial, freemium (uses a free plan),
    /// customer (pays: began, renewed, converted) and churned (stopped paying). A name may be in several; the newest
    /// fact counts.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::schema::MilestoneName, Vec<String>>"))]
    milestones: BTreeMap<Milestone, Vec<Spanned<String>>>,
    /// The time that a customer takes to adopt the product.
    customer: RawCustomer,
    /// Events that are not activity.
    #[serde(default)]
    activity: RawActivity,
    /// Specifies whether an account's stage applies to its people.
    #[serde(default)]
    account: RawAccount,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawAccount {
    /// `true` if people follow their account's stage: once it pays, colleagues who are not customers yet count as
    /// customers; once it has churned, they have churned.
    #[serde(default)]
    people_follow: bool,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawActivity {
    /// Events that happen to people rather than being done by them: they are counted, but are not activity. The same
    /// holds for events with `context.active = false`, for what machines do with mails, and for `identify`, `group` and
    /// `alias` calls of servers and webhooks.
    #[serde(default)]
    passive: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawCustomer {
    /// Days from the first payment until a person counts as adopting.
    onboarding_days: u16,
    /// Days from the first payment until a person counts as established; more than `onboarding_days`.
    adopting_days: Spanned<u16>,
    /// Days without any activity, 1 or more, after which a paying person counts as at risk.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    at_risk_after_idle_days: Spanned<u16>,
}

/// Compiled lifecycle.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Lifecycle {
    /// Event name (as counted) to its milestones.
    #[serde(serialize_with = "crate::stored::sorted_map")]
    pub milestones: HashMap<String, Vec<Milestone>>,
    /// Days from the first payment until a person is adopting.
    pub onboarding_days: u16,
    /// Days from the first payment until a person is established; more than `onboarding_days`.
    pub adopting_days: u16,
    /// Idle days after which who pays is at risk.
    pub at_risk_after_idle_days: u16,
    /// Events (as counted) that happen to people rather than being done by them: they are counted, but are not
    /// activity.
    #[serde(serialize_with = "crate::stored::sorted_set")]
    pub passive: HashSet<String>,
    /// `true` if people follow their account's stage once it pays or has churned.
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
