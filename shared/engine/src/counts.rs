//! How often each event happened.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many different names one part of a profile counts by itself.
pub const MAX_NAMES: usize = 200;

/// Counts by event name. A client that puts values into names cannot make a profile grow without bound: only the
/// [`MAX_NAMES`] first names of the alphabet are kept, the rest are counted together. A name that is kept in the end was
/// kept at every moment before, so its count is exact whatever the order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    by_name: BTreeMap<String, u32>,
    other: u32,
}

impl Counts {
    /// Counts `n` more of `name`.
    pub fn add(&mut self, name: &str, n: u32) {
        let count = match self.by_name.get_mut(name) {
            Some(count) => count,
            None => self.by_name.entry(name.to_owned()).or_default(),
        };
        *count = count.saturating_add(n);
        while self.by_name.len() > MAX_NAMES {
            if let Some((_, n)) = self.by_name.pop_last() {
                self.other = self.other.saturating_add(n);
            }
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (name, n) in &other.by_name {
            self.add(name, *n);
        }
        self.other = self.other.saturating_add(other.other);
    }

    /// How often `name` happened; 0 for a name that is counted among the others.
    pub fn get(&self, name: &str) -> u32 {
        self.by_name.get(name).copied().unwrap_or(0)
    }

    /// The names with their counts, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.by_name.iter().map(|(name, n)| (name.as_str(), *n))
    }

    /// Events of names that are not kept by themselves.
    pub fn other(&self) -> u32 {
        self.other
    }

    /// All events.
    pub fn total(&self) -> u64 {
        self.by_name.values().map(|n| u64::from(*n)).sum::<u64>() + u64::from(self.other)
    }
}
