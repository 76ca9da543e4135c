//! What is counted of the rows of one group: integers that add up, exactly and in any order.

mod classes;
mod row_counts;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex};

use crate::model::confusion::Confusion;
use crate::model::estimate::Expected;
use crate::model::measure::Mass;
use crate::model::residuals::Residuals;
use crate::model::rows::{Answers, Batch};
use crate::model::scores::ScoreCounts;
use crate::model::values::ValueCounts;
use crate::source::Fault;
use classes::ScoreRow;
pub(in crate::model) use row_counts::Numbers;
pub use row_counts::RowCounts;

/// Where scores are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Sorting {
    /// Here, a batch at a time.
    Here,
    /// By a device, several batches at a time: see [`device`](super::device).
    Device,
}

/// Everything that is counted of a group.
#[derive(Clone, Debug, Default)]
pub(in crate::model) struct Tally {
    pub(in crate::model) rows: RowCounts,
    /// Earliest and latest time, in microseconds since 1970.
    pub(in crate::model) times: Option<[i64; 2]>,
    /// Of the measured rows.
    pub(in crate::model) mass: Mass,
    /// Of the rows with a label and a score.
    pub(in crate::model) score_mass: Mass,
    pub(in crate::model) confusion: Confusion,
    /// Rows by predicted class.
    pub(in crate::model) predicted: BTreeMap<String, u64>,
    /// A class each; one, of the positive class, for a binary task.
    pub(in crate::model) scores: Vec<ScoreCounts>,
    /// Of several classes: the largest score, positive where its class is the label.
    pub(in crate::model) tops: ScoreCounts,
    /// Scores in the order of [`Tally::scored`], that are in none of these counts before a device has sorted them.
    pub(in crate::model) unsorted: Vec<Vec<ScoreRow>>,
    pub(in crate::model) residuals: Residuals,
    /// Of a regression: what was predicted.
    pub(in crate::model) predictions: Numbers,
    pub(in crate::model) latency: Numbers,
    pub(in crate::model) operations: Vec<Numbers>,
    /// What the reference lets expect.
    pub(in crate::model) expected: Expected,
    /// Requests that failed, and all of which that is known.
    pub(in crate::model) failed: [u64; 2],
}

impl Tally {
    /// Counts these rows of a batch; their scores stay as they are where `sorting` says so.
    pub(in crate::model) fn of(batch: &Batch, rows: &[u32], sorting: Sorting) -> Result<Self, Fault> {
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
            match batch.weight(row as usize) {
                Some(units) => *weight = units,
                None => tally.rows.bad_weights += 1,
            }
            sum += u128::from(*weight);
        }
        if u64::try_from(sum).is_err() {
            return Err(too_heavy());
        }
        match &batch.answers {
            Answers::Classes { .. } => tally.add_classes(batch, rows, &weights, sorting),
            Answers::Numbers { predictions, labels } => tally.add_numbers(batch, rows, &weights, predictions, labels),
        }
        if let Some(foreseen) = &batch.foreseen {
            tally.expected = Expected::of(foreseen, batch, rows, &weights);
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
    pub(in crate::model) fn merge(&mut self, other: Self) -> Result<(), Fault> {
        if self.mass.sum.checked_add(other.mass.sum).is_none()
            || self.score_mass.sum.checked_add(other.score_mass.sum).is_none()
            || !self.expected.fits(&other.expected)
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

    /// The scores of every class, then those of the likeliest one.
    pub(in crate::model) fn scored(&mut self) -> impl Iterator<Item = &mut ScoreCounts> {
        self.scores.iter_mut().chain([&mut self.tops])
    }

    fn numbers(&mut self) -> impl Iterator<Item = &mut ValueCounts<1>> {
        let others = self.operations.iter_mut().chain([&mut self.latency, &mut self.predictions]);
        others.map(|numbers| &mut numbers.values).chain(self.residuals.parts())
    }

    /// Bytes of counts in memory.
    pub(in crate::model) fn bytes(&mut self) -> u64 {
        let scored: u64 = self.scored().map(|counts| counts.bytes()).sum();
        let expected: u64 = self.expected.parts().map(|counts| counts.bytes()).sum();
        scored + expected + self.numbers().map(|counts| counts.bytes()).sum::<u64>()
    }

    /// Moves the counts in memory to `file`.
    pub(in crate::model) fn spill(&mut self, file: &Arc<Mutex<File>>) -> io::Result<()> {
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
