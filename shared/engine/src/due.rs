//! Computes when a profile has to be evaluated again.

use crate::billing::Standing;
use crate::evaluate::look;
use crate::instant::timestamp;
use crate::moment::Moment;
use crate::state::State;
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

/// Returns the earliest time after now at which time alone could change a decision, and before `until` if given;
/// `until` itself if nothing changes before it, and `None` if nothing waits.
///
/// Time changes profiles by their idle days, and by the days until their account's renewal.
pub(crate) fn next_due(moment: &Moment<'_>, state: &State, until: Option<Timestamp>) -> Option<Timestamp> {
    let now = pulse(moment, state);
    let until = next_idle(moment, state, &now, until);
    let until = next_turn(moment, state, &now, until);
    next_before_renewal(moment, state, &now, until)
}

/// Evaluates the profile at the end of a trial or a last period, and when it no longer is a new customer.
fn next_turn(moment: &Moment<'_>, state: &State, now: &Pulse, until: Option<Timestamp>) -> Option<Timestamp> {
    let mut turns = Standing::of(moment, state).turns;
    turns.sort_unstable();
    for at in turns.into_iter().map(timestamp).filter(|at| *at > moment.now) {
        if until.is_some_and(|until| at >= until) {
            return until;
        }
        if pulse(&moment.at(at), state) != *now {
            return Some(at);
        }
    }
    until
}

/// Evaluates the profile once for each further idle day, at the time of day of the last activity: values by idle days
/// are exact to the second; values by calendar days, by decaying hours, or of the account, within a day. Later activity
/// leads to another evaluation before the stored time, which therefore need not change when it would move later.
fn next_idle(moment: &Moment<'_>, state: &State, now: &Pulse, until: Option<Timestamp>) -> Option<Timestamp> {
    let Some(last) = state.seen.map(|seen| seen.last_at()) else { return until };
    let idle = days_between(last, moment.now);
    let mut day = idle + 1;
    while day <= LAST {
        let at = plus_days(last, day);
        if until.is_some_and(|until| at >= until) {
            return until;
        }
        if at > moment.now && pulse(&moment.at(at), state) != *now {
            return Some(first_change(moment, state, now, last, day));
        }
        day += if day < DAILY { 1 } else { COARSE };
    }
    until
}

/// The day on which the change that was found on `day` comes, where days were left out before it.
fn first_change(moment: &Moment<'_>, state: &State, now: &Pulse, last: Timestamp, day: i64) -> Timestamp {
    let from = if day > DAILY { (day - COARSE).max(DAILY) + 1 } else { day };
    let days = (from..day).map(|day| plus_days(last, day)).filter(|at| *at > moment.now);
    let changed = |at: &Timestamp| pulse(&moment.at(*at), state) != *now;
    days.into_iter().find(changed).unwrap_or_else(|| plus_days(last, day))
}

/// Evaluates the profile whenever the number of days until its account's renewal changes, however long it has been
/// idle, if any condition uses them: for [`DAILY`] days, after which it looks further ahead.
fn next_before_renewal(moment: &Moment<'_>, state: &State, now: &Pulse, until: Option<Timestamp>) -> Option<Timestamp> {
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
        if nth >= DAILY || pulse(&moment.at(at), state) != *now {
            return Some(at);
        }
    }
    until
}

fn pulse(moment: &Moment<'_>, state: &State) -> Pulse {
    let person = look(moment, state);
    let idle = person.idle_days().unwrap_or(0);
    let mut above = Vec::new();
    let mut quiet = 0;
    for (at, journey) in moment.config.journeys.all.iter().enumerate() {
        if let Trigger::Idle { days } = &journey.trigger {
            quiet += usize::from(idle >= i64::from(*days));
        }
        // Falling below counts too: only who fell below a threshold can pass it again.
        above.extend((person.is_over(&journey.trigger) == Some(true)).then_some(at));
    }
    Pulse { stage: person.stage, segments: person.segments, above, quiet }
}
