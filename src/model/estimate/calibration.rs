//! Calibration: whether the scores of a class are probabilities, and what makes them so.

use std::io;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::SEED;
use super::isotonic::Isotonic;
use crate::format::{count, real};
use crate::model::options::Calibrate;
use crate::model::scores::{Area, NEGATIVE, POSITIVE, ScoreCounts};

/// Folds of the check whether calibration helps, and groups of rows in which it measures.
const FOLDS: usize = 10;
const BINS: f64 = 10.0;
/// Above this ROC AUC the scores are taken as they are.
const SEPARATED: f64 = 0.999;

/// Distinct scores with their positive and negative rows.
pub(super) type Table = [(f64, u64, u64)];

/// Bytes that a distinct score takes while a reference is learned from: in its table, in what the check whether calibration
/// helps finds of it, and in what is fitted.
const SCORE_BYTES: u64 = 96;
/// So many distinct scores are learned from with however little memory: 6 MB.
const FEWEST: u64 = 1 << 16;

/// A table in memory, or how many distinct scores are too many for it.
pub(super) type Fitting = Result<Vec<(f64, u64, u64)>, u64>;

/// The scores of a class among rows with a label; the number of distinct ones where they do not fit `memory` bytes.
pub(super) fn table(scores: &ScoreCounts, memory: u64) -> io::Result<Fitting> {
    let most = (memory / SCORE_BYTES).max(FEWEST);
    let (mut table, mut distinct) = (Vec::new(), 0);
    scores.walk(|score, counts| {
        if counts[POSITIVE] + counts[NEGATIVE] > 0 {
            distinct += 1;
            if distinct <= most {
                table.push((score, counts[POSITIVE], counts[NEGATIVE]));
            }
        }
    })?;
    Ok(if distinct <= most { Ok(table) } else { Err(distinct) })
}

/// Why nothing is learned from so many distinct scores.
pub(super) fn too_many(distinct: u64, memory: u64) -> String {
    let needed = bytesize::ByteSize(distinct.saturating_mul(SCORE_BYTES));
    format!(
        "the reference has {} distinct scores, which take {needed} of the {} of --memory-limit: raise it, name fewer rows, or \
         round the scores",
        count(distinct),
        bytesize::ByteSize(memory)
    )
}

/// Rows of the positive and of the negative class.
pub(super) fn classes(table: &Table) -> [u64; 2] {
    [table.iter().map(|row| row.1).sum(), table.iter().map(|row| row.2).sum()]
}

/// Whether these scores can be probabilities, and both classes occur.
pub(super) fn fits(table: &Table) -> bool {
    classes(table).iter().all(|rows| *rows > 0) && table.iter().all(|(score, _, _)| (0.0..=1.0).contains(score))
}

/// Scores of a class to probabilities.
#[derive(Clone, Debug)]
pub(super) struct Calibration(Option<Isotonic>);

impl Calibration {
    /// Learns from the scores of a reference.
    pub(super) fn of(calibrate: Calibrate, scores: &ScoreCounts, table: &Table) -> io::Result<Self> {
        let needed = match calibrate {
            Calibrate::Always => true,
            Calibrate::Never => false,
            Calibrate::Auto => area(table).value() <= SEPARATED && helps(table),
        };
        Ok(Self(if needed { Some(Isotonic::fit(scores)?) } else { None }))
    }

    /// Whether scores are changed.
    pub(super) fn is_needed(&self) -> bool {
        self.0.is_some()
    }

    /// The probability of the class at this score.
    pub(super) fn probability(&self, score: f64) -> f64 {
        match &self.0 {
            Some(fitted) => fitted.probability(score),
            None => score.clamp(0.0, 1.0),
        }
    }
}

fn area(table: &Table) -> Area {
    let total = |of: fn(&(f64, u64, u64)) -> u64| table.iter().map(of).sum();
    let mut area = Area::new(total(|row| row.1), total(|row| row.2));
    table.iter().for_each(|(_, positives, negatives)| area.add(*positives, *negatives));
    area
}

/// The rows of a table shared out to folds: the same each time, so that nothing needs to be kept.
fn dealt(table: &Table) -> impl Iterator<Item = (f64, [u64; FOLDS], [u64; FOLDS])> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    table.iter().map(move |(score, positives, negatives)| {
        let mut deal = |rows: u64| {
            let mut folds = [0_u64; FOLDS];
            (0..rows).for_each(|_| folds[random.random_range(0..FOLDS)] += 1);
            folds
        };
        (*score, deal(*positives), deal(*negatives))
    })
}

/// Whether calibration lowers the calibration error on rows that it was not fitted to: ten folds, drawn from the counts, each
/// calibrated by the nine others.
fn helps(table: &Table) -> bool {
    let all = |folds: &[u64; FOLDS]| folds.iter().sum::<u64>();
    let mut after = Vec::new();
    for fold in 0..FOLDS {
        let mut fitted = Isotonic::default();
        for (score, positives, negatives) in dealt(table) {
            fitted.push(score, all(&positives) - positives[fold], all(&negatives) - negatives[fold]);
        }
        for (score, positives, negatives) in dealt(table) {
            let (positives, rows) = (positives[fold], positives[fold] + negatives[fold]);
            if rows > 0 {
                after.push((fitted.probability(score), positives, rows));
            }
        }
    }
    after.sort_by(|a, b| a.0.total_cmp(&b.0));
    // All folds together are the table, which is sorted.
    let before = table.iter().map(|(score, positives, negatives)| (*score, *positives, positives + negatives));
    calibration_error(before) > calibration_error(after.iter().copied())
}

/// The calibration error over ten groups of equally many rows, from (probability, positives, rows) in ascending order; rows of
/// one probability are shared out evenly.
fn calibration_error(sorted: impl Iterator<Item = (f64, u64, u64)> + Clone) -> f64 {
    let all = real(sorted.clone().map(|(_, _, rows)| rows).sum());
    let size = all / BINS;
    let (mut error, mut filled, mut gap) = (0.0, 0.0, 0.0);
    let mut sorted = sorted.peekable();
    while let Some((probability, mut positives, mut rows)) = sorted.next() {
        while let Some((_, more, others)) = sorted.next_if(|(next, ..)| next.total_cmp(&probability).is_eq()) {
            positives += more;
            rows += others;
        }
        let mut left = real(rows);
        let each = probability - real(positives) / left;
        while left > 0.0 {
            let taken = left.min(size - filled);
            gap += each * taken;
            filled += taken;
            left -= taken;
            if filled >= size * (1.0 - 1e-12) {
                error += f64::abs(gap) / all;
                (filled, gap) = (0.0, 0.0);
            }
            if taken <= 0.0 {
                break;
            }
        }
    }
    error + f64::abs(gap) / all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_that_are_probabilities_are_left_alone_and_others_calibrated() {
        let row = |k: u32| (f64::from(k) / 10.0, 100 * u64::from(k), 1000 - 100 * u64::from(k));
        let honest: Vec<(f64, u64, u64)> = (1..10).map(row).collect();
        let sure = |p: f64| if p < 0.5 { 0.01 + p / 100.0 } else { 0.9 + p / 100.0 };
        let boasting: Vec<_> = honest.iter().map(|&(p, a, b)| (sure(p), a, b)).collect();
        assert!(helps(&boasting));
        assert!(!helps(&honest));
    }
}
