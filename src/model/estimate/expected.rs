//! What is foreseen of rows, and added up over those of a group: in integers or exact sums, so in any order.

use std::collections::BTreeMap;

use super::loss::LOSSES;
use crate::column::Moments;
use crate::format::real;
use crate::model::columns::NONE;
use crate::model::measure::{Mass, weighed};
use crate::model::rows::{Answers, Batch};
use crate::model::values::ValueCounts;

/// A probability of 1 in fixed point: a group may have 2³⁴ rows.
pub(super) const ONE: f64 = 1_073_741_824.0;

/// A probability in fixed point.
pub(super) fn fixed(probability: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 2^30")]
    let fixed = (probability.clamp(0.0, 1.0) * ONE).round() as u64;
    fixed
}

/// What is foreseen of the rows of a batch.
#[derive(Clone, Debug)]
pub(in crate::model) enum Foreseen {
    /// Of each class, the probability of each row; `None` for rows that lack a score.
    Classes(Vec<Vec<Option<u64>>>),
    /// The losses of each row; NaN where one is not known.
    Losses([Vec<f64>; LOSSES]),
}

/// What is foreseen of a group.
#[derive(Clone, Debug, Default)]
pub(in crate::model) struct Expected {
    /// Rows of which something is foreseen.
    pub(super) rows: u64,
    /// Of several classes: by predicted class, its rows and the sum of the probabilities of each class.
    cells: BTreeMap<String, (u64, Vec<u64>)>,
    /// Of several classes: by score of a class, its rows and the sum of their probabilities of it.
    pub(super) scores: Vec<ValueCounts<2>>,
    /// Of a regression: sums of the losses.
    pub(super) losses: Vec<LossSums>,
}

/// A loss of rows, added up.
#[derive(Clone, Debug, Default)]
pub(in crate::model) struct LossSums {
    /// Losses times their weights.
    sums: Moments,
    /// Of the rows that have it.
    pub(super) mass: Mass,
}

impl LossSums {
    /// The mean by weights; `None` where no row has it.
    pub(super) fn mean(&self, weighted: bool) -> Option<f64> {
        let mean = self.sums.mean()?;
        Some(if weighted { mean * real(self.sums.count()) / weighed(self.mass.sum) } else { mean })
    }
}

impl Expected {
    /// Adds these rows of a batch up.
    pub(in crate::model) fn of(foreseen: &Foreseen, batch: &Batch, rows: &[u32], weights: &[u64]) -> Self {
        let weighted = batch.weights.is_some();
        match (foreseen, &batch.answers) {
            (Foreseen::Classes(probabilities), Answers::Classes { predictions, scores, .. }) => {
                let mut expected = Self::default();
                let of_row = |row: u32| probabilities.iter().map(move |class| class[row as usize]);
                let mut by_code: BTreeMap<u32, (u64, Vec<u64>)> = BTreeMap::new();
                let known = rows.iter().filter_map(|&row| Some((row, of_row(row).collect::<Option<Vec<u64>>>()?)));
                for (row, of_classes) in known {
                    expected.rows += 1;
                    let code = predictions.codes[row as usize];
                    if code != NONE {
                        let (rows, sums) = by_code.entry(code).or_insert((0, vec![0; of_classes.len()]));
                        *rows += 1;
                        sums.iter_mut().zip(of_classes).for_each(|(sum, probability)| *sum += probability);
                    }
                }
                let named = by_code.into_iter().map(|(code, sums)| (predictions.names[code as usize].clone(), sums));
                expected.cells = named.collect();
                let counts = scores.iter().zip(probabilities).map(|(scores, class)| {
                    let count = |&row: &u32| Some((scores[row as usize]?, [1, class[row as usize]?]));
                    ValueCounts::of(rows.iter().filter_map(count))
                });
                expected.scores = counts.collect();
                expected
            }
            (Foreseen::Losses(losses), _) => {
                let sums = losses.iter().map(|losses| {
                    let mut of_loss = LossSums::default();
                    let known = rows.iter().zip(weights).map(|(&row, &weight)| (losses[row as usize], weight));
                    let known = known.filter(|(loss, weight)| loss.is_finite() && *weight > 0);
                    let of_rows = known.map(|(loss, weight)| {
                        of_loss.mass.add(weight, weighted);
                        if weighted { loss * weighed(weight) } else { loss }
                    });
                    let of_rows: Vec<f64> = of_rows.collect();
                    of_loss.sums.add_f64(&of_rows, 0, 0);
                    of_loss
                });
                Self { losses: sums.collect(), ..Self::default() }
            }
            _ => Self::default(),
        }
    }

    /// Whether the weights of these and other rows can be added up.
    pub(in crate::model) fn fits(&self, other: &Self) -> bool {
        let mut pairs = self.losses.iter().zip(&other.losses);
        pairs.all(|(one, another)| one.mass.sum.checked_add(another.mass.sum).is_some())
    }

    /// Adds what is foreseen of other rows.
    pub(in crate::model) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        for (class, (rows, sums)) in other.cells {
            let (known, into) = self.cells.entry(class).or_insert((0, vec![0; sums.len()]));
            *known += rows;
            into.iter_mut().zip(sums).for_each(|(into, sum)| *into += sum);
        }
        for (at, sums) in other.losses.iter().enumerate() {
            match self.losses.get_mut(at) {
                Some(known) => {
                    known.sums.merge(&sums.sums);
                    known.mass.merge(sums.mass);
                }
                None => self.losses.push(sums.clone()),
            }
        }
        for (at, counts) in other.scores.into_iter().enumerate() {
            match self.scores.get_mut(at) {
                Some(known) => known.merge(counts),
                None => self.scores.push(counts),
            }
        }
    }

    /// The counts that may outgrow memory.
    pub(in crate::model) fn parts(&mut self) -> impl Iterator<Item = &mut ValueCounts<2>> {
        self.scores.iter_mut()
    }

    /// Rows with a prediction.
    pub(super) fn predicted(&self) -> u64 {
        self.cells.values().map(|(rows, _)| rows).sum()
    }

    /// Rows that were predicted to be of `class`.
    pub(super) fn predictions(&self, class: &str) -> u64 {
        self.cells.get(class).map_or(0, |(rows, _)| *rows)
    }

    /// Rows that are to be expected with this prediction and with the class at `label`.
    pub(super) fn cell(&self, prediction: &str, label: usize) -> f64 {
        let sum = self.cells.get(prediction).and_then(|(_, sums)| sums.get(label)).copied();
        real(sum.unwrap_or_default()) / ONE
    }

    /// Rows with a prediction that are to be expected of the class at `label`.
    pub(super) fn class(&self, label: usize) -> f64 {
        let sum: u64 = self.cells.values().filter_map(|(_, sums)| sums.get(label)).sum();
        real(sum) / ONE
    }
}
