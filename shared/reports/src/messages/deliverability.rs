//! Mails by the recipient's domain, by journey and by day: whether they arrive.

use super::seen::{Counts, Fate, Message};
use super::{DAYS, RESULTS, results};
use crate::bounded::{Bounded, Sum};
use crate::report::{Cell, Table, Unit};
use perennial_domain::Channel;
use perennial_domain::time::{date_of, day_of};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The domains that are shown one by one.
const DOMAINS: usize = 50;
/// The row of mails without a known domain: their delivery was reported before the answer to sending was.
const UNKNOWN: &str = "unknown";

/// The mails of the last [`DAYS`] days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deliverability {
    domains: Bounded<Counts>,
    journeys: Bounded<Counts>,
    /// By day since 1970-01-01, at most [`DAYS`] and the report's own.
    days: BTreeMap<i32, Counts>,
}

impl Deliverability {
    /// Counts a message, if it is a mail that was sent or failed.
    pub(crate) fn add(&mut self, message: &Message<'_>) {
        if message.channel != Channel::Mail || matches!(message.fate, Fate::Withheld(_)) {
            return;
        }
        let counts = Counts::of(message.fate);
        self.domains.add(message.domain.unwrap_or(UNKNOWN), &counts);
        self.journeys.add(message.journey, &counts);
        self.days.entry(day_of(message.decided_at)).or_default().sum(&counts);
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.domains.merge(&other.domains);
        self.journeys.merge(&other.journeys);
        for (day, counts) in &other.days {
            self.days.entry(*day).or_default().sum(counts);
        }
    }

    /// Returns mails by domain, by journey, and by day up to `today`.
    pub(crate) fn tables(&self, today: i32) -> Vec<Table> {
        let table =
            |name: &str, column: &'static str| Table::new(name, &[&[(column, Unit::Text)][..], &RESULTS].concat());
        let (mut domains, mut journeys) = (table("domains", "domain"), table("journeys", "journey"));
        let mut rest = *self.domains.rest();
        for (place, (domain, counts)) in self.domains.largest(Counts::sent).into_iter().enumerate() {
            if place < DOMAINS {
                domains.row([Cell::text(domain)].into_iter().chain(results(counts)));
            } else {
                rest.sum(counts);
            }
        }
        if rest != Counts::default() {
            domains.row([Cell::text("other domains")].into_iter().chain(results(&rest)));
        }
        for (journey, counts) in self.journeys.largest(Counts::sent) {
            journeys.row([Cell::text(journey)].into_iter().chain(results(counts)));
        }
        let mut days = table("days", "day");
        let first = self.days.keys().next().copied().unwrap_or(today + 1).max(today - DAYS);
        for day in first..=today {
            let counts = self.days.get(&day).copied().unwrap_or_default();
            days.row([Cell::text(date_of(day).to_string())].into_iter().chain(results(&counts)));
        }
        vec![domains, journeys, days]
    }
}
