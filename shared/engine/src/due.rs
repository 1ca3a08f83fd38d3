//! When a person has to be looked at again.

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
/// Idle days after which nobody is looked at any more for the sake of time alone.
const LAST: i64 = 800;

/// What time alone may change that a decision depends on.
#[derive(PartialEq, Eq)]
struct Pulse {
    stage: Stage,
    segments: u64,
    /// The journeys whose score is over its threshold, or whose condition holds.
    above: Vec<usize>,
    /// How many journeys' idle days are reached.
    quiet: usize,
}

/// The earliest moment after now at which time alone could change what is decided, and before `until` where that is given;
/// `until` itself where nothing changes before it, and `None` where nothing waits.
///
/// Time changes people by the days that they are idle, and by the days that are left until their account renews.
pub(crate) fn next_due(moment: &Moment<'_>, state: &State, until: Option<Timestamp>) -> Option<Timestamp> {
    let now = pulse(moment, state);
    let until = next_idle(moment, state, &now, until);
    let until = next_turn(moment, state, &now, until);
    next_before_renewal(moment, state, &now, until)
}

/// Looks at the person where a trial or a last period ends, and where they are no new customer any more.
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

/// Looks at the person once for each day of further silence, at the time of day of the last activity: what depends on idle
/// days is found to the second, what depends on calendar days, on hours that decay, or on the account, within a day. Later
/// activity leads to another look before the moment that is kept, so that moment needs no change when it would move later.
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

/// Looks at the person at each moment at which fewer days are left until their account renews, however long they have been idle, where
/// any condition asks for that: for [`DAILY`] days, after which it is time to look further.
fn next_before_renewal(moment: &Moment<'_>, state: &State, now: &Pulse, until: Option<Timestamp>) -> Option<Timestamp> {
    let asked = || moment.config.asked_of_account().any(|field| *field == AccountField::RenewsInDays);
    let renewal = moment.account.and_then(|account| Some((account.renews_at?, account.renews_in_days(moment.now)?)));
    let Some((renews_at, left)) = renewal.filter(|_| asked()) else { return until };
    // Once it has passed, nobody says when the next one is.
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
