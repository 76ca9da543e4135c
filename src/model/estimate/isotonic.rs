//! Isotonic regression: scores become probabilities, and their order is kept.

use std::io;

use crate::format::real;
use crate::model::scores::{NEGATIVE, POSITIVE, ScoreCounts};

/// A step of the fitted function: constant between two scores.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    first: f64,
    last: f64,
    positives: u64,
    rows: u64,
}

impl Step {
    fn value(&self) -> f64 {
        real(self.positives) / real(self.rows)
    }
}

/// The non-decreasing function of the score that is nearest, in squares, to the labels (pool adjacent violators, Barlow et al.
/// 1972), linear between its steps and constant outside: `sklearn.isotonic.IsotonicRegression(out_of_bounds="clip")`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Isotonic {
    steps: Vec<Step>,
}

impl Isotonic {
    /// Fits the labels of a reference.
    pub(super) fn fit(counts: &ScoreCounts) -> io::Result<Self> {
        let mut fitted = Self::default();
        counts.walk(|score, counts| fitted.push(score, counts[POSITIVE], counts[NEGATIVE]))?;
        Ok(fitted)
    }

    /// Takes the labels of the next higher score.
    pub(super) fn push(&mut self, score: f64, positives: u64, negatives: u64) {
        if positives + negatives == 0 {
            return;
        }
        let mut step = Step { first: score, last: score, positives, rows: positives + negatives };
        // In integers, so that equal shares are equal.
        let not_below = |before: &Step, step: &Step| {
            u128::from(before.positives) * u128::from(step.rows) >= u128::from(step.positives) * u128::from(before.rows)
        };
        while let Some(before) = self.steps.pop_if(|before| not_below(before, &step)) {
            step.first = before.first;
            step.positives += before.positives;
            step.rows += before.rows;
        }
        self.steps.push(step);
    }

    /// The probability of a score; the score itself where nothing was fitted.
    pub(super) fn probability(&self, score: f64) -> f64 {
        let next = self.steps.partition_point(|step| step.first <= score);
        let (before, after) = (next.checked_sub(1).and_then(|at| self.steps.get(at)), self.steps.get(next));
        match (before, after) {
            (None, None) => score,
            (Some(step), None) | (None, Some(step)) => step.value(),
            (Some(step), Some(_)) if score <= step.last => step.value(),
            (Some(left), Some(right)) => {
                let (low, high) = (left.value(), right.value());
                let slope = (high - low) / (right.first - left.last);
                (slope * (score - left.last) + low).clamp(low, high)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn 1.9.1: IsotonicRegression(out_of_bounds="clip").fit(x, y).predict([...]).
    #[test]
    fn steps_are_those_of_scikit_learn() {
        let mut fitted = Isotonic::default();
        for (score, positives, negatives) in
            [(0.1, 0, 2), (0.2, 1, 1), (0.4, 0, 1), (0.5, 1, 2), (0.7, 3, 1), (0.9, 2, 0)]
        {
            fitted.push(score, positives, negatives);
        }
        let found = [0.0, 0.1, 0.15, 0.3, 0.5, 0.6, 0.7, 0.75, 1.0].map(|score| fitted.probability(score));
        let third = 1.0 / 3.0;
        let expected = [0.0, 0.0, third / 2.0, third, third, (third + 0.75) / 2.0, 0.75, 0.8125, 1.0];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
    }

    #[test]
    fn nothing_fitted_changes_nothing() {
        assert_eq!(Isotonic::default().probability(0.3), 0.3);
    }
}
