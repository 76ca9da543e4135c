//! P(Dₙ < d) for nd below 8: the matrix power of Marsaglia, Tsang and Wang.
//!
//! Source: G. Marsaglia, W. W. Tsang, J. Wang (2003), "Evaluating Kolmogorov's Distribution", J. Stat. Softw. 8(18), after
//! Durbin (1968). With nd = k − h, k whole and 0 ≤ h < 1, P(Dₙ < d) = n!/nⁿ · (Hⁿ)ₖₖ for a (2k − 1) × (2k − 1) matrix H of
//! numbers ≥ 0. Products of such matrices keep their relative precision.

use super::binomial::ln_factorial_remainder;
use super::float::{real, whole};

/// Matrix side: 2k − 1 = 15 for k = 8, and one column more because 16 fills whole vector registers.
const SIDE: usize = 16;

/// nd has to be below this.
pub(super) const LARGEST_ND: f64 = 8.0;

type Matrix = [[f64; SIDE]; SIDE];

/// P(Dₙ < d) for n ≥ 1 and 0 < nd < [`LARGEST_ND`].
///
/// H is divided by e, so that Hⁿ stays near 1 and n!/(n/e)ⁿ takes the place of n!/nⁿ: no number has to be rescaled on the way.
pub(super) fn kolmogorov_cdf(n: u64, d: f64) -> f64 {
    let nd = real(n) * d;
    let k = nd.ceil();
    let centre = usize::try_from(whole(k)).unwrap_or(0).clamp(1, SIDE / 2) - 1;
    let mut power = durbin_matrix(centre + 1, k - nd);
    let mut row = [0.0; SIDE];
    row[centre] = 1.0;
    let mut exponent = n;
    loop {
        if exponent & 1 == 1 {
            row = row_times(&row, &power);
        }
        exponent >>= 1;
        if exponent == 0 {
            break;
        }
        power = power.map(|r| row_times(&r, &power));
    }
    row[centre] * libm::exp(ln_factorial_remainder(real(n)))
}

/// H / e, in the corner of a matrix of zeros. `h` is in [0, 1).
fn durbin_matrix(k: usize, h: f64) -> Matrix {
    let side = 2 * k - 1;
    let scale = libm::exp(-1.0);
    let mut inverse_factorial = [scale; SIDE + 1];
    let mut h_power = [1.0; SIDE + 1];
    for j in 1..=SIDE {
        inverse_factorial[j] = inverse_factorial[j - 1] / real(j as u64);
        h_power[j] = h_power[j - 1] * h;
    }
    let mut matrix = [[0.0; SIDE]; SIDE];
    for (i, row) in matrix.iter_mut().enumerate().take(side) {
        for (j, cell) in row.iter_mut().enumerate().take(side.min(i + 2)) {
            // Row i and column j are i − j + 1 steps apart. The first column and the last row lose what left the strip.
            let steps = i + 1 - j;
            let mut weight = 1.0;
            if j == 0 {
                weight -= h_power[i + 1];
            }
            if i == side - 1 {
                weight -= h_power[side - j];
            }
            if j == 0 && i == side - 1 && h > 0.5 {
                let mut both = 1.0;
                for _ in 0..side {
                    both *= 2.0 * h - 1.0;
                }
                weight += both;
            }
            *cell = weight * inverse_factorial[steps];
        }
    }
    matrix
}

fn row_times(row: &[f64; SIDE], matrix: &Matrix) -> [f64; SIDE] {
    let mut product = [0.0; SIDE];
    for (factor, line) in row.iter().zip(matrix) {
        for (sum, cell) in product.iter_mut().zip(line) {
            *sum += factor * cell;
        }
    }
    product
}
