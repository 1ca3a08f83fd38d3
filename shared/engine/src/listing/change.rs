//! Changes of the entries of lists.

use super::entry::ListEntry;
use std::collections::BTreeSet;

/// A change of the entries of one profile or account. Applying it again changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ListChange {
    /// Entries to write.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub add: BTreeSet<ListEntry>,
    /// Entries to remove.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub remove: BTreeSet<ListEntry>,
}

impl ListChange {
    /// Returns the difference between two sets of entries.
    pub fn between(old: &BTreeSet<ListEntry>, new: &BTreeSet<ListEntry>) -> Self {
        Self { add: new.difference(old).cloned().collect(), remove: old.difference(new).cloned().collect() }
    }

    /// Includes an earlier change that may not have been applied. No entry is then both added and removed, so that the two
    /// need no order: `new` are the entries that there should be.
    pub fn include(&mut self, earlier: &Self, new: &BTreeSet<ListEntry>) {
        for entry in earlier.add.iter().chain(&earlier.remove) {
            let into = if new.contains(entry) { &mut self.add } else { &mut self.remove };
            into.insert(entry.clone());
        }
    }

    /// Returns whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}
