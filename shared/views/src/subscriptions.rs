//! Subscriptions, as profiles and accounts show them.

use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::billing::{Interval, Status};
use perennial_domain::{AccountId, Money};
use perennial_engine::billing::{Billing, Phase, Subscription, phase};
use perennial_engine::instant::timestamp;
use serde::Serialize;
use std::cmp::Reverse;

/// One subscription.
#[derive(Debug, Serialize)]
pub struct SubscriptionView {
    /// Its current state.
    pub is: &'static str,
    /// Since when it is that, or when it ended.
    pub since: Option<Timestamp>,
    /// The last reported status; `null` if only payments were reported.
    pub status: Option<Status>,
    /// The plan.
    pub plan: Option<String>,
    /// The price of one, each interval.
    pub price: Option<Money>,
    /// The billing interval.
    pub interval: Option<Interval>,
    /// The number of seats or units.
    pub quantity: Option<u32>,
    /// The end of the current period.
    pub renews_at: Option<Timestamp>,
    /// The end of the trial.
    pub trial_end: Option<Timestamp>,
    /// `true` if it ends with its period.
    pub cancels: bool,
    /// The account that it belongs to.
    pub account: Option<AccountId>,
    /// The time of the last report.
    pub reported_at: Timestamp,
}

/// Returns all subscriptions in `billing`, the most recently reported first.
pub fn all(config: &Config, billing: &Billing, now: Timestamp) -> Vec<SubscriptionView> {
    let mut each: Vec<&Subscription> = billing.subscriptions.values().collect();
    each.sort_by_key(|each| Reverse(each.last));
    each.into_iter().map(|each| view(each, phase(each, config.billing.trial_days, now.as_microsecond()))).collect()
}

fn view(subscription: &Subscription, phase: Phase) -> SubscriptionView {
    let (is, since) = match phase {
        Phase::Nothing => ("not_begun", None),
        Phase::Trial { since, .. } => ("trial", Some(since)),
        Phase::Free { since } => ("free", Some(since)),
        Phase::Paid { since, .. } => ("paid", Some(since)),
        Phase::Ended { at, paid: true } => ("ended", Some(at)),
        Phase::Ended { at, paid: false } => ("trial_lost", Some(at)),
    };
    let price = subscription.price.as_ref().map(|price| price.value);
    SubscriptionView {
        is,
        since: since.map(timestamp),
        status: subscription.status(),
        plan: subscription.plan.as_ref().map(|plan| plan.value.clone()),
        price: price.map(|(minor, currency)| Money { minor, currency }),
        interval: subscription.interval.as_ref().map(|interval| interval.value),
        quantity: subscription.quantity.as_ref().map(|quantity| quantity.value),
        renews_at: subscription.period_end.as_ref().map(|end| timestamp(end.value)),
        trial_end: subscription.trial_end.as_ref().map(|end| timestamp(end.value)),
        cancels: subscription.cancels.as_ref().is_some_and(|cancels| cancels.value),
        account: subscription.account_id(),
        reported_at: timestamp(subscription.last),
    }
}
