//! Changes of an account's score and health while its people are inactive: the sum of the members' curves.

use super::fit::Fit;
use jiff::Timestamp;
use perennial_config::accounts::THOUSAND;
use perennial_domain::curve::{Knot, Line, UNITS};
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{Member, Score};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most bends and jumps that the score's line, and the health's, have.
pub const MAX_KNOTS: usize = 64;
/// Days that the lines hold at least, be they less exact.
const LEAST: i64 = 8;
/// The largest distance of the score's line from the sum, in points for each member, and of the health's from the mean.
const SLACK: f64 = 0.06;
/// Thousandths of a point of weight one, in a point of a [`Sum`].
const MILLION: f64 = 1_000_000.0;
/// The health's value, in thousandths of a point, while nobody pays.
const NOBODY: i64 = -1_000_000_000;
/// Bits behind the point of sums and slopes: sums of whole numbers are the same in any order.
const FRACTION: u32 = 20;

/// How an account's score and health change while its people are inactive, in thousandths of a point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// The score, before 0 and 100 limit it.
    score: Packed,
    /// The health.
    health: Packed,
    /// The second up to which both are known; `None` if nothing changes after their last knots.
    pub end: Option<i64>,
}

/// A line as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Packed {
    from: i64,
    start: i64,
    /// Seconds since the knot before, whether it is a jump, and the change of the value.
    knots: Vec<(i64, bool, i64)>,
}

impl Packed {
    fn of(line: &Line) -> Self {
        // A constant is the same whenever it was computed.
        let from = if line.knots.is_empty() { 0 } else { line.from };
        let (mut at, mut value) = (line.from, line.start);
        let knots = line.knots.iter().map(|knot| {
            let packed = (knot.at - at, knot.jump, knot.value - value);
            (at, value) = (knot.at, knot.value);
            packed
        });
        let knots = knots.collect();
        Self { from, start: line.start, knots }
    }

    fn line(&self) -> Line {
        let mut line = Line::constant(self.from, self.start);
        let (mut at, mut value) = (self.from, self.start);
        for (gap, jump, change) in &self.knots {
            (at, value) = (at.saturating_add(*gap), value.saturating_add(*change));
            line.knots.push(Knot { at, jump: *jump, value });
        }
        line
    }
}

impl Course {
    /// The score at `now`.
    pub fn score(&self, now: Timestamp) -> Score {
        in_points(self.score.line().value(now.as_second(), 1))
    }

    /// Returns the health at `now`; `None` if nobody pays.
    pub fn health(&self, now: Timestamp) -> Option<Score> {
        health_of(self.health.line().value(now.as_second(), 1))
    }

    /// Returns the first second after `now`, and before the end, at which `changed` holds for score and health.
    /// `changed` must stay true from there to the next knot, as a comparison with a level does.
    pub(super) fn first(&self, now: Timestamp, changed: impl Fn(Score, Option<Score>) -> bool) -> Option<Timestamp> {
        let (score, health) = (self.score.line(), self.health.line());
        let now = now.as_second();
        let is_changed = |at: i64| changed(in_points(score.value(at, 1)), health_of(health.value(at, 1)));
        let knots = score.knots.iter().chain(&health.knots).flat_map(|knot| [knot.at - 1, knot.at]);
        let mut moments: Vec<i64> = knots.filter(|at| *at > now).collect();
        moments.sort_unstable();
        let mut low = now;
        for high in moments {
            if is_changed(high) {
                let (mut low, mut high) = (low, high);
                while high - low > 1 {
                    let middle = low.midpoint(high);
                    if is_changed(middle) { high = middle } else { low = middle }
                }
                return Timestamp::from_second(high).ok();
            }
            low = high;
        }
        None
    }
}

/// Thousandths of a point as a score.
fn in_points(thousandths: i64) -> Score {
    Score::from_points(thousandths as f64 / THOUSAND as f64)
}

fn health_of(thousandths: i64) -> Option<Score> {
    (thousandths > NOBODY / 2).then(|| in_points(thousandths))
}

/// A change of a sum from a second on.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    change: i128,
    /// The change for each second from then on.
    slope: i128,
}

impl Step {
    fn add(&mut self, other: Self) {
        self.change += other.change;
        self.slope += other.slope;
    }
}

/// The changes from a second on.
#[derive(Debug, Clone, Copy, Default)]
struct Steps {
    /// Millionths of a point.
    score: Step,
    /// Millionths of a point: thousandths of points, times thousandths of weight.
    health: Step,
    /// Thousandths.
    weight: i64,
}

/// Adds up the curves of an account's members from a moment on. Whole numbers only, so their order does not matter.
#[derive(Debug, Clone)]
pub(super) struct Sum {
    from: i64,
    people: u32,
    steps: BTreeMap<i64, Steps>,
    /// The earliest end of a member's curve.
    end: Option<i64>,
}

/// Which of an account's two sums a member's points belong to, and how much they count there, in thousandths.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counts {
    /// The score's.
    Score(i64),
    /// The health's.
    Health(i64),
    /// Neither.
    Not,
}

impl Sum {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { from: now.as_second(), people: 0, steps: BTreeMap::new(), end: None }
    }

    /// Adds a member, who without a curve keeps `points`, in thousandths; `counts` returns for a second what they count
    /// for.
    pub(super) fn add(&mut self, member: &Member, points: i64, counts: impl Fn(Timestamp) -> Counts) {
        self.people += 1;
        let at = |second: i64| counts(Timestamp::from_second(second).unwrap_or(Timestamp::MAX));
        let Some(curve) = &member.curve else {
            return self.stretch((self.from, None), (points, points), at(self.from));
        };
        let end = curve.end.map(|end| end.max(self.from));
        self.end = [self.end, end].into_iter().flatten().min();
        let mut cuts: Vec<i64> = curve.stages.iter().map(|(at, _)| *at).filter(|at| *at > self.from).collect();
        cuts.push(i64::MAX);
        let begin = self.from;
        for stretch in curve.line.stretches().filter(|stretch| stretch.to > begin) {
            let mut from = stretch.from.max(begin);
            for cut in &cuts {
                let to = stretch.to.min(*cut);
                if to <= from {
                    continue;
                }
                let value = |at: i64| stretch.value(at, THOUSAND / UNITS);
                let is_last = to == i64::MAX;
                let last = if is_last { value(from) } else { value(to) };
                self.stretch((from, (!is_last).then_some(to)), (value(from), last), at(from));
                from = to;
            }
        }
    }

    /// Adds points that run from the first to the second value, in thousandths, between two seconds.
    fn stretch(&mut self, (from, to): (i64, Option<i64>), (first, last): (i64, i64), counts: Counts) {
        let weight = match counts {
            Counts::Score(weight) | Counts::Health(weight) => weight,
            Counts::Not => return,
        };
        let scaled = |points: i64| i128::from(points * weight) << FRACTION;
        let slope = to.map_or(0, |to| (scaled(last) - scaled(first)) / i128::from(to - from));
        let mut add = |at: i64, step: Step, weight: i64| {
            let steps = self.steps.entry(at).or_default();
            match counts {
                Counts::Score(_) => steps.score.add(step),
                Counts::Health(_) => {
                    steps.health.add(step);
                    steps.weight += weight;
                }
                Counts::Not => {}
            }
        };
        add(from, Step { change: scaled(first), slope }, weight);
        if let Some(to) = to {
            let reached = scaled(first) + slope * i128::from(to - from);
            add(to, Step { change: -reached, slope: -slope }, -weight);
        }
    }

    /// Returns the account's course, in memory that does not grow with the people.
    pub(super) fn course(&self) -> Course {
        let mut slack = SLACK;
        loop {
            let (course, is_full) = self.fitted(slack);
            let is_short = is_full && course.end.is_some_and(|end| end < self.from + LEAST * DAY_SECONDS);
            if !is_short || slack > 100.0 {
                return course;
            }
            slack *= 2.0;
        }
    }

    fn fitted(&self, slack: f64) -> (Course, bool) {
        let thousandths = |millionths: i128| (millionths >> FRACTION) as f64 / (MILLION / THOUSAND as f64);
        let mut now = Running::default();
        let mut steps = self.steps.iter().peekable();
        while let Some((_, step)) = steps.next_if(|(at, _)| **at <= self.from) {
            now.add(step);
        }
        let first = (thousandths(now.score.change).round() as i64, now.health(&thousandths).round() as i64);
        let slack = slack * THOUSAND as f64;
        let mut score = Fit::new(self.from, first.0, slack * f64::from(self.people.max(1)));
        let mut health = Fit::new(self.from, first.1, slack);
        let mut at = self.from;
        let mut known = (score.line(), health.line());
        for (next, step) in steps {
            now.pass(next - at);
            score.push(*next, thousandths(now.score.change));
            health.push(*next, now.health(&thousandths));
            now.add(step);
            score.push(*next, thousandths(now.score.change));
            health.push(*next, now.health(&thousandths));
            let lines = (score.line(), health.line());
            if lines.0.knots.len() > MAX_KNOTS || lines.1.knots.len() > MAX_KNOTS {
                let end = [self.end, Some(at)].into_iter().flatten().min();
                return (Course { score: Packed::of(&known.0), health: Packed::of(&known.1), end }, true);
            }
            (at, known) = (*next, lines);
        }
        (Course { score: Packed::of(&known.0), health: Packed::of(&known.1), end: self.end }, false)
    }
}

/// Both sums at a second.
#[derive(Debug, Clone, Copy, Default)]
struct Running {
    score: Step,
    health: Step,
    weight: i64,
}

impl Running {
    fn add(&mut self, steps: &Steps) {
        self.score.add(steps.score);
        self.health.add(steps.health);
        self.weight += steps.weight;
    }

    fn pass(&mut self, seconds: i64) {
        self.score.change += self.score.slope * i128::from(seconds);
        self.health.change += self.health.slope * i128::from(seconds);
    }

    fn health(&self, thousandths: &impl Fn(i128) -> f64) -> f64 {
        if self.weight == 0 {
            NOBODY as f64
        } else {
            thousandths(self.health.change) * THOUSAND as f64 / self.weight as f64
        }
    }
}
