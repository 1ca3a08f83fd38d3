//! What was decided: recorded fact, not derived from events.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What was decided because of one part of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Journeys entered, by the journey's key.
    #[serde(with = "crate::keyed")]
    pub entered: BTreeMap<u32, Entered>,
    /// Score journeys whose threshold the person is over now, by the journey's key.
    pub above: BTreeSet<u32>,
    /// Segments that the person is in, by the segment's key: since when, in milliseconds since 1970.
    #[serde(with = "crate::keyed")]
    pub segments: BTreeMap<u32, i64>,
    /// All nine scores at the beginning of the newest weeks, by the week's number: see [`crate::trend`].
    pub trend: BTreeMap<i32, [u8; 9]>,
}

/// How often and when last someone entered a journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// 1 or more.
    pub times: u32,
    /// Milliseconds since 1970.
    pub last: i64,
}

impl Facts {
    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (key, entered) in &other.entered {
            let mine = self.entered.entry(*key).or_insert(Entered { times: 0, last: entered.last });
            mine.times = mine.times.saturating_add(entered.times);
            mine.last = mine.last.max(entered.last);
        }
        self.above.extend(&other.above);
        for (key, since) in &other.segments {
            self.segments.entry(*key).and_modify(|mine| *mine = (*mine).min(*since)).or_insert(*since);
        }
        for (week, scores) in &other.trend {
            self.trend.entry(*week).or_insert(*scores);
        }
    }
}
