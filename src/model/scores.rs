//! From counts of scores to ROC AUC, average precision, log loss, Brier score and calibration error: one walk.

use std::io;

use num_bigint::BigUint;

use super::measure::{Measure, Sum};
use super::values::ValueCounts;
use crate::format::real;
use crate::stats::Confidence;

/// Counters of a score: rows with a positive and with a negative label (or their weights), all rows, and those that were
/// predicted positive, and negative.
pub(super) type ScoreCounts = ValueCounts<5>;

pub(super) const POSITIVE: usize = 0;
pub(super) const NEGATIVE: usize = 1;
pub(super) const ROWS: usize = 2;
pub(super) const PREDICTED: usize = 3;
pub(super) const REJECTED: usize = 4;

/// Probabilities nearer to 0 and 1 than this count as this in the log loss, as in scikit-learn.
const CLIP: f64 = f64::EPSILON;

/// How figures are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// Of intervals.
    pub(super) confidence: Confidence,
    /// Bins of the calibration error.
    pub(super) bins: u32,
    /// Whether rows have weights.
    pub(super) weighted: bool,
}

/// What scores say about labels.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ScoreMeasures {
    pub(super) roc_auc: Measure,
    pub(super) average_precision: Measure,
    pub(super) log_loss: Measure,
    pub(super) brier: Measure,
    pub(super) calibration_error: Measure,
}

/// Measures the scores of labelled rows; `effective` is their number (Kish's, with weights).
pub(super) fn measure(counts: &ScoreCounts, effective: f64, how: &How) -> io::Result<ScoreMeasures> {
    let totals = counts.totals();
    let (m, n) = (totals[POSITIVE], totals[NEGATIVE]);
    let all = real(m) + real(n);
    let mut area = Area::new(m, n);
    let mut precision = Sum::default();
    let [mut loss, mut loss2, mut brier, mut brier2] = [Sum::default(); 4];
    let mut bins = vec![(Sum::default(), 0_u64, 0_u64); how.bins as usize];
    let mut outside = false;
    counts.walk(|score, counts| {
        let (positive, negative) = (counts[POSITIVE], counts[NEGATIVE]);
        if positive + negative == 0 {
            return;
        }
        // Right predictions if everything from this score on is called positive, and wrong ones.
        let (right, wrong) = (m - area.positives_below, n - area.negatives_below);
        if positive > 0 {
            precision.add(real(positive) / real(m) * (real(right) / (real(right) + real(wrong))));
        }
        area.add(positive, negative);
        outside |= !(0.0..=1.0).contains(&score);
        let p = score.clamp(CLIP, 1.0 - CLIP);
        for (count, term) in [(positive, -libm::log(p)), (negative, -libm::log1p(-p))] {
            if count > 0 {
                loss.add(real(count) * term);
                loss2.add(real(count) * term * term);
            }
        }
        for (count, term) in [(positive, (1.0 - score) * (1.0 - score)), (negative, score * score)] {
            if count > 0 {
                brier.add(real(count) * term);
                brier2.add(real(count) * term * term);
            }
        }
        let (of_scores, of_positives, of_all) = &mut bins[bin_of(score, how.bins)];
        of_scores.add(score * real(positive + negative));
        *of_positives += positive;
        *of_all += positive + negative;
    })?;
    let mean = |sum: Sum, squares: Sum| {
        let mean = sum.value() / all;
        let variance = (squares.value() / all - mean * mean).max(0.0);
        let error = if effective > 1.0 { libm::sqrt(variance / (effective - 1.0)) } else { f64::INFINITY };
        Measure::of(mean).within(how.confidence.normal(mean, error))
    };
    let error: f64 = bins
        .iter()
        .map(|(of_scores, of_positives, _)| (of_scores.value() - real(*of_positives)).abs() / all)
        .fold(0.0, |sum, term| sum + term);
    let probability = |measure: Measure| match () {
        () if m + n == 0 => Measure::undefined(NO_LABELS),
        () if outside => Measure::undefined("scores outside 0 to 1 are no probabilities"),
        () => measure,
    };
    Ok(ScoreMeasures {
        roc_auc: area.measure(how),
        average_precision: match (m, m + n) {
            (_, 0) => Measure::undefined(NO_LABELS),
            (0, _) => Measure::undefined("no row has the positive class"),
            _ => {
                let value = precision.value();
                let positives = effective * (real(m) / all);
                Measure::of(value).within(how.confidence.logit(value, positives))
            }
        },
        log_loss: probability(mean(loss, loss2)),
        brier: probability(mean(brier, brier2)),
        calibration_error: probability(Measure::of(error)),
    })
}

/// Why figures of scores are missing.
pub(super) const NO_LABELS: &str = "no row has both a score and a label";

/// Bins (a, b] of equal width; 0 falls in the first. Edges are k · (1 / bins), as `numpy.linspace` has them.
fn bin_of(score: f64, bins: u32) -> usize {
    let width = 1.0 / f64::from(bins);
    (1..bins).take_while(|&edge| score > f64::from(edge) * width).count()
}

/// The area under the ROC curve as it grows over ascending scores, with what its variance needs (DeLong, DeLong and
/// Clarke-Pearson 1988): in integers, so that nothing is rounded before the end.
#[derive(Clone, Debug)]
pub(super) struct Area {
    m: u64,
    n: u64,
    pub(super) positives_below: u64,
    pub(super) negatives_below: u64,
    /// Σ over positives of twice the number of negatives below, ties once.
    twice_u: Exact,
    /// Σ over positives, and over negatives, of the square of that.
    squares: [Exact; 2],
}

/// A sum of integers that is never rounded: fast while it is small.
#[derive(Clone, Debug, Default)]
struct Exact {
    small: u128,
    large: BigUint,
}

impl Exact {
    /// Adds `base` to the power of `power`, times `count`.
    fn add(&mut self, base: u128, power: u32, count: u64) {
        let term = base.checked_pow(power).and_then(|term| term.checked_mul(u128::from(count)));
        match term.and_then(|term| self.small.checked_add(term)) {
            Some(sum) => self.small = sum,
            None => self.large += BigUint::from(base).pow(power) * count,
        }
    }

    fn value(&self) -> BigUint {
        &self.large + self.small
    }
}

impl Area {
    pub(super) fn new(positives: u64, negatives: u64) -> Self {
        Self {
            m: positives,
            n: negatives,
            positives_below: 0,
            negatives_below: 0,
            twice_u: Exact::default(),
            squares: <[Exact; 2]>::default(),
        }
    }

    /// Adds the rows of the next higher score.
    pub(super) fn add(&mut self, positive: u64, negative: u64) {
        let below = 2 * u128::from(self.negatives_below) + u128::from(negative);
        let above = 2 * u128::from(self.m - self.positives_below) - u128::from(positive);
        self.twice_u.add(below, 1, positive);
        self.squares[0].add(below, 2, positive);
        self.squares[1].add(above, 2, negative);
        self.positives_below += positive;
        self.negatives_below += negative;
    }

    /// Twice the Mann–Whitney statistic over twice the number of pairs.
    pub(super) fn value(&self) -> f64 {
        float(&self.twice_u.value()) / (2.0 * real(self.m) * real(self.n))
    }

    /// DeLong's variance of the area; `None` with fewer than two rows of a class.
    pub(super) fn variance(&self) -> Option<f64> {
        if self.m < 2 || self.n < 2 {
            return None;
        }
        let twice_u = self.twice_u.value();
        let of = |squares: &Exact, own: u64, other: u64| {
            let spread = float(&(squares.value() * own - &twice_u * &twice_u)) / real(own);
            spread / (4.0 * real(other) * real(other) * (real(own) - 1.0) * real(own))
        };
        Some(of(&self.squares[0], self.m, self.n) + of(&self.squares[1], self.n, self.m))
    }

    fn measure(&self, how: &How) -> Measure {
        match (self.m, self.n) {
            (0, 0) => Measure::undefined(NO_LABELS),
            (0, _) | (_, 0) => Measure::undefined("all labels are of one class"),
            _ => {
                let value = self.value();
                let variance = self.variance().filter(|_| !how.weighted);
                let ends = variance.and_then(|variance| how.confidence.normal(value, libm::sqrt(variance)));
                Measure::of(value).within(ends.map(|[low, high]| [low.max(0.0), high.min(1.0)]))
            }
        }
    }
}

/// The nearest f64, or one of its neighbours; infinite beyond the largest.
fn float(n: &BigUint) -> f64 {
    n.iter_u64_digits().rev().fold(0.0, |sum, digit| sum * 18_446_744_073_709_551_616.0 + real(digit))
}
