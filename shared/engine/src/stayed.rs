//! In which months a person was in a segment: what retention against a segment's target needs, which membership of now
//! does not tell.

use crate::activity::Months;
use crate::facts::Facts;
use jiff::Timestamp;
use perennial_domain::time::month_of;

/// Months that are kept after a person left a segment: a year, and the months at both ends.
const KEPT: i32 = 14;

impl Facts {
    /// Returns whether the person was in the segment of this `key` in `month`, counted from January 1970, as far as was
    /// noted. What was left more than a year ago is not known any more.
    pub fn was_in_segment(&self, key: u32, month: i32) -> bool {
        let since = self.segments.get(&key).and_then(|since| Timestamp::from_millisecond(*since).ok());
        since.is_some_and(|since| month_of(since) <= month)
            || self.stayed.get(&key).is_some_and(|months| months.active(month, 1) > 0)
    }

    /// Records that the person leaves the segment of this `key` at `now`, and was in it `since`, in milliseconds since
    /// 1970. Forgets what was left too long ago, so that there is at most one entry for each segment of the last year.
    pub(crate) fn note_left(&mut self, key: u32, since: i64, now: Timestamp) {
        let this_month = month_of(now);
        let first = Timestamp::from_millisecond(since).map_or(this_month, month_of);
        let mut months = Months::default();
        (first.max(this_month - KEPT + 1)..=this_month).for_each(|month| months.mark(month));
        self.stayed.entry(key).or_default().merge(&months);
        self.stayed.retain(|_, months| !months.is_past(this_month - KEPT));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn months_in_a_segment_are_known_after_leaving_it_and_while_in_it() {
        let mut facts = Facts::default();
        let since = |text: &str| at(text).as_millisecond();
        facts.note_left(7, since("2023-12-31T23:59:59Z"), at("2024-02-29T12:00:00Z"));
        let was_in = |facts: &Facts, key, month: &str| facts.was_in_segment(key, month_of(at(month)));
        assert!(!was_in(&facts, 7, "2023-11-30T00:00:00Z"));
        for month in ["2023-12-01T00:00:00Z", "2024-01-15T00:00:00Z", "2024-02-01T00:00:00Z"] {
            assert!(was_in(&facts, 7, month), "{month}");
        }
        assert!(!was_in(&facts, 7, "2024-03-01T00:00:00Z") && !was_in(&facts, 8, "2024-01-01T00:00:00Z"));
        facts.segments.insert(8, since("2024-03-31T00:00:00Z"));
        assert!(was_in(&facts, 8, "2024-03-01T00:00:00Z") && !was_in(&facts, 8, "2024-02-29T00:00:00Z"));
        facts.note_left(9, since("2025-06-01T00:00:00Z"), at("2025-06-02T00:00:00Z"));
        assert_eq!(facts.stayed.keys().copied().collect::<Vec<_>>(), [9], "what was left long ago is forgotten");
    }
}
