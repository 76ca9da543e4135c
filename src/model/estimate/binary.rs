//! Confidence-based performance estimation of two classes: every row adds its probability to the expected confusion matrix, and
//! to the expected curves.

use std::collections::BTreeMap;
use std::io;

use super::calibration::{Calibration, Table, classes, fits, table, too_many};
use super::curve::curves;
use super::matrix::{Cells, ExpectedMatrix};
use super::spread::{bernoulli, precision_deviation, rank_deviation};
use super::{Estimate, Estimates, Learned};
use crate::format::real;
use crate::model::columns::binary_names;
use crate::model::config::ModelConfig;
use crate::model::measure::Sum;
use crate::model::scores::{PREDICTED, REJECTED, ROWS, ScoreCounts};
use crate::model::tally::Tally;

/// Names of the figures, in the order of the report.
const NAMES: [&str; 7] = ["accuracy", "precision", "recall", "specificity", "f1", "roc_auc", "average_precision"];

/// What the scores of a reference say about labels.
#[derive(Clone, Debug)]
pub(in crate::model) struct Binary {
    calibration: Calibration,
    /// By figure, the standard error of one row: that of n rows is this over √n.
    deviations: BTreeMap<&'static str, f64>,
    cells: Cells,
}

impl Binary {
    /// Learns from a reference with labels, where its scores can be probabilities; see [`Estimator::of`](super::Estimator::of).
    pub(super) fn of(config: &ModelConfig, reference: &Tally, memory: u64) -> io::Result<Learned<Self>> {
        let Some(scores) = reference.scores.first() else { return Ok(Err(None)) };
        let table = match table(scores, memory)? {
            Ok(table) => table,
            Err(distinct) => return Ok(Err(Some(too_many(distinct, memory)))),
        };
        if !fits(&table) {
            return Ok(Err(None));
        }
        let calibration = Calibration::of(config.calibrate, scores, &table)?;
        let deviations = deviations(config, reference, &table);
        Ok(Ok(Self { calibration, deviations, cells: Cells::of(&reference.confusion) }))
    }

    pub(super) fn calibrates(&self) -> bool {
        self.calibration.is_needed()
    }

    /// The figures that are to be expected of a group.
    pub(super) fn estimate(&self, config: &ModelConfig, tally: &Tally) -> io::Result<Estimates> {
        let Some(scores) = tally.scores.first() else { return Ok(Estimates::new()) };
        let found = self.expected(scores)?;
        let rows = real(scores.totals()[ROWS]);
        let of = |map: &BTreeMap<&'static str, f64>, name| map.get(name).copied().unwrap_or(f64::NAN);
        let estimate = |name| {
            let error = of(&self.deviations, name) / libm::sqrt(rows);
            (name, Estimate::of(config, of(&found, name), error, [0.0, 1.0]))
        };
        Ok(NAMES.into_iter().map(estimate).collect())
    }

    /// The expected confusion matrix of a group.
    pub(super) fn matrix(&self, config: &ModelConfig, tally: &Tally) -> io::Result<Option<ExpectedMatrix>> {
        let Some(scores) = tally.scores.first() else { return Ok(None) };
        let ([tp, fp, fn_, tn], _) = self.counts(scores)?;
        let classes = binary_names(config);
        let positive = classes.last().cloned().unwrap_or_default();
        let rows = scores.totals()[PREDICTED] + scores.totals()[REJECTED];
        let count = |prediction: &str, label: &str| match (prediction == positive, label == positive) {
            (true, true) => tp,
            (true, false) => fp,
            (false, true) => fn_,
            (false, false) => tn,
        };
        Ok(Some(self.cells.matrix(classes, rows, count)))
    }

    /// Expected true and false positives, false and true negatives; and positive rows, with a prediction or without.
    fn counts(&self, scores: &ScoreCounts) -> io::Result<([f64; 4], f64)> {
        let mut sums = [Sum::default(); 4];
        let mut positives = Sum::default();
        scores.walk(|score, counts| {
            let p = self.calibration.probability(score);
            let [predicted, rejected] = [real(counts[PREDICTED]), real(counts[REJECTED])];
            let terms = [p * predicted, (1.0 - p) * predicted, p * rejected, (1.0 - p) * rejected];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| sum.add(term));
            positives.add(p * real(counts[ROWS]));
        })?;
        Ok((sums.map(Sum::value), positives.value()))
    }

    /// The expected figures by name.
    fn expected(&self, scores: &ScoreCounts) -> io::Result<BTreeMap<&'static str, f64>> {
        let ([tp, fp, fn_, tn], positives) = self.counts(scores)?;
        let [roc_auc, average_precision] = curves((scores.totals()[ROWS], positives), |visit| {
            scores.walk(|score, counts| {
                visit((counts[ROWS], self.calibration.probability(score) * real(counts[ROWS])));
            })
        })?;
        // As NannyML: without a single prediction that matters, 0.
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        Ok(BTreeMap::from([
            ("accuracy", (tp + tn) / (tp + fp + fn_ + tn)),
            ("precision", share(tp, tp + fp)),
            ("recall", share(tp, tp + fn_)),
            ("specificity", share(tn, tn + fp)),
            ("f1", share(tp, tp + 0.5 * (fp + fn_))),
            ("roc_auc", roc_auc),
            ("average_precision", average_precision),
        ]))
    }
}

/// By figure, the standard error of one row (NannyML: `sampling_error/binary_classification.py`).
fn deviations(config: &ModelConfig, reference: &Tally, table: &Table) -> BTreeMap<&'static str, f64> {
    let positive = binary_names(config).pop().unwrap_or_default();
    let of = reference.confusion.of_class(&positive);
    let all = of.tp + of.fp + of.fn_ + of.tn;
    // A figure that rests on a part of the rows is as sure as that part is large.
    let share_of = |part: f64, whole: f64| bernoulli(part, whole) / libm::sqrt(whole / all);
    let correction = (of.tp + of.fp + of.fn_) / (of.tp + 0.5 * (of.fp + of.fn_));
    let classes = classes(table);
    let rows = real(classes[0] + classes[1]);
    let rarer = real(classes[0].min(classes[1])) / rows;
    BTreeMap::from([
        ("accuracy", share_of(of.tp + of.tn, all)),
        ("precision", share_of(of.tp, of.tp + of.fp)),
        ("recall", share_of(of.tp, of.tp + of.fn_)),
        ("specificity", share_of(of.tn, of.tn + of.fp)),
        ("f1", share_of(of.tp, of.tp + of.fp + of.fn_) * correction),
        ("roc_auc", rank_deviation(table, classes) / libm::sqrt(rarer)),
        // Of a sample as large as the reference.
        ("average_precision", precision_deviation(table) * libm::sqrt(rows)),
    ])
}
