//! Points that decay, stored so that their sum does not depend on the order in which they arrive.
//!
//! An exponential decay with half-life H gives an event at time t the weight 2^((t - now)/H). With floating-point sums
//! the order of the events would affect the last bits. So time is divided into epochs of one half-life each, counted
//! from 1970; an event of epoch n adds the integer round(2^f * 2^20) to that epoch's sum, where f is its position in
//! the epoch, 0 to 1. Integers add up the same in any order; the weights of the epochs, powers of two, are applied only
//! when the points are read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The number of epochs kept before the newest: older ones have less than 1/65,536 of their points left.
const EPOCHS: i32 = 16;
/// 2^20: what one event's weight is counted in.
const UNIT: f64 = 1_048_576.0;

/// The events of one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Points {
    /// The number of events that the rule counted.
    pub events: u32,
    epochs: BTreeMap<i32, u64>,
}

impl Points {
    /// Counts an event of `at` (seconds since 1970) under the rule's half-life in days.
    pub fn add(&mut self, at: i64, half_life_days: Option<f64>) {
        self.events = self.events.saturating_add(1);
        if let Some(days) = half_life_days {
            let position = at as f64 / (days * 86_400.0);
            let epoch = position.floor();
            let weight = (pow2(position - epoch) * UNIT).round() as u64;
            let sum = self.epochs.entry(epoch as i32).or_default();
            *sum = sum.saturating_add(weight);
            self.prune();
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.events = self.events.saturating_add(other.events);
        for (epoch, weight) in &other.epochs {
            let sum = self.epochs.entry(*epoch).or_default();
            *sum = sum.saturating_add(*weight);
        }
        self.prune();
    }

    /// Returns the rest at `now` (seconds since 1970) as a number of undecayed events: 0 or more, at most
    /// [`Self::events`] if `now` is not before them.
    pub fn weight(&self, now: i64, half_life_days: Option<f64>) -> f64 {
        let Some(days) = half_life_days else { return f64::from(self.events) };
        let now = now as f64 / (days * 86_400.0);
        self.epochs.iter().map(|(epoch, sum)| (*sum as f64 / UNIT) * pow2(f64::from(*epoch) - now)).sum()
    }

    fn prune(&mut self) {
        if let Some(newest) = self.epochs.keys().next_back().copied() {
            while let Some(oldest) = self.epochs.keys().next().copied() {
                if oldest > newest - EPOCHS {
                    break;
                }
                self.epochs.remove(&oldest);
            }
        }
    }
}

/// Returns the rest at `now` of one event at `at`, in microseconds since 1970: 1 when it happens, half of it after each
/// half-life.
pub(crate) fn left_of_one(at: i64, now: Timestamp, half_life_days: f64) -> f64 {
    let passed = (now.as_microsecond() - at) as f64 / (half_life_days * 86_400_000_000.0);
    pow2(-passed.max(0.0))
}

/// 2^(1/2), 2^(1/4), 2^(1/8) … by square roots, which IEEE 754 rounds the same on every machine (`exp2` is not so bound).
static ROOTS: LazyLock<[f64; 32]> = LazyLock::new(|| {
    let mut roots = [0.0; 32];
    let mut root = 2.0_f64;
    for slot in &mut roots {
        root = root.sqrt();
        *slot = root;
    }
    roots
});

/// 2^x, the same bits on every machine; accurate to about 2^-31.
pub(crate) fn pow2(x: f64) -> f64 {
    let whole = x.floor();
    if whole < -1000.0 {
        return 0.0;
    }
    if whole > 1000.0 {
        return f64::MAX;
    }
    let mut rest = x - whole;
    let mut value = 1.0;
    for root in ROOTS.iter() {
        rest *= 2.0;
        if rest >= 1.0 {
            rest -= 1.0;
            value *= root;
        }
    }
    value * 2.0_f64.powi(whole as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    const DAY: i64 = 86_400;

    #[test]
    fn half_is_left_after_a_half_life() {
        let mut points = Points::default();
        points.add(20_000 * DAY, Some(14.0));
        assert!((points.weight(20_000 * DAY, Some(14.0)) - 1.0).abs() < 1e-5);
        assert!((points.weight(20_014 * DAY, Some(14.0)) - 0.5).abs() < 1e-5);
        assert!((points.weight(20_028 * DAY, Some(14.0)) - 0.25).abs() < 1e-5);
    }

    #[test]
    fn without_half_life_nothing_decays() {
        let mut points = Points::default();
        points.add(0, None);
        points.add(5, None);
        assert_eq!(points.weight(1_000_000_000, None), 2.0);
    }

    #[test]
    fn the_power_is_the_power() {
        for x in [-12.34, -1.0, -0.001, 0.0, 0.3, 0.999_999, 7.5] {
            assert!((pow2(x) / x.exp2() - 1.0).abs() < 1e-8, "{x}");
        }
    }
}
