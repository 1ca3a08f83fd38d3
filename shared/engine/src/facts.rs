//! What was decided: recorded fact, not derived from events.

use perennial_domain::Cause;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What was decided because of one part of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Journeys entered, by the journey's key.
    #[serde(with = "crate::keyed")]
    pub entered: BTreeMap<u32, Entered>,
    /// Journeys that the person is on the way through, by the journey's key.
    #[serde(with = "crate::keyed")]
    pub runs: BTreeMap<u32, Run>,
    /// Journeys that are set off by a threshold or a condition, and whose threshold the person is over or condition holds now, by
    /// the journey's key.
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
    /// When the journey's goal was reached after that, in milliseconds since 1970.
    pub reached: Option<i64>,
}

/// Where someone waits within a journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When they entered, in milliseconds since 1970.
    pub entered: i64,
    /// The key of the step at which they wait.
    pub step: u32,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// When they go on, whatever happens: in seconds since 1970.
    pub due: i64,
    /// What set it off.
    pub cause: Cause,
    /// A hash of what set it off, which the ids of its decisions are derived from.
    pub cause_key: u64,
}

impl Run {
    /// Whether this one goes on where both are someone's.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        (self.entered, self.cause_key) < (other.entered, other.cause_key)
    }
}

impl Facts {
    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (key, entered) in &other.entered {
            let mine = self.entered.entry(*key).or_insert(Entered { times: 0, ..*entered });
            mine.times = mine.times.saturating_add(entered.times);
            if entered.last > mine.last {
                (mine.last, mine.reached) = (entered.last, entered.reached);
            } else if entered.last == mine.last {
                mine.reached = mine.reached.or(entered.reached);
            }
        }
        for (key, run) in &other.runs {
            // Who was on the way twice, as two people, goes on where they entered first.
            let mine = self.runs.entry(*key).or_insert_with(|| run.clone());
            if run.is_before(mine) {
                *mine = run.clone();
            }
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
