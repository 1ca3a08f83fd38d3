//! Billing: subscriptions and payments. A merge of events, in any order, any number of times.

pub(crate) mod keys;
pub(crate) mod moves;
mod payment;
mod report;
mod revenue;
mod standing;
mod stored;
mod subscription;
pub(crate) mod unverified;

pub use payment::{Movement, Payment, Refund, Said, movement};
pub use report::report;
pub(crate) use standing::{CHANGEOVER, phases};
pub use standing::{GRACE, Phase, Reported, Standing, has_old_milestones, phase, reported_subscriptions};
pub use subscription::{Dated, Subscription};

use perennial_domain::Currency;
use perennial_domain::billing::SubscriptionReport;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most subscriptions of one identity, or of one account. Of more, those that ended leave first, the one that was reported longest ago
/// before the others.
pub const MAX_SUBSCRIPTIONS: usize = 8;
/// The most payments that are kept by their ids: the newest. What older ones came to is kept as a sum.
pub const MAX_PAYMENTS: usize = 32;

/// Subscriptions and payments of one identity or one account; combined, of one profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// Subscriptions by their keys.
    #[serde(with = "stored::hashed")]
    pub subscriptions: BTreeMap<u64, Subscription>,
    /// Payments by their ids.
    #[serde(with = "stored::hashed")]
    pub payments: BTreeMap<u64, Payment>,
    /// Refunds by their ids.
    #[serde(with = "stored::hashed")]
    pub refunds: BTreeMap<u64, Refund>,
}

impl Billing {
    /// Returns whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.subscriptions.is_empty() && self.payments.is_empty() && self.refunds.is_empty()
    }

    /// Merges a report about a subscription.
    pub fn note(&mut self, report: &SubscriptionReport) {
        self.add(report.key, Subscription::of(report));
        self.bound();
    }

    fn add(&mut self, key: u64, subscription: Subscription) {
        match self.subscriptions.get_mut(&key) {
            Some(known) => known.merge(subscription),
            None => {
                self.subscriptions.insert(key, subscription);
            }
        }
    }

    fn bound(&mut self) {
        while self.subscriptions.len() > MAX_SUBSCRIPTIONS {
            let is_live = |of: &Subscription| of.ended.is_none_or(|end| end < of.last);
            // Data from public sources alone replaces nothing else.
            let order = |(key, of): &(&u64, &Subscription)| (!keys::is_unverified(**key), is_live(of), of.last, **key);
            let first = self.subscriptions.iter().min_by_key(order);
            let Some(key) = first.map(|(key, _)| *key) else { return };
            self.subscriptions.remove(&key);
        }
    }

    /// Merges a payment event that has an id.
    fn pay(&mut self, movement: Movement) {
        match movement {
            Movement::Plain(_) => {}
            Movement::Payment(id, payment) => match self.payments.get_mut(&id) {
                Some(known) => known.merge(&payment),
                None => {
                    self.payments.insert(id, payment);
                }
            },
            Movement::Refund(id, refund) => match self.refunds.get_mut(&id) {
                Some(known) => known.merge(&refund),
                None => {
                    self.refunds.insert(id, refund);
                }
            },
        }
    }

    /// Adds all of `other`. The limits are those of one identity: a profile has as many as its identities do.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (key, subscription) in &other.subscriptions {
            self.add(*key, subscription.clone());
        }
        for (id, payment) in &other.payments {
            self.pay(Movement::Payment(*id, payment.clone()));
        }
        for (id, refund) in &other.refunds {
            self.pay(Movement::Refund(*id, refund.clone()));
        }
    }
}

/// Sums by currency, in minor units.
pub type Sums = BTreeMap<Currency, i64>;
