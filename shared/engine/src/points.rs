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
        let mut power = Power::default();
        self.epochs.iter().map(|(epoch, sum)| (*sum as f64 / UNIT) * power.of(f64::from(*epoch) - now)).sum()
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

/// The products of the first eight roots, by which of them are taken, the first as the highest bit.
static PRODUCTS: LazyLock<[f64; 256]> = LazyLock::new(|| {
    let mut products = [1.0; 256];
    for (taken, product) in products.iter_mut().enumerate() {
        *product = product_of((taken as u32) << 24, 1.0);
    }
    products
});

/// Returns `value` times the roots that are taken, the first by the highest bit, in their order: a product in floating point depends on it.
fn product_of(mut taken: u32, mut value: f64) -> f64 {
    let roots = &*ROOTS;
    while taken != 0 {
        let first = taken.leading_zeros();
        value *= roots[first as usize];
        taken ^= (1 << 31) >> first;
    }
    value
}

/// Powers of two of exponents that differ by whole numbers, such as those of the epochs of one rule: the power of their fraction, which
/// takes the time, is computed once.
#[derive(Default)]
struct Power {
    fraction: Option<(f64, f64)>,
}

impl Power {
    /// The same as [`pow2`].
    fn of(&mut self, x: f64) -> f64 {
        let whole = x.floor();
        let fraction = x - whole;
        let value = match self.fraction {
            Some((known, value)) if known == fraction => value,
            _ => of_fraction(fraction),
        };
        self.fraction = Some((fraction, value));
        scaled(value, whole)
    }
}

/// 2^x, the same bits on every machine; accurate to about 2^-31.
pub(crate) fn pow2(x: f64) -> f64 {
    Power::default().of(x)
}

/// 2^x for 0 to 1.
fn of_fraction(x: f64) -> f64 {
    // The binary digits say which roots are taken.
    let digits = (x * 4_294_967_296.0) as u32;
    product_of(digits & 0x00ff_ffff, PRODUCTS[(digits >> 24) as usize])
}

/// `value` times 2^`whole`.
fn scaled(value: f64, whole: f64) -> f64 {
    if whole < -1000.0 {
        return 0.0;
    }
    if whole > 1000.0 {
        return f64::MAX;
    }
    // By the exponent's bits: -1000 to 1000 are all normal numbers.
    value * f64::from_bits(((whole as i64 + 1023) as u64) << 52)
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

    /// The definition: the roots one after another. Sums are stored, so not one bit may change.
    fn one_after_another(x: f64) -> f64 {
        let whole = x.floor();
        let (mut rest, mut value) = (x - whole, 1.0);
        for root in ROOTS.iter() {
            rest *= 2.0;
            if rest >= 1.0 {
                rest -= 1.0;
                value *= root;
            }
        }
        value * 2.0_f64.powi(whole as i32)
    }

    proptest::proptest! {
        #[test]
        fn the_power_has_the_bits_of_its_definition(x in -1000.0..1000.0_f64, near in -2.0..2.0_f64) {
            for x in [x, near, x.floor(), x.floor() - f64::EPSILON] {
                proptest::prop_assert_eq!(pow2(x).to_bits(), one_after_another(x).to_bits(), "{}", x);
                let mut power = Power::default();
                for whole in 0..16 {
                    let x = f64::from(whole) - x.abs();
                    proptest::prop_assert_eq!(power.of(x).to_bits(), one_after_another(x).to_bits(), "{}", x);
                }
            }
        }
    }
}
