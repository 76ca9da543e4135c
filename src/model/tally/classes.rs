//! The rows of a classifier: its confusion matrix, and the scores of every class.

use super::{Sorting, Tally};
use crate::model::columns::NONE;
use crate::model::rows::{Answers, Batch};
use crate::model::scores::{NEGATIVE, POSITIVE, PREDICTED, REJECTED, ROWS, ScoreCounts};

/// A score, and what its row adds to the counters.
pub(in crate::model) type ScoreRow = (f64, [u64; 5]);

impl Tally {
    pub(super) fn add_classes(&mut self, batch: &Batch, rows: &[u32], weights: &[u64], sorting: Sorting) {
        let Answers::Classes { predictions, labels, scores, classes } = &batch.answers else { return };
        self.add_cells(batch, rows, weights);
        let mut found = Vec::new();
        for (at, column) in scores.iter().enumerate() {
            // The code of this class among the labels and among the predictions of this batch.
            let code = |names: &[String]| names.iter().position(|name| *name == classes[at]);
            let code = |names: &[String]| code(names).and_then(|code| u32::try_from(code).ok());
            let (as_label, as_prediction) = (code(&labels.names), code(&predictions.names));
            let count = |(&row, &weight): (&u32, &u64)| {
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
            found.push(rows.iter().zip(weights).filter_map(count).collect());
        }
        if scores.len() > 1 {
            found.push(tops(&batch.answers, rows, weights));
        }
        match sorting {
            Sorting::Here => {
                let mut counted = found.into_iter().map(ScoreCounts::of);
                self.scores = counted.by_ref().take(scores.len()).collect();
                self.tops = counted.next().unwrap_or_default();
            }
            Sorting::Device => {
                self.scores = vec![ScoreCounts::default(); scores.len()];
                self.unsorted = found;
            }
        }
    }

    /// Adds rows by prediction and label.
    fn add_cells(&mut self, batch: &Batch, rows: &[u32], weights: &[u64]) {
        let Answers::Classes { predictions, labels, .. } = &batch.answers else { return };
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
    }
}

/// The largest score of every row that has one of each class: positive where its class is the label.
fn tops(answers: &Answers, rows: &[u32], weights: &[u64]) -> Vec<ScoreRow> {
    let Answers::Classes { labels, scores, classes, .. } = answers else { return Vec::new() };
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
    rows.iter().zip(weights).filter_map(top).collect()
}
