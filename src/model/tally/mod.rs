//! What is counted of the rows of one group: integers that add up, exactly and in any order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex};

use super::columns::NONE;
use super::confusion::Confusion;
use super::estimate::Expected;
use super::measure::{Mass, WEIGHT_ONE};
use super::residuals::Residuals;
use super::rows::{Answers, Batch};
use super::scores::{NEGATIVE, POSITIVE, PREDICTED, REJECTED, ROWS, ScoreCounts};
use super::values::ValueCounts;
use crate::source::Fault;

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
    fn merge(&mut self, other: Self) {
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
pub(super) struct Numbers {
    pub(super) values: ValueCounts<1>,
    pub(super) nulls: u64,
    pub(super) nans: u64,
}

impl Numbers {
    fn of(rows: &[u32], value: impl Fn(usize) -> Option<f64>) -> Self {
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

    fn merge(&mut self, other: Self) {
        self.values.merge(other.values);
        self.nulls += other.nulls;
        self.nans += other.nans;
    }
}

/// Everything that is counted of a group.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) rows: RowCounts,
    /// Earliest and latest time, in microseconds since 1970.
    pub(super) times: Option<[i64; 2]>,
    /// Of the measured rows.
    pub(super) mass: Mass,
    /// Of the rows with a label and a score.
    pub(super) score_mass: Mass,
    pub(super) confusion: Confusion,
    /// Rows by predicted class.
    pub(super) predicted: BTreeMap<String, u64>,
    /// A class each; one, of the positive class, for a binary task.
    pub(super) scores: Vec<ScoreCounts>,
    /// Of several classes: the largest score, positive where its class is the label.
    pub(super) tops: ScoreCounts,
    pub(super) residuals: Residuals,
    /// Of a regression: what was predicted.
    pub(super) predictions: Numbers,
    pub(super) latency: Numbers,
    pub(super) operations: Vec<Numbers>,
    /// What the reference lets expect.
    pub(super) expected: Expected,
    /// Requests that failed, and all of which that is known.
    pub(super) failed: [u64; 2],
}

impl Tally {
    /// Counts these rows of a batch.
    pub(super) fn of(batch: &Batch, rows: &[u32]) -> Result<Self, Fault> {
        let mut tally = Self { rows: RowCounts { rows: rows.len() as u64, ..RowCounts::default() }, ..Self::default() };
        if let Some(times) = &batch.times {
            tally.times = rows.iter().filter_map(|&row| times[row as usize]).fold(None, |ends, time| match ends {
                None => Some([time, time]),
                Some([low, high]) => Some([time.min(low), time.max(high)]),
            });
        }
        let mut weights = vec![0_u64; rows.len()];
        let mut sum = 0_u128;
        for (weight, &row) in weights.iter_mut().zip(rows) {
            match batch.weights.as_ref().map_or(Some(1), |weights| fixed(weights[row as usize])) {
                Some(fixed) => *weight = fixed,
                None => tally.rows.bad_weights += 1,
            }
            sum += u128::from(*weight);
        }
        if u64::try_from(sum).is_err() {
            return Err(too_heavy());
        }
        match &batch.answers {
            Answers::Classes { .. } => tally.add_classes(batch, rows, &weights),
            Answers::Numbers { predictions, labels } => tally.add_numbers(batch, rows, &weights, predictions, labels),
        }
        if let Some(foreseen) = &batch.foreseen {
            tally.expected = Expected::of(foreseen, &batch.answers, rows);
        }
        if let Some(latency) = &batch.latency {
            tally.latency = Numbers::of(rows, |row| latency[row]);
        }
        tally.operations = batch.operations.iter().map(|column| Numbers::of(rows, |row| column[row])).collect();
        if let Some(failed) = &batch.failed {
            let known = rows.iter().filter_map(|&row| failed[row as usize]);
            tally.failed = known.fold([0, 0], |[failed, known], this| [failed + u64::from(this), known + 1]);
        }
        Ok(tally)
    }

    fn add_classes(&mut self, batch: &Batch, rows: &[u32], weights: &[u64]) {
        let Answers::Classes { predictions, labels, scores, classes } = &batch.answers else { return };
        let (known, named) = (predictions.names.len(), labels.names.len());
        let (mut predicted, mut cells) = (vec![0_u64; known], vec![0_u64; known * named]);
        for (&row, &weight) in rows.iter().zip(weights) {
            let (prediction, label) = (predictions.codes[row as usize], labels.codes[row as usize]);
            if prediction == NONE {
                self.rows.without_prediction += 1;
            } else {
                predicted[prediction as usize] += 1;
            }
            if label != NONE {
                self.rows.labelled += 1;
                if prediction != NONE && weight > 0 {
                    self.rows.measured += 1;
                    self.mass.add(weight, batch.weights.is_some());
                    cells[prediction as usize * named + label as usize] += weight;
                }
            }
        }
        let some = |counts: Vec<u64>| counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
        self.predicted = some(predicted).map(|(code, count)| (predictions.names[code].clone(), count)).collect();
        self.confusion.cells = some(cells)
            .map(|(cell, count)| ((predictions.names[cell / named].clone(), labels.names[cell % named].clone()), count))
            .collect();
        for (at, column) in scores.iter().enumerate() {
            // The code of this class among the labels and among the predictions of this batch.
            let code = |names: &[String]| names.iter().position(|name| *name == classes[at]);
            let code = |names: &[String]| code(names).and_then(|code| u32::try_from(code).ok());
            let (as_label, as_prediction) = (code(&labels.names), code(&predictions.names));
            let mut count = |(&row, &weight): (&u32, &u64)| {
                let Some(score) = column[row as usize] else {
                    self.rows.null_scores += 1;
                    return None;
                };
                if score.is_nan() {
                    self.rows.nan_scores += 1;
                    return None;
                }
                let (prediction, label) = (predictions.codes[row as usize], labels.codes[row as usize]);
                let mut counts = [0; 5];
                counts[ROWS] = 1;
                if prediction != NONE {
                    counts[if Some(prediction) == as_prediction { PREDICTED } else { REJECTED }] = 1;
                }
                if label != NONE {
                    counts[if Some(label) == as_label { POSITIVE } else { NEGATIVE }] = weight;
                    if at == 0 && weight > 0 {
                        self.score_mass.add(weight, batch.weights.is_some());
                    }
                }
                Some((score, counts))
            };
            let counted: Vec<(f64, [u64; 5])> = rows.iter().zip(weights).filter_map(&mut count).collect();
            self.scores.push(ScoreCounts::of(counted));
        }
        if scores.len() > 1 {
            let top = |(&row, &weight): (&u32, &u64)| {
                let label = labels.codes[row as usize];
                let of_row = scores.iter().map(|column| column[row as usize].filter(|score| !score.is_nan()));
                let of_row: Vec<f64> = of_row.collect::<Option<_>>()?;
                let best = (0..of_row.len()).rev().max_by(|&a, &b| of_row[a].total_cmp(&of_row[b]))?;
                let mut counts = [0, 0, 1, 0, 0];
                if label != NONE {
                    let right = labels.names[label as usize] == classes[best];
                    counts[if right { POSITIVE } else { NEGATIVE }] = weight;
                }
                Some((of_row[best], counts))
            };
            self.tops = ScoreCounts::of(rows.iter().zip(weights).filter_map(top));
        }
    }

    fn add_numbers(
        &mut self,
        batch: &Batch,
        rows: &[u32],
        weights: &[u64],
        predictions: &[Option<f64>],
        labels: &[Option<f64>],
    ) {
        let mut measured = Vec::new();
        for (&row, &weight) in rows.iter().zip(weights) {
            let prediction = predictions[row as usize].filter(|prediction| !prediction.is_nan());
            let label = labels[row as usize].filter(|label| !label.is_nan());
            self.rows.without_prediction += u64::from(prediction.is_none());
            self.rows.labelled += u64::from(label.is_some());
            if let (Some(prediction), Some(label)) = (prediction, label)
                && prediction.is_finite()
                && label.is_finite()
                && weight > 0
            {
                self.rows.measured += 1;
                self.mass.add(weight, batch.weights.is_some());
                measured.push((prediction, label, weight));
            }
        }
        self.residuals = Residuals::of(&measured);
        self.predictions = Numbers::of(rows, |row| predictions[row]);
    }

    /// Adds what was counted of other rows.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), Fault> {
        if self.mass.sum.checked_add(other.mass.sum).is_none()
            || self.score_mass.sum.checked_add(other.score_mass.sum).is_none()
        {
            return Err(too_heavy());
        }
        self.rows.merge(other.rows);
        self.times = match (self.times, other.times) {
            (Some([a, b]), Some([c, d])) => Some([a.min(c), b.max(d)]),
            (one, another) => one.or(another),
        };
        self.mass.merge(other.mass);
        self.score_mass.merge(other.score_mass);
        self.confusion.merge(other.confusion);
        for (class, count) in other.predicted {
            *self.predicted.entry(class).or_default() += count;
        }
        merge_all(&mut self.scores, other.scores, ScoreCounts::merge);
        self.tops.merge(other.tops);
        self.residuals.merge(other.residuals);
        self.predictions.merge(other.predictions);
        self.expected.merge(other.expected);
        self.latency.merge(other.latency);
        merge_all(&mut self.operations, other.operations, Numbers::merge);
        self.failed = [self.failed[0] + other.failed[0], self.failed[1] + other.failed[1]];
        Ok(())
    }

    fn scored(&mut self) -> impl Iterator<Item = &mut ScoreCounts> {
        self.scores.iter_mut().chain([&mut self.tops])
    }

    fn numbers(&mut self) -> impl Iterator<Item = &mut ValueCounts<1>> {
        let others = self.operations.iter_mut().chain([&mut self.latency, &mut self.predictions]);
        others.map(|numbers| &mut numbers.values).chain(self.residuals.parts())
    }

    /// Bytes of counts in memory.
    pub(super) fn bytes(&mut self) -> u64 {
        let scored: u64 = self.scored().map(|counts| counts.bytes()).sum();
        let expected: u64 = self.expected.parts().map(|counts| counts.bytes()).sum();
        scored + expected + self.numbers().map(|counts| counts.bytes()).sum::<u64>()
    }

    /// Moves the counts in memory to `file`.
    pub(super) fn spill(&mut self, file: &Arc<Mutex<File>>) -> io::Result<()> {
        self.scored().try_for_each(|counts| counts.spill(file))?;
        self.expected.parts().try_for_each(|counts| counts.spill(file))?;
        self.numbers().try_for_each(|counts| counts.spill(file))
    }
}

fn merge_all<T>(into: &mut Vec<T>, from: Vec<T>, merge: impl Fn(&mut T, T)) {
    for (at, one) in from.into_iter().enumerate() {
        match into.get_mut(at) {
            Some(known) => merge(known, one),
            None => into.push(one),
        }
    }
}

fn too_heavy() -> Fault {
    Fault::Value(
        "the weights of a group add up to more than 4 billion; divide all of them by the same number".to_owned(),
    )
}

/// A weight in units of 2⁻³².
fn fixed(weight: Option<f64>) -> Option<u64> {
    let weight = weight.filter(|weight| (0.0..2_147_483_648.0).contains(weight))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and below 2^63")]
    Some((weight * WEIGHT_ONE).round() as u64)
}
