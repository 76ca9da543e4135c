//! From counts of errors and labels to the figures of a regression.

use std::io;

use super::measure::{Measure, Sum};
use super::scores::How;
use super::values::ValueCounts;
use crate::format::real;

/// What a regression needs counted, of rows with a finite prediction and a finite label.
#[derive(Clone, Debug, Default)]
pub(super) struct Residuals {
    /// |label − prediction|.
    pub(super) errors: ValueCounts<1>,
    /// |label − prediction| / max(|label|, 2⁻⁵²).
    pub(super) relative: ValueCounts<1>,
    /// (ln(1 + label) − ln(1 + prediction))², where both are above −1.
    pub(super) logarithmic: ValueCounts<1>,
    /// Labels.
    pub(super) labels: ValueCounts<1>,
}

/// Labels nearer to 0 than this count as this in MAPE, as in scikit-learn.
const SMALLEST: f64 = f64::EPSILON;

/// (ln(1 + label) − ln(1 + prediction))²; `None` unless both are above −1.
pub(super) fn squared_log_error(prediction: f64, label: f64) -> Option<f64> {
    let difference = libm::log1p(label) - libm::log1p(prediction);
    (prediction > -1.0 && label > -1.0).then_some(difference * difference)
}

/// |label − prediction| / max(|label|, 2⁻⁵²).
pub(super) fn relative_error(prediction: f64, label: f64) -> f64 {
    (label - prediction).abs() / label.abs().max(SMALLEST)
}

impl Residuals {
    /// Counts rows of (prediction, label, weight), all finite.
    pub(super) fn of(rows: &[(f64, f64, u64)]) -> Self {
        let error = |prediction: f64, label: f64| (label - prediction).abs();
        let count = |value: &dyn Fn(f64, f64) -> f64| {
            ValueCounts::of(rows.iter().map(|&(prediction, label, weight)| (value(prediction, label), [weight])))
        };
        Self {
            errors: count(&error),
            relative: count(&relative_error),
            logarithmic: ValueCounts::of(
                rows.iter()
                    .filter_map(|&(prediction, label, weight)| Some((squared_log_error(prediction, label)?, [weight]))),
            ),
            labels: count(&|_, label| label),
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.errors.merge(other.errors);
        self.relative.merge(other.relative);
        self.logarithmic.merge(other.logarithmic);
        self.labels.merge(other.labels);
    }

    pub(super) fn parts(&mut self) -> [&mut ValueCounts<1>; 4] {
        [&mut self.errors, &mut self.relative, &mut self.logarithmic, &mut self.labels]
    }

    /// Every figure by name; `effective` is the number of rows (Kish's, with weights).
    pub(super) fn measures(&self, effective: f64, how: &How) -> io::Result<Vec<(&'static str, Measure)>> {
        const NAMES: [&str; 8] = ["rmse", "mse", "mae", "median_absolute_error", "mape", "msle", "rmsle", "r2"];
        let [total] = self.errors.totals();
        if total == 0 {
            let none = Measure::undefined("no row has both a finite prediction and a finite label");
            return Ok(NAMES.map(|name| (name, none)).to_vec());
        }
        let [absolute, squared, fourth] = powers(&self.errors, [1, 2, 4])?.map(|sum| sum / real(total));
        let [relative, relative2] = powers(&self.relative, [1, 2])?.map(|sum| sum / real(total));
        let error_of = |mean: f64, squares: f64| {
            let variance = (squares - mean * mean).max(0.0);
            if effective > 1.0 { libm::sqrt(variance / (effective - 1.0)) } else { f64::INFINITY }
        };
        let normal = |mean: f64, squares: f64| {
            let ends = how.confidence.normal(mean, error_of(mean, squares));
            Measure::of(mean).within(ends.map(|[low, high]| [low.max(0.0), high]))
        };
        let mse = normal(squared, fourth);
        let rooted = |mean: &Measure| match mean.value {
            Some(value) => Measure::of(libm::sqrt(value)).within(mean.interval.map(|ends| ends.map(libm::sqrt))),
            None => *mean,
        };
        let msle = if self.logarithmic.totals() == [total] {
            let [mean, squares] = powers(&self.logarithmic, [1, 2])?.map(|sum| sum / real(total));
            normal(mean, squares)
        } else {
            Measure::undefined("a label or a prediction is not above −1, so it has no logarithm")
        };
        let [label] = powers(&self.labels, [1])?.map(|sum| sum / real(total));
        let mut spread = Sum::default();
        self.labels.walk(|value, [count]| spread.add(real(count) * (value - label) * (value - label)))?;
        let spread = spread.value();
        let r2 = if spread > 0.0 {
            Measure::of(1.0 - squared * real(total) / spread)
        } else {
            Measure::undefined("all labels are equal")
        };
        Ok(vec![
            ("rmse", rooted(&mse)),
            ("mse", mse),
            ("mae", normal(absolute, squared)),
            ("median_absolute_error", median(&self.errors, how)?),
            ("mape", normal(relative, relative2)),
            ("msle", msle),
            ("rmsle", rooted(&msle)),
            ("r2", r2),
        ])
    }
}

/// Sums of powers of the values.
fn powers<const K: usize>(counts: &ValueCounts<1>, powers: [i32; K]) -> io::Result<[f64; K]> {
    let mut sums = [Sum::default(); K];
    counts.walk(|value, [count]| {
        for (sum, power) in sums.iter_mut().zip(powers) {
            sum.add(real(count) * value.powi(power));
        }
    })?;
    Ok(sums.map(Sum::value))
}

/// The median: the middle value, or the mean of the two in the middle.
fn median(counts: &ValueCounts<1>, how: &How) -> io::Result<Measure> {
    let [total] = counts.totals();
    let found = order_statistics(counts, &[total.div_ceil(2), total / 2 + 1])?;
    let ranks = how.confidence.median_ranks(total).filter(|_| !how.weighted);
    let ends = ranks.map(|ranks| order_statistics(counts, &ranks)).transpose()?;
    Ok(Measure::of(f64::midpoint(found[0], found[1])).within(ends.map(|ends| [ends[0], ends[1]])))
}

/// The values at these ranks, from 1, ascending.
pub(super) fn order_statistics<const N: usize>(counts: &ValueCounts<N>, ranks: &[u64]) -> io::Result<Vec<f64>> {
    let (mut below, mut found) = (0, Vec::with_capacity(ranks.len()));
    counts.walk(|value, counts| {
        below += counts[N - 1];
        while ranks.get(found.len()).is_some_and(|&rank| rank <= below) {
            found.push(value);
        }
    })?;
    found.resize(ranks.len(), f64::NAN);
    Ok(found)
}
