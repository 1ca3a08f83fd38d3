//! The sentiment of a person's texts, by month.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Months that are kept, the newest included.
const MONTHS: i32 = 6;
/// The stored value of 1.0: sums of integers do not depend on their order.
const UNIT: f64 = 1000.0;

/// The sums of sentiment by month since January 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mood {
    months: BTreeMap<i32, Month>,
}

/// One month's texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Month {
    /// The number of texts that were understood.
    pub texts: u32,
    /// The sum of their sentiment, in thousandths.
    pub sum: i32,
    /// The number of texts in unsupported languages.
    pub unread: u32,
}

impl Mood {
    /// Adds a text of `sentiment`, -1 to 1.
    pub fn add(&mut self, month: i32, sentiment: f64) {
        let sum = (sentiment.clamp(-1.0, 1.0) * UNIT).round() as i32;
        self.merge(&Self { months: BTreeMap::from([(month, Month { texts: 1, sum, unread: 0 })]) });
    }

    /// Counts a text that was not understood.
    pub fn add_foreign(&mut self, month: i32) {
        self.merge(&Self { months: BTreeMap::from([(month, Month { texts: 0, sum: 0, unread: 1 })]) });
    }

    /// Adds all of `other`; months too far before the newest are left out, whenever they arrive.
    pub fn merge(&mut self, other: &Self) {
        for (month, more) in &other.months {
            let mine = self.months.entry(*month).or_default();
            mine.texts = mine.texts.saturating_add(more.texts);
            mine.sum = mine.sum.saturating_add(more.sum);
            mine.unread = mine.unread.saturating_add(more.unread);
        }
        if let Some(newest) = self.months.keys().next_back().copied() {
            self.months.retain(|month, _| *month > newest - MONTHS);
        }
    }

    /// The mean sentiment of the `length` months that end with `last`, -1 to 1; `None` where there are no texts.
    pub fn mean(&self, last: i32, length: i32) -> Option<f64> {
        let (mut texts, mut sum) = (0_i64, 0_i64);
        for month in self.months.range(last - length + 1..=last).map(|(_, month)| month) {
            texts += i64::from(month.texts);
            sum += i64::from(month.sum);
        }
        (texts > 0).then(|| sum as f64 / texts as f64 / UNIT)
    }

    /// Returns how many texts of the `length` months that end with `last` were not understood.
    pub fn unread(&self, last: i32, length: i32) -> u32 {
        let months = self.months.range(last - length + 1..=last);
        months.fold(0, |sum, (_, month)| sum.saturating_add(month.unread))
    }

    /// The months that have texts, the oldest first, counted from January 1970.
    pub fn iter(&self) -> impl Iterator<Item = (i32, Month)> {
        self.months.iter().map(|(month, sums)| (*month, *sums))
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.months.is_empty()
    }
}

impl FromIterator<(i32, Month)> for Mood {
    /// The months as they were stored.
    fn from_iter<I: IntoIterator<Item = (i32, Month)>>(months: I) -> Self {
        Self { months: months.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_add_up_in_any_order_and_old_months_go() {
        let texts = [(600, 0.5), (601, -1.0), (594, 1.0), (601, 0.2), (596, 0.1)];
        let (mut a, mut b) = (Mood::default(), Mood::default());
        texts.iter().for_each(|(month, sentiment)| a.add(*month, *sentiment));
        texts.iter().rev().for_each(|(month, sentiment)| b.add(*month, *sentiment));
        assert_eq!(a, b);
        assert_eq!(a.mean(601, 1), Some(-0.4));
        assert_eq!(a.mean(601, 6), Some(-0.05), "month 594 is out of reach");
        assert_eq!(a.mean(590, 3), None);
    }

    #[test]
    fn texts_that_were_not_understood_are_counted_and_move_no_mean() {
        let mut mood = Mood::default();
        mood.add(601, -0.5);
        mood.add_foreign(601);
        mood.add_foreign(600);
        assert_eq!((mood.mean(601, 1), mood.unread(601, 1), mood.unread(601, 6)), (Some(-0.5), 1, 2));
    }
}
