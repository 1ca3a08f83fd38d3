//! Which variant leads, safe to ask every day.
//!
//! A test at 5 % that is looked at every day and stopped at the first "significant" is wrong far more often than in 5 % of cases. What is used
//! here may be looked at as often as one likes, and stopped whenever one likes: a **confidence sequence**, intervals for each moment that *all*
//! hold the truth with probability `1 - alpha`.
//!
//! The method is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas ("Time-uniform central limit theory and
//! asymptotic confidence sequences", Annals of Statistics 52, 2024, theorem 2.2): a mixture over effects of normal likelihood ratios. Its p-value is that of the
//! mixture sequential probability ratio test of Johari, Koomen, Pekelis and Walsh ("Always Valid Inference: Continuous Monitoring of A/B
//! Tests", Operations Research 70, 2022, equation 9). With a difference `d` of two rates, its standard error `s` and a mixture of deviation `t`:
//!
//! ```text
//! likelihood ratio   L = sqrt(s² / (s² + t²)) * exp(d² t² / (2 s² (s² + t²)))        p = min(1, 1 / L)
//! radius             r = sqrt((s² (s² + t²) / t²) * (ln((s² + t²) / s²) + 2 ln(1 / alpha)))
//! ```
//!
//! Why this one: it needs nothing but the totals of today (no record of earlier looks, no planned end, groups of any sizes), it gives an interval
//! and not only a yes or no, and near the effect that one plans for it is about as sharp as a valid one can be. Its price against a test at one
//! fixed look is about twice the people at worst, and less on average, because a clear winner shows early. It is asymptotic: `s` is estimated.
//! So that it holds with few people and rare goals too, `s²` is the larger of two estimates, with and without the assumption that the rates
//! are equal, the latter with one success and one failure added (Agresti and Caffo 2000); and nothing is said of fewer than [`LEAST_PEOPLE`].
//!
//! `t` is the smallest effect that matters, so a [`Plan`] is made before the figures come. With several variants, alpha is divided among them
//! (Bonferroni), so that verdicts and intervals never contradict each other. Count a person only when the time they had for the goal is over,
//! in every group alike: who came yesterday has had no time to reach it.

use super::rates::{Alpha, Arm, Estimate, Interval, difference, uplift};
use super::sample_ratio::SampleRatio;
use serde::{Deserialize, Serialize};

/// The fewest people in a group for a verdict.
pub const LEAST_PEOPLE: u64 = 50;

/// The plan of an experiment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    alpha: Alpha,
    effect: f64,
    better: Better,
}

/// Which rate is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The higher, as with purchases.
    #[default]
    More,
    /// The lower, as with complaints.
    Fewer,
}

/// The smallest effect that matters cannot be that.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the smallest effect that matters is a difference of rates over 0 and below 1, such as 0.02, and not {0}")]
pub struct InvalidEffect(pub f64);

impl Plan {
    /// A plan to be wrong about any variant at most with probability `alpha`, sharpest for differences of rates of about `effect` (over
    /// 0, below 1; 0.02 for 12 % instead of 10 %).
    ///
    /// # Errors
    /// [`InvalidEffect`] where the effect is not of that range.
    pub fn new(alpha: Alpha, effect: f64, better: Better) -> Result<Self, InvalidEffect> {
        if effect > 0.0 && effect < 1.0 { Ok(Self { alpha, effect, better }) } else { Err(InvalidEffect(effect)) }
    }
}

/// The verdict on a variant compared with the control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Better than the control.
    Leading,
    /// None, so far.
    NoDifferenceYet,
    /// Worse than the control.
    Worse,
    /// None, ever: the groups are not comparable ([`SampleRatio::mismatch`]).
    Void,
}

/// A variant in comparison with the control (or the holdout).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The verdict.
    pub verdict: Verdict,
    /// Its p-value, from 0 to 1, which holds at every look and for all variants together.
    pub p_value: f64,
    /// The difference of the rates, with the interval that holds at every look and for all variants together; `None` if
    /// a group is empty.
    pub difference: Option<Estimate>,
    /// The difference, with the interval that holds for this variant at one look.
    pub at_one_look: Option<Estimate>,
    /// The relative uplift, with the interval that holds for this variant at one look.
    pub uplift: Option<Estimate>,
}

/// Compares each of `variants` with `control`, in their order. `groups` is the check of the groups' sizes; if they are
/// not comparable, every verdict is void.
pub fn judge(plan: &Plan, control: &Arm, variants: &[Arm], groups: Option<&SampleRatio>) -> Vec<Comparison> {
    let alpha = plan.alpha.among(variants.len());
    let void = groups.is_some_and(SampleRatio::mismatch);
    let compare = |variant: &Arm| {
        let at_one_look = difference(variant, control, plan.alpha);
        let sequence = at_one_look.map(|estimate| Sequence::of(variant, control, estimate.value, plan.effect));
        let enough = variant.people().min(control.people()) >= LEAST_PEOPLE;
        let p_value = sequence.filter(|_| enough).map_or(1.0, |sequence| sequence.p_value());
        let p_value = (p_value * variants.len() as f64).min(1.0);
        let better = at_one_look.is_some_and(|estimate| (estimate.value > 0.0) == (plan.better == Better::More));
        Comparison {
            verdict: match (void, p_value < plan.alpha.get()) {
                (true, _) => Verdict::Void,
                (false, false) => Verdict::NoDifferenceYet,
                (false, true) if better => Verdict::Leading,
                (false, true) => Verdict::Worse,
            },
            p_value,
            difference: sequence.map(|sequence| sequence.estimate(alpha)),
            at_one_look,
            uplift: uplift(variant, control, plan.alpha),
        }
    };
    variants.iter().map(compare).collect()
}

/// Returns the number of people that each of two groups of the same size needs so that the plan's effect, from a rate
/// of `base` in the control, is detected with probability `power` (over 0.5, below 1) or more, among `variants` (1 or
/// more) that are compared with the control. `None` if the base rate leaves no room for the effect, or a number is out
/// of its range.
pub fn least_sample(plan: &Plan, base: f64, power: f64, variants: usize) -> Option<u64> {
    let other = match plan.better {
        Better::More => base + plan.effect,
        Better::Fewer => base - plan.effect,
    };
    if !((0.0..=1.0).contains(&base) && (0.0..=1.0).contains(&other) && power > 0.5 && power < 1.0) {
        return None;
    }
    let z = super::numeric::normal_upper_quantile(1.0 - power);
    let alpha = plan.alpha.among(variants);
    let enough = |people: u64| {
        let each = people as f64;
        let mean = f64::midpoint(base, other);
        let apart = (base * (1.0 - base) + other * (1.0 - other)) / each;
        let together = 2.0 * mean * (1.0 - mean) / each;
        let sequence =
            Sequence { difference: plan.effect, variance: apart.max(together), mixture: plan.effect * plan.effect };
        sequence.radius(alpha) + z * apart.sqrt() <= plan.effect
    };
    let mut most = LEAST_PEOPLE;
    while !enough(most) {
        most = most.checked_mul(2)?;
    }
    let mut least = if most == LEAST_PEOPLE { LEAST_PEOPLE - 1 } else { most / 2 };
    while most - least > 1 {
        let middle = least + (most - least) / 2;
        if enough(middle) { most = middle } else { least = middle }
    }
    Some(most)
}

/// The state of a confidence sequence for the difference of two rates.
#[derive(Debug, Clone, Copy)]
struct Sequence {
    difference: f64,
    /// s².
    variance: f64,
    /// t².
    mixture: f64,
}

impl Sequence {
    fn of(arm: &Arm, control: &Arm, difference: f64, effect: f64) -> Self {
        let apart = |arm: &Arm| {
            let (people, rate) = (arm.people() as f64, (arm.reached() as f64 + 1.0) / (arm.people() as f64 + 2.0));
            rate * (1.0 - rate) / people
        };
        let (n1, n0) = (arm.people() as f64, control.people() as f64);
        let all = (arm.reached() as f64 + control.reached() as f64) / (n1 + n0);
        let together = all * (1.0 - all) * (1.0 / n1 + 1.0 / n0);
        let variance = (apart(arm) + apart(control)).max(together);
        Self { difference, variance, mixture: effect * effect }
    }

    fn p_value(&self) -> f64 {
        let Self { difference, variance, mixture } = self;
        let both = variance + mixture;
        let log_ratio = 0.5 * (variance / both).ln() + difference * difference * mixture / (2.0 * variance * both);
        (-log_ratio).exp().min(1.0)
    }

    fn radius(&self, alpha: Alpha) -> f64 {
        let Self { variance, mixture, .. } = self;
        let both = variance + mixture;
        (variance * both / mixture * ((both / variance).ln() - 2.0 * alpha.get().ln())).sqrt()
    }

    fn estimate(&self, alpha: Alpha) -> Estimate {
        let radius = self.radius(alpha);
        let (low, high) = ((self.difference - radius).max(-1.0), (self.difference + radius).min(1.0));
        Estimate { value: self.difference, interval: Interval { low, high } }
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
