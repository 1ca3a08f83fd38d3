//! Counts by keys of which there may be any number, in bounded space.

use perennial_domain::hash;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most keys that are counted on their own, unless a type says otherwise.
pub(crate) const USUALLY: usize = 1_000;

/// A count that others can be added to.
pub(crate) trait Sum: Clone + Default {
    /// Adds all of `other`.
    fn sum(&mut self, other: &Self);
}

impl Sum for u64 {
    fn sum(&mut self, other: &Self) {
        *self += other;
    }
}

/// Counts by key. Beyond `MOST` keys, those with the largest hashes are counted together: so what is kept depends neither on
/// the order in which they come nor on how they are divided into parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bounded<T, const MOST: usize = USUALLY> {
    /// By the hash of the key.
    by_hash: BTreeMap<u64, (String, T)>,
    /// All other keys.
    rest: T,
}

impl<T: Sum, const MOST: usize> Bounded<T, MOST> {
    /// Adds to the count of a key.
    pub(crate) fn add(&mut self, key: &str, count: &T) {
        let at = hash::hash64(&[key.as_bytes()]);
        self.by_hash.entry(at).or_insert_with(|| (key.to_owned(), T::default())).1.sum(count);
        if self.by_hash.len() > MOST
            && let Some((_, (_, count))) = self.by_hash.pop_last()
        {
            self.rest.sum(&count);
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        other.by_hash.values().for_each(|(key, count)| self.add(key, count));
        self.rest.sum(&other.rest);
    }

    /// Changes each count, and that of the keys that are counted together.
    pub(crate) fn each(&mut self, change: impl Fn(&mut T)) {
        self.by_hash.values_mut().for_each(|(_, count)| change(count));
        change(&mut self.rest);
    }

    /// Returns the keys with their counts, those first that `size` finds the largest, and the others in the order of the keys.
    pub(crate) fn largest(&self, size: impl Fn(&T) -> u64) -> Vec<(&str, &T)> {
        let mut all: Vec<(&str, &T)> = self.by_hash.values().map(|(key, count)| (key.as_str(), count)).collect();
        all.sort_unstable_by_key(|(key, count)| (std::cmp::Reverse(size(count)), *key));
        all
    }

    /// Returns the sum of the keys that are not counted on their own.
    pub(crate) fn rest(&self) -> &T {
        &self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn count(keys: &[u16]) -> Bounded<u64> {
        let mut counted = Bounded::<u64>::default();
        keys.iter().for_each(|key| counted.add(&key.to_string(), &1));
        counted
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn parts_add_up_in_any_order_and_nothing_is_lost(
            keys in proptest::collection::vec(0..3_000_u16, 0..6_000), parts in 0..6_000_usize
        ) {
            let whole = count(&keys);
            let (one, other) = keys.split_at(parts.min(keys.len()));
            let mut sum = count(other);
            sum.merge(&count(one));
            prop_assert_eq!(&sum, &whole);
            let kept: u64 = whole.largest(|count| *count).iter().map(|(_, count)| **count).sum();
            prop_assert_eq!(kept + whole.rest(), keys.len() as u64);
            prop_assert!(whole.largest(|count| *count).len() <= USUALLY);
            for (key, count) in whole.largest(|count| *count) {
                prop_assert_eq!(*count, keys.iter().filter(|other| other.to_string() == key).count() as u64);
            }
        }
    }
}
