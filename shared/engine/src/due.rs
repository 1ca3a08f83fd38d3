//! Computes when a profile has to be evaluated again.

use crate::drift::{Watched, next_drift};
use crate::instant::timestamp;
use crate::person::Person;
use crate::score::asked_values;
use crate::still::Place;
use crate::stretch::Stretch;
use jiff::{SignedDuration, Timestamp};
use perennial_config::journeys::Trigger;
use perennial_config::vocabulary::AccountField;
use perennial_domain::Stage;
use perennial_domain::time::{days_between, plus_days};

/// Idle days that are looked at one by one.
const DAILY: i64 = 100;
/// Steps in days beyond that: what still moves then moves slowly.
const COARSE: i64 = 14;
/// The number of idle days after which time alone causes no evaluation.
const LAST: i64 = 800;

/// The values that time alone may change and a decision depends on.
#[derive(PartialEq, Eq)]
struct Pulse {
    stage: Stage,
    segments: u64,
    /// The journeys whose score is over its threshold, or whose condition holds.
    above: Vec<usize>,
    /// The number of journeys whose idle days are reached.
    quiet: usize,
}

impl Pulse {
    /// Returns that of a person with scores and segments.
    fn of(person: &Person<'_>) -> Self {
        let journeys = person.moment.config.journeys.all.iter().enumerate();
        // Falling below counts too: only who fell below a threshold can pass it again.
        let is_over = |at: usize, trigger: &Trigger| match trigger {
            Trigger::Becomes { when } => person.holds(Place::Journey(at), when),
            trigger => person.is_over(trigger) == Some(true),
        };
        let above = journeys.filter(|(at, journey)| is_over(*at, &journey.trigger)).map(|(at, _)| at).collect();
        Self { stage: person.stage, segments: person.segments, above, quiet: quiet(person) }
    }
}

/// Returns the earliest time after now at which time alone could change a decision, and before `until` if given;
/// `until` itself if nothing changes before it, and `None` if nothing waits.
///
/// Time changes profiles by their idle days, and by the days until their account's renewal. `watched` is what lists and the CRM have
/// of the profile, which scores outdate.
pub(crate) fn next_due(person: &Person<'_>, watched: Watched<'_>, until: Option<Timestamp>) -> Option<Timestamp> {
    let now = Pulse::of(person);
    let until = next_idle(person, &now, until);
    let until = next_turn(person, &now, until);
    let until = next_before_renewal(person, &now, until);
    next_drift(person, watched, until)
}

/// Evaluates the profile at the end of a trial or a last period, and when it no longer is a new customer.
fn next_turn(person: &Person<'_>, now: &Pulse, until: Option<Timestamp>) -> Option<Timestamp> {
    let moment = &person.moment;
    let mut turns = person.standing.turns.clone();
    turns.sort_unstable();
    for at in turns.into_iter().map(timestamp).filter(|at| *at > moment.now) {
        if until.is_some_and(|until| at >= until) {
            return until;
        }
        if pulse(person, at) != *now {
            return Some(at);
        }
    }
    until
}

/// Evaluates the profile once for each further idle day, at the time of day of the last activity: values by idle days
/// are exact to the second; values by calendar days, by decaying hours, or of the account, within a day. Later activity
/// leads to another evaluation before the stored time, which therefore need not change when it would move later.
fn next_idle(person: &Person<'_>, now: &Pulse, until: Option<Timestamp>) -> Option<Timestamp> {
    let moment = &person.moment;
    let Some(last) = person.state.seen.map(|seen| seen.last_at()) else { return until };
    let mut days = Vec::new();
    let mut day = days_between(last, moment.now) + 1;
    while day <= LAST && until.is_none_or(|until| plus_days(last, day) < until) {
        days.push(day);
        day += if day < DAILY { 1 } else { COARSE };
    }
    days.retain(|day| plus_days(last, *day) > moment.now);
    let changed = first_changed(person, now, last, &days);
    changed.map(|day| first_change(person, now, last, day)).or(until)
}

/// The first of `days`, idle days in their order, on which the person differs from now. A stretch in which nothing can change is
/// passed over as a whole.
fn first_changed(person: &Person<'_>, now: &Pulse, last: Timestamp, days: &[i64]) -> Option<i64> {
    let (first, rest) = days.split_first()?;
    let Some(end) = rest.last() else { return (pulse(person, plus_days(last, *first)) != *now).then_some(*first) };
    if is_the_same_throughout(&person.at(plus_days(last, *first)), &person.at(plus_days(last, *end)), now) {
        return None;
    }
    let (sooner, later) = days.split_at(days.len() / 2);
    first_changed(person, now, last, sooner).or_else(|| first_changed(person, now, last, later))
}

/// Returns whether nothing of `now` can be different between two later looks; `false` where that is not known.
fn is_the_same_throughout<'a>(from: &Person<'a>, to: &Person<'a>, now: &Pulse) -> bool {
    if from.stage != now.stage || quiet(from) != now.quiet || quiet(to) != now.quiet {
        return false;
    }
    let Some(stretch) = Stretch::between(from, to) else { return false };
    let journeys = from.moment.config.journeys.all.iter().enumerate();
    stretch.segments() == Some(now.segments)
        && journeys
            .filter_map(|(at, journey)| Some((at, is_over(&stretch, &journey.trigger)?)))
            .all(|(at, is_over)| is_over == Some(now.above.contains(&at)))
}

/// Returns whether the trigger's threshold is reached or its condition holds throughout: `Some(None)` if that may change, `None` for triggers that
/// have neither.
#[expect(clippy::option_option, reason = "two questions: whether it has a threshold, and whether that is known")]
fn is_over(stretch: &Stretch<'_, '_>, trigger: &Trigger) -> Option<Option<bool>> {
    match trigger {
        Trigger::Score { score, above } => Some(stretch.reaches(*score, *above)),
        Trigger::Becomes { when } => Some(when.outcomes(stretch).certain()),
        Trigger::Event { .. } | Trigger::Idle { .. } | Trigger::Segment { .. } => None,
    }
}

/// The day on which the change that was found on `day` comes, where days were left out before it.
fn first_change(person: &Person<'_>, now: &Pulse, last: Timestamp, day: i64) -> Timestamp {
    let from = if day > DAILY { (day - COARSE).max(DAILY) + 1 } else { day };
    let days = (from..day).map(|day| plus_days(last, day)).filter(|at| *at > person.moment.now);
    let changed = |at: &Timestamp| pulse(person, *at) != *now;
    days.into_iter().find(changed).unwrap_or_else(|| plus_days(last, day))
}

/// Evaluates the profile whenever the number of days until its account's renewal changes, however long it has been
/// idle, if any condition uses them: for [`DAILY`] days, after which it looks further ahead.
fn next_before_renewal(person: &Person<'_>, now: &Pulse, until: Option<Timestamp>) -> Option<Timestamp> {
    let moment = &person.moment;
    let asked = || moment.config.asked_of_account().any(|field| *field == AccountField::RenewsInDays);
    let renewal = moment.account.and_then(|account| Some((account.renews_at?, account.renews_in_days(moment.now)?)));
    let Some((renews_at, left)) = renewal.filter(|_| asked()) else { return until };
    // Once it has passed, the next one is unknown.
    let passed = plus_days(renews_at, 0).checked_add(SignedDuration::from_secs(1)).ok();
    let moments = (0..left).rev().map(|day| plus_days(renews_at, -day)).chain(passed);
    for (nth, at) in (0..).zip(moments) {
        if until.is_some_and(|until| at >= until) {
            return until;
        }
        if nth >= DAILY || pulse(person, at) != *now {
            return Some(at);
        }
    }
    until
}

/// Looks at a person at another moment. Scores that nothing asks for are left out.
fn pulse(person: &Person<'_>, at: Timestamp) -> Pulse {
    let mut person = person.at(at);
    person.scores = asked_values(&person);
    person.find_segments();
    Pulse::of(&person)
}

/// The number of journeys whose idle days are reached.
fn quiet(person: &Person<'_>) -> usize {
    let idle = person.idle_days().unwrap_or(0);
    let journeys = person.moment.config.journeys.all.iter();
    let reached =
        journeys.filter(|journey| matches!(&journey.trigger, Trigger::Idle { days } if idle >= i64::from(*days)));
    reached.count()
}

#[cfg(test)]
#[path = "due_tests.rs"]
mod tests;
