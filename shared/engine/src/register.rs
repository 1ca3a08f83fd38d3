//! A last-writer-wins register.

use serde::{Deserialize, Serialize};

/// A value and when it was written. Of two, the later one stays; of two of the same time, the greater value, so that the
/// order in which they are seen does not matter. Two requests have the same time only where both say so: ingest gives no two of them the same.
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

/// Sets `slot`, or keeps the earlier of the two; of two of the same time, the lesser value.
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
