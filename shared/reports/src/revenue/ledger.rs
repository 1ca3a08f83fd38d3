//! All notices, and the recurring revenue of each customer at the end of each month.

use super::notice::Notice;
use crate::merged::account_hash;
use crate::money::mrr;
use crate::tally::first_of;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use perennial_domain::time::month_of;
use perennial_domain::{Currency, Money};
use perennial_engine::billing::Subscription;
use perennial_engine::instant;
use std::collections::BTreeMap;

/// The notices of one subscription: by time, then by the hash of their event.
pub(super) type Notices = BTreeMap<(i64, u64), Notice>;

/// Recurring revenue by month since January 1970, in minor units. Months without any are missing.
pub(super) type ByMonth = BTreeMap<i32, i64>;

/// The subscriptions of a system. Adding notices is commutative and idempotent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    /// By the subscription's key.
    pub(super) subscriptions: BTreeMap<u64, Notices>,
    /// Events and objects that cannot be read.
    pub unreadable: u64,
}

/// A subscription as its notices up to a moment describe it.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) subscription: Option<Subscription>,
    /// The newest payment, and when it was reported.
    paid: Option<(i64, Money)>,
    /// The identity that it was first reported of.
    pub(super) identity: u64,
}

impl Known {
    /// Adds a notice that is not older than those before it.
    pub(super) fn add(&mut self, notice: &Notice) {
        let more = Subscription::of(&notice.report);
        match &mut self.subscription {
            Some(known) => known.merge(more),
            None => {
                self.subscription = Some(more);
                self.identity = notice.identity;
            }
        }
        if let Some(paid) = notice.paid {
            self.paid = Some((notice.report.at, paid));
        }
    }

    /// Returns the monthly recurring revenue at `now`, in microseconds since 1970.
    pub(super) fn mrr(&self, trial_days: u16, now: i64) -> Option<Money> {
        mrr(self.subscription.as_ref()?, self.paid.map(|(_, paid)| paid), trial_days, now)
    }

    /// Returns the currency of the price, or else of the newest payment; `None` without either.
    pub(super) fn currency(&self) -> Option<Currency> {
        let price = self.subscription.as_ref().and_then(|known| known.price.as_ref()).map(|price| price.value.1);
        price.or_else(|| self.paid.map(|(_, paid)| paid.currency))
    }

    /// Returns the customer: the subscription's account, else the identity that it was first reported of.
    pub(super) fn customer(&self) -> u64 {
        let account = self.subscription.as_ref().and_then(|known| known.account.as_ref());
        account.map_or(self.identity, |account| account_hash(&account.value))
    }

    pub(super) fn is_named(&self) -> bool {
        self.subscription.as_ref().is_some_and(|known| known.named)
    }
}

impl Ledger {
    /// Adds a notice.
    pub fn add(&mut self, notice: Notice) {
        let notices = self.subscriptions.entry(notice.report.key).or_default();
        notices.entry((notice.report.at, notice.id)).or_insert(notice);
    }

    /// Returns each subscription as all notices up to `now` describe it.
    pub(super) fn known(&self, now: Timestamp) -> impl Iterator<Item = Known> {
        let last = now.as_microsecond();
        self.subscriptions.values().map(move |notices| {
            let mut known = Known::default();
            notices.range(..=(last, u64::MAX)).for_each(|(_, notice)| known.add(notice));
            known
        })
    }

    /// Returns the recurring revenue of each customer and currency at the end of each month up to that of `now`, and at
    /// `now` for that month.
    pub(super) fn customers(&self, trial_days: u16, now: Timestamp) -> BTreeMap<(u64, Currency), ByMonth> {
        let mut customers = Customers::default();
        for notices in self.subscriptions.values() {
            let (known, months) = months_of(notices, trial_days, now);
            customers.add(&known, months);
        }
        customers.merged()
    }

    /// Returns the recurring revenue of each customer and currency at `then`, as it was known at that time.
    pub(super) fn customers_at(&self, trial_days: u16, then: Timestamp) -> BTreeMap<(u64, Currency), i64> {
        let mut customers = Customers::default();
        let month = month_of(then);
        for known in self.known(then) {
            let money = known.mrr(trial_days, then.as_microsecond());
            customers.add(&known, money.into_iter().map(|money| (month, money)));
        }
        let merged = customers.merged().into_iter();
        merged.filter_map(|(customer, months)| Some((customer, *months.get(&month)?))).collect()
    }
}

/// Revenue by customer, of subscriptions without an id and of those with one.
#[derive(Debug, Default)]
struct Customers {
    /// Without an id, then with one.
    by_kind: [BTreeMap<(u64, Currency), ByMonth>; 2],
    /// The month in which the first subscription with an id was reported of each customer.
    named_since: BTreeMap<u64, i32>,
}

impl Customers {
    fn add(&mut self, known: &Known, months: impl IntoIterator<Item = (i32, Money)>) {
        let customer = known.customer();
        if let Some(first) = known.subscription.as_ref().filter(|_| known.is_named()).map(|known| known.first) {
            let month = month_of(instant::timestamp(first));
            self.named_since.entry(customer).and_modify(|since| *since = month.min(*since)).or_insert(month);
        }
        let of_kind = &mut self.by_kind[usize::from(known.is_named())];
        for (month, money) in months {
            let sum = of_kind.entry((customer, money.currency)).or_default().entry(month).or_default();
            *sum = sum.saturating_add(money.minor);
        }
    }

    /// Returns both kinds together. Once one with an id is reported of a customer, what has none is the same subscription,
    /// reported twice: it no longer counts, not even after the end of the one with an id.
    fn merged(self) -> BTreeMap<(u64, Currency), ByMonth> {
        let [unnamed, mut all] = self.by_kind;
        for ((customer, currency), months) in unnamed {
            let since = self.named_since.get(&customer).copied().unwrap_or(i32::MAX);
            for (month, minor) in months.range(..since) {
                let sum = all.entry((customer, currency)).or_default().entry(*month).or_default();
                *sum = sum.saturating_add(*minor);
            }
        }
        all
    }
}

/// Returns a subscription at the end, and its recurring revenue at the end of each month.
fn months_of(notices: &Notices, trial_days: u16, now: Timestamp) -> (Known, Vec<(i32, Money)>) {
    let (mut known, mut months) = (Known::default(), Vec::new());
    let this_month = month_of(now);
    let Some(((first, _), _)) = notices.first_key_value() else { return (known, months) };
    let mut rest = notices.iter().peekable();
    for month in month_of(instant::timestamp(*first))..=this_month {
        let end = if month < this_month { beginning_of(month + 1) - 1 } else { now.as_microsecond() };
        while let Some((_, notice)) = rest.next_if(|((at, _), _)| *at <= end) {
            known.add(notice);
        }
        months.extend(known.mrr(trial_days, end).map(|money| (month, money)));
    }
    (known, months)
}

/// Returns the beginning of a month since January 1970, in microseconds since 1970.
fn beginning_of(month: i32) -> i64 {
    let midnight = first_of(month).to_zoned(TimeZone::UTC).map(|midnight| midnight.timestamp());
    midnight.unwrap_or(Timestamp::MAX).as_microsecond()
}

/// Returns the last moment of a month since January 1970.
pub(super) fn end_of(month: i32) -> Timestamp {
    instant::timestamp(beginning_of(month + 1) - 1)
}
