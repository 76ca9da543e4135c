//! The one-sided tail P(D⁺ₙ ≥ d) of Smirnov's statistic, exact for every n.
//!
//! Smirnov (1944), Birnbaum and Tingey (1951), with X binomial (n, d + j/n) in term j:
//!
//! ```text
//! P(D⁺ₙ ≥ d) = d Σⱼ C(n, j) (d + j/n)^(j−1) (1 − d − j/n)^(n−j)      0 ≤ j ≤ n (1 − d)
//!            =   Σⱼ nd / (nd + j) · P(X = j)
//! ```
//!
//! All terms are positive, so nothing cancels. But there are n of them, 40 ms at five million. The term is an analytic function of j,
//! shaped like exp(−(nd)²n / (2 j (n − j))): wide against 1 where n is large, and flat to all orders at both ends. So
//!
//! * the sum over the integers is the integral over j (Poisson's summation formula: the difference is the Fourier transform of the
//!   term at frequency 1, exp(−2π²σ²) for a peak of σ integers), and
//! * with j = L / (1 + e⁻ᵘ), L = n (1 − d), the integrand is shaped like exp(−nd² (1 + cosh u)): it falls off doubly exponentially,
//!   and the trapezoidal rule converges faster than any power of the step (Trefethen and Weideman 2014). Some forty points reach 1e-13.

use super::binomial::{ln_1p_minus, ln_factorial_remainder};

/// Up to this many terms are summed one by one. With more of them the peak is wider than two integers for every probability that an
/// f64 can hold, and the integral over all j differs from the sum by less than 1e-30 of it.
const SUMMED_TERMS: f64 = 100.0;

/// The integral ends at j = 0, where the term is (1 − d)ⁿ: it has to be this much smaller than the peak, on the scale of ln.
const LN_END_BELOW_PEAK: f64 = 38.0;

/// P(D⁺ₙ ≥ d), where D⁺ₙ = sup (Fₙ − F) over a sample of n from a continuous F.
///
/// n is a whole number ≥ 1 and 0 < d < 1. Relative error below 1e-12 down to 1e-300; smaller results go through the denormals to 0.
/// Meant for the tail, n d² ≥ 1 or d ≥ ½: nearer to the centre nearly all of the n terms would be summed one by one.
pub(super) fn smirnov_tail(n: f64, d: f64) -> f64 {
    let terms = n * (1.0 - d);
    let ln_first = n * libm::log1p(-d);
    let half = 0.5 * terms;
    if terms <= SUMMED_TERMS || ln_first > ln_term(n, n * d, half, half) - LN_END_BELOW_PEAK {
        sum_of_terms(n, d)
    } else {
        integral_of_terms(n, d, terms)
    }
}

fn sum_of_terms(n: f64, d: f64) -> f64 {
    let shift = n * d;
    let mut sum = libm::exp(n * libm::log1p(-d));
    let mut j = 1.0;
    while n - j - shift > 0.0 {
        sum += libm::exp(ln_term(n, shift, j, n - j - shift));
        j += 1.0;
    }
    sum
}

fn integral_of_terms(n: f64, d: f64, length: f64) -> f64 {
    let shift = n * d;
    let integrand = |u: f64| {
        // Both shares are computed from their own exponential: near an end the small one keeps its precision.
        let share = 1.0 / (1.0 + libm::exp(-u));
        let rest = 1.0 / (1.0 + libm::exp(u));
        (ln_term(n, shift, length * share, length * rest), length * share * rest)
    };
    let (centre, centre_width) = integrand(0.0);
    // −ln of the term is about nd² (1 + cosh u) = −centre/2 · (1 + cosh u): the peak has the width 1 / √(−centre/2) in u.
    let step = 0.4 / (0.5 * -centre).max(1.0).sqrt();
    let mut sum = centre_width;
    for direction in [step, -step] {
        let mut largest = centre_width;
        let mut previous = centre_width;
        let mut u = direction;
        loop {
            let (ln_value, width) = integrand(u);
            let value = libm::exp(ln_value - centre) * width;
            sum += value;
            // At |u| = 40 one share is below 1e-17 of the length, far outside the peak.
            if (value < 1e-18 * largest && value <= previous) || u.abs() > 40.0 {
                break;
            }
            largest = largest.max(value);
            previous = value;
            u += direction;
        }
    }
    libm::exp(centre) * (sum * step)
}

/// ln of term j for 0 < j < n, with shift = nd and room = n − j − nd > 0.
fn ln_term(n: f64, shift: f64, j: f64, room: f64) -> f64 {
    let others = n - j;
    let ratio = shift / others;
    // Near the end of the range `room` is exact where 1 − ratio is not.
    let falling = if ratio > 0.4 { libm::log(room / others) + ratio } else { ln_1p_minus(-ratio) };
    libm::log(shift / (shift + j)) + ln_factorial_remainder(n)
        - ln_factorial_remainder(j)
        - ln_factorial_remainder(others)
        + j * ln_1p_minus(shift / j)
        + others * falling
}
