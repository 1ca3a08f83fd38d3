#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use proptest::prelude::*;
use statrs::distribution::{ChiSquared, ContinuousCDF};

fn person(number: u32) -> PersonId {
    PersonId::derive(&[b"assigned", &number.to_be_bytes()])
}

fn variants<'a>(ids: &'a [String], weights: &[u16]) -> Vec<Variant<'a>> {
    ids.iter().zip(weights).map(|(id, weight)| Variant { id, weight: Share::parse(*weight).unwrap() }).collect()
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("variant-{at}")).collect()
}

/// Returns the probability that counts differ at least as much from `expected` by chance.
fn chi_square(counts: &[u32], expected: &[f64]) -> f64 {
    let sum: f64 =
        counts.iter().zip(expected).map(|(count, expected)| (f64::from(*count) - expected).powi(2) / expected).sum();
    ChiSquared::new((counts.len() - 1) as f64).unwrap().sf(sum)
}

fn counts(experiment: &str, variants: &[Variant<'_>], people: u32) -> Vec<u32> {
    let mut counts = vec![0; variants.len()];
    for number in 0..people {
        counts[assign(experiment, person(number), variants).unwrap()] += 1;
    }
    counts
}

#[test]
fn each_variant_gets_its_share_of_people() {
    const PEOPLE: u32 = 40_000;
    for weights in [vec![5_000, 5_000], vec![9_000, 900, 100], vec![3_333, 3_333, 3_334], vec![1, 2, 3, 4, 5]] {
        let ids = ids(weights.len());
        let whole: u16 = weights.iter().sum();
        let expected: Vec<_> = weights.iter().map(|w| f64::from(PEOPLE) * f64::from(*w) / f64::from(whole)).collect();
        let counts = counts("shares", &variants(&ids, &weights), PEOPLE);
        assert!(chi_square(&counts, &expected) > 0.001, "{weights:?} gave {counts:?}");
    }
}

#[test]
fn the_experiments_of_one_person_are_independent() {
    const PEOPLE: u32 = 40_000;
    let ids = ids(2);
    let half = variants(&ids, &[5_000, 5_000]);
    let mut table = [0; 8];
    for number in 0..PEOPLE {
        let id = person(number);
        let one = assign("one", id, &half).unwrap();
        let other = assign("other", id, &half).unwrap();
        // The journey's holdout must not choose by the same draw as its variants.
        let held = usize::from(held_out(Holdout::Journey { id: "one" }, id, Share::parse(5_000).unwrap()));
        table[one * 4 + other * 2 + held] += 1;
    }
    assert!(chi_square(&table, &[f64::from(PEOPLE) / 8.0; 8]) > 0.001, "{table:?}");
}

#[test]
fn holdouts_take_their_share_and_choose_other_people_for_each_journey_and_salt() {
    const PEOPLE: u32 = 40_000;
    let tenth = Share::parse(1_000).unwrap();
    let holdouts = [Holdout::Always { salt: "a" }, Holdout::Always { salt: "b" }, Holdout::Journey { id: "a" }];
    let mut alone = [0; 3];
    let mut both = [0; 3];
    for number in 0..PEOPLE {
        let held = holdouts.map(|holdout| held_out(holdout, person(number), tenth));
        for at in 0..3 {
            alone[at] += u32::from(held[at]);
            both[at] += u32::from(held[at] && held[(at + 1) % 3]);
        }
    }
    for at in 0..3 {
        let (tenth, hundredth) = (f64::from(PEOPLE) / 10.0, f64::from(PEOPLE) / 100.0);
        let rest = f64::from(PEOPLE);
        assert!(chi_square(&[alone[at], PEOPLE - alone[at]], &[tenth, rest - tenth]) > 0.001, "{alone:?}");
        assert!(chi_square(&[both[at], PEOPLE - both[at]], &[hundredth, rest - hundredth]) > 0.001, "{both:?}");
    }
}

#[test]
fn assignments_are_those_of_every_other_build() {
    let ids = ids(3);
    let three = variants(&ids, &[2_000, 3_000, 5_000]);
    let drawn: Vec<_> = (0..24).map(|number| assign("golden", person(number), &three).unwrap().to_string()).collect();
    let held: Vec<_> = (0..200)
        .filter(|number| held_out(Holdout::Always { salt: "golden" }, person(*number), Share::parse(500).unwrap()))
        .collect();
    insta::assert_snapshot!(format!("{}\n{held:?}", drawn.concat()));
}

#[test]
fn a_cost_is_the_logarithm_of_its_draw() {
    for draw in [0, 1, 2, 3, 1_000, u64::MAX / 3, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
        let exact = 64.0 - ((draw as f64) + 1.0).log2();
        let found = cost(draw) as f64 / (1_u64 << FRACTION) as f64;
        assert!((found - exact).abs() < 1e-11, "{draw}: {found} instead of {exact}");
    }
}

#[test]
fn nobody_gets_a_variant_without_weight_and_no_holdout_is_larger_than_all() {
    let ids = ids(2);
    assert_eq!(assign("none", person(1), &[]), None);
    assert_eq!(assign("none", person(1), &variants(&ids, &[0, 0])), None);
    assert!((0..1_000).all(|number| assign("none", person(number), &variants(&ids, &[0, 1])) == Some(1)));
    for number in 0..1_000 {
        assert!(!held_out(Holdout::Journey { id: "none" }, person(number), Share::parse(0).unwrap()));
        assert!(held_out(Holdout::Journey { id: "all" }, person(number), Share::parse(WHOLE).unwrap()));
    }
    assert_eq!(Share::parse(10_001), Err(InvalidShare(10_001)));
}

proptest! {
    #[test]
    fn a_changed_weight_moves_people_only_to_or_from_that_variant(
        weights in prop::collection::vec(1_u16..=5_000, 2..6), at in any::<prop::sample::Index>(), change in 0_u16..=10_000,
    ) {
        let at = at.index(weights.len());
        let ids = ids(weights.len());
        let mut changed = weights.clone();
        changed[at] = change;
        let (before, after) = (variants(&ids, &weights), variants(&ids, &changed));
        for number in 0..200 {
            let (was, is) = (assign("moved", person(number), &before).unwrap(), assign("moved", person(number), &after).unwrap());
            if was != is {
                prop_assert_eq!(if change > weights[at] { is } else { was }, at);
            }
        }
    }

    #[test]
    fn the_order_of_variants_changes_nothing(weights in prop::collection::vec(0_u16..=10_000, 1..6), number: u32) {
        let ids = ids(weights.len());
        let listed = variants(&ids, &weights);
        let reversed: Vec<_> = listed.iter().copied().rev().collect();
        let chosen = assign("order", person(number), &listed).map(|at| listed[at].id);
        prop_assert_eq!(chosen, assign("order", person(number), &reversed).map(|at| reversed[at].id));
    }

    #[test]
    fn who_is_held_out_stays_so_when_the_share_grows(number: u32, small in 0_u16..=10_000, more in 0_u16..=10_000) {
        let large = Share::parse(small.saturating_add(more).min(WHOLE)).unwrap();
        let small = Share::parse(small).unwrap();
        let holdout = Holdout::Journey { id: "grown" };
        prop_assert!(!held_out(holdout, person(number), small) || held_out(holdout, person(number), large));
    }
}
