//! Checks whether the groups have the expected sizes.
//!
//! If people are missing from one group more than from another (a redirect that fails, a variant that crashes before it
//! is counted), the groups are not comparable, and every result misleads (Fabijan et al., "Diagnosing Sample Ratio
//! Mismatch in Online Controlled Experiments", KDD 2019). The chi-square test is what other tools show, and holds at
//! one look. Verdicts are voided by the sequential multinomial test of Lindon and Malek ("Anytime-Valid Inference for
//! Multinomial Count Data", NeurIPS 2022): it may be checked every day, and wrongly voids at most one experiment in a
//! hundred over its whole life.

use super::assign::Share;
use super::numeric::{chi_square_tail, ln_gamma};
use serde::{Deserialize, Serialize};

/// How close to the planned shares the test expects those of a broken experiment: the sum of its Dirichlet's
/// parameters. With this one a half is typically off by 1.6 points, so that a split of 49 to 51 is detected after some
/// thousand people, and one of 40 to 60 after some hundred.
const CONCENTRATION: f64 = 1_000.0;
/// The always-valid p-value below which groups do not compare.
pub const MISMATCH: f64 = 0.01;

/// The result for the sizes of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SampleRatio {
    /// Pearson's statistic, 0 or more.
    pub chi_square: f64,
    /// The p-value, which holds at one look.
    pub p_value: f64,
    /// The p-value that holds at every look.
    pub always_valid: f64,
}

impl SampleRatio {
    /// Compares the people in each group with the weights that they were assigned by; `None` if fewer than two groups
    /// have weight. People in a group without weight are a mismatch whatever their number: count only people who were
    /// assigned under these weights.
    pub fn of(groups: &[(u64, Share)]) -> Option<Self> {
        let whole: f64 = groups.iter().map(|(_, weight)| f64::from(weight.parts())).sum();
        let weighty: Vec<_> = groups
            .iter()
            .filter(|(_, weight)| weight.parts() > 0)
            .map(|(people, weight)| (*people as f64, f64::from(weight.parts()) / whole))
            .collect();
        if groups.iter().any(|(people, weight)| *people > 0 && weight.parts() == 0) {
            return Some(Self { chi_square: f64::MAX, p_value: 0.0, always_valid: 0.0 });
        }
        if weighty.len() < 2 {
            return None;
        }
        let people: f64 = weighty.iter().map(|(people, _)| people).sum();
        if people == 0.0 {
            return Some(Self { chi_square: 0.0, p_value: 1.0, always_valid: 1.0 });
        }
        let chi_square = weighty.iter().map(|(n, share)| (n - people * share).powi(2) / (people * share)).sum();
        Some(Self {
            chi_square,
            p_value: chi_square_tail(weighty.len() as f64 - 1.0, chi_square),
            always_valid: (-evidence(&weighty, CONCENTRATION)).exp().min(1.0),
        })
    }

    /// Returns whether the groups are not comparable.
    pub fn mismatch(&self) -> bool {
        self.always_valid < MISMATCH
    }
}

/// Returns the logarithm of the likelihood of the counts under shares from a Dirichlet distribution around the planned
/// ones, over that under the planned ones. `groups` are people and planned shares.
fn evidence(groups: &[(f64, f64)], concentration: f64) -> f64 {
    let people: f64 = groups.iter().map(|(people, _)| people).sum();
    let whole = ln_gamma(concentration) - ln_gamma(concentration + people);
    let each = |(people, share): &(f64, f64)| {
        let parameter = concentration * share;
        ln_gamma(parameter + people) - ln_gamma(parameter) - people * share.ln()
    };
    whole + groups.iter().map(each).sum::<f64>()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    type Groups = &'static [(u64, u16)];

    fn ratio(groups: &[(u64, u16)]) -> Option<SampleRatio> {
        let groups: Vec<_> = groups.iter().map(|(people, weight)| (*people, Share::parse(*weight).unwrap())).collect();
        SampleRatio::of(&groups)
    }

    #[test]
    fn the_chi_square_test_is_that_of_scipy() {
        // scipy 1.17.1, scipy.stats.chisquare(observed, expected).
        let table: [(Groups, f64, f64); 4] = [
            (&[(5_000, 5_000), (5_000, 5_000)], 0.0, 1.0),
            (&[(4_900, 5_000), (5_100, 5_000)], 4.0, 0.045_500_263_896_358_57),
            (&[(821, 800), (9_301, 9_000), (118, 200)], 37.576_199_001_736_114, 6.925_195_869_504_261e-9),
            (&[(300, 2_500), (250, 2_500), (260, 2_500), (190, 2_500)], 24.8, 1.700_091_126_253_204e-5),
        ];
        for (groups, statistic, p_value) in table {
            let found = ratio(groups).unwrap();
            assert!((found.chi_square - statistic).abs() < 1e-9, "{found:?}");
            assert!((found.p_value / p_value - 1.0).abs() < 1e-9, "{found:?} instead of {p_value}");
        }
    }

    #[test]
    fn the_evidence_is_that_of_all_shares_weighed() {
        // With a flat weight (parameters 1 and 1), the mean of s³ (1 - s) over all shares s is 1/20; under halves it is 1/16.
        assert!((evidence(&[(3.0, 0.5), (1.0, 0.5)], 2.0) - (16.0_f64 / 20.0).ln()).abs() < 1e-12);
        // That of s^10 is 1/11, against 1/1024.
        assert!((evidence(&[(10.0, 0.5), (0.0, 0.5)], 2.0) - (1_024.0_f64 / 11.0).ln()).abs() < 1e-12);
    }

    #[test]
    fn groups_that_do_not_compare_are_told_and_those_that_do_are_not() {
        // The first pair is the example of Kohavi, Tang and Xu, Trustworthy Online Controlled Experiments (2020), chapter 3.
        for bad in [&[(821_588, 5_000), (815_482, 5_000)][..], &[(700, 5_000), (500, 5_000)], &[(10, 10_000), (1, 0)]] {
            assert!(ratio(bad).unwrap().mismatch(), "{bad:?}");
        }
        for good in [&[(5_050, 5_000), (4_950, 5_000)][..], &[(0, 5_000), (0, 5_000)], &[(980, 9_800), (25, 200)]] {
            assert!(!ratio(good).unwrap().mismatch(), "{good:?}");
        }
        assert_eq!(ratio(&[(10, 10_000)]), None);
    }
}
