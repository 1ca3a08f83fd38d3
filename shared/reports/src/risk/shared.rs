//! Subscriptions of accounts, each of which may be reported for several people.

use crate::merged::account_hash;
use perennial_domain::{Currency, Money};
use perennial_engine::billing::Subscription;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most subscriptions that are kept: those with the smallest hashes. Of more, sums are estimated from these.
const MOST: usize = 50_000;

/// A subscription, as the person knows it for whom it was reported last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    /// When it was reported last, in microseconds since 1970.
    last: i64,
    /// The monthly recurring revenue; `None` if it is not paid for.
    mrr: Option<(i64, Currency)>,
    /// `true` if it has an id.
    named: bool,
    /// The hash of the account.
    account: u64,
    /// The segments of all people who have it.
    groups: BTreeSet<String>,
    /// `true` if one of them is at risk.
    at_risk: bool,
}

/// The subscriptions of accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shared<const MOST_KEPT: usize = MOST> {
    /// By the subscription's key.
    held: BTreeMap<u64, Held>,
    /// `true` if there were more than are kept.
    more: bool,
}

/// A person who has a subscription.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder<'a> {
    pub(super) segments: &'a [String],
    pub(super) at_risk: bool,
}

impl<const MOST_KEPT: usize> Shared<MOST_KEPT> {
    /// Records that a person has the subscription with this key, of this account. `mrr` is what it brings a month.
    pub(super) fn add(
        &mut self,
        (key, account): (u64, &str),
        of: &Subscription,
        mrr: Option<Money>,
        person: Holder<'_>,
    ) {
        let held = Held {
            last: of.last,
            mrr: mrr.map(|money| (money.minor, money.currency)),
            named: of.named,
            account: account_hash(account),
            groups: person.segments.iter().cloned().collect(),
            at_risk: person.at_risk,
        };
        self.note(key, held);
    }

    fn note(&mut self, key: u64, held: Held) {
        match self.held.get_mut(&key) {
            Some(known) => {
                // The newest report describes it; of the same time, the greater amount.
                if (known.last, known.mrr) < (held.last, held.mrr) {
                    (known.last, known.mrr) = (held.last, held.mrr);
                }
                known.named |= held.named;
                known.account = known.account.max(held.account);
                known.groups.extend(held.groups);
                known.at_risk |= held.at_risk;
            }
            None => {
                self.held.insert(key, held);
            }
        }
        if self.held.len() > MOST_KEPT {
            self.held.pop_last();
            self.more = true;
        }
    }

    /// Adds all of `other`.
    pub(super) fn merge(&mut self, other: &Self) {
        self.more |= other.more;
        other.held.iter().for_each(|(key, held)| self.note(*key, held.clone()));
    }

    /// Returns the number of subscriptions from which sums are estimated; `None` if each is counted.
    pub(super) fn sample(&self) -> Option<usize> {
        self.more.then_some(self.held.len())
    }

    /// Calls `each` with the segments, the monthly revenue and whether it is at risk of all paid subscriptions, each once. What an
    /// account has without an id is the same as what it has with one, reported twice.
    pub(super) fn each(&self, mut each: impl FnMut(&BTreeSet<String>, Money, bool)) {
        let named: BTreeSet<u64> = self.held.values().filter(|held| held.named).map(|held| held.account).collect();
        for held in self.held.values().filter(|held| held.named || !named.contains(&held.account)) {
            if let Some((minor, currency)) = held.mrr {
                each(&held.groups, Money { minor: self.estimated(minor), currency }, held.at_risk);
            }
        }
    }

    /// Keys are hashes, spread evenly: those that are kept are as many of all as the largest of them is of the largest possible.
    fn estimated(&self, minor: i64) -> i64 {
        let largest = self.held.last_key_value().map_or(u64::MAX, |(key, _)| (*key).max(1));
        if !self.more {
            return minor;
        }
        let all = i128::from(minor) * i128::from(u64::MAX) / i128::from(largest);
        i64::try_from(all).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_domain::hash;

    fn held(minor: i64) -> Held {
        let mrr = Some((minor, Currency::parse("USD").unwrap()));
        Held { last: 0, mrr, named: true, account: 1, groups: BTreeSet::new(), at_risk: false }
    }

    fn sum<const N: usize>(shared: &Shared<N>) -> i64 {
        let mut sum = 0;
        shared.each(|_, money, _| sum += money.minor);
        sum
    }

    #[test]
    fn more_subscriptions_than_are_kept_are_estimated_in_any_order() {
        let keys = || (0..10_000_u64).map(|number| hash::hash64(&[&number.to_be_bytes()]));
        let (mut straight, mut parts) = (Shared::<1_000>::default(), Shared::<1_000>::default());
        keys().for_each(|key| straight.note(key, held(100)));
        for part in [1, 0] {
            let mut half = Shared::<1_000>::default();
            keys().filter(|key| key % 2 == part).for_each(|key| half.note(key, held(100)));
            parts.merge(&half);
        }
        assert_eq!(straight, parts);
        assert_eq!(straight.sample(), Some(1_000));
        let sum = sum(&straight);
        assert!((900_000..1_100_000).contains(&sum), "10,000 of 100 each: {sum}");
    }

    #[test]
    fn as_many_subscriptions_as_are_kept_are_counted_to_the_unit() {
        let mut shared = Shared::<1_000>::default();
        (0..1_000).for_each(|key| shared.note(key, held(99)));
        assert_eq!((shared.sample(), sum(&shared)), (None, 99_000));
    }
}
