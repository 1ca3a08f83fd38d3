//! On which days and in which months someone was active, as bitmaps that end at the newest one, and how much they did of late.

use crate::points::pow2;
use jiff::Timestamp;
use perennial_domain::time::{DAY_SECONDS, beginning_of_week, week_of};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! bitmap {
    ($(#[$doc:meta])* $name:ident, $bits:ty, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            newest: i32,
            bits: $bits,
        }

        impl $name {
            #[doc = concat!("How many ", $unit, "s back from the newest it reaches.")]
            pub const LENGTH: u32 = <$bits>::BITS;

            #[doc = concat!("Marks a ", $unit, "; what is older than the bitmap reaches is left out, whenever it comes.")]
            pub fn mark(&mut self, at: i32) {
                self.merge(&Self { newest: at, bits: 1 });
            }

            /// The union of both, as far back as the bitmap reaches.
            pub fn merge(&mut self, other: &Self) {
                if other.bits == 0 {
                    return;
                }
                if self.bits == 0 {
                    *self = *other;
                    return;
                }
                let newest = self.newest.max(other.newest);
                let bits = self.seen_from(newest) | other.seen_from(newest);
                *self = Self { newest, bits };
            }

            /// The bits as they stand when `newest`, which is not older, is the last one.
            fn seen_from(&self, newest: i32) -> $bits {
                self.bits.checked_shl(newest.abs_diff(self.newest)).unwrap_or(0)
            }

            #[doc = concat!("How many of the `length` ", $unit, "s that end with `last` are marked.")]
            pub fn active(&self, last: i32, length: u32) -> u32 {
                let bits = if last >= self.newest {
                    self.seen_from(last)
                } else {
                    self.bits.checked_shr(self.newest.abs_diff(last)).unwrap_or(0)
                };
                let mask = if length >= Self::LENGTH { <$bits>::MAX } else { ((1 as $bits) << length) - 1 };
                (bits & mask).count_ones()
            }
        }
    };
}

bitmap!(
    /// Active days, since 1970-01-01.
    Days, u128, "day"
);
bitmap!(
    /// Active months, since January 1970.
    Months, u64, "month"
);

/// Weeks of actions that are kept: the newest, and those that still count four weeks later.
const WEEKS: i32 = 5;

/// How many actions someone took in each of the newest weeks, by the week's number: how much someone does, as the days say how often.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actions {
    by_week: BTreeMap<i32, u32>,
}

impl Actions {
    /// Counts an action of `week`; weeks that lie [`WEEKS`] or more behind the newest are left out, whenever they come.
    pub fn count(&mut self, week: i32) {
        self.add(week, 1);
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (week, n) in &other.by_week {
            self.add(*week, *n);
        }
    }

    fn add(&mut self, week: i32, n: u32) {
        let count = self.by_week.entry(week).or_default();
        *count = count.saturating_add(n);
        let Some(newest) = self.by_week.keys().next_back().copied() else { return };
        while self.by_week.first_key_value().is_some_and(|(week, _)| *week <= newest.saturating_sub(WEEKS)) {
            self.by_week.pop_first();
        }
    }

    /// How many actions are left at `now`: those of its week count whole, and those of weeks before lose half their weight in each
    /// week since theirs ended. What ended four weeks ago or longer counts no more.
    pub fn left(&self, now: Timestamp) -> f64 {
        let this_week = week_of(now);
        let left = |(week, n): (&i32, &u32)| {
            let ended = beginning_of_week(week.saturating_add(1));
            let passed = (now.as_second() - ended.as_second()).max(0) as f64 / (7 * DAY_SECONDS) as f64;
            f64::from(*n) * pow2(-passed)
        };
        self.by_week.range(this_week - WEEKS + 1..=this_week).map(left).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_within_their_window_in_any_order() {
        let (mut a, mut b) = (Days::default(), Days::default());
        for day in [100, 90, 101, 400, 399, 273, 272] {
            a.mark(day);
        }
        for day in [272, 399, 101, 400, 273, 90, 100] {
            b.mark(day);
        }
        assert_eq!(a, b);
        assert_eq!(a.active(400, 28), 2);
        assert_eq!(a.active(400, 128), 3, "day 273 is the last that 128 days reach");
        assert_eq!(a.active(399, 1), 1);
        assert_eq!(a.active(500, 28), 0);
    }
}
