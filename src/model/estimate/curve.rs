//! Expected curves: ROC AUC and average precision of rows whose labels are probabilities.

use std::io;

use statrs::function::gamma::digamma;

use crate::format::real;
use crate::model::measure::Sum;

/// What is expected of the rows of one score: how many there are, and how many of them are positive.
pub(super) type Step = (u64, f64);

/// The expected area under the ROC curve and average precision; `walk` visits the distinct scores, ascending.
pub(super) fn curves(totals: Step, walk: impl FnOnce(&mut dyn FnMut(Step)) -> io::Result<()>) -> io::Result<[f64; 2]> {
    let (all, positives) = totals;
    let negatives = real(all) - positives;
    let (mut area, mut precision) = (Sum::default(), Sum::default());
    let (mut rows_below, mut positives_below, mut negatives_below) = (0_u64, Sum::default(), Sum::default());
    walk(&mut |(rows, here)| {
        let (p, others) = (here / real(rows), real(rows) - here);
        area.add(here * (negatives_below.value() + others / 2.0));
        // NannyML takes the rows of one score one by one, each with the precision up to it.
        let above = all - rows_below - rows;
        let right_above = positives - positives_below.value() - here;
        let slope = right_above - p * real(above);
        precision.add(p * (here + slope * harmonic(above, rows)));
        rows_below += rows;
        positives_below.add(here);
        negatives_below.add(others);
    })?;
    Ok([area.value() / (positives * negatives), precision.value() / positives])
}

/// Σ 1 / (n + i) for i from 1 to m: a difference of harmonic numbers.
fn harmonic(n: u64, m: u64) -> f64 {
    if m <= 32 {
        return (1..=m).rev().map(|i| 1.0 / real(n + i)).sum();
    }
    if n < 1000 {
        return digamma(real(n + m + 1)) - digamma(real(n + 1));
    }
    // ψ(x + 1/2) = ln x + 1 / (24 x²) − …; the difference without cancellation.
    let (low, high) = (real(n) + 0.5, real(n + m) + 0.5);
    libm::log1p(real(m) / low) + (1.0 / (high * high) - 1.0 / (low * low)) / 24.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmonic_sums_keep_their_digits() {
        for n in [0, 10, 999, 1000, 70_000] {
            for m in [0, 1, 32, 33, 1000, 40_000] {
                let direct: f64 = (1..=m).rev().map(|i| 1.0 / real(n + i)).sum();
                assert!((harmonic(n, m) - direct).abs() <= 1e-12 * direct, "{n} {m}: {} {direct}", harmonic(n, m));
            }
        }
    }
}
