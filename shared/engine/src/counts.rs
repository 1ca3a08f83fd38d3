//! Counts of events by name.

use crate::bounds::{LARGEST_NAME, NAME_BYTES, is_beyond};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most different names that one identity counts separately.
pub const MAX_NAMES: usize = 200;

/// Counts by event name. A client that puts values into names cannot make a profile grow without limit: names in the
/// configuration come first, then the others in alphabetical order; of these the first [`MAX_NAMES`] are kept, and
/// those that fit into [`NAME_BYTES`]; the rest are counted together. A name that is kept in the end was kept at every
/// moment before, so its count is exact in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    by_name: BTreeMap<String, u32>,
    other: u32,
}

impl Counts {
    /// Counts `n` more of `name`; names for which `is_asked` holds are kept before others.
    pub fn add(&mut self, name: &str, n: u32, is_asked: &dyn Fn(&str) -> bool) {
        if self.sum(name, n) {
            return;
        }
        while self.by_name.len() > MAX_NAMES {
            self.pop_last(is_asked);
        }
        self.bound(NAME_BYTES, is_asked);
    }

    /// Adds to a name's count; returns whether there was one.
    fn sum(&mut self, name: &str, n: u32) -> bool {
        if let Some(count) = self.by_name.get_mut(name) {
            *count = count.saturating_add(n);
            return true;
        }
        self.by_name.insert(name.to_owned(), n);
        false
    }

    /// Counts the last names together with the others until the rest fits into `room` bytes.
    pub(crate) fn bound(&mut self, room: usize, is_asked: &dyn Fn(&str) -> bool) {
        let mut bytes: usize = self.by_name.keys().map(String::len).sum();
        while let Some(last) = self.last(is_asked) {
            bytes -= last.len();
            if !is_beyond(bytes, LARGEST_NAME, room) {
                return;
            }
            self.pop_last(is_asked);
        }
    }

    /// Returns the last of the names that are in no condition; of all, if there are no others.
    fn last(&self, is_asked: &dyn Fn(&str) -> bool) -> Option<&String> {
        let mut unasked = self.by_name.keys().rev().filter(|name| !is_asked(name));
        unasked.next().or_else(|| self.by_name.keys().next_back())
    }

    fn pop_last(&mut self, is_asked: &dyn Fn(&str) -> bool) {
        let Some(last) = self.last(is_asked).cloned() else { return };
        if let Some(n) = self.by_name.remove(&last) {
            self.other = self.other.saturating_add(n);
        }
    }

    /// Adds all of `other`. The sum of several identities has the names of each: it is not stored.
    pub fn merge(&mut self, other: &Self) {
        for (name, n) in &other.by_name {
            self.sum(name, *n);
        }
        self.other = self.other.saturating_add(other.other);
    }

    /// Returns the count of `name`; 0 for a name that is counted among the others.
    pub fn get(&self, name: &str) -> u32 {
        self.by_name.get(name).copied().unwrap_or(0)
    }

    /// Returns the names with their counts, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.by_name.iter().map(|(name, n)| (name.as_str(), *n))
    }

    /// Returns the count of events whose names are not counted separately.
    pub fn other(&self) -> u32 {
        self.other
    }

    /// Returns the count of all events.
    pub fn total(&self) -> u64 {
        self.by_name.values().map(|n| u64::from(*n)).sum::<u64>() + u64::from(self.other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted<'a>(names: impl Iterator<Item = &'a String>) -> Counts {
        let mut counts = Counts::default();
        names.for_each(|name| counts.add(name, 1, &|name| name.starts_with("zz")));
        counts
    }

    #[test]
    fn flood_of_names_pushes_none_out_that_the_config_asks_about() {
        let asked = "zz Upgrade Viewed".to_owned();
        let flood: Vec<String> = (0..1_000).map(|n| format!("aa {n}")).collect();
        for order in [flood.iter().chain([&asked]).collect::<Vec<_>>(), [&asked].into_iter().chain(&flood).collect()] {
            let counts = counted(order.into_iter());
            assert_eq!((counts.get(&asked), counts.iter().count(), counts.total()), (1, MAX_NAMES, 1_001));
        }
    }

    proptest! {
        #[test]
        fn order_of_events_does_not_matter(numbers in proptest::collection::vec((any::<bool>(), 0..400_u32), 0..700), by in 0..700_usize) {
            let names: Vec<String> =
                numbers.iter().map(|(asked, n)| if *asked { format!("zz{n}") } else { format!("{n}") }).collect();
            let by = by.min(names.len());
            let (one, other) = names.split_at(by);
            let turned = counted(other.iter().rev().chain(one));
            prop_assert_eq!(&turned, &counted(names.iter()));
            prop_assert_eq!(turned.total(), names.len() as u64);
        }
    }
}
