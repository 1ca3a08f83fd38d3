//! The curve of a member: the person's points for the account while they are inactive.

use super::fit::Fit;
use crate::moment::Moment;
use crate::person::Person;
use crate::score::points;
use crate::state::State;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::accounts::THOUSAND;
use perennial_domain::curve::{MAX_BYTES, UNITS};
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{Curve, Likelihood, Member, Stage};

/// The largest distance of a curve from the points. Rounding to [`UNITS`] and the distance between two samples take the
/// rest of half a point.
const SLACK: f64 = 0.36;
/// The deviation of samples from a straight line, in points, above which more samples are added in between.
const STRAIGHT: f64 = 0.06;
/// Days that a curve looks ahead.
const HORIZON: i64 = 180;
/// The shortest validity of a curve in days, if [`MAX_BYTES`] are enough for it. Otherwise it ends earlier: a curve is never less exact.
const LEAST: i64 = 10;
/// The size in bytes from which a curve that is valid for [`LEAST`] days ends, so that the profile, which keeps a copy,
/// stays small.
const ENOUGH_BYTES: usize = 24;
/// Days before a curve's end within which it is renewed, unless it is so short that this is more than a third of it.
const RENEW: i64 = 7;

/// A person's points at one second.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: i64,
    points: f64,
    stage: Stage,
    personas: u32,
}

impl Sample {
    /// Returns whether both belong to the same kind of points, with the same weight.
    fn is_like(&self, other: &Self) -> bool {
        self.stage == other.stage && self.personas == other.personas
    }
}

/// Returns the points that a person gives the account at a moment, before the weight of their personas and before
/// rounding: readiness to buy, or health if the person pays.
pub(crate) fn points_of(person: &Person<'_>) -> f64 {
    let of = |likelihood| points(person, likelihood);
    if !person.stage.pays() {
        return of(Likelihood::Purchase);
    }
    let engagement = person.engagement();
    let (success, churn) = (of(Likelihood::Success), of(Likelihood::Churn));
    health(person.moment.config, engagement.often + engagement.much, success, churn)
}

fn health(config: &Config, engagement: f64, success: f64, churn: f64) -> f64 {
    let rule = &config.accounts.health;
    let sum = engagement * rule.engagement as f64 + success * rule.success as f64 - churn * rule.churn as f64;
    sum / THOUSAND as f64
}

/// The same from the whole numbers of an entry.
fn points_of_entry(config: &Config, member: &Member) -> f64 {
    let of = |likelihood| f64::from(member.scores.get(&likelihood).copied().unwrap_or_default().get());
    if !member.stage.pays() {
        return of(Likelihood::Purchase);
    }
    health(config, f64::from(member.engagement.get()), of(Likelihood::Success), of(Likelihood::Churn))
}

/// Returns whether a published entry no longer matches what `state` gives the account at the moment, or will not for
/// long: it was written without a curve, the curve ends, or the points differ by more than half a point.
pub(crate) fn is_outdated(moment: &Moment<'_>, state: &State, published: &Member) -> bool {
    let Some(curve) = &published.curve else { return true };
    is_ending(curve, moment.now) || is_apart(&Person::new(*moment, state), curve)
}

/// Returns whether a curve should be renewed: it ends within a week, or is in the last third of a short one.
pub fn is_ending(curve: &Curve, now: Timestamp) -> bool {
    let Some(end) = curve.end else { return false };
    let lead = (RENEW * DAY_SECONDS).min((end - curve.line.from) / 3);
    now.as_second() >= end - lead
}

/// Returns whether a curve differs from the person's points by more than half a point.
fn is_apart(person: &Person<'_>, curve: &Curve) -> bool {
    let apart = curve.points(person.moment.now) as f64 / THOUSAND as f64 - points_of(person);
    apart.abs() > 0.5
}

/// Returns the first time from now on, and before `until`, at which a published curve no longer matches the inactive
/// person: events since the entry was written have changed the future points, but not the current ones. `until` itself
/// if there is none. The entry is written again then, if the person is still inactive: a person who is active every day
/// does not cause a write every day.
pub(crate) fn next_departure(
    moment: &Moment<'_>,
    state: &State,
    published: &Member,
    until: Option<Timestamp>,
) -> Option<Timestamp> {
    let Some(curve) = &published.curve else { return until };
    let now = moment.now.as_second();
    if curve.line.from == now {
        return until;
    }
    let seen = state.seen.map_or(moment.now, |seen| seen.last_at());
    let end = curve.end.unwrap_or(now + HORIZON * DAY_SECONDS);
    let days = || 0..=(end - now).max(0) / DAY_SECONDS;
    let midnights = days().map(|day| (now.div_euclid(DAY_SECONDS) + 1 + day) * DAY_SECONDS);
    let idle = (now - seen.as_second()).max(0) / DAY_SECONDS;
    let phases = days().map(|day| seen.as_second() + (idle + 1 + day) * DAY_SECONDS);
    let knots = curve.line.knots.iter().map(|knot| knot.at);
    let mut seconds: Vec<i64> = knots.chain(midnights).chain(phases).filter(|at| *at > now && *at < end).collect();
    seconds.sort_unstable();
    let moments = seconds.into_iter().filter_map(|second| Timestamp::from_second(second).ok());
    let mut moments = moments.take_while(|at| until.is_none_or(|until| *at < until));
    let person = Person::new(*moment, state);
    moments.find(|at| is_apart(&person.at(*at), curve)).or(until)
}

/// Returns the curve of a member whose entry is `member`, from `state` at the moment.
pub fn curve(moment: &Moment<'_>, state: &State, member: &Member) -> Curve {
    let person = Person::new(*moment, state);
    // The entry's whole numbers, which people see, if they are close enough.
    let real = points_of(&person);
    let start = points_of_entry(moment.config, member).clamp(real - SLACK, real + SLACK);
    Silence::new(&person, start).curve()
}

/// A curve in the making.
struct Silence<'a> {
    person: &'a Person<'a>,
    last_seen: Option<Timestamp>,
    phase: u32,
    /// Days of silence at the beginning.
    idle: i64,
    fit: Fit,
    stages: Vec<(i64, Stage)>,
    last: Sample,
    /// Points a second on the line to the last sample.
    slope: f64,
    /// When the personas change, which a curve does not contain.
    changed: Option<i64>,
}

impl<'a> Silence<'a> {
    fn new(person: &'a Person<'a>, start: f64) -> Self {
        let now = person.moment.now.as_second();
        let last_seen = person.state.seen.map(|seen| seen.last_at());
        let seen = last_seen.map_or(now, Timestamp::as_second);
        let units = UNITS as f64;
        let mut silence = Self {
            person,
            last_seen,
            phase: last_seen.map_or(0, |seen| seen.as_second().rem_euclid(DAY_SECONDS) as u32),
            idle: (now - seen).max(0) / DAY_SECONDS,
            fit: Fit::new(now, (start * units).round() as i64, SLACK * units),
            stages: Vec::new(),
            last: Sample { at: now, points: start, stage: Stage::default(), personas: 0 },
            slope: 0.0,
            changed: None,
        };
        silence.last = silence.sample(now);
        silence
    }

    fn sample(&self, at: i64) -> Sample {
        let now = Timestamp::from_second(at).unwrap_or(Timestamp::MAX);
        let person = self.person.at(now);
        Sample { at, points: points_of(&person), stage: person.stage, personas: person.personas }
    }

    /// Follows the silence for as long as the curve fits into its bytes.
    fn curve(mut self) -> Curve {
        let from = self.last.at;
        let mut known = self.encoded(Some(from + DAY_SECONDS));
        let first_day = from.div_euclid(DAY_SECONDS);
        let mut day = 0;
        while day < HORIZON {
            let step = self.step(day);
            day += step;
            for second in self.of_day(first_day + day) {
                self.go_to(second);
                if let Some(changed) = self.changed {
                    return Curve { end: Some(changed.max(from + DAY_SECONDS)), ..known };
                }
            }
            let next = self.encoded(Some((first_day + day) * DAY_SECONDS));
            let bytes = next.to_bytes(self.last_seen).len();
            if bytes > MAX_BYTES || (bytes > ENOUGH_BYTES && day > LEAST + 1) {
                return known;
            }
            known = next;
        }
        if self.rests() { Curve { end: None, ..known } } else { known }
    }

    /// Days to the next samples: changes come by the day at first, and slowly after months.
    fn step(&self, day: i64) -> i64 {
        match self.idle + day {
            ..60 => 1,
            60..200 => 5,
            _ => 14,
        }
    }

    /// Returns the seconds of a day at which values by calendar days, and by days of inactivity, change.
    fn of_day(&self, day: i64) -> impl Iterator<Item = i64> + use<> {
        let (midnight, phase) = (day * DAY_SECONDS, i64::from(self.phase));
        let second = (phase > 0).then_some(midnight + phase);
        std::iter::once(midnight).chain(second)
    }

    fn go_to(&mut self, second: i64) {
        if second <= self.last.at {
            return;
        }
        let next = self.sample(second);
        // Decays bend so slowly that a line that continues straight has no jump.
        let ahead = self.last.points + self.slope * (second - self.last.at) as f64;
        if next.is_like(&self.last) && (next.points - ahead).abs() <= STRAIGHT {
            return self.go_straight(next);
        }
        if second - 1 > self.last.at {
            self.walk(self.sample(second - 1));
        }
        self.walk(next);
    }

    /// Continues to a sample, and takes more in between if the line is not straight.
    fn walk(&mut self, to: Sample) {
        if self.changed.is_some() {
            return;
        }
        let from = self.last;
        if to.at - from.at <= 1 {
            return self.jump(to);
        }
        if to.is_like(&from) && (to.points - from.points).abs() <= STRAIGHT {
            return self.go_straight(to);
        }
        let middle = self.sample(from.at.midpoint(to.at));
        let straight = (from.points + to.points) / 2.0;
        if to.is_like(&from) && middle.is_like(&from) && (middle.points - straight).abs() <= STRAIGHT {
            return self.go_straight(to);
        }
        self.walk(middle);
        self.walk(to);
    }

    fn go_straight(&mut self, to: Sample) {
        self.slope = (to.points - self.last.points) / (to.at - self.last.at) as f64;
        self.push(to);
    }

    fn jump(&mut self, to: Sample) {
        if to.personas != self.last.personas {
            self.changed = Some(to.at);
            return;
        }
        if to.stage != self.last.stage {
            self.stages.push((to.at, to.stage));
        }
        self.fit.push(to.at, self.last.points * UNITS as f64);
        self.push(to);
    }

    fn push(&mut self, to: Sample) {
        self.fit.push(to.at, to.points * UNITS as f64);
        self.last = to;
    }

    fn encoded(&self, end: Option<i64>) -> Curve {
        Curve { line: self.fit.line(), stages: self.stages.clone(), phase: self.phase, end }
    }

    /// Returns whether nothing changes for years after the horizon.
    fn rests(&self) -> bool {
        [400, 800, 1600].into_iter().all(|days| {
            let later = self.sample(self.last.at + days * DAY_SECONDS);
            later.is_like(&self.last) && (later.points - self.last.points).abs() <= STRAIGHT
        })
    }
}
