//! The confusion matrix, and the figures that follow from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::measure::Measure;
use super::scores::How;
use crate::format::real;

/// Rows (or weights) by predicted and true class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Confusion {
    /// (prediction, label) to rows.
    pub(super) cells: BTreeMap<(String, String), u64>,
}

/// The matrix as it is reported.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Matrix {
    /// Classes that occur as prediction or label, sorted.
    pub classes: Vec<String>,
    /// Rows by label (outer) and prediction (inner); sums of weights, where rows have weights.
    pub counts: Vec<Vec<f64>>,
}

/// Figures of one class against the others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OfClass {
    pub(super) tp: f64,
    pub(super) fp: f64,
    pub(super) fn_: f64,
    pub(super) tn: f64,
}

impl OfClass {
    fn precision(self) -> Option<f64> {
        share(self.tp, self.tp + self.fp)
    }

    fn recall(self) -> Option<f64> {
        share(self.tp, self.tp + self.fn_)
    }

    fn specificity(self) -> Option<f64> {
        share(self.tn, self.tn + self.fp)
    }

    fn f1(self) -> Option<f64> {
        share(2.0 * self.tp, 2.0 * self.tp + self.fp + self.fn_)
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

const NO_ROWS: &str = "no row has both a prediction and a label";

impl Confusion {
    pub(super) fn merge(&mut self, other: Self) {
        for (cell, count) in other.cells {
            *self.cells.entry(cell).or_default() += count;
        }
    }

    /// The classes that occur.
    pub(super) fn classes(&self) -> Vec<String> {
        let all: BTreeSet<&String> = self.cells.keys().flat_map(|(prediction, label)| [prediction, label]).collect();
        all.into_iter().cloned().collect()
    }

    /// The matrix, in rows; `unit` is what one row counts.
    pub(super) fn matrix(&self, unit: f64) -> Matrix {
        let classes = self.classes();
        let count = |prediction: &String, label: &String| {
            real(self.cells.get(&(prediction.clone(), label.clone())).copied().unwrap_or_default()) / unit
        };
        let counts =
            classes.iter().map(|label| classes.iter().map(|prediction| count(prediction, label)).collect()).collect();
        Matrix { classes, counts }
    }

    /// One class against the others.
    pub(super) fn of_class(&self, class: &str) -> OfClass {
        let mut of = [0_u64; 4];
        for ((prediction, label), count) in &self.cells {
            of[usize::from(prediction == class) * 2 + usize::from(label == class)] += count;
        }
        let [tn, fn_, fp, tp] = of.map(real);
        OfClass { tp, fp, fn_, tn }
    }

    fn total(&self) -> u64 {
        self.cells.values().sum()
    }

    /// Every figure by name; `effective` is the number of rows (Kish's, with weights), `positive` the positive class of two.
    pub(super) fn measures(&self, positive: Option<&str>, effective: f64, how: &How) -> Vec<(&'static str, Measure)> {
        let all = real(self.total());
        let right: u64 = self.cells.iter().filter(|((a, b), _)| a == b).map(|(_, count)| count).sum();
        // Shares of a part of the rows rest on a part of the effective number.
        let wilson = |part: f64, whole: f64, missing: &'static str| match share(part, whole) {
            Some(value) => Measure::of(value).within(how.confidence.wilson(value, effective * (whole / all))),
            None if all == 0.0 => Measure::undefined(NO_ROWS),
            None => Measure::undefined(missing),
        };
        let accuracy = wilson(real(right), all, NO_ROWS);
        let mut found = vec![("accuracy", accuracy)];
        if let Some(positive) = positive {
            let OfClass { tp, fp, fn_, tn } = self.of_class(positive);
            let jaccard = wilson(tp, tp + fp + fn_, "no row is positive, and none was predicted so");
            let f1 = |jaccard: f64| 2.0 * jaccard / (1.0 + jaccard);
            let harmonic = match share(2.0 * tp, 2.0 * tp + fp + fn_) {
                Some(value) => Measure::of(value).within(jaccard.interval.map(|ends| ends.map(f1))),
                None => jaccard,
            };
            found.extend([
                ("precision", wilson(tp, tp + fp, "no row was predicted positive")),
                ("recall", wilson(tp, tp + fn_, "no row has the positive class")),
                ("specificity", wilson(tn, tn + fp, "no row has the negative class")),
                ("f1", harmonic),
            ]);
        }
        found.extend(["precision_micro", "recall_micro", "f1_micro"].map(|name| (name, accuracy)));
        let classes: Vec<OfClass> = self.classes().iter().map(|class| self.of_class(class)).collect();
        let mean = |of: fn(OfClass) -> Option<f64>, weight: &dyn Fn(&OfClass) -> f64| {
            let weights: f64 = classes.iter().map(weight).sum();
            let sum: f64 = classes.iter().map(|class| weight(class) * of(*class).unwrap_or(0.0)).sum();
            share(sum, weights).map_or(Measure::undefined(NO_ROWS), Measure::of)
        };
        let equal = |_: &OfClass| 1.0;
        let by_rows = |class: &OfClass| class.tp + class.fn_;
        if positive.is_none() {
            found.push(("specificity_macro", mean(OfClass::specificity, &equal)));
        }
        found.extend([
            ("precision_macro", mean(OfClass::precision, &equal)),
            ("recall_macro", mean(OfClass::recall, &equal)),
            ("f1_macro", mean(OfClass::f1, &equal)),
            ("precision_weighted", mean(OfClass::precision, &by_rows)),
            ("recall_weighted", mean(OfClass::recall, &by_rows)),
            ("f1_weighted", mean(OfClass::f1, &by_rows)),
        ]);
        found
    }
}
