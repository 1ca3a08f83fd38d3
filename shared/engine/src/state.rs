//! The state derived from events: a commutative, idempotent merge.

use crate::activity::{Actions, Days, Months};
use crate::billing::Billing;
use crate::bounds::{Longest, MAX_CURRENCIES, NAME_BYTES, Room};
use crate::counts::Counts;
use crate::membership::set::Memberships;
use crate::mood::Mood;
use crate::points::Points;
use crate::register::{Register, write, write_first};
use crate::set_once::Once;
use crate::span::Span;
use perennial_config::lifecycle::Milestone;
use perennial_config::scoring::SurveyKind;
use perennial_domain::Currency;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most stage changes that are kept separately: the newest.
pub const MAX_MOVES: usize = 12;

/// An answer to a survey: of several the latest stays, and of the same time the higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Answer {
    /// When, in microseconds since 1970.
    #[serde(with = "crate::instant")]
    pub at: i64,
    /// The answer, in points of its survey's scale.
    pub points: u8,
}

/// Everything derived from the events of one identity; combined, of one profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Events by name.
    pub counts: Counts,
    /// First and last activity.
    pub seen: Option<Span>,
    /// Active days.
    pub days: Days,
    /// Active months.
    pub months: Months,
    /// The latest value of each trait; values are JSON text, see [`crate::traits`].
    pub traits: BTreeMap<String, Register>,
    /// The account last named by a `group` call or billing, even if the person has left it since.
    pub account: Option<Register>,
    /// The time zone of the newest call whose context contains one, as [`perennial_domain::hygiene::Zone`] writes it.
    pub zone: Option<Register>,
    /// Points by the rule's key.
    #[serde(with = "crate::keyed")]
    pub points: BTreeMap<u32, Points>,
    /// Actions by journey stage.
    pub tallies: BTreeMap<String, u32>,
    /// First and last time of each milestone.
    pub milestones: BTreeMap<Milestone, Span>,
    /// The newest moves between stages: when, and which milestone.
    #[serde(with = "crate::instant::set")]
    pub moves: BTreeSet<(i64, Milestone)>,
    /// Counts by day or by hour, of the events that a rule needs, by the history's key.
    #[serde(with = "crate::keyed")]
    pub windows: BTreeMap<u32, BTreeMap<i32, u32>>,
    /// First and last time of events that a rule needs, by the history's key.
    #[serde(with = "crate::keyed")]
    pub spans: BTreeMap<u32, Span>,
    /// Days of the use of features, by the history's key.
    #[serde(with = "crate::keyed")]
    pub uses: BTreeMap<u32, Days>,
    /// The latest answer to the recommendation survey.
    pub nps: Option<Answer>,
    /// The latest answer to the satisfaction survey.
    pub csat: Option<Answer>,
    /// The sentiment of the person's texts.
    pub mood: Mood,
    /// The sum of payments without ids, and of those too old to be kept by their ids, in minor units by currency. See
    /// [`State::revenues`] for the total.
    pub revenue: BTreeMap<Currency, i64>,
    /// Traits that were to be set only where there was none.
    pub once: BTreeMap<String, Once>,
    /// When a value of a trait was last dropped for its size, in microseconds since 1970; the first names in
    /// alphabetical order.
    pub dropped: BTreeMap<String, i64>,
    /// The account that any other call named first.
    pub mentioned: Option<Register>,
    /// Actions by week: those of the newest weeks.
    pub actions: Actions,
    /// Subscriptions, and payments by their ids. Stored beside the rest, where there are any.
    #[serde(skip)]
    pub billing: Billing,
    /// The accounts that were named, and where the person was active. Stored separately, unless they follow from the
    /// rest.
    #[serde(skip)]
    pub memberships: Memberships,
    /// The longest values that traits had, where that is more than they have now: see [`crate::bounds`]. Stored beside the rest, where there are any.
    #[serde(skip)]
    pub longest: Longest,
    /// The same of traits that were to be set only where there was none.
    #[serde(skip)]
    pub longest_once: Longest,
    /// The reduction of the identity's limits, because its profile would be too large. Stored separately, if reduced.
    #[serde(skip)]
    pub room: Room,
}

impl State {
    /// Adds all of `other`: the combined state of a profile is this over its identities.
    pub fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        if let Some(seen) = other.seen {
            self.mark_seen(seen);
        }
        self.days.merge(&other.days);
        self.months.merge(&other.months);
        self.merge_traits(other);
        if let Some(account) = &other.account {
            write(&mut self.account, account.clone());
        }
        if let Some(zone) = &other.zone {
            write(&mut self.zone, zone.clone());
        }
        if let Some(account) = &other.mentioned {
            write_first(&mut self.mentioned, account.clone());
        }
        self.actions.merge(&other.actions);
        for (key, points) in &other.points {
            self.points.entry(*key).or_default().merge(points);
        }
        for (name, n) in &other.tallies {
            add(&mut self.tallies, name, *n);
        }
        for (milestone, span) in &other.milestones {
            self.mark_milestone(*milestone, *span);
        }
        for moved in &other.moves {
            self.mark_move(*moved);
        }
        for (key, days) in &other.windows {
            let mine = self.windows.entry(*key).or_default();
            for (day, n) in days {
                let count = mine.entry(*day).or_default();
                *count = count.saturating_add(*n);
            }
        }
        for (key, span) in &other.spans {
            self.mark_span(*key, *span);
        }
        for (key, days) in &other.uses {
            self.uses.entry(*key).or_default().merge(days);
        }
        self.nps = self.nps.max(other.nps);
        self.csat = self.csat.max(other.csat);
        self.mood.merge(&other.mood);
        for (currency, minor) in &other.revenue {
            self.add_revenue(*currency, *minor);
        }
        self.billing.merge(&other.billing);
        self.memberships.merge(&other.memberships);
    }

    pub(crate) fn mark_seen(&mut self, span: Span) {
        match &mut self.seen {
            Some(seen) => seen.merge(span),
            None => self.seen = Some(span),
        }
    }

    pub(crate) fn mark_milestone(&mut self, milestone: Milestone, span: Span) {
        self.milestones.entry(milestone).and_modify(|s| s.merge(span)).or_insert(span);
    }

    /// Returns the latest answer to a survey of `kind`, for writing.
    pub(crate) fn answer_mut(&mut self, kind: SurveyKind) -> &mut Option<Answer> {
        match kind {
            SurveyKind::Nps => &mut self.nps,
            SurveyKind::Csat => &mut self.csat,
        }
    }

    /// Returns the latest answer to a survey of `kind`.
    pub(crate) fn answer(&self, kind: SurveyKind) -> Option<Answer> {
        match kind {
            SurveyKind::Nps => self.nps,
            SurveyKind::Csat => self.csat,
        }
    }

    pub(crate) fn mark_move(&mut self, moved: (i64, Milestone)) {
        self.moves.insert(moved);
        while self.moves.len() > MAX_MOVES {
            self.moves.pop_first();
        }
    }

    pub(crate) fn mark_span(&mut self, key: u32, span: Span) {
        self.spans.entry(key).and_modify(|s| s.merge(span)).or_insert(span);
    }

    /// Counts on `day`, or in an hour; events `length` or more before the newest are left out, whenever they arrive.
    pub(crate) fn count_in_window(&mut self, key: u32, day: i32, length: u16) {
        let days = self.windows.entry(key).or_default();
        let count = days.entry(day).or_default();
        *count = count.saturating_add(1);
        let Some(newest) = days.keys().next_back().copied() else { return };
        while days.first_key_value().is_some_and(|(day, _)| *day <= newest - i32::from(length)) {
            days.pop_first();
        }
    }

    pub(crate) fn add_revenue(&mut self, currency: Currency, minor: i64) {
        let sum = self.revenue.entry(currency).or_default();
        *sum = sum.saturating_add(minor);
        while self.revenue.len() > MAX_CURRENCIES {
            self.revenue.pop_last();
        }
    }

    /// Counts an event of this name; names for which `is_asked` holds are kept before others.
    pub(crate) fn count(&mut self, name: &str, is_asked: &dyn Fn(&str) -> bool) {
        self.counts.add(name, 1, is_asked);
        if self.room.is_reduced() {
            self.counts.bound(self.room.of(NAME_BYTES), is_asked);
        }
    }

    /// Returns the count of the history of `key` within the `length` days or hours that end with `last`.
    pub fn windowed(&self, key: u32, last: i32, length: u16) -> u32 {
        let from = last - i32::from(length) + 1;
        self.windows.get(&key).map_or(0, |days| days.range(from..=last).map(|(_, n)| *n).sum())
    }
}

/// Counts `n` more of `name`.
pub(crate) fn add(counts: &mut BTreeMap<String, u32>, name: &str, n: u32) {
    match counts.get_mut(name) {
        Some(count) => *count = count.saturating_add(n),
        None => {
            counts.insert(name.to_owned(), n);
        }
    }
}
