//! The rows of a reference that losses are learned from: those with a finite prediction and a finite label, in an order that
//! depends on nothing but themselves.

use twox_hash::XxHash3_64;

use super::encode::{Encoder, Names};
use super::feature::{Feature, Kind};
use super::losses;
use crate::model::columns::NONE;
use crate::model::config::ModelConfig;
use crate::model::count::{self, Log};
use crate::model::error::ModelError;
use crate::model::measure::weighed;
use crate::model::rows::{Answers, Batch};

/// More rows teach little more. Of a larger reference a sample is learned from: the rows with the smallest hashes.
const MOST: usize = 1 << 18;

/// A feature of all rows.
enum Values {
    Numbers(Vec<f64>),
    Names { codes: Vec<u32>, names: Names },
}

/// Rows of a reference.
pub(super) struct Sample {
    features: Vec<Values>,
    predictions: Vec<f64>,
    labels: Vec<f64>,
    /// 1 where rows have none.
    weights: Vec<f64>,
    /// Time of a row, and its place among the rows of the reference.
    places: Vec<(i64, u64)>,
    hashes: Vec<u64>,
}

impl Sample {
    /// Reads the rows of a reference.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(config: &ModelConfig, reference: &Log, kinds: &[Kind], memory: u64) -> Result<Self, ModelError> {
        let values = |kind: &Kind| match kind {
            Kind::Number => Values::Numbers(Vec::new()),
            Kind::Name => Values::Names { codes: Vec::new(), names: Names::default() },
        };
        let mut sample = Self {
            features: kinds.iter().map(values).collect(),
            predictions: Vec::new(),
            labels: Vec::new(),
            weights: Vec::new(),
            places: Vec::new(),
            hashes: Vec::new(),
        };
        count::each(config, reference, None, memory, |batches| {
            for (batch, keep, before) in batches {
                sample.add(batch, keep.as_deref(), *before);
                if sample.hashes.len() > 2 * MOST {
                    sample.settle(MOST);
                }
            }
            Ok(())
        })?;
        sample.settle(MOST);
        Ok(sample)
    }

    /// Adds the rows of a batch; `before` is how many rows of the reference come before it.
    fn add(&mut self, batch: &Batch, keep: Option<&[bool]>, before: u64) {
        let Answers::Numbers { predictions, labels } = &batch.answers else { return };
        let global: Vec<Vec<u32>> = batch.features.iter().zip(&mut self.features).map(codes).collect();
        for row in (0..batch.rows).filter(|&row| keep.is_none_or(|keep| keep[row])) {
            let (Some(prediction), Some(label)) = (predictions[row], labels[row]) else { continue };
            let Some(weight) = batch.weight(row).filter(|weight| *weight > 0) else { continue };
            if !prediction.is_finite() || !label.is_finite() {
                continue;
            }
            let mut bytes = Vec::with_capacity(8 * (self.features.len() + 3));
            bytes.extend(prediction.to_bits().to_le_bytes());
            bytes.extend(label.to_bits().to_le_bytes());
            for ((values, feature), global) in self.features.iter_mut().zip(&batch.features).zip(&global) {
                match (values, feature) {
                    (Values::Numbers(all), Feature::Numbers(numbers)) => {
                        bytes.extend(numbers[row].to_bits().to_le_bytes());
                        all.push(numbers[row]);
                    }
                    (Values::Names { codes, names }, Feature::Names(coded)) => {
                        let code = global.get(coded.codes[row] as usize).copied().unwrap_or(NONE);
                        let name = names.names.get(code as usize);
                        bytes.extend(name.map_or(&b"\xff"[..], |name| name.as_bytes()));
                        bytes.push(0);
                        codes.push(code);
                    }
                    // Batches have the kinds that were found in the columns.
                    (Values::Numbers(all), Feature::Names(_)) => all.push(f64::NAN),
                    (Values::Names { codes, .. }, Feature::Numbers(_)) => codes.push(NONE),
                }
            }
            self.predictions.push(prediction);
            self.labels.push(label);
            if batch.weights.is_some() {
                bytes.extend(weight.to_le_bytes());
                self.weights.push(weighed(weight));
            } else {
                self.weights.push(1.0);
            }
            let time = batch.times.as_ref().and_then(|times| times[row]).unwrap_or(0);
            self.places.push((time, before + row as u64));
            self.hashes.push(XxHash3_64::oneshot(&bytes));
        }
    }

    /// Brings the rows into the order of their hashes, and keeps at most so many. Rows of one hash are alike.
    fn settle(&mut self, most: usize) {
        let mut order: Vec<usize> = (0..self.hashes.len()).collect();
        order.sort_unstable_by_key(|&row| (self.hashes[row], self.places[row]));
        order.truncate(most);
        fn pick<T: Copy>(order: &[usize], values: &mut Vec<T>) {
            *values = order.iter().map(|&row| values[row]).collect();
        }
        for values in &mut self.features {
            match values {
                Values::Numbers(values) => pick(&order, values),
                Values::Names { codes, .. } => pick(&order, codes),
            }
        }
        pick(&order, &mut self.predictions);
        pick(&order, &mut self.labels);
        pick(&order, &mut self.weights);
        pick(&order, &mut self.places);
        pick(&order, &mut self.hashes);
    }

    /// How many there are.
    pub(super) fn rows(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// How much each row counts.
    pub(super) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// A loss of each row; NaN where it is not defined.
    pub(super) fn losses(&self, loss: usize) -> Vec<f64> {
        self.predictions.iter().zip(&self.labels).map(|(prediction, label)| losses(*prediction, *label)[loss]).collect()
    }

    /// The rows by time, and by their place in the reference where times are equal or there are none.
    pub(super) fn in_time(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.places.len()).collect();
        order.sort_unstable_by_key(|&row| self.places[row]);
        order
    }

    /// How each feature becomes numbers, by the losses of the rows.
    pub(super) fn encoders(&self, losses: &[f64]) -> Vec<Encoder> {
        let encoder = |values: &Values| match values {
            Values::Numbers(_) => Encoder::Numbers,
            Values::Names { codes, names } => Encoder::of_names(codes, &names.names, losses, &self.weights),
        };
        self.features.iter().map(encoder).collect()
    }

    /// The numbers of each feature, and the predictions after them.
    pub(super) fn columns(&self, encoders: &[Encoder]) -> Vec<Vec<f64>> {
        let column = |(values, encoder): (&Values, &Encoder)| match values {
            Values::Numbers(values) => values.clone(),
            Values::Names { codes, names } => encoder.learned(codes, &names.names),
        };
        let features = self.features.iter().zip(encoders).map(column);
        features.chain([self.predictions.clone()]).collect()
    }
}

/// Codes of a batch as codes of all batches.
fn codes((feature, values): (&Feature, &mut Values)) -> Vec<u32> {
    match (feature, values) {
        (Feature::Names(coded), Values::Names { names, .. }) => {
            coded.names.iter().map(|name| names.code(name)).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::columns::Coded;

    /// Rows with a number and a category, one batch for each slice of `rows`.
    fn sample(batches: &[Vec<u32>], most: usize) -> Sample {
        let mut sample = Sample {
            features: vec![Values::Numbers(Vec::new()), Values::Names { codes: Vec::new(), names: Names::default() }],
            predictions: Vec::new(),
            labels: Vec::new(),
            weights: Vec::new(),
            places: Vec::new(),
            hashes: Vec::new(),
        };
        let mut before = 0;
        for rows in batches {
            let number = |row: &u32| Some(f64::from(*row));
            let names = ["even", "odd"].map(str::to_owned).to_vec();
            let names = Coded { codes: rows.iter().map(|row| row % 2).collect(), names };
            let batch = Batch {
                rows: rows.len(),
                answers: Answers::Numbers {
                    predictions: rows.iter().map(number).collect(),
                    labels: rows.iter().map(|row| number(row).filter(|_| row % 10 > 0)).collect(),
                },
                features: vec![
                    Feature::Numbers(rows.iter().map(|row| f64::from(row / 3)).collect()),
                    Feature::Names(names),
                ],
                ..Batch::default()
            };
            sample.add(&batch, None, before);
            before += rows.len() as u64;
            sample.settle(most);
        }
        sample
    }

    #[test]
    fn the_rows_that_are_kept_and_their_order_do_not_depend_on_how_they_came() {
        let rows: Vec<u32> = (0..1000).collect();
        let turned: Vec<u32> = rows.iter().rev().copied().collect();
        let whole = sample(&[rows], 300);
        let parts = sample(&turned.chunks(77).map(<[u32]>::to_vec).collect::<Vec<_>>(), 300);
        assert_eq!((whole.rows(), &whole.predictions), (300, &parts.predictions));
        let losses = whole.losses(0);
        assert_eq!(whole.columns(&whole.encoders(&losses)), parts.columns(&parts.encoders(&losses)));
        // Every tenth row has no label.
        assert!(whole.predictions.iter().all(|prediction| prediction % 10.0 > 0.0));
        let in_time: Vec<f64> = whole.in_time().into_iter().map(|row| whole.predictions[row]).collect();
        assert!(in_time.is_sorted());
    }
}
