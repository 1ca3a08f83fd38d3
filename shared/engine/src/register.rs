//! A last-writer-wins register.

use serde::{Deserialize, Serialize};

/// A value and its time. The later one wins; at the same time, the greater value, so that the order of arrival does not
/// matter. Two requests have equal times only if both say so: ingest never assigns the same time to two of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Register {
    /// Microseconds since 1970.
    #[serde(with = "crate::instant")]
    pub at: i64,
    /// The value; JSON text for traits.
    pub value: String,
}

impl Register {
    /// Keeps the later of the two.
    pub fn merge(&mut self, other: Self) {
        if other > *self {
            *self = other;
        }
    }
}

/// Sets `slot`, or keeps the earlier of the two; at the same time, the lesser value.
pub fn write_first(slot: &mut Option<Register>, new: Register) {
    match slot {
        Some(current) if *current <= new => {}
        _ => *slot = Some(new),
    }
}

/// Sets or merges `slot`.
pub fn write(slot: &mut Option<Register>, new: Register) {
    match slot {
        Some(current) => current.merge(new),
        None => *slot = Some(new),
    }
}
