//! How often each event happened.

use crate::bounds::{LARGEST_NAME, NAME_BYTES, is_beyond};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many different names one part of a profile counts by itself.
pub const MAX_NAMES: usize = 200;

/// Counts by event name. A client that puts values into names cannot make a profile grow without bound: only the
/// [`MAX_NAMES`] first names of the alphabet are kept, and those that fit into [`NAME_BYTES`]; the rest are counted together. A name that is kept in the end was
/// kept at every moment before, so its count is exact whatever the order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    by_name: BTreeMap<String, u32>,
    other: u32,
}

impl Counts {
    /// Counts `n` more of `name`.
    pub fn add(&mut self, name: &str, n: u32) {
        if let Some(count) = self.by_name.get_mut(name) {
            *count = count.saturating_add(n);
            return;
        }
        self.by_name.insert(name.to_owned(), n);
        while self.by_name.len() > MAX_NAMES {
            self.pop_last();
        }
        self.bound(NAME_BYTES);
    }

    /// Counts the last names of the alphabet together with the others until the rest fits into `room` bytes.
    pub(crate) fn bound(&mut self, room: usize) {
        let mut bytes: usize = self.by_name.keys().map(String::len).sum();
        while let Some((last, _)) = self.by_name.last_key_value() {
            bytes -= last.len();
            if !is_beyond(bytes, LARGEST_NAME, room) {
                return;
            }
            self.pop_last();
        }
    }

    fn pop_last(&mut self) {
        if let Some((_, n)) = self.by_name.pop_last() {
            self.other = self.other.saturating_add(n);
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
