//! How many rows have what, and the numbers of a column.

use crate::model::values::ValueCounts;

/// Rows of a group, by what they have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct RowCounts {
    /// All of them.
    pub rows: u64,
    /// Those with a label.
    pub labelled: u64,
    /// Those with a label and a prediction, and a weight where rows have one: what the metrics rest on.
    pub measured: u64,
    /// Those without a prediction: null, or NaN.
    pub without_prediction: u64,
    /// Scores that are null.
    pub null_scores: u64,
    /// Scores that are NaN.
    pub nan_scores: u64,
    /// Weights that are null, NaN, infinite or negative.
    pub bad_weights: u64,
}

impl RowCounts {
    pub(super) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.labelled += other.labelled;
        self.measured += other.measured;
        self.without_prediction += other.without_prediction;
        self.null_scores += other.null_scores;
        self.nan_scores += other.nan_scores;
        self.bad_weights += other.bad_weights;
    }
}

/// A column of numbers.
#[derive(Clone, Debug, Default)]
pub(in crate::model) struct Numbers {
    pub(in crate::model) values: ValueCounts<1>,
    pub(in crate::model) nulls: u64,
    pub(in crate::model) nans: u64,
}

impl Numbers {
    pub(super) fn of(rows: &[u32], value: impl Fn(usize) -> Option<f64>) -> Self {
        let (mut nulls, mut nans) = (0, 0);
        let values = rows.iter().filter_map(|&row| match value(row as usize) {
            None => {
                nulls += 1;
                None
            }
            Some(value) if value.is_nan() => {
                nans += 1;
                None
            }
            Some(value) => Some((value, [1])),
        });
        let values = ValueCounts::of(values);
        Self { values, nulls, nans }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.values.merge(other.values);
        self.nulls += other.nulls;
        self.nans += other.nans;
    }
}
