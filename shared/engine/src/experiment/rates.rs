//! Goal rates, and their differences between groups. All intervals here hold at *one* look, at a time fixed beforehand;
//! for a value that is monitored, see [`verdict`](super::verdict).
//!
//! - a rate: Wilson's score interval (Wilson 1927);
//! - the difference of two rates: Newcombe's hybrid score interval ("Interval estimation for the difference between
//!   independent proportions", Statistics in Medicine 17, 1998, method 10);
//! - the relative uplift: the score interval of the ratio of two rates (Miettinen and Nurminen, "Comparative analysis
//!   of two rates", Statistics in Medicine 4, 1985).
//!
//! Unlike the textbook's `p ± z s`, all three hold with few people and with rates near 0 and 1, and never contain
//! impossible values.

use super::numeric::normal_upper_quantile;
use serde::{Deserialize, Serialize};

/// The error rate of an interval: 0.05 for one of 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alpha(f64);

/// The number cannot be an error rate.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("alpha is a probability over 0 and up to 0.5, such as 0.05, and not {0}")]
pub struct InvalidAlpha(pub f64);

impl Alpha {
    /// An error rate over 0 and up to 0.5.
    ///
    /// # Errors
    /// [`InvalidAlpha`] where it is not.
    pub fn parse(alpha: f64) -> Result<Self, InvalidAlpha> {
        if alpha > 0.0 && alpha <= 0.5 { Ok(Self(alpha)) } else { Err(InvalidAlpha(alpha)) }
    }

    /// The probability.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Returns the error rate divided among `claims` (1 or more): Bonferroni.
    pub(super) fn among(self, claims: usize) -> Self {
        Self(self.0 / claims.max(1) as f64)
    }

    /// The normal quantile of a two-sided interval: 1.96 for 0.05.
    fn z(self) -> f64 {
        normal_upper_quantile(self.0 / 2.0)
    }
}

/// A group of people, and how many of them reached the goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawArm", into = "RawArm")]
pub struct Arm {
    people: u64,
    reached: u64,
}

#[derive(Serialize, Deserialize)]
struct RawArm {
    people: u64,
    reached: u64,
}

/// More people reached the goal than the group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reached} of {people} people cannot have reached the goal")]
pub struct InvalidArm {
    /// In the group.
    pub people: u64,
    /// The number who reached it.
    pub reached: u64,
}

impl Arm {
    /// Returns a group of `people`, of whom `reached` reached the goal.
    ///
    /// # Errors
    /// [`InvalidArm`] if they are more than all.
    pub fn parse(people: u64, reached: u64) -> Result<Self, InvalidArm> {
        if reached <= people { Ok(Self { people, reached }) } else { Err(InvalidArm { people, reached }) }
    }

    /// Returns the number of people.
    pub fn people(&self) -> u64 {
        self.people
    }

    /// Returns the number who reached the goal.
    pub fn reached(&self) -> u64 {
        self.reached
    }

    /// Returns the share that reached it, 0 to 1; `None` for an empty group.
    pub fn rate(&self) -> Option<f64> {
        (self.people > 0).then(|| self.reached as f64 / self.people as f64)
    }

    /// Returns the rate, with Wilson's interval; `None` for an empty group.
    pub fn estimate(&self, alpha: Alpha) -> Option<Estimate> {
        let rate = self.rate()?;
        Some(Estimate { value: rate, interval: wilson(rate, self.people as f64, alpha.z()) })
    }
}

impl TryFrom<RawArm> for Arm {
    type Error = InvalidArm;
    fn try_from(raw: RawArm) -> Result<Self, InvalidArm> {
        Self::parse(raw.people, raw.reached)
    }
}

impl From<Arm> for RawArm {
    fn from(arm: Arm) -> Self {
        Self { people: arm.people, reached: arm.reached }
    }
}

/// A range that contains the true value, except for an error rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
}

/// A figure with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The observed value.
    pub value: f64,
    /// The range of plausible values.
    pub interval: Interval,
}

/// Returns how much larger the rate of `arm` is than that of `control`, as a difference of rates (0.02 for 12 % instead
/// of 10 %), with Newcombe's interval. `None` if one of them is empty.
pub fn difference(arm: &Arm, control: &Arm, alpha: Alpha) -> Option<Estimate> {
    let (a, c) = (arm.estimate(alpha)?, control.estimate(alpha)?);
    let below = (a.value - a.interval.low).hypot(c.interval.high - c.value);
    let above = (a.interval.high - a.value).hypot(c.value - c.interval.low);
    let value = a.value - c.value;
    Some(Estimate { value, interval: Interval { low: value - below, high: value + above } })
}

/// Returns how much larger the rate of `arm` is in proportion to that of `control` (0.2 for 12 % instead of 10 %), with
/// Miettinen and Nurminen's interval. `None` if one of them is empty, or nobody in `control` reached the goal.
pub fn uplift(arm: &Arm, control: &Arm, alpha: Alpha) -> Option<Estimate> {
    let ratio = arm.rate()? / control.rate().filter(|rate| *rate > 0.0)?;
    let z = alpha.z();
    let low = if arm.reached == 0 { 0.0 } else { crossing(arm, control, z, ratio, 0.5) };
    // Zero times two stays zero, so the upward search begins with a small value.
    let high = crossing(arm, control, -z, if ratio > 0.0 { ratio } else { 1e-9 }, 2.0);
    Some(Estimate { value: ratio - 1.0, interval: Interval { low: low - 1.0, high: high - 1.0 } })
}

/// The ratio at which the score is `z`, from `from` on in the direction of `step` (a factor).
fn crossing(arm: &Arm, control: &Arm, z: f64, from: f64, step: f64) -> f64 {
    let beyond =
        |ratio: f64| if step < 1.0 { score(arm, control, ratio) >= z } else { score(arm, control, ratio) <= z };
    let (mut inside, mut outside) = (from, from * step);
    // The score is monotone in the ratio and passes every z, so this ends; the bound only guards against what cannot be counted.
    for _ in 0..200 {
        if beyond(outside) {
            break;
        }
        inside = outside;
        outside *= step;
    }
    for _ in 0..60 {
        let middle = (inside * outside).sqrt();
        if beyond(middle) { outside = middle } else { inside = middle }
    }
    (inside * outside).sqrt()
}

/// The score statistic of the hypothesis that the rate of `arm` is `ratio` times that of `control`.
fn score(arm: &Arm, control: &Arm, ratio: f64) -> f64 {
    let (n1, x1) = (arm.people as f64, arm.reached as f64);
    let (n0, x0) = (control.people as f64, control.reached as f64);
    let people = n1 + n0;
    // The most likely rate of `control` under the hypothesis: the smaller root of a t^2 + b t + c, in the form that loses no digits.
    let (a, b, c) = (people * ratio, -(ratio * (n1 + x0) + x1 + n0), x1 + x0);
    let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
    let p0 = (2.0 * c / (root - b)).min(1.0);
    let p1 = (ratio * p0).min(1.0);
    let variance = (p1 * (1.0 - p1) / n1 + ratio * ratio * p0 * (1.0 - p0) / n0) * people / (people - 1.0);
    let distance = x1 / n1 - ratio * x0 / n0;
    if distance == 0.0 { 0.0 } else { distance / variance.max(f64::MIN_POSITIVE).sqrt() }
}

fn wilson(rate: f64, people: f64, z: f64) -> Interval {
    let share = z * z / people;
    let centre = (rate + share / 2.0) / (1.0 + share);
    let half = z / (1.0 + share) * (rate * (1.0 - rate) / people + share / (4.0 * people)).sqrt();
    // At 0 and 1 the end is the rate itself, which rounding must not pass.
    let low = if rate == 0.0 { 0.0 } else { centre - half };
    let high = if rate == 1.0 { 1.0 } else { centre + half };
    Interval { low, high }
}

#[cfg(test)]
#[path = "rates_tests.rs"]
mod tests;
