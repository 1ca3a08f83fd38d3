//! Traits that are to be set only where there is no value.

use crate::register::Register;
use serde::{Deserialize, Serialize};

/// A trait that was to be set only where there was none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Once {
    /// The first value.
    pub first: Register,
    /// The last value, if it differs from the first.
    pub last: Option<Register>,
}

impl Once {
    /// Returns a value that was reported once.
    pub fn new(first: Register) -> Self {
        Self { first, last: None }
    }

    /// Keeps the first and the last of both.
    pub fn merge(&mut self, other: Self) {
        let mine = self.last.take();
        let first = std::mem::replace(&mut self.first, other.first);
        let all = [Some(first), Some(self.first.clone()), mine, other.last];
        let (first, last) = (all.iter().flatten().min().cloned(), all.iter().flatten().max().cloned());
        if let Some(first) = first {
            self.last = last.filter(|last| *last != first);
            self.first = first;
        }
    }

    /// The bytes of the longer value.
    pub(crate) fn length(&self) -> usize {
        self.first.value.len().max(self.latest().value.len())
    }

    pub(crate) fn latest(&self) -> &Register {
        self.last.as_ref().unwrap_or(&self.first)
    }

    /// The value that counts where the trait was removed at `removed`, or never written.
    pub(crate) fn after(&self, removed: Option<i64>) -> Option<&str> {
        let said = [Some(&self.first), self.last.as_ref()];
        let counts = said.into_iter().flatten().find(|said| removed.is_none_or(|removed| said.at > removed));
        counts.map(|said| said.value.as_str())
    }
}
