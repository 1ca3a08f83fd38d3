//! The trend of scores: those of the nine that applied, at the beginning of each of the newest weeks.
//!
//! A state does not contain its past, so the scores are recorded when the first event of a new week arrives, before it
//! is counted. Weeks without events are computed on demand: only time changed the scores in them.

use crate::evaluate::evaluate;
use crate::facts::Facts;
use crate::moment::Moment;
use crate::profile::Profile;
use crate::span::Span;
use crate::state::State;
use jiff::Timestamp;
use perennial_domain::time::{beginning_of_week as beginning, week_of};
use perennial_domain::{Likelihood, Score, Scores};
use serde::Serialize;
use std::collections::BTreeMap;

/// The number of weeks that are kept.
pub const WEEKS: i32 = 4;

/// The value of a score that did not apply.
const ABSENT: u8 = u8::MAX;

/// A score when a week began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TrendPoint {
    /// Monday, 00:00 UTC.
    pub at: Timestamp,
    /// The score then.
    pub value: Score,
}

/// Records the scores at the beginning of the week of `next`, the time of an event that is about to be counted, if it
/// is the first of that week and the week is one of the newest before the moment.
pub(crate) fn note(moment: &Moment<'_>, profile: &mut Profile, next: Timestamp) {
    let week = week_of(next);
    let this_week = week_of(moment.now);
    if week > this_week || week <= this_week - WEEKS {
        return;
    }
    let Some(newest) = profile.primary_mut().map(|part| part.facts.trend.keys().next_back().copied()) else { return };
    if newest.is_some_and(|newest| newest >= week) {
        return;
    }
    // After activity since the week began, its beginning is unknown; the identity states show that without being
    // combined.
    let last = profile.parts.iter().filter_map(|part| part.state.seen).map(Span::last_at).max();
    let Some(last) = last.filter(|last| *last < beginning(week)) else { return };
    let view = profile.view();
    let from = newest.map_or(i32::MIN, |newest| newest + 1).max(this_week - WEEKS + 1);
    let noted: Vec<_> = (from..=week)
        .filter(|week| last < beginning(*week))
        .map(|week| (week, scores_at(moment, &view, week)))
        .collect();
    if let Some(part) = profile.primary_mut() {
        part.facts.trend.extend(noted);
        part.facts.trend.retain(|week, _| *week > this_week - WEEKS);
    }
}

/// Returns all nine scores of a state at the beginning of a week.
pub(crate) fn scores_at(moment: &Moment<'_>, view: &State, week: i32) -> [u8; 9] {
    let scores: Scores = evaluate(&moment.at(beginning(week)), view).scores;
    Likelihood::ALL.map(|likelihood| scores.get(likelihood).map_or(ABSENT, Score::get))
}

/// Returns all nine scores at the beginnings of the newest weeks, by week, as [`trend`] returns each of them. A score that did not
/// apply is missing.
pub fn trends(moment: &Moment<'_>, view: &State, facts: &Facts) -> BTreeMap<i32, BTreeMap<Likelihood, Score>> {
    let this_week = week_of(moment.now);
    let of = |week| Some((week, weekly(moment, view, facts, week)?));
    let named = |scores: [u8; 9]| {
        let known = Likelihood::ALL.into_iter().zip(scores).filter(|(_, value)| *value != ABSENT);
        known.map(|(likelihood, value)| (likelihood, Score::from(value))).collect()
    };
    (this_week - WEEKS + 1..=this_week).filter_map(of).map(|(week, scores)| (week, named(scores))).collect()
}

/// Returns all nine scores at the beginning of a week; `None` if they are not known.
fn weekly(moment: &Moment<'_>, view: &State, facts: &Facts, week: i32) -> Option<[u8; 9]> {
    let seen = view.seen?;
    let recorded = facts.trend.get(&week).copied();
    recorded.or_else(|| (seen.last_at() < beginning(week)).then(|| scores_at(moment, view, week)))
}

/// Returns a score at the beginnings of the newest weeks, the oldest first: the recorded ones, and those since the last
/// activity, in which only time changed it. Weeks before the person was first seen are left out.
pub fn trend(moment: &Moment<'_>, view: &State, facts: &Facts, likelihood: Likelihood) -> Vec<TrendPoint> {
    let this_week = week_of(moment.now);
    let point = |week| {
        let value = weekly(moment, view, facts, week)?[likelihood as usize];
        (value != ABSENT).then(|| TrendPoint { at: beginning(week), value: Score::from(value) })
    };
    (this_week - WEEKS + 1..=this_week).filter_map(point).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn weeks_begin_on_monday() {
        let sunday: Timestamp = "2026-11-22T23:59:59Z".parse().unwrap();
        let monday: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        assert_eq!(week_of(monday), week_of(sunday) + 1);
        assert_eq!(beginning(week_of(monday)), monday);
        assert_eq!(beginning(week_of("1970-01-01T00:00:00Z".parse().unwrap())).to_string(), "1969-12-29T00:00:00Z");
    }
}
