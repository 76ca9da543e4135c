//! The exact two-sample tail P(D ≥ d): a closed form for equal sizes, path counting for others.

use super::binomial::{ln_1p_minus, ln_factorial_remainder, stirling_error};
use super::float::{real, real_wide};
use super::lattice_path::{Sides, ln_share_outside};

/// About one second of path counting on one core.
const MOST_POINTS: f64 = 4e9;

/// P(D ≥ gap / (n m)) for two samples of one continuous distribution; None where counting would take longer than a few seconds
/// (unequal sizes beyond some 200 000) or SciPy declines (n m / gcd² ≥ 2³¹ − 1).
///
/// n, m ≥ 1. Relative error below 1e-10, also in the tail; below 1e-308 it goes through the denormals to 0.
pub(super) fn exact_tail(gap: u128, n: u64, m: u64) -> Option<f64> {
    let (n, m) = (n.min(m), n.max(m));
    // The first step of any path reaches n or m.
    if gap <= u128::from(n) {
        return Some(1.0);
    }
    let product = u128::from(n) * u128::from(m);
    if gap > product {
        return Some(0.0);
    }
    if n == m {
        // Differences of equal sizes are multiples of n.
        return Some(equal_sizes(gap.div_ceil(u128::from(n)), n));
    }
    let common = u128::from(greatest_common_divisor(n, m));
    if (u128::from(n) / common).saturating_mul(u128::from(m) / common) >= 2_147_483_647 {
        return None;
    }
    let (steps, effective) = (real(n) + real(m), real(n) * (real(m) / (real(n) + real(m))));
    let d = real_wide(gap) / real_wide(product);
    // Points of a row within the boundaries, and within reach of the likely paths (half a row's ±7.5 standard deviations).
    let strip = (2.0 * real_wide(gap) / steps).min(real(n)) + 1.0;
    if steps * (strip.min(10.0 * effective.sqrt()) + 64.0) > MOST_POINTS {
        return None;
    }
    // A path can reach both boundaries only if d is at most one half, and for d²nm/(n + m) ≥ 5 hardly any does: exp(−6 · 5) = 1e-13
    // of those that reach one. In small cases counting both costs next to nothing.
    let one_sided = 2 * gap > product || (d * d * effective >= 5.0 && steps * strip > 50_000.0);
    let tail = if one_sided {
        2.0 * libm::exp(ln_share_outside(n, m, gap, Sides::Upper))
    } else {
        libm::exp(ln_share_outside(n, m, gap, Sides::Both))
    };
    Some(tail.clamp(0.0, 1.0))
}

/// Equal sizes: 2 Σₖ (−1)^(k+1) C(2n, n − kh) / C(2n, n), k ≥ 1, kh ≤ n (Gnedenko and Korolyuk 1951, by reflection).
///
/// For h ≥ 2 and h ≤ n. Where h²/n is small the terms cancel to a result near 1, so the absolute error is what counts.
fn equal_sizes(h: u128, n: u64) -> f64 {
    let (h, n) = (real_wide(h), real(n));
    // 1 − result is below cos(π/2h)^(2n) √n, under exp(−π²n/4h²) √n. With n > 25h² that is 1e-26.
    if n > 25.0 * h * h {
        return 1.0;
    }
    let mut sum = 0.0;
    let mut sign = 2.0;
    let mut reach = h;
    while reach <= n {
        let term = libm::exp(ln_central_ratio(reach, n));
        sum += sign * term;
        if term < 1e-18 {
            break;
        }
        sign = -sign;
        reach += h;
    }
    sum.clamp(0.0, 1.0)
}

/// ln of C(2n, n − a) / C(2n, n) for whole 0 < a ≤ n.
fn ln_central_ratio(a: f64, n: f64) -> f64 {
    let fewer = n - a;
    if fewer <= 0.0 {
        let doubled = 2.0 * n;
        return 2.0 * ln_factorial_remainder(n) - ln_factorial_remainder(doubled) - doubled * std::f64::consts::LN_2;
    }
    let u = a / n;
    let powers = 2.0 * a * u + (n + a) * ln_1p_minus(u) + fewer * ln_1p_minus(-u);
    let roots = 0.5 * libm::log1p(-u * u);
    2.0 * stirling_error(n) - stirling_error(n + a) - stirling_error(fewer) - powers - roots
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubling_one_side_equals_counting_both() {
        for (n, m, gap) in [(21, 10_000, 103_597), (300, 401, 20_738), (999, 1000, 100_919), (400, 7001, 325_117)] {
            let d_square = (real_wide(gap) / real(n * m)).powi(2);
            let square = d_square * real(n * m) / real(n + m);
            assert!((5.0..6.0).contains(&square), "{n} x {m}: {square}");
            let both = libm::exp(ln_share_outside(n, m, gap, Sides::Both));
            let doubled = 2.0 * libm::exp(ln_share_outside(n, m, gap, Sides::Upper));
            assert!((doubled / both - 1.0).abs() < 1e-11, "{n} x {m}: {doubled:e} {both:e}");
        }
    }

    #[test]
    fn equal_sizes_equal_path_counting() {
        for (n, h) in [(2, 2), (10, 3), (60, 12), (200, 45), (400, 30)] {
            let counted = libm::exp(ln_share_outside(n, n, h * u128::from(n), Sides::Both));
            let closed = equal_sizes(h, n);
            assert!((closed / counted - 1.0).abs() < 1e-12, "{n} {h}: {closed:e} {counted:e}");
        }
    }
}
