#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::experiment::assign::Share;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};

fn arm(reached: u64, people: u64) -> Arm {
    Arm::parse(people, reached).unwrap()
}

fn plan(effect: f64) -> Plan {
    Plan::new(Alpha::parse(0.05).unwrap(), effect, Better::More).unwrap()
}

fn verdicts(plan: &Plan, control: Arm, variants: &[Arm]) -> Vec<Verdict> {
    judge(plan, &control, variants, None).iter().map(|comparison| comparison.verdict).collect()
}

/// An experiment with two groups, looked at once a day.
struct Daily {
    /// The chance to reach the goal, of control and variant.
    rates: [f64; 2],
    /// People a day, of control and variant.
    people: [u64; 2],
    days: u32,
    plan: Plan,
}

/// Returns the share of `runs` experiments with a finding at any look: with the verdict, and with a test at 5 % that
/// does not allow repeated looks.
fn found(daily: &Daily, runs: u32, seed: u64) -> [f64; 2] {
    let mut random = StdRng::seed_from_u64(seed);
    let mut found = [0_u32; 2];
    let chances = [0, 1].map(|at| binomial(daily.people[at], daily.rates[at]));
    for _ in 0..runs {
        let mut arms = [arm(0, 0); 2];
        let mut seen = [false; 2];
        for _ in 0..daily.days {
            for (at, group) in arms.iter_mut().enumerate() {
                let draw: f64 = random.random();
                let reached = chances[at].iter().take_while(|chance| **chance < draw).count() as u64;
                *group = arm(group.reached() + reached, group.people() + daily.people[at]);
            }
            seen[0] |= verdicts(&daily.plan, arms[0], &arms[1..]) != [Verdict::NoDifferenceYet];
            seen[1] |= naive_p(&arms) < 0.05;
        }
        found[0] += u32::from(seen[0]);
        found[1] += u32::from(seen[1]);
    }
    found.map(|found| f64::from(found) / f64::from(runs))
}

/// Returns the probabilities that at most 0, 1, … `people` - 1 of `people` reach a goal that each reaches with
/// probability `rate`.
fn binomial(people: u64, rate: f64) -> Vec<f64> {
    let binomial = Binomial::new(rate, people).unwrap();
    (0..people).map(|reached| binomial.cdf(reached)).collect()
}

/// The textbook's two-sided test of two proportions.
fn naive_p(arms: &[Arm; 2]) -> f64 {
    let [n0, n1] = arms.map(|arm| arm.people() as f64);
    let all = (arms[0].reached() + arms[1].reached()) as f64 / (n0 + n1);
    let error = (all * (1.0 - all) * (1.0 / n0 + 1.0 / n1)).sqrt();
    if error == 0.0 {
        return 1.0;
    }
    let z = (arms[1].rate().unwrap() - arms[0].rate().unwrap()) / error;
    2.0 * Normal::standard().sf(z.abs())
}

#[test]
fn peeking_every_day_finds_differences_that_are_none_at_most_as_often_as_alpha_says_where_a_naive_test_does_not() {
    // Usual, rare, very frequent; and groups of very different sizes, both ways.
    let cases = [
        ([0.1, 0.1], [50, 50], 0.03),
        ([0.01, 0.01], [60, 60], 0.005),
        ([0.5, 0.5], [30, 30], 0.05),
        ([0.05, 0.05], [10, 90], 0.02),
        ([0.03, 0.03], [135, 15], 0.02),
    ];
    for (at, (rates, people, effect)) in cases.into_iter().enumerate() {
        let daily = Daily { rates, people, days: 60, plan: plan(effect) };
        let [ours, theirs] = found(&daily, 800, 17 + at as u64);
        assert!(ours <= 0.05, "{rates:?}, {people:?}: {ours}");
        assert!(theirs > 0.2, "{rates:?}, {people:?}: a naive test at 0.05 is wrong in {theirs}");
    }
}

#[test]
fn the_least_sample_finds_the_effect_with_the_power_that_it_was_made_for() {
    for (base, effect) in [(0.1, 0.04), (0.4, 0.08)] {
        let plan = plan(effect);
        let people = least_sample(&plan, base, 0.8, 1).unwrap();
        // A single look, at the end: earlier findings come in addition.
        let daily = Daily { rates: [base, base + effect], people: [people, people], days: 1, plan };
        let [ours, _] = found(&daily, 600, 5);
        assert!((0.76..0.9).contains(&ours), "{base}, {effect}: {ours} with {people} people");
    }
}

#[test]
fn more_power_smaller_effects_and_more_variants_need_more_people() {
    let usual = least_sample(&plan(0.02), 0.1, 0.8, 1).unwrap();
    assert!(usual < least_sample(&plan(0.02), 0.1, 0.95, 1).unwrap());
    assert!(usual < least_sample(&plan(0.02), 0.1, 0.8, 3).unwrap());
    assert!(usual < least_sample(&plan(0.01), 0.1, 0.8, 1).unwrap());
    // A test at one fixed look needs 3,841 in each group (statsmodels 0.15.0, `samplesize_proportions_2indep_onetail(0.02, 0.1, 0.8)`): the price.
    assert!((3_841..=2 * 3_841).contains(&usual), "{usual}");
    for (base, power) in [(0.99, 0.8), (-0.1, 0.8), (0.1, 0.4), (0.1, 1.0), (f64::NAN, 0.8)] {
        assert_eq!(least_sample(&plan(0.02), base, power, 1), None, "{base}, {power}");
    }
    let fewer = Plan::new(Alpha::parse(0.05).unwrap(), 0.02, Better::Fewer).unwrap();
    assert!(least_sample(&fewer, 0.99, 0.8, 1).is_some() && least_sample(&fewer, 0.01, 0.8, 1).is_none());
}

#[test]
fn a_variant_leads_is_worse_or_nothing_is_known_yet() {
    let control = arm(1_000, 10_000);
    let variants = [arm(1_200, 10_000), arm(1_020, 10_000), arm(800, 10_000), arm(0, 0)];
    let more = [Verdict::Leading, Verdict::NoDifferenceYet, Verdict::Worse, Verdict::NoDifferenceYet];
    assert_eq!(verdicts(&plan(0.02), control, &variants), more);
    let fewer = Plan::new(Alpha::parse(0.05).unwrap(), 0.02, Better::Fewer).unwrap();
    let turned = [Verdict::Worse, Verdict::NoDifferenceYet, Verdict::Leading, Verdict::NoDifferenceYet];
    assert_eq!(verdicts(&fewer, control, &variants), turned);
}

#[test]
fn every_verdict_is_void_where_the_groups_do_not_compare() {
    let half = Share::parse(5_000).unwrap();
    let (control, variant) = (arm(1_000, 10_000), arm(1_400, 11_000));
    let groups = SampleRatio::of(&[(10_000, half), (11_000, half)]).unwrap();
    assert_eq!(judge(&plan(0.02), &control, &[variant], Some(&groups))[0].verdict, Verdict::Void);
    let groups = SampleRatio::of(&[(10_000, half), (10_050, half)]).unwrap();
    assert_eq!(judge(&plan(0.02), &control, &[variant], Some(&groups))[0].verdict, Verdict::Leading);
}

#[test]
fn nothing_is_said_of_a_handful() {
    assert_eq!(verdicts(&plan(0.2), arm(0, 49), &[arm(49, 49)]), [Verdict::NoDifferenceYet]);
    assert_eq!(verdicts(&plan(0.2), arm(0, 50), &[arm(50, 50)]), [Verdict::Leading]);
}

#[test]
fn a_plan_for_no_effect_or_all_is_refused() {
    for wrong in [0.0, -0.02, 1.0, f64::NAN] {
        assert!(Plan::new(Alpha::parse(0.05).unwrap(), wrong, Better::More).is_err(), "{wrong}");
    }
}

/// The formula's mixture, added up by hand: `∫ N(d; δ, s²) N(δ; 0, t²) dδ / N(d; 0, s²)`.
#[test]
fn the_p_value_is_that_of_a_mixture_of_normal_likelihood_ratios() {
    for (difference, variance, effect) in [(0.03, 1e-4, 0.02), (0.01, 1e-4, 0.02), (-0.05, 2e-4, 0.01)] {
        let sequence = Sequence { difference, variance, mixture: effect * effect };
        let steps = 20_000;
        let width = 20.0 * effect / f64::from(steps);
        let ratio: f64 = (0..steps)
            .map(|step| {
                let delta = -10.0 * effect + (f64::from(step) + 0.5) * width;
                let prior = (-delta * delta / (2.0 * effect * effect)).exp() / (effect * std::f64::consts::TAU.sqrt());
                prior * ((2.0 * delta * difference - delta * delta) / (2.0 * variance)).exp() * width
            })
            .sum();
        assert!(
            (sequence.p_value() - (1.0 / ratio).min(1.0)).abs() < 1e-6,
            "{difference}, {variance}, {effect}: {ratio}"
        );
    }
}

proptest! {
    #[test]
    fn a_verdict_and_its_interval_say_the_same(
        n0 in 50_u64..50_000, n1 in 50_u64..50_000, share0 in 0.0_f64..=1.0, change in -0.1_f64..0.1, others in 0_usize..4,
    ) {
        let control = arm((n0 as f64 * share0) as u64, n0);
        let variant = arm((n1 as f64 * (share0 + change).clamp(0.0, 1.0)) as u64, n1);
        let mut variants = vec![variant];
        variants.extend(vec![arm(1, 100); others]);
        let comparison = judge(&plan(0.02), &control, &variants, None)[0];
        let estimate = comparison.difference.unwrap();
        prop_assume!((comparison.p_value - 0.05).abs() > 1e-9);
        let expected = match estimate.interval {
            Interval { low, .. } if low > 0.0 => Verdict::Leading,
            Interval { high, .. } if high < 0.0 => Verdict::Worse,
            _ => Verdict::NoDifferenceYet,
        };
        prop_assert_eq!(comparison.verdict, expected, "{:?}", comparison);
        // Whatever holds at every look holds at one.
        let one = comparison.at_one_look.unwrap();
        prop_assert!(comparison.verdict == Verdict::NoDifferenceYet || others > 0 || (one.interval.low > 0.0) == (expected == Verdict::Leading));
    }
}
