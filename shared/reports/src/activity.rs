//! Active people by day: DAU, WAU, MAU and stickiness.

use crate::report::{Cell, Table, Unit};
use perennial_domain::time::date_of;
use perennial_engine::activity::Days;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The days of a week, and of what counts as a month.
const WINDOWS: [u32; 3] = [1, 7, 30];
/// The closed days that are shown: those for which a profile's 128 days hold a whole month.
pub(crate) const DAYS: i32 = 128 - 30;

/// People who were active on a day, in the week and in the month that end with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Activity {
    /// By day since 1970-01-01.
    days: BTreeMap<i32, [u64; 3]>,
}

impl Activity {
    /// Counts a person with these active days, for the closed days before `today`.
    pub(crate) fn add(&mut self, days: &Days, today: i32) {
        for day in today - DAYS..today {
            let active = WINDOWS.map(|length| u64::from(days.active(day, length) > 0));
            if active[2] > 0 {
                sum(self.days.entry(day).or_default(), active);
            }
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (day, active) in &other.days {
            sum(self.days.entry(*day).or_default(), *active);
        }
    }

    /// Returns a row for each closed day from the first one with activity on, the oldest first.
    pub(crate) fn table(&self, today: i32) -> Table {
        let columns = [
            ("day", Unit::Text),
            ("dau", Unit::Count),
            ("wau", Unit::Count),
            ("mau", Unit::Count),
            ("stickiness", Unit::Share),
        ];
        let mut table = Table::new("days", &columns);
        let first = self.days.keys().next().copied().unwrap_or(today);
        for day in first..today {
            let [dau, wau, mau] = self.days.get(&day).copied().unwrap_or_default();
            let date = Cell::text(date_of(day).to_string());
            table.row([date, Cell::Count(dau), Cell::Count(wau), Cell::Count(mau), Cell::share(dau, mau)]);
        }
        table
    }
}

fn sum(mine: &mut [u64; 3], more: [u64; 3]) {
    for (mine, more) in mine.iter_mut().zip(more) {
        *mine += more;
    }
}
