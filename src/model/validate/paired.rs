//! Tests that are made for pairs: McNemar of accuracy, DeLong of ROC AUC.

use super::pairs::{Pairs, Side};
use crate::format::real;
use crate::stats::fair_coin_p;

/// The exact test of McNemar (1947): of the pairs that one side alone has right, each is as likely to be right. Two-sided, as
/// `statsmodels.stats.contingency_tables.mcnemar(exact=True)`.
pub(super) fn mcnemar(pairs: &Pairs) -> f64 {
    let right = |side: usize, pair: usize| pairs.sides[side].classes[pair] == pairs.labels[pair];
    let differ = (0..pairs.labels.len()).filter(|&pair| right(0, pair) != right(1, pair));
    let (mut first, mut all) = (0, 0);
    for pair in differ {
        first += u64::from(right(0, pair));
        all += 1;
    }
    fair_coin_p(first, all)
}

/// The change of ROC AUC, and its standard error (DeLong, DeLong and Clarke-Pearson 1988, for two correlated curves).
pub(super) fn delong(pairs: &Pairs) -> Option<(f64, f64)> {
    let [first, second] = [0, 1].map(|side| placements(&pairs.sides[side], &pairs.labels));
    let mut variance = 0.0;
    let mut change = 0.0;
    for class in [true, false] {
        let gaps = first.iter().zip(&second).zip(&pairs.labels).filter(|(_, label)| (**label == 1) == class);
        let gaps: Vec<f64> = gaps.map(|((a, b), _)| b - a).filter(|gap| !gap.is_nan()).collect();
        if gaps.len() < 2 {
            return None;
        }
        let n = real(gaps.len() as u64);
        let mean = super::bootstrap::mean(&gaps);
        change = mean;
        let squares = gaps.iter().fold(0.0, |sum, gap| sum + (gap - mean) * (gap - mean));
        variance += squares / (n - 1.0) / n;
    }
    Some((change, libm::sqrt(variance)))
}

/// For each pair the share of the other class that is ranked as it should be, ties half; NaN without a score.
fn placements(side: &Side, labels: &[u32]) -> Vec<f64> {
    let mut placed = vec![f64::NAN; labels.len()];
    let is_positive = |pair: u32| labels[pair as usize] == 1;
    let m = real(side.order.iter().filter(|&&pair| is_positive(pair)).count() as u64);
    let n = real(side.order.len() as u64) - m;
    let (mut positives, mut negatives, mut at) = (0.0, 0.0, 0);
    while let Some(&first) = side.order.get(at) {
        let score = side.scores[first as usize];
        #[expect(clippy::float_cmp, reason = "equal scores are ties")]
        let ties = side.order[at..].iter().take_while(|&&pair| side.scores[pair as usize] == score).count();
        let tied = &side.order[at..at + ties];
        let here = real(tied.iter().filter(|&&pair| is_positive(pair)).count() as u64);
        let others = real(ties as u64) - here;
        for &pair in tied {
            placed[pair as usize] =
                if is_positive(pair) { (negatives + others / 2.0) / n } else { (m - positives - here / 2.0) / m };
        }
        positives += here;
        negatives += others;
        at += ties;
    }
    placed
}
