//! People by the month of their first activity: retention of each cohort, and activation.

use crate::report::{Cell, Table, Unit};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::time::{day_of, month_of};
use perennial_engine::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The newest cohorts that are kept, and the months that each is followed for, its own included.
pub(crate) const MONTHS: i32 = 24;
/// The days from the first activity on, within which a second active day is a return.
const ACTIVATION_DAYS: i32 = 28;
/// The days up to the newest activity of which a profile knows whether they were active.
const HELD_DAYS: i32 = 128;

/// The people of a month of first activity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cohort {
    people: u64,
    /// Active people by months since the first: 1 is the month after.
    active: BTreeMap<i32, u64>,
    /// People who used a high-value feature, ever.
    activated: u64,
    /// People whose first 28 days are over and known.
    known: u64,
    /// Of these, people who were active on a second one of these days.
    returned: u64,
}

/// All cohorts, by month since January 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cohorts {
    months: BTreeMap<i32, Cohort>,
}

impl Cohorts {
    /// Counts a person as of `now`; nobody without activity, or of a cohort that is too old.
    pub(crate) fn add(&mut self, config: &Config, state: &State, now: Timestamp) {
        let Some(seen) = state.seen else { return };
        let this_month = month_of(now);
        let first = month_of(seen.first_at());
        if first <= this_month - MONTHS || first > this_month {
            return;
        }
        let cohort = self.months.entry(first).or_default();
        cohort.people += 1;
        for month in first + 1..=this_month {
            if state.months.active(month, 1) > 0 {
                *cohort.active.entry(month - first).or_default() += 1;
            }
        }
        let is_used = |key: &u32| state.uses.contains_key(key);
        cohort.activated += u64::from(config.features.high_value().any(|feature| is_used(&feature.key)));
        let (first_day, newest_day) = (day_of(seen.first_at()), day_of(seen.last_at()));
        let last = first_day + ACTIVATION_DAYS - 1;
        // Known are people whose first 28 days are over, and not so long ago that their profile has forgotten them.
        if last < day_of(now) && newest_day - first_day < HELD_DAYS {
            cohort.known += 1;
            cohort.returned += u64::from(state.days.active(last, ACTIVATION_DAYS.unsigned_abs()) > 1);
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (month, more) in &other.months {
            let mine = self.months.entry(*month).or_default();
            mine.people += more.people;
            mine.activated += more.activated;
            mine.known += more.known;
            mine.returned += more.returned;
            for (after, active) in &more.active {
                *mine.active.entry(*after).or_default() += active;
            }
        }
    }

    /// Returns a row for each cohort, with a share for each month after its own, up to `this_month`.
    pub(crate) fn retention(&self, this_month: i32) -> Table {
        let longest = self.months.keys().next().map_or(0, |first| this_month - first);
        let after: Vec<String> = (1..=longest).map(|after| format!("month {after}")).collect();
        let mut columns = vec![("cohort", Unit::Text), ("people", Unit::Count)];
        columns.extend(after.iter().map(|name| (name.as_str(), Unit::Share)));
        let mut table = Table::new("cohorts", &columns);
        for (month, cohort) in &self.months {
            let active = |after: i32| cohort.active.get(&after).copied().unwrap_or(0);
            let shares = (1..=this_month - month).map(|after| Cell::share(active(after), cohort.people));
            table.row([Cell::text(month_name(*month)), Cell::Count(cohort.people)].into_iter().chain(shares));
        }
        table
    }

    /// Returns a row for each cohort with its activated people.
    pub(crate) fn activation(&self) -> Table {
        let columns = [
            ("cohort", Unit::Text),
            ("people", Unit::Count),
            ("used a high-value feature", Unit::Share),
            ("came back within 28 days", Unit::Share),
        ];
        let mut table = Table::new("activation", &columns);
        for (month, cohort) in &self.months {
            table.row([
                Cell::text(month_name(*month)),
                Cell::Count(cohort.people),
                Cell::share(cohort.activated, cohort.people),
                Cell::share(cohort.returned, cohort.known),
            ]);
        }
        table
    }
}

/// Returns `2026-03` for a month since January 1970.
pub(crate) fn month_name(month: i32) -> String {
    format!("{:04}-{:02}", 1970 + month.div_euclid(12), month.rem_euclid(12) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_have_the_names_of_the_calendar() {
        for (month, name) in [(0, "1970-01"), (11, "1970-12"), (12, "1971-01"), (649, "2024-02"), (-1, "1969-12")] {
            assert_eq!(month_name(month), name);
        }
    }
}
