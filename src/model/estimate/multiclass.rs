//! Confidence-based performance estimation of several classes: each class against the rest, with probabilities that are
//! calibrated by class and then add up to 1 a row.

use std::collections::BTreeMap;
use std::io;

use super::calibration::{Calibration, classes, fits, table, too_many};
use super::curve::curves;
use super::expected::{Expected, ONE, fixed};
use super::matrix::{Cells, ExpectedMatrix};
use super::spread::{bernoulli, precision_deviation, rank_deviation};
use super::{Estimate, Estimates, Learned};
use crate::format::real;
use crate::model::config::ModelConfig;
use crate::model::confusion::OfClass;
use crate::model::tally::Tally;

/// Names of the figures, in the order of the report.
const NAMES: [&str; 7] =
    ["accuracy", "precision_macro", "recall_macro", "specificity_macro", "f1_macro", "roc_auc", "average_precision"];
/// The spread of the areas of the classes understates that of their mean by a fifth (NannyML, by experiment).
const AREAS: f64 = 1.2;

/// What the scores of a reference say about labels.
#[derive(Clone, Debug)]
pub(in crate::model) struct Multiclass {
    /// Classes in the order of their scores.
    classes: Vec<String>,
    calibrations: Vec<Calibration>,
    /// By figure, the standard error of one row: that of n rows is this over √n.
    deviations: BTreeMap<&'static str, f64>,
    cells: Cells,
}

impl Multiclass {
    /// Learns from a reference with labels, where the scores of every class can be probabilities.
    pub(super) fn of(config: &ModelConfig, reference: &Tally, memory: u64) -> io::Result<Learned<Self>> {
        let names: Vec<String> = config.scores.iter().map(|(class, _)| class.clone()).collect();
        if names.len() < 2 || reference.scores.len() != names.len() {
            return Ok(Err(None));
        }
        let (mut calibrations, mut ranks, mut precisions) = (Vec::new(), 0.0, 0.0);
        for scores in &reference.scores {
            let table = match table(scores, memory)? {
                Ok(table) => table,
                Err(distinct) => return Ok(Err(Some(too_many(distinct, memory)))),
            };
            if !fits(&table) {
                return Ok(Err(None));
            }
            calibrations.push(Calibration::of(config.calibrate, scores, &table)?);
            let sizes = classes(&table);
            let rows = real(sizes[0] + sizes[1]);
            let rarer = real(sizes[0].min(sizes[1])) / rows;
            ranks += square(rank_deviation(&table, sizes)) / rarer;
            precisions += square(precision_deviation(&table)) * rows;
        }
        let n = real(names.len() as u64);
        let of_class: Vec<OfClass> = names.iter().map(|class| reference.confusion.of_class(class)).collect();
        let all: f64 = of_class.first().map_or(0.0, |of| of.tp + of.fp + of.fn_ + of.tn);
        // The error of a mean of classes that err on their own: √(Σ variance) / n.
        let mean = |part: fn(&OfClass) -> [f64; 2]| {
            let variance = |of: &OfClass| {
                let [right, rows] = part(of);
                square(bernoulli(right, rows)) / (rows / all)
            };
            libm::sqrt(of_class.iter().map(variance).sum()) / n
        };
        let right: f64 = of_class.iter().map(|of| of.tp).sum();
        let deviations = BTreeMap::from([
            ("accuracy", bernoulli(right, all)),
            ("precision_macro", mean(|of| [of.tp, of.tp + of.fp])),
            ("recall_macro", mean(|of| [of.tp, of.tp + of.fn_])),
            ("specificity_macro", mean(|of| [of.tn, of.tn + of.fp])),
            ("f1_macro", mean(|of| [of.tp, of.tp + of.fp + of.fn_])),
            ("roc_auc", libm::sqrt(ranks) / n * AREAS),
            ("average_precision", libm::sqrt(precisions / n)),
        ]);
        let cells = Cells::of(&reference.confusion);
        Ok(Ok(Self { classes: names, calibrations, deviations, cells }))
    }

    pub(super) fn calibrates(&self) -> bool {
        self.calibrations.iter().any(Calibration::is_needed)
    }

    /// Of each class, the probability of each row in units of 1 / [`ONE`]; `None` for rows that lack a score.
    pub(super) fn rows(&self, scores: &[Vec<Option<f64>>], rows: usize) -> Vec<Vec<Option<u64>>> {
        let mut found = vec![vec![None; rows]; self.classes.len()];
        let mut of_row = vec![0.0; self.classes.len()];
        for row in 0..rows {
            let mut known = scores.len() == of_row.len();
            for ((column, calibration), probability) in scores.iter().zip(&self.calibrations).zip(&mut of_row) {
                match column[row].filter(|score| !score.is_nan()) {
                    Some(score) => *probability = calibration.probability(score),
                    None => known = false,
                }
            }
            let sum: f64 = of_row.iter().sum();
            for (class, probability) in found.iter_mut().zip(&of_row).filter(|_| known) {
                let share = if sum == 0.0 { 1.0 / real(of_row.len() as u64) } else { probability / sum };
                class[row] = Some(fixed(share));
            }
        }
        found
    }

    /// The figures that are to be expected of a group.
    pub(super) fn estimate(&self, config: &ModelConfig, tally: &Tally) -> io::Result<Estimates> {
        let found = self.expected(&tally.expected)?;
        let of = |map: &BTreeMap<&'static str, f64>, name| map.get(name).copied().unwrap_or(f64::NAN);
        let estimate = |name| {
            let rows = if matches!(name, "roc_auc" | "average_precision") {
                tally.expected.rows
            } else {
                tally.expected.predicted()
            };
            let error = of(&self.deviations, name) / libm::sqrt(real(rows));
            (name, Estimate::of(config, of(&found, name), error, [0.0, 1.0]))
        };
        Ok(NAMES.into_iter().map(estimate).collect())
    }

    /// The expected confusion matrix of a group.
    pub(super) fn matrix(&self, expected: &Expected) -> ExpectedMatrix {
        self.cells.matrix(self.classes.clone(), expected.predicted(), |prediction, label| {
            let label = self.classes.iter().position(|class| class == label);
            label.map_or(0.0, |label| expected.cell(prediction, label))
        })
    }

    /// The expected figures by name.
    fn expected(&self, expected: &Expected) -> io::Result<BTreeMap<&'static str, f64>> {
        let n = real(self.classes.len() as u64);
        let predicted = real(expected.predicted());
        let mut sums: BTreeMap<&'static str, f64> = NAMES.into_iter().map(|name| (name, 0.0)).collect();
        let mut add = |name, term: f64| *sums.entry(name).or_default() += term;
        // As NannyML: without a single prediction that matters, 0.
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        for (at, class) in self.classes.iter().enumerate() {
            let tp = expected.cell(class, at);
            let fp = real(expected.predictions(class)) - tp;
            let fn_ = expected.class(at) - tp;
            let tn = predicted - tp - fp - fn_;
            add("accuracy", tp / predicted);
            add("precision_macro", share(tp, tp + fp) / n);
            add("recall_macro", share(tp, tp + fn_) / n);
            add("specificity_macro", share(tn, tn + fp) / n);
            add("f1_macro", share(tp, tp + 0.5 * (fp + fn_)) / n);
            let [mut roc_auc, mut average_precision] = [f64::NAN; 2];
            if let Some(scores) = expected.scores.get(at) {
                let [rows, positives] = scores.totals();
                [roc_auc, average_precision] = curves((rows, real(positives) / ONE), |visit| {
                    scores.walk(|_, [rows, positives]| visit((rows, real(positives) / ONE)))
                })?;
            }
            add("roc_auc", roc_auc / n);
            add("average_precision", average_precision / n);
        }
        Ok(sums)
    }
}

fn square(value: f64) -> f64 {
    value * value
}
