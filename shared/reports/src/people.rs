//! The happiest, the unhappiest and the most active people.

use crate::report::{Cell, Table, Unit};
use jiff::Timestamp;
use perennial_domain::time::{day_of, month_of};
use perennial_engine::{Profile, State};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// People of each list.
const MOST: usize = 20;
/// Days of activity that count.
const DAYS: u32 = 28;
/// Months of texts that count.
const MONTHS: i32 = 3;

/// A person with a number to sort by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Ranked {
    value: i64,
    id: String,
}

/// The lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leaders {
    happiest: Vec<Ranked>,
    unhappiest: Vec<Ranked>,
    active: Vec<Ranked>,
}

impl Leaders {
    /// Counts a person.
    pub(crate) fn add(&mut self, profile: &Profile, state: &State, now: Timestamp) {
        // The identity that the profile has its id from; another one if that was merged into it or holds nothing.
        let own = profile.parts.iter().find(|part| part.owner() == profile.id && part.state.seen.is_some());
        let id = own.or_else(|| {
            profile.parts.iter().filter(|part| part.state.seen.is_some()).min_by_key(|part| &part.identity)
        });
        let Some(id) = id.or_else(|| profile.parts.first()).map(|part| &part.identity) else { return };
        let id = id.bare_id().to_owned();
        if let Some(value) = happiness(state, now) {
            self.happiest.push(Ranked { value, id: id.clone() });
            self.unhappiest.push(Ranked { value, id: id.clone() });
        }
        let value = state.days.active(day_of(now), DAYS).into();
        if value > 0 {
            self.active.push(Ranked { value, id });
        }
        self.bound();
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.happiest.extend_from_slice(&other.happiest);
        self.unhappiest.extend_from_slice(&other.unhappiest);
        self.active.extend_from_slice(&other.active);
        self.bound();
    }

    fn bound(&mut self) {
        let highest =
            |list: &mut Vec<Ranked>| list.sort_by(|a, b| (Reverse(a.value), &a.id).cmp(&(Reverse(b.value), &b.id)));
        highest(&mut self.happiest);
        highest(&mut self.active);
        self.unhappiest.sort();
        for list in [&mut self.happiest, &mut self.unhappiest, &mut self.active] {
            list.truncate(MOST);
        }
    }

    /// Returns the three lists.
    pub(crate) fn tables(&self) -> Vec<Table> {
        let of = |name, unit, list: &[Ranked]| {
            let mut table = Table::new(name, &[("user", Unit::Text), (unit, Unit::Count)]);
            for ranked in list {
                table.row([Cell::text(ranked.id.clone()), Cell::Count(ranked.value.unsigned_abs())]);
            }
            table
        };
        vec![
            of("happiest", "happiness", &self.happiest),
            of("unhappiest", "happiness", &self.unhappiest),
            of("most active", "active days", &self.active),
        ]
    }
}

/// Returns how happy a person is, 0 to 100: the mean of ten times the latest answer to the recommendation survey and of
/// the sentiment of the last three months, from 0 (-1) to 100 (1); of those that are known.
fn happiness(state: &State, now: Timestamp) -> Option<i64> {
    let answer = state.nps.map(|answer| f64::from(answer.points) * 10.0);
    let mood = state.mood.mean(month_of(now), MONTHS).map(|mood| (mood + 1.0) * 50.0);
    let known: Vec<f64> = answer.into_iter().chain(mood).collect();
    (!known.is_empty()).then(|| (known.iter().sum::<f64>() / known.len() as f64).round() as i64)
}
