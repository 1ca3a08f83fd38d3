//! When an account has to be recomputed through time alone.

use super::standing::{state_of, touch_of, value};
use super::{Account, Course, listing};
use crate::billing::Standing;
use crate::instant::timestamp;
use crate::listing::ListEntry;
use crate::moment::Moment;
use crate::stage::{settled, stage};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::accounts::CrmField;
use perennial_config::vocabulary::AccountField;
use perennial_domain::time::plus_days;
use perennial_domain::{Score, Stage};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Days between two looks at an account for the sake of what may wait: the CRM's numbers.
const PACE: i64 = 10;

/// Returns the earliest time after `now` at which the account has to be recomputed: where its score or health passes a
/// level in a condition or the configuration, where its stage or value changes, where the CRM's numbers are due, and
/// where its people's curves end. `None` if time changes nothing.
pub fn next_due(config: &Config, account: &Account, now: Timestamp) -> Option<Timestamp> {
    let course = account.course.as_ref().filter(|_| account.summary.is_some());
    let crossing = course.and_then(|course| next_crossing(config, course, &account.listed, now));
    let slow =
        course.and_then(|course| next_change(config, account, course, now)).map(|at| at.max(plus_days(now, PACE)));
    let end = course.and_then(|course| course.end).and_then(|end| Timestamp::from_second(end).ok());
    // A curve that has ended already is requested again each day.
    let end = end.map(|end| if end > now { end } else { plus_days(now, 1) });
    [crossing, slow, end, next_turn(config, account, now)].into_iter().flatten().min()
}

/// Returns when the order of score or health to one of the levels changes, or either leaves the band that it is listed in.
fn next_crossing(config: &Config, course: &Course, listed: &BTreeSet<ListEntry>, now: Timestamp) -> Option<Timestamp> {
    let of_score = config.account_levels(&AccountField::Score).unwrap_or_default();
    // Below half of the ready threshold there is no leading buyer any more.
    let ready = config.accounts.score.ready.map(|ready| [ready, ready.div_ceil(2)]);
    let of_health = config.account_levels(&AccountField::Health).unwrap_or_default();
    let place = |score: Score, levels: &BTreeSet<u8>| -> Vec<Ordering> {
        levels.iter().map(|level| score.get().cmp(level)).collect()
    };
    let places = |score: Score, health: Option<Score>| {
        let ready = ready.map(|levels| levels.map(|level| score.get() >= level));
        let is_adrift = listing::is_adrift(listed, score, health);
        (ready, place(score, &of_score), health.map(|health| place(health, &of_health)), is_adrift)
    };
    let current = places(course.score(now), course.health(now));
    course.first(now, |score, health| places(score, health) != current)
}

/// Returns when the numbers have changed enough for a CRM update, or at all if a condition compares them with anything
/// but a number.
fn next_change(config: &Config, account: &Account, course: &Course, now: Timestamp) -> Option<Timestamp> {
    let crm = config.accounts.crm.as_ref();
    let least = |field: CrmField, asked: AccountField| {
        let of_crm = crm.filter(|crm| crm.fields.contains_key(&field)).map(|crm| crm.least_change);
        let of_conditions = config.account_levels(&asked).is_none().then_some(1);
        [of_crm, of_conditions].into_iter().flatten().min()
    };
    let least = (least(CrmField::Score, AccountField::Score), least(CrmField::Health, AccountField::Health));
    let written = |field: CrmField| {
        let name = crm.and_then(|crm| crm.fields.get(&field))?;
        let value = account.written.as_ref()?.fields.get(name)?.as_u64()?;
        u8::try_from(value).ok().map(Score::from)
    };
    let (score, health) = (course.score(now), course.health(now));
    let base = (written(CrmField::Score).unwrap_or(score), written(CrmField::Health).or(health));
    let is_far = |a: u8, b: u8, least: Option<u8>| least.is_some_and(|least| a.abs_diff(b) >= least);
    course.first(now, |score, health| {
        let of_health = base.1.zip(health).is_some_and(|(a, b)| is_far(a.get(), b.get(), least.1));
        is_far(base.0.get(), score.get(), least.0) || of_health
    })
}

/// Returns when the account's stage or value changes by time alone, or its end is final.
fn next_turn(config: &Config, account: &Account, now: Timestamp) -> Option<Timestamp> {
    let state = state_of(account)?;
    let standing = Standing::of(&Moment::new(config, now), &state);
    let lifecycle = &config.lifecycle;
    let days = |at: Timestamp, days: u16| plus_days(at, i64::from(days));
    let idle = state.seen.map(|seen| days(seen.last_at(), lifecycle.at_risk_after_idle_days));
    let since = standing.paying_since.map(timestamp);
    let grown = [lifecycle.onboarding_days, lifecycle.adopting_days].map(|limit| since.map(|since| days(since, limit)));
    let left = standing.ended.map(timestamp).filter(|_| since.is_none());
    let settles = left.and_then(|left| settled(left, now)).map(whole_second);
    let turns = standing.turns.iter().copied().map(timestamp);
    let touch = config.accounts.touch.existing_until.and_then(|until| Timestamp::from_second(until).ok());
    let moments = turns.chain(idle).chain(grown.into_iter().flatten()).chain(touch).map(whole_second);
    let mut moments: Vec<Timestamp> = moments.filter(|at| *at > now).collect();
    moments.sort_unstable();
    let at = |now: Timestamp| -> (Stage, Option<i64>, perennial_domain::Touch) {
        let value = value(config, account, now);
        (stage(&Moment::new(config, now), &state), value, touch_of(config, account, value, now))
    };
    let current = at(now);
    let turn = moments.into_iter().find(|moment| at(*moment) != current);
    turn.into_iter().chain(settles).min()
}

/// The first whole second that is not before `at`: the due index knows no fractions.
fn whole_second(at: Timestamp) -> Timestamp {
    let second = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}
