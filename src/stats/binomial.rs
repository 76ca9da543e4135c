//! Logarithms of factorials and binomial probabilities without cancellation.
//!
//! Every tail in this module is a sum of products of factorials and powers. Written with `ln Γ` the parts are of the size n ln n
//! and cancel to something of the size 1 to 700; written as below (Loader 2000) the large parts never appear. All functions take
//! real arguments, because the tails are integrated over them as well as summed.
//!
//! Source: C. Loader (2000), "Fast and accurate computation of binomial probabilities".

use std::f64::consts::TAU;

use super::float::real;

/// B₂ₖ / (2k (2k − 1)) for k = 1, 2, …: the coefficients of Stirling's series.
const STIRLING: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3617.0 / 122_400.0,
];

/// ln(1 + x) − x for x > −1, to a few units in the last place also where the two nearly cancel.
///
/// With r = x / (2 + x) and y = r²: ln(1 + x) = 2 artanh r, and 2r − x = −xr, so the difference is
/// r (2y (1/3 + y/5 + y²/7 + …) − x).
pub(super) fn ln_1p_minus(x: f64) -> f64 {
    let size = x.abs();
    if size > 0.4 {
        return libm::log1p(x) - x;
    }
    let r = x / (2.0 + x);
    let y = r * r;
    let tail = if size < 0.01 {
        1.0 / 3.0 + y * (1.0 / 5.0 + y * (1.0 / 7.0 + y / 9.0))
    } else {
        // y <= 1/16, so the thirteenth term is below 1e-16 of the first.
        let mut sum = 1.0 / 27.0;
        for odd in [25.0, 23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
            sum = sum * y + 1.0 / odd;
        }
        sum
    };
    r * (2.0 * y * tail - x)
}

/// δ(x) = ln Γ(x + 1) − (x + ½) ln x + x − ½ ln 2π for x > 0: what Stirling's formula leaves out.
///
/// The series is used from 12 on, where its first neglected term is below 1e-18; smaller arguments are shifted up with
/// δ(x) = δ(x + 1) + (x + ½) ln(1 + 1/x) − 1.
pub(super) fn stirling_error(x: f64) -> f64 {
    let mut x = x;
    let mut shifted = 0.0;
    while x < 12.0 {
        shifted += (x + 0.5) * libm::log1p(1.0 / x) - 1.0;
        x += 1.0;
    }
    let inverse_square = 1.0 / (x * x);
    let series = STIRLING.iter().rev().fold(0.0, |sum, &coefficient| sum * inverse_square + coefficient);
    shifted + series / x
}

/// ln Γ(x + 1) − (x ln x − x) for x ≥ 0: the factorial without its large part. 0 at x = 0.
pub(super) fn ln_factorial_remainder(x: f64) -> f64 {
    if x <= 0.0 { 0.0 } else { 0.5 * libm::log(TAU * x) + stirling_error(x) }
}

/// x ln(x / μ) + μ − x for x ≥ 0, μ > 0: the deviance of a Poisson count x of mean μ. Never negative.
pub(super) fn deviance(x: f64, mean: f64) -> f64 {
    if x <= 0.0 {
        return mean;
    }
    let excess = (mean - x) / x;
    // Far apart nothing cancels, and 1 + excess would lose a small mean.
    if excess.abs() > 0.4 { x * libm::log(x / mean) + (mean - x) } else { -x * ln_1p_minus(excess) }
}

/// ln of the binomial probability C(n, x) pˣ qⁿ⁻ˣ, continued to real x in [0, n]; q = 1 − p is passed so that it is not rounded twice.
pub(super) fn ln_binomial(x: f64, n: f64, p: f64, q: f64) -> f64 {
    ln_factorial_remainder(n)
        - ln_factorial_remainder(x)
        - ln_factorial_remainder(n - x)
        - deviance(x, n * p)
        - deviance(n - x, n * q)
}

/// Numbers of successes with weights that sum to 1, so that Σ weight · f(successes) is the mean of f of a binomial variable of
/// `n` trials with probability `p` in (0, 1).
///
/// Every number that can matter where they are few, and one every 0.8 standard deviations where they are many: of a smooth f that
/// is the same sum, for a bell curve is summed to 2 exp(−2π² / 0.8²), some 1e-13, by such steps.
#[must_use]
pub fn binomial_nodes(n: u64, p: f64) -> Vec<(f64, f64)> {
    const REACH: f64 = 8.0;
    let n = real(n);
    let (mean, width) = (n * p, libm::sqrt(n * p * (1.0 - p)));
    let step = libm::floor(0.8 * width - 2.0).max(1.0);
    // The tail of few successes is longer than that of a bell curve.
    let (from, to) = ((mean - REACH * width - 1.0).max(0.0), (mean + REACH * width + 20.0).min(n));
    let mut at = libm::floor(from);
    let mut nodes = Vec::new();
    while at <= to {
        // The factorial of n is in all weights, whose sum is set to 1 below.
        let rest = n - at;
        let of_all = ln_factorial_remainder(at) + ln_factorial_remainder(rest);
        let ln = of_all + deviance(at, mean) + deviance(rest, n * (1.0 - p));
        nodes.push((at, libm::exp(-ln)));
        at += step;
    }
    let sum = nodes.iter().fold(0.0, |sum, (_, weight)| sum + weight);
    nodes.iter_mut().for_each(|(_, weight)| *weight /= sum);
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stirling_error_restores_the_factorials() {
        let mut ln_factorial = 0.0;
        for x in 1..=60_u32 {
            let x = f64::from(x);
            ln_factorial += libm::log(x);
            let restored = ln_factorial_remainder(x) + x * libm::log(x) - x;
            assert!((restored - ln_factorial).abs() <= 1e-14 * ln_factorial.max(1.0), "{x}: {restored} {ln_factorial}");
        }
    }

    #[test]
    fn ln_1p_minus_is_continuous_where_the_method_changes() {
        for x in [0.4_f64, -0.4, 0.01, -0.01] {
            let (below, above) = (ln_1p_minus(x * (1.0 - 1e-15)), ln_1p_minus(x * (1.0 + 1e-15)));
            assert!((below / above - 1.0).abs() < 3e-14, "{x}: {below} {above}");
        }
    }

    #[test]
    fn binomial_probabilities_sum_to_one() {
        for (n, p) in [(1_u32, 0.5), (7, 0.01), (200, 0.3), (3000, 0.9)] {
            let sum: f64 = (0..=n).map(|x| libm::exp(ln_binomial(f64::from(x), f64::from(n), p, 1.0 - p))).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{n} {p}: {sum}");
        }
    }

    #[test]
    fn nodes_give_the_mean_and_the_variance() {
        for (n, p) in [(1, 0.5), (200, 0.001), (200, 0.1), (2000, 0.1), (1_000_000, 0.3), (1_000_000_000, 0.999)] {
            let nodes = binomial_nodes(n, p);
            assert!(nodes.len() < 80, "{n} {p}: {}", nodes.len());
            let mean = nodes.iter().fold(0.0, |sum, (k, weight)| sum + k * weight);
            let expected = real(n) * p;
            let variance = nodes.iter().fold(0.0, |sum, (k, weight)| sum + (k - expected).powi(2) * weight);
            assert!((mean / expected - 1.0).abs() < 1e-9, "{n} {p}: {mean}");
            assert!((variance / (expected * (1.0 - p)) - 1.0).abs() < 1e-6, "{n} {p}: {variance}");
        }
    }
}
