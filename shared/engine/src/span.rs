//! A span of time.

use crate::instant;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The first and the last time of something, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first time.
    #[serde(with = "crate::instant")]
    pub first: i64,
    /// The last time.
    #[serde(with = "crate::instant")]
    pub last: i64,
}

impl Span {
    /// Returns one moment.
    pub fn at(at: i64) -> Self {
        Self { first: at, last: at }
    }

    /// The span of both.
    pub fn merge(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }

    /// The first time, as a timestamp.
    pub fn first_at(self) -> Timestamp {
        instant::timestamp(self.first)
    }

    /// The last time, as a timestamp.
    pub fn last_at(self) -> Timestamp {
        instant::timestamp(self.last)
    }
}
