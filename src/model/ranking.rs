//! How good an order is: the normalised discounted cumulative gain, from counts of scores.

use std::io;

use super::measure::{Measure, Sum};
use super::scores::{NEGATIVE, NO_LABELS, POSITIVE, ScoreCounts};
use crate::format::real;

/// Gain of the labelled rows in descending order of their scores over that of the best order (Järvelin and Kekäläinen 2002);
/// rows of one score share the ranks that they take (McSherry and Najork 2008), as `sklearn.metrics.ndcg_score` has it.
pub(super) fn gain(scores: &ScoreCounts, weighted: bool) -> io::Result<Measure> {
    let totals = scores.totals();
    let (relevant, all) = (totals[POSITIVE], totals[POSITIVE] + totals[NEGATIVE]);
    if weighted {
        return Ok(Measure::undefined("rows have weights, and a rank is no sum of weights"));
    }
    if relevant == 0 {
        return Ok(Measure::undefined(if all == 0 { NO_LABELS } else { "no row has the positive class" }));
    }
    let (mut gain, mut last) = (Sum::default(), all);
    scores.walk(|_, counts| {
        let tied = counts[POSITIVE] + counts[NEGATIVE];
        if counts[POSITIVE] > 0 {
            gain.add(real(counts[POSITIVE]) / real(tied) * discounts(last - tied, last));
        }
        last -= tied;
    })?;
    Ok(Measure::of(gain.value() / discounts(0, relevant)))
}

/// Σ 1 / log₂(rank + 1) over the ranks after `before` up to `last`, the first being 1.
fn discounts(before: u64, last: u64) -> f64 {
    let mut sum = Sum::default();
    (before..last).for_each(|place| sum.add(1.0 / libm::log2(real(place + 2))));
    sum.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_order_gains_one_and_ties_share_their_ranks() {
        let of = |rows: &[(f64, u64)]| {
            let counts = |(score, label): &(f64, u64)| (*score, [*label, 1 - *label, 1, 0, 0]);
            gain(&ScoreCounts::of(rows.iter().map(counts)), false).unwrap().value
        };
        assert_eq!(of(&[(3.0, 1), (2.0, 1), (-1.0, 0)]), Some(1.0));
        let (first, second) = (1.0, 1.0 / libm::log2(3.0));
        assert_eq!(of(&[(2.0, 0), (2.0, 1)]), Some(f64::midpoint(first, second)));
        assert_eq!(of(&[(2.0, 0)]), None);
    }
}
