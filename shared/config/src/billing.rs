//! `billing.toml`: what events say of subscriptions and payments.

use crate::error::Reporter;
use crate::spanned::Spanned;
use perennial_domain::Event;
use perennial_domain::billing::{Status, change, said};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Events about subscriptions and payments. The file and each of its lists are optional; the values shown here are the
/// defaults.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Events about subscriptions.
    #[serde(default)]
    subscriptions: RawSubscriptions,
    /// Which events move money.
    #[serde(default)]
    payments: RawPayments,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawSubscriptions {
    /// Events about a subscription, besides the milestones trial, customer and churned of lifecycle.toml, by their
    /// exact names.
    events: Option<Vec<Spanned<String>>>,
    /// Milestones of lifecycle.toml that are purchases and no subscription.
    one_time: Option<Vec<Spanned<String>>>,
    /// The event that an event of `events` counts as if it contains `previous_price` or `previous_quantity` and the
    /// annual price has risen.
    upgraded: Option<Spanned<String>>,
    /// The event that it counts as if the annual price has fallen.
    downgraded: Option<Spanned<String>>,
    /// The length in days of a trial without a known end, 1 or more.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    trial_days: Option<Spanned<u16>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawPayments {
    /// Events about a payment; `revenue` is its amount.
    paid: Option<Vec<Spanned<String>>>,
    /// Events that correct the amount of a payment.
    corrected: Option<Vec<Spanned<String>>>,
    /// Events about a refund.
    refunded: Option<Vec<Spanned<String>>>,
    /// Events that take a whole payment back.
    cancelled: Option<Vec<Spanned<String>>>,
}

/// Compiled `billing.toml`. The default is that of a config without the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// Events (as counted) about a subscription, besides the milestones of `lifecycle.toml`.
    #[serde(serialize_with = "crate::stored::sorted_set")]
    pub subscription_events: HashSet<String>,
    /// Milestones (as counted) that are purchases and no subscription.
    #[serde(serialize_with = "crate::stored::sorted_set")]
    pub one_time: HashSet<String>,
    /// The event that an event of `subscription_events` counts as if its annual price has risen.
    pub upgraded: String,
    /// The event that it counts as if its annual price has fallen.
    pub downgraded: String,
    /// The length in days of a trial without a known end; 1 or more.
    pub trial_days: u16,
    /// Events (as counted) that say that something was paid.
    #[serde(serialize_with = "crate::stored::sorted_set")]
    pub paid: HashSet<String>,
    /// Events (as counted) that correct the amount of a payment.
    #[serde(serialize_with = "crate::stored::sorted_set")]
    pub corrected: HashSet<String>,
    /// Events (as counted) about a refund.
    #[serde(serialize_with = "crate::stored::sorted_set")]
    pub refunded: HashSet<String>,
    /// Events (as counted) that take a whole payment back.
    #[serde(serialize_with = "crate::stored::sorted_set")]
    pub cancelled: HashSet<String>,
    /// `true` if the file exists.
    pub(crate) is_written: bool,
}

const SUBSCRIPTION_EVENTS: &[&str] =
    &["Subscription Updated", "Subscription Upgraded", "Subscription Downgraded", "Trial Ending", "Invoice Paid"];
const ONE_TIME: &[&str] = &["Order Completed"];
const UPGRADED: &str = "Subscription Upgraded";
const DOWNGRADED: &str = "Subscription Downgraded";
const TRIAL_DAYS: u16 = 30;
const PAID: &[&str] =
    &["Order Completed", "Invoice Paid", "Subscription Started", "Subscription Renewed", "Subscription Upgraded"];
const CORRECTED: &[&str] = &["Order Updated"];
const REFUNDED: &[&str] = &["Order Refunded", "Payment Refunded"];
const CANCELLED: &[&str] = &["Order Cancelled"];

impl Default for Billing {
    fn default() -> Self {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            subscription_events: set(SUBSCRIPTION_EVENTS),
            one_time: set(ONE_TIME),
            upgraded: UPGRADED.to_owned(),
            downgraded: DOWNGRADED.to_owned(),
            trial_days: TRIAL_DAYS,
            paid: set(PAID),
            corrected: set(CORRECTED),
            refunded: set(REFUNDED),
            cancelled: set(CANCELLED),
            is_written: false,
        }
    }
}

impl Billing {
    /// Checks and compiles the file.
    pub(crate) fn load(report: &mut Reporter<'_>) -> Self {
        let Some(file) = report.parse::<File>() else { return Self::default() };
        let (subscriptions, payments, default) = (file.subscriptions, file.payments, Self::default());
        let mut name = |name: Option<Spanned<String>>, default: String| {
            name.map_or(default, |name| {
                report.event(&name);
                name.into_inner()
            })
        };
        let upgraded = name(subscriptions.upgraded, default.upgraded);
        let downgraded = name(subscriptions.downgraded, default.downgraded);
        let mut list = |names: Option<Vec<Spanned<String>>>, default: HashSet<String>| match names {
            None => default,
            Some(names) => names
                .into_iter()
                .map(|name| {
                    report.event(&name);
                    name.into_inner()
                })
                .collect(),
        };
        let mut billing = Self {
            subscription_events: list(subscriptions.events, default.subscription_events),
            one_time: list(subscriptions.one_time, default.one_time),
            upgraded,
            downgraded,
            trial_days: default.trial_days,
            paid: list(payments.paid, default.paid),
            corrected: list(payments.corrected, default.corrected),
            refunded: list(payments.refunded, default.refunded),
            cancelled: list(payments.cancelled, default.cancelled),
            is_written: true,
        };
        if let Some(days) = subscriptions.trial_days {
            if *days.get_ref() == 0 {
                report.at(days.span(), "subscriptions.trial_days must be at least 1");
            }
            billing.trial_days = (*days.get_ref()).max(1);
        }
        for one in [&billing.corrected, &billing.refunded, &billing.cancelled] {
            if let Some(event) = one.iter().find(|event| billing.paid.contains(*event)) {
                report.at(0..0, format!("`{event}` cannot both say that something was paid and change what was paid"));
            }
        }
        billing
    }

    /// Returns what `event`, which would be counted as `name`, counts as because of its price: an upgrade or a
    /// downgrade; `None` if it is neither. A change within a trial is neither.
    pub fn change_of(&self, name: &str, event: &Event) -> Option<&str> {
        if !self.subscription_events.contains(name) || name == self.upgraded || name == self.downgraded {
            return None;
        }
        let said = &event.properties;
        let order = change(said)?;
        let status = said::text(said, &["status"]).and_then(|text| Status::parse(&text));
        status.is_none_or(Status::pays).then_some(if order.is_gt() { &self.upgraded } else { &self.downgraded })
    }

    /// Its lists, by where they stand in the file.
    pub(crate) fn lists(&self) -> [(&'static str, &'static str, &HashSet<String>); 6] {
        [
            ("subscriptions", "events", &self.subscription_events),
            ("subscriptions", "one_time", &self.one_time),
            ("payments", "paid", &self.paid),
            ("payments", "corrected", &self.corrected),
            ("payments", "refunded", &self.refunded),
            ("payments", "cancelled", &self.cancelled),
        ]
    }
}
