//! What chance alone gives PSI: its mean and its variance without drift, for windows of these sizes.

use std::collections::HashMap;

use crate::format::real;
use crate::stats::{Gamma, binomial_nodes};

/// Mean and variance of PSI where both sides are drawn from the same shares.
///
/// The mean is exact (bins of more than 10 000 rows a side: to 1e-4): a bin's count is binomial on either side, the sides are independent, and the term
/// (c − r) · ln(c / r), floor included, is a sum of products of a function of one and a function of the other. So is the
/// variance of each term. Between terms, the covariance is that of χ², where the correlation of bins i and j is
/// pᵢ pⱼ / ((1 − pᵢ)(1 − pⱼ)).
///
/// For large counts it is the law of Yurdakul and Naranjo (2020, "Statistical properties of the population stability
/// index"), (1/n + 1/m) · χ²(B − 1), which at 200 rows calls a third more values significant at 0.01 than there should be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chance {
    /// The mean.
    pub mean: f64,
    /// The variance.
    pub variance: f64,
}

impl Chance {
    /// PSI of `rows` values a side drawn from `shares`: (share, how many bins have it), which sum to 1.
    #[must_use]
    pub fn of(rows: [u64; 2], shares: impl IntoIterator<Item = (f64, u64)>, floor: f64) -> Self {
        let mut known: HashMap<u64, Self> = HashMap::new();
        let (mut sum, mut between, mut squares) = (Self::default(), 0.0, 0.0);
        for (share, times) in shares.into_iter().filter(|(share, _)| *share > 0.0 && *share < 1.0) {
            let one = *known.entry(share.to_bits()).or_insert_with(|| of_bin(rows, share, floor));
            let times = real(times);
            sum.mean += times * one.mean;
            sum.variance += times * one.variance;
            let joint = share / (1.0 - share) * libm::sqrt(one.variance);
            between += times * joint;
            squares += times * joint * joint;
        }
        sum.variance += between * between - squares;
        sum
    }

    /// The law with these two moments; `None` where PSI cannot vary.
    #[must_use]
    pub fn law(self) -> Option<Gamma> {
        Gamma::of_moments(self.mean, self.variance)
    }

    /// The chance of a PSI of at least `psi`.
    #[must_use]
    pub fn p_value(self, psi: f64) -> f64 {
        self.law().map_or(1.0, |law| law.tail(psi))
    }
}

/// E[dᵃ eᵇ] at `[a][b]`, where d = x − p and e = ln x − ln p for shares x and p that are clipped below at the floor.
type Moments = [[f64; 3]; 3];

fn moments(rows: u64, share: f64, floor: f64) -> Moments {
    let mut moments = Moments::default();
    let (n, p) = (real(rows), share.max(floor));
    for (count, weight) in binomial_nodes(rows, share) {
        let x = (count / n).max(floor);
        let (d, e) = (x - p, libm::log(x / p));
        for (row, d) in moments.iter_mut().zip([1.0, d, d * d]) {
            for (moment, e) in row.iter_mut().zip([1.0, e, e * e]) {
                *moment += weight * d * e;
            }
        }
    }
    moments
}

/// Rows of a bin from which on the leading terms are right to a ten-thousandth.
const MANY: f64 = 10_000.0;

/// Of (dc − dr)(ec − er) and of its square, each side by its moments.
fn of_bin([n, m]: [u64; 2], share: f64, floor: f64) -> Chance {
    if real(n.min(m)) * share > MANY && share > 1.5 * floor {
        let mean = (1.0 / real(n) + 1.0 / real(m)) * (1.0 - share);
        return Chance { mean, variance: 2.0 * mean * mean };
    }
    let r = moments(n, share, floor);
    let c = if n == m { r } else { moments(m, share, floor) };
    let mean = c[1][1] - c[1][0] * r[0][1] - c[0][1] * r[1][0] + r[1][1];
    let binomial = [1.0, -2.0, 1.0];
    let mut square = 0.0;
    for (a, of_d) in binomial.iter().enumerate() {
        for (b, of_e) in binomial.iter().enumerate() {
            square += of_d * of_e * c[2 - a][2 - b] * r[a][b];
        }
    }
    Chance { mean, variance: (square - mean * mean).max(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_counts_have_the_chi_squared_law() {
        let (rows, bins) = ([1_000_000, 400_000], 10_u64);
        let chance = Chance::of(rows, [(0.1, bins)], 0.001);
        let scale = rows.iter().map(|&rows| 1.0 / real(rows)).sum::<f64>();
        assert!((chance.mean / (9.0 * scale) - 1.0).abs() < 1e-3, "{chance:?}");
        assert!((chance.variance / (18.0 * scale * scale) - 1.0).abs() < 1e-3, "{chance:?}");
    }

    #[test]
    fn bins_below_the_floor_add_nothing() {
        let with = Chance::of([1_000_000, 1_000_000], [(0.5, 2), (1e-6, 1000)], 0.001);
        let without = Chance::of([1_000_000, 1_000_000], [(0.5, 2)], 0.001);
        assert!((with.mean / without.mean - 1.0).abs() < 1e-9, "{with:?} {without:?}");
    }

    #[test]
    fn one_bin_cannot_vary() {
        assert_eq!(Chance::of([10, 20], [(1.0, 1)], 0.001).p_value(0.0), 1.0);
    }
}
