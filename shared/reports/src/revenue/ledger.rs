//! All notices, and the recurring revenue of each customer at the end of each month.

use super::notice::Notice;
use crate::money::mrr;
use crate::tally::first_of;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use perennial_domain::time::month_of;
use perennial_domain::{Currency, Money, hash};
use perennial_engine::billing::Subscription;
use perennial_engine::instant;
use std::collections::BTreeMap;

/// The notices of one subscription: by time, then by the hash of their event.
type Notices = BTreeMap<(i64, u64), Notice>;

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
    identity: u64,
}

impl Known {
    /// Adds a notice that is not older than those before it.
    fn add(&mut self, notice: &Notice) {
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

    /// Returns the customer: the subscription's account, else the identity that it was first reported of.
    fn customer(&self) -> u64 {
        let account = self.subscription.as_ref().and_then(|known| known.account.as_ref());
        account.map_or(self.identity, |account| hash::hash64(&[b"account", account.value.as_bytes()]))
    }

    fn is_named(&self) -> bool {
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
        let mut customers: BTreeMap<(u64, Currency), [ByMonth; 2]> = BTreeMap::new();
        for notices in self.subscriptions.values() {
            let (known, months) = months_of(notices, trial_days, now);
            for (month, money) in months {
                let both = customers.entry((known.customer(), money.currency)).or_default();
                let sum = both[usize::from(known.is_named())].entry(month).or_default();
                *sum = sum.saturating_add(money.minor);
            }
        }
        let merged = customers.into_iter().map(|(customer, [unnamed, mut named])| {
            // What has no id of its own is the same subscription, reported twice, where others have one.
            for (month, minor) in unnamed {
                named.entry(month).or_insert(minor);
            }
            (customer, named)
        });
        merged.collect()
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
