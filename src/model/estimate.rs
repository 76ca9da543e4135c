//! Performance without labels: confidence-based performance estimation (CBPE) of a binary classifier.
//!
//! If a score is a probability, it says how often the prediction will turn out right: every row adds its probability to the
//! expected confusion matrix, and to the expected curves. So the figures are expected ones. They hold as long as the relation
//! between features and label does (no concept drift), whatever happens to the features. Definitions, calibration and
//! sampling errors are those of NannyML 0.13.1, by which they are checked.

use std::collections::BTreeMap;
use std::io;

use indexmap::IndexMap;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson};
use serde::{Deserialize, Serialize};
use statrs::function::gamma::digamma;

use super::columns::binary_names;
use super::config::ModelConfig;
use super::isotonic::Isotonic;
use super::measure::Sum;
use super::options::{Calibrate, Task};
use super::scores::{Area, NEGATIVE, POSITIVE, PREDICTED, REJECTED, ROWS, ScoreCounts};
use super::tally::Tally;
use crate::format::real;

/// Folds of the check whether calibration helps, and groups of rows in which it measures.
const FOLDS: usize = 10;
const BINS: f64 = 10.0;
/// Samples of the reference from which the sampling error of average precision is taken.
const SAMPLES: usize = 50;
/// Rounds of random numbers are the same in every run.
const SEED: u64 = 42;
/// Above this ROC AUC the scores are taken as they are.
const SEPARATED: f64 = 0.999;

/// An estimated figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure as it is to be expected.
    pub value: Option<f64>,
    /// Standard error that the number of rows alone causes.
    pub sampling_error: Option<f64>,
    /// Ends of the interval that follows from it.
    pub low: Option<f64>,
    /// See `low`.
    pub high: Option<f64>,
    /// The estimate minus what came true, once there are labels.
    pub error: Option<f64>,
    /// The same figure of the reference, from its labels, or a declared one.
    #[serde(default)]
    pub baseline: Option<f64>,
}

/// What a reference knows that estimates need.
#[derive(Clone, Debug)]
pub(super) struct Estimator {
    calibration: Option<Isotonic>,
    /// Standard deviation of a row by figure, and the share of rows that it is about.
    components: BTreeMap<&'static str, [f64; 2]>,
}

/// Names of the figures, in the order of the report.
const NAMES: [&str; 7] = ["accuracy", "precision", "recall", "specificity", "f1", "roc_auc", "average_precision"];

impl Estimator {
    /// Learns from a reference with labels; `None` where its scores cannot be used: no scores, one class, or scores that are no
    /// probabilities.
    pub(super) fn of(config: &ModelConfig, reference: &Tally) -> io::Result<Option<Self>> {
        let (Task::Binary, Some(scores)) = (config.task, reference.scores.first()) else { return Ok(None) };
        let mut table = Vec::new();
        scores.walk(|score, counts| table.push((score, counts[POSITIVE], counts[NEGATIVE])))?;
        table.retain(|(_, positives, negatives)| positives + negatives > 0);
        let classes = [1, 2].map(|at| table.iter().map(|row| if at == 1 { row.1 } else { row.2 }).sum::<u64>());
        let fits = classes.iter().all(|rows| *rows > 0)
            && table.iter().all(|(score, _, _)| (0.0..=1.0).contains(score))
            && config.weight.is_none();
        if !fits {
            return Ok(None);
        }
        let calibrate = match config.calibrate {
            Calibrate::Always => true,
            Calibrate::Never => false,
            Calibrate::Auto => area(&table).value() <= SEPARATED && helps(&table),
        };
        let calibration = if calibrate { Some(Isotonic::fit(scores)?) } else { None };
        Ok(Some(Self { calibration, components: components(config, reference, &table, classes) }))
    }

    /// Whether scores are calibrated first.
    pub(super) fn calibrates(&self) -> bool {
        self.calibration.is_some()
    }

    /// The figures that are to be expected of a group.
    pub(super) fn estimate(&self, config: &ModelConfig, tally: &Tally) -> io::Result<IndexMap<&'static str, Estimate>> {
        let Some(scores) = tally.scores.first() else { return Ok(IndexMap::new()) };
        let found = self.expected(scores)?;
        let rows = real(scores.totals()[ROWS]);
        let estimate = |name: &'static str| {
            let value = found.get(name).copied().filter(|value| value.is_finite());
            let [deviation, share] = self.components.get(name).copied().unwrap_or([f64::NAN; 2]);
            let error = Some(deviation / libm::sqrt(rows * share)).filter(|error| error.is_finite() && value.is_some());
            let ends = value.zip(error).and_then(|(value, error)| config.confidence.normal(value, error));
            let [low, high] = [0, 1].map(|end| ends.map(|ends| ends[end].clamp(0.0, 1.0)));
            (name, Estimate { value, sampling_error: error, low, high, error: None, baseline: None })
        };
        Ok(NAMES.into_iter().map(estimate).collect())
    }

    /// The expected figures by name.
    fn expected(&self, scores: &ScoreCounts) -> io::Result<BTreeMap<&'static str, f64>> {
        let probability = |score: f64| match &self.calibration {
            Some(fitted) => fitted.probability(score),
            None => score.clamp(0.0, 1.0),
        };
        let [mut tp, mut fp, mut fn_, mut tn, mut positives] = [Sum::default(); 5];
        scores.walk(|score, counts| {
            let p = probability(score);
            tp.add(p * real(counts[PREDICTED]));
            fp.add((1.0 - p) * real(counts[PREDICTED]));
            fn_.add(p * real(counts[REJECTED]));
            tn.add((1.0 - p) * real(counts[REJECTED]));
            positives.add(p * real(counts[ROWS]));
        })?;
        let [tp, fp, fn_, tn, positives] = [tp, fp, fn_, tn, positives].map(Sum::value);
        let all = scores.totals()[ROWS];
        let negatives = real(all) - positives;
        let (mut area, mut precision) = (Sum::default(), Sum::default());
        let (mut rows_below, mut positives_below, mut negatives_below) = (0_u64, Sum::default(), Sum::default());
        scores.walk(|score, counts| {
            let (rows, p) = (counts[ROWS], probability(score));
            let (here, others) = (p * real(rows), (1.0 - p) * real(rows));
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
        // As NannyML: without a single prediction that matters, 0.
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        Ok(BTreeMap::from([
            ("accuracy", (tp + tn) / (tp + fp + fn_ + tn)),
            ("precision", share(tp, tp + fp)),
            ("recall", share(tp, tp + fn_)),
            ("specificity", share(tn, tn + fp)),
            ("f1", share(tp, tp + 0.5 * (fp + fn_))),
            ("roc_auc", area.value() / (positives * negatives)),
            ("average_precision", precision.value() / positives),
        ]))
    }
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

/// Distinct scores with their positive and negative rows.
type Table = [(f64, u64, u64)];

fn area(table: &Table) -> Area {
    let total = |of: fn(&(f64, u64, u64)) -> u64| table.iter().map(of).sum();
    let mut area = Area::new(total(|row| row.1), total(|row| row.2));
    table.iter().for_each(|(_, positives, negatives)| area.add(*positives, *negatives));
    area
}

/// The rows of a table shared out to folds: the same each time, so that nothing needs to be kept.
fn dealt(table: &Table) -> impl Iterator<Item = (f64, [u64; FOLDS], [u64; FOLDS])> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    table.iter().map(move |(score, positives, negatives)| {
        let mut deal = |rows: u64| {
            let mut folds = [0_u64; FOLDS];
            (0..rows).for_each(|_| folds[random.random_range(0..FOLDS)] += 1);
            folds
        };
        (*score, deal(*positives), deal(*negatives))
    })
}

/// Whether calibration lowers the calibration error on rows that it was not fitted to: ten folds, drawn from the counts, each
/// calibrated by the nine others.
fn helps(table: &Table) -> bool {
    let all = |folds: &[u64; FOLDS]| folds.iter().sum::<u64>();
    let mut after = Vec::new();
    for fold in 0..FOLDS {
        let mut fitted = Isotonic::default();
        for (score, positives, negatives) in dealt(table) {
            fitted.push(score, all(&positives) - positives[fold], all(&negatives) - negatives[fold]);
        }
        for (score, positives, negatives) in dealt(table) {
            let (positives, rows) = (positives[fold], positives[fold] + negatives[fold]);
            if rows > 0 {
                after.push((fitted.probability(score), positives, rows));
            }
        }
    }
    after.sort_by(|a, b| a.0.total_cmp(&b.0));
    // All folds together are the table, which is sorted.
    let before = table.iter().map(|(score, positives, negatives)| (*score, *positives, positives + negatives));
    calibration_error(before) > calibration_error(after.iter().copied())
}

/// The calibration error over ten groups of equally many rows, from (probability, positives, rows) in ascending order; rows of
/// one probability are shared out evenly.
fn calibration_error(sorted: impl Iterator<Item = (f64, u64, u64)> + Clone) -> f64 {
    let all = real(sorted.clone().map(|(_, _, rows)| rows).sum());
    let size = all / BINS;
    let (mut error, mut filled, mut gap) = (0.0, 0.0, 0.0);
    let mut sorted = sorted.peekable();
    while let Some((probability, mut positives, mut rows)) = sorted.next() {
        while let Some((_, more, others)) = sorted.next_if(|(next, ..)| next.total_cmp(&probability).is_eq()) {
            positives += more;
            rows += others;
        }
        let mut left = real(rows);
        let each = probability - real(positives) / left;
        while left > 0.0 {
            let taken = left.min(size - filled);
            gap += each * taken;
            filled += taken;
            left -= taken;
            if filled >= size * (1.0 - 1e-12) {
                error += f64::abs(gap) / all;
                (filled, gap) = (0.0, 0.0);
            }
            if taken <= 0.0 {
                break;
            }
        }
    }
    error + f64::abs(gap) / all
}

/// Standard deviation of a row, and share of the rows it is about, by figure (NannyML: `sampling_error/binary_classification.py`).
fn components(
    config: &ModelConfig,
    reference: &Tally,
    table: &Table,
    classes: [u64; 2],
) -> BTreeMap<&'static str, [f64; 2]> {
    let positive = binary_names(config).pop().unwrap_or_default();
    let of = reference.confusion.of_class(&positive);
    let all = of.tp + of.fp + of.fn_ + of.tn;
    let bernoulli = |part: f64, whole: f64| {
        let share = part / whole;
        [libm::sqrt(share * (1.0 - share)), whole / all]
    };
    let [deviation, relevant] = bernoulli(of.tp, of.tp + of.fp + of.fn_);
    let correction = (of.tp + of.fp + of.fn_) / (of.tp + 0.5 * (of.fp + of.fn_));
    let rows = real(classes[0] + classes[1]);
    BTreeMap::from([
        ("accuracy", bernoulli(of.tp + of.tn, all)),
        ("precision", bernoulli(of.tp, of.tp + of.fp)),
        ("recall", bernoulli(of.tp, of.tp + of.fn_)),
        ("specificity", bernoulli(of.tn, of.tn + of.fp)),
        ("f1", [deviation * correction, relevant]),
        ("roc_auc", [rank_deviation(table, classes), real(classes[0].min(classes[1])) / rows]),
        // Of a sample as large as the reference: its share of one row is one over that.
        ("average_precision", [precision_deviation(table) * libm::sqrt(rows), 1.0]),
    ])
}

/// The standard deviation of how many rows of the commoner class lie below (above) a row of the rarer one; ties count half,
/// where NannyML has them in the order of its sort.
fn rank_deviation(table: &Table, [positives, negatives]: [u64; 2]) -> f64 {
    let rare_positives = positives <= negatives;
    let (mut below, mut sum, mut squares) = (0_u64, Sum::default(), Sum::default());
    let common = real(positives.max(negatives));
    for (_, positives, negatives) in table {
        let (rare, other) = if rare_positives { (positives, negatives) } else { (negatives, positives) };
        let placement = (real(below) + real(*other) / 2.0) / common;
        sum.add(real(*rare) * placement);
        squares.add(real(*rare) * placement * placement);
        below += other;
    }
    let n = real(positives.min(negatives));
    let mean = sum.value() / n;
    libm::sqrt((squares.value() / n - mean * mean).max(0.0))
}

/// The standard deviation of average precision over samples of the reference (bootstrap by Poisson counts).
fn precision_deviation(table: &Table) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut draw = |rows: u64| match Poisson::new(real(rows)) {
        Ok(poisson) => poisson.sample(&mut random),
        Err(_) => 0.0,
    };
    let found: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            let (mut right, mut wrong, mut sum) = (0.0, 0.0, 0.0);
            for (_, positives, negatives) in table.iter().rev() {
                let here = draw(*positives);
                right += here;
                wrong += draw(*negatives);
                if here > 0.0 {
                    sum += here * right / (right + wrong);
                }
            }
            sum / right
        })
        .filter(|value| value.is_finite())
        .collect();
    let n = real(found.len() as u64);
    let mean = found.iter().sum::<f64>() / n;
    libm::sqrt(found.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n)
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

    #[test]
    fn scores_that_are_probabilities_are_left_alone_and_others_calibrated() {
        let row = |k: u32| (f64::from(k) / 10.0, 100 * u64::from(k), 1000 - 100 * u64::from(k));
        let honest: Vec<(f64, u64, u64)> = (1..10).map(row).collect();
        let sure = |p: f64| if p < 0.5 { 0.01 + p / 100.0 } else { 0.9 + p / 100.0 };
        let boasting: Vec<_> = honest.iter().map(|&(p, a, b)| (sure(p), a, b)).collect();
        assert!(helps(&boasting));
        assert!(!helps(&honest));
    }
}
