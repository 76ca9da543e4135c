//! The confusion matrix that is to be expected.

use std::collections::BTreeMap;

use serde::Serialize;

use super::spread::bernoulli;
use crate::format::real;
use crate::model::confusion::Confusion;

/// The confusion matrix that is to be expected.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ExpectedMatrix {
    /// Classes that have scores, sorted.
    pub classes: Vec<String>,
    /// Rows by label (outer) and prediction (inner).
    pub counts: Vec<Vec<f64>>,
    /// Standard errors of those, by the number of rows alone.
    pub sampling_errors: Vec<Vec<f64>>,
}

/// How far the cells of a matrix lie from the truth by chance, as the reference tells.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    /// By (prediction, label), the standard deviation of a row's being in that cell.
    deviations: BTreeMap<(String, String), f64>,
}

impl Cells {
    pub(super) fn of(reference: &Confusion) -> Self {
        let all = real(reference.cells.values().sum());
        let deviation = |(cell, rows): (&(String, String), &u64)| (cell.clone(), bernoulli(real(*rows), all));
        Self { deviations: reference.cells.iter().map(deviation).collect() }
    }

    /// The matrix of `rows` rows; `count` tells how many have this prediction and this label.
    pub(super) fn matrix(
        &self,
        mut classes: Vec<String>,
        rows: u64,
        count: impl Fn(&str, &str) -> f64,
    ) -> ExpectedMatrix {
        classes.sort();
        let table = |cell: &dyn Fn(&String, &String) -> f64| {
            let row = |label: &String| classes.iter().map(|prediction| cell(prediction, label)).collect();
            classes.iter().map(row).collect()
        };
        let error = |prediction: &String, label: &String| {
            let deviation = self.deviations.get(&(prediction.clone(), label.clone())).copied();
            deviation.unwrap_or(0.0) * libm::sqrt(real(rows))
        };
        let (counts, sampling_errors) = (table(&|prediction, label| count(prediction, label)), table(&error));
        ExpectedMatrix { classes, counts, sampling_errors }
    }
}
