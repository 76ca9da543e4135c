//! The two-sided tail P(Dₙ ≥ d) of Kolmogorov's statistic: which method where.
//!
//! Simard and L'Ecuyer (2011) split the (n, nd²) plane into regions with a method each, and SciPy's `kstwo` follows them. Some of
//! their methods are approximations (Pelz and Good's is 1e-7 to 1e-10). Here every region has an exact formula:
//!
//! ```text
//! nd² ≥ 4.6 or d ≥ ½, and nd² ≥ 2.2 for n > 140      twice the one-sided tail      smirnov_tail
//! nd < 8                                             matrix power                  kolmogorov_matrix
//! otherwise                                          sum over poles                kolmogorov_poles
//! ```
//!
//! Doubling counts paths that leave on both sides twice. For d ≥ ½ there are none. For nd² ≥ 4.6 they are exp(−6nd²) = 1e-12 of the
//! tail. For nd² ≥ 2.2 they are up to 2e-6 of it: there, and for n > 140 only, doubling is how SciPy defines its p-value, and numbers
//! that people compare with SciPy's follow it. The other two give the distribution function with an absolute error of 1e-14, and the
//! tail is above 2e-4 there.

use super::float::real;
use super::smirnov_tail::smirnov_tail;
use super::{kolmogorov_matrix, kolmogorov_poles};

/// SciPy's bound: above it the one-sided tail is doubled from nd² = 2.2 on.
const LARGEST_NOT_DOUBLED: u64 = 140;

/// P(Dₙ ≥ d) for the two-sided one-sample statistic Dₙ = sup |Fₙ − F| of a sample of `n` from a continuous F.
///
/// Equals `scipy.stats.kstwo.sf(d, n)` where that does what it means to. Relative error below 1e-10 from 1 down to 1e-300, for every n up to 5e8;
/// smaller tails go through the denormals to 0. d ≤ 0 gives 1, d ≥ 1 gives 0, n = 0 gives 1 (no sample, no evidence). A NaN stays NaN.
#[must_use]
pub fn kolmogorov_sf(d: f64, n: u64) -> f64 {
    if d.is_nan() {
        return d;
    }
    let count = real(n);
    let (nd, nd_square) = (count * d, count * d * d);
    // Dₙ is never below 1/2n. Below nd² = 0.03 the distribution function is under exp(−π²/8nd²) · 15 = 1e-17.
    if nd <= 0.5 || nd_square < 0.03 {
        return 1.0;
    }
    // Massart (1990): the tail is at most 2 exp(−2nd²), here 1e-330.
    if d >= 1.0 || nd_square >= 380.0 {
        return 0.0;
    }
    let doubled = if n > LARGEST_NOT_DOUBLED { 2.2 } else { 4.6 };
    let tail = if d >= 0.5 || nd_square >= doubled {
        2.0 * smirnov_tail(count, d)
    } else if nd < kolmogorov_matrix::LARGEST_ND {
        1.0 - kolmogorov_matrix::kolmogorov_cdf(n, d)
    } else {
        1.0 - kolmogorov_poles::kolmogorov_cdf(count, d)
    };
    tail.clamp(0.0, 1.0)
}
