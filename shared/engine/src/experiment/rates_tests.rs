#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use proptest::prelude::*;

fn arm(reached: u64, people: u64) -> Arm {
    Arm::parse(people, reached).unwrap()
}

fn alpha(alpha: f64) -> Alpha {
    Alpha::parse(alpha).unwrap()
}

type Row = (u64, u64, u64, u64, f64, [f64; 2], [f64; 2], [f64; 2]);

/// By statsmodels 0.15.0: reached and people of arm and control, alpha, then
/// `proportion_confint(x1, n1, alpha, "wilson")`, `confint_proportions_2indep(x1, n1, x0, n0, method="newcomb", compare="diff", alpha=alpha)` and
/// `confint_proportions_2indep(x1, n1, x0, n0, method="score", compare="ratio", correction=True, alpha=alpha)`.
const STATSMODELS: [Row; 12] = [
    (10, 100, 5, 100, 0.05, [0.055229137, 0.174365662], [-0.026272869, 0.129624204], [0.7416260, 5.4514520]),
    (10, 100, 5, 100, 0.01, [0.046025812, 0.203750738], [-0.054216071, 0.158918547], [0.5621817, 7.2286669]),
    (120, 1000, 100, 1000, 0.05, [0.101299261, 0.141609076], [-0.007492168, 0.047550667], [0.9348104, 1.5410109]),
    (120, 1000, 100, 1000, 0.01, [0.096003695, 0.149005591], [-0.016223005, 0.056321541], [0.8648333, 1.6661485]),
    (5000, 100000, 4800, 100000, 0.05, [0.048666389, 0.051368183], [0.000107790, 0.003892575], [1.0022037, 1.0826844]),
    (5000, 100000, 4800, 100000, 0.01, [0.048254395, 0.051805315], [-0.000486978, 0.004487609], [0.9901174, 1.0959013]),
    (7, 8, 1, 9, 0.05, [0.529111818, 0.977582509], [0.290029779, 0.901163432], [1.8007915, 46.4630900]),
    (7, 8, 1, 9, 0.01, [0.424828873, 0.985150109], [0.142737055, 0.911276449], [1.2871095, 70.5798878]),
    (30, 2000, 10, 900, 0.05, [0.010527098, 0.021332438], [-0.006359202, 0.011997611], [0.6732061, 2.7139262]),
    (30, 2000, 10, 900, 0.01, [0.009432527, 0.023774758], [-0.010466953, 0.014562377], [0.5480460, 3.3388730]),
    (3, 50, 2, 450, 0.05, [0.020614970, 0.162170917], [0.014493869, 0.157777351], [2.7220322, 66.0209305]),
    (3, 50, 2, 450, 0.01, [0.015294840, 0.207799001], [0.007371254, 0.203397817], [1.8404117, 97.2148525]),
];

#[test]
fn intervals_are_those_of_statsmodels() {
    let near = |found: Interval, exact: [f64; 2], relative: f64| {
        let close = |found: f64, exact: f64| (found - exact).abs() < relative * exact.abs().max(1.0);
        assert!(close(found.low, exact[0]) && close(found.high, exact[1]), "{found:?} instead of {exact:?}");
    };
    for (x1, n1, x0, n0, error, rate, newcombe, ratio) in STATSMODELS {
        let (one, zero, error) = (arm(x1, n1), arm(x0, n0), alpha(error));
        near(one.estimate(error).unwrap().interval, rate, 1e-8);
        near(difference(&one, &zero, error).unwrap().interval, newcombe, 1e-8);
        // statsmodels' own search for the ratio's ends stops at a hundred-thousandth.
        near(uplift(&one, &zero, error).unwrap().interval, [ratio[0] - 1.0, ratio[1] - 1.0], 2e-5);
    }
}

#[test]
fn rates_at_the_ends_have_intervals_that_begin_or_end_there() {
    // proportion_confint(0, 50, 0.05, "wilson") and its mirror image.
    let none = arm(0, 50).estimate(alpha(0.05)).unwrap().interval;
    assert!(none.low == 0.0 && (none.high - 0.071_347_599_133_358_74).abs() < 1e-12);
    let all = arm(50, 50).estimate(alpha(0.05)).unwrap().interval;
    assert!(all.high == 1.0 && (all.low - 0.928_652_400_866_641_2).abs() < 1e-12);
    let nothing = uplift(&arm(0, 50), &arm(10, 50), alpha(0.05)).unwrap();
    assert!(nothing.value == -1.0 && nothing.interval.low == -1.0 && nothing.interval.high < 0.0, "{nothing:?}");
}

#[test]
fn what_cannot_be_told_is_not_told() {
    let error = alpha(0.05);
    assert_eq!(arm(0, 0).estimate(error), None);
    assert_eq!(difference(&arm(0, 0), &arm(1, 2), error), None);
    assert_eq!(uplift(&arm(1, 2), &arm(0, 2), error), None, "no proportion to nothing");
    assert_eq!(Arm::parse(2, 3), Err(InvalidArm { people: 2, reached: 3 }));
    assert!(serde_json::from_str::<Arm>(r#"{"people":2,"reached":3}"#).is_err());
    for wrong in [0.0, -0.1, 0.6, f64::NAN] {
        assert!(Alpha::parse(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn intervals_hold_what_was_seen_and_stay_possible(
        n1 in 1_u64..100_000, n0 in 1_u64..100_000, share1 in 0.0_f64..=1.0, share0 in 0.0_f64..=1.0, error in 0.001_f64..0.5,
    ) {
        let (one, zero) = (arm((n1 as f64 * share1) as u64, n1), arm((n0 as f64 * share0) as u64, n0));
        let error = alpha(error);
        let holds = |estimate: Estimate, least: f64, most: f64| {
            let Interval { low, high } = estimate.interval;
            let room = 1e-9 * estimate.value.abs().max(1.0);
            low.is_finite() && high.is_finite() && low >= least - 1e-12 && high <= most + 1e-12
                && low <= estimate.value + room && estimate.value <= high + room
        };
        prop_assert!(holds(one.estimate(error).unwrap(), 0.0, 1.0));
        prop_assert!(holds(difference(&one, &zero, error).unwrap(), -1.0, 1.0));
        if let Some(estimate) = uplift(&one, &zero, error) {
            prop_assert!(holds(estimate, -1.0, f64::MAX), "{:?}", estimate);
        }
        // Seen from the other group, a difference is the same one.
        let (there, back) = (difference(&one, &zero, error).unwrap(), difference(&zero, &one, error).unwrap());
        prop_assert!((there.interval.low + back.interval.high).abs() < 1e-9);
    }
}
