//! The special functions that the figures need, to at least ten digits.

/// Terms after which a series or a continued fraction of [`upper_gamma`] has long converged.
const TERMS: u32 = 10_000;

/// The natural logarithm of the gamma function, for `x > 0`: Stirling's series, after a shift to where it is exact enough.
pub(super) fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 15.0 {
        shift += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1_260.0 - square / 1_680.0)));
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - shift
}

/// The regularised upper incomplete gamma function Q(a, x), for `a > 0` and `x >= 0`: a series left of the bend, Lentz's continued
/// fraction right of it (Press et al., Numerical Recipes, 3rd edition, section 6.2).
pub(super) fn upper_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..TERMS {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        return 1.0 - front * sum;
    }
    let tiny = f64::MIN_POSITIVE / f64::EPSILON;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for n in 1..TERMS {
        let n = f64::from(n);
        let factor = -n * (n - a);
        b += 2.0;
        let next = factor * d + b;
        d = 1.0 / if next.abs() < tiny { tiny } else { next };
        let next = b + factor / c;
        c = if next.abs() < tiny { tiny } else { next };
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    front * fraction
}

/// The probability that a chi-square variable with `degrees` (1 or more) of freedom is `x` or more.
pub(super) fn chi_square_tail(degrees: f64, x: f64) -> f64 {
    upper_gamma(degrees / 2.0, x / 2.0)
}

/// The probability that a standard normal variable is `z` or more, for `z >= 0`.
fn normal_tail(z: f64) -> f64 {
    0.5 * upper_gamma(0.5, z * z / 2.0)
}

/// Returns the value that a standard normal variable exceeds with probability `tail`, for `0 < tail <= 0.5`: 1.96 for
/// 0.025. The first guess has three digits (Abramowitz and Stegun, 26.2.22), which each step of Newton's method
/// doubles.
pub(super) fn normal_upper_quantile(tail: f64) -> f64 {
    let t = (-2.0 * tail.ln()).sqrt();
    let mut z = (t - (2.30753 + 0.27061 * t) / (1.0 + t * (0.99229 + 0.04481 * t))).max(0.0);
    for _ in 0..4 {
        let density = (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
        z = (z + (normal_tail(z) - tail) / density).max(0.0);
    }
    z
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};
    use statrs::function::gamma;

    fn near(found: f64, exact: f64, relative: f64) -> bool {
        (found - exact).abs() <= relative * exact.abs().max(1e-300)
    }

    #[test]
    fn the_quantile_of_everyday_use_has_its_known_value() {
        // Abramowitz and Stegun, table 26.5.
        assert!((normal_upper_quantile(0.025) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!(normal_upper_quantile(0.5).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn functions_agree_with_statrs(x in 1e-3_f64..2_000.0, degrees in 1_u32..60, tail in 1e-12_f64..0.5) {
            let log = gamma::ln_gamma(x);
            prop_assert!((ln_gamma(x) - log).abs() < 1e-10 * log.abs().max(1.0), "ln gamma of {x}");
            let degrees = f64::from(degrees);
            let exact = ChiSquared::new(degrees).unwrap().sf(x.min(400.0));
            let found = chi_square_tail(degrees, x.min(400.0));
            prop_assert!(near(found, exact, 1e-8) || (found - exact).abs() < 1e-12, "{degrees}, {x}: {found}, {exact}");
            let exact = -Normal::standard().inverse_cdf(tail);
            prop_assert!((normal_upper_quantile(tail) - exact).abs() < 1e-7, "{tail}: {exact}");
        }
    }
}
