//! A figure with its interval, or why there is none; and what every metric means.

use serde::Serialize;

use super::options::Task;

/// A figure about a model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measure {
    /// The figure; `None` where it is not defined.
    pub value: Option<f64>,
    /// Ends of its confidence interval, where one is known.
    pub interval: Option<[f64; 2]>,
    /// Why there is no value.
    pub reason: Option<&'static str>,
}

impl Measure {
    /// A figure without an interval. What is not finite has no value.
    pub(super) fn of(value: f64) -> Self {
        if value.is_finite() {
            Self { value: Some(value), ..Self::default() }
        } else {
            Self::undefined("the result is too large for a number")
        }
    }

    /// The same with an interval.
    pub(super) fn within(self, interval: Option<[f64; 2]>) -> Self {
        Self { interval: interval.filter(|_| self.value.is_some()), ..self }
    }

    /// No figure, and why.
    pub(super) fn undefined(reason: &'static str) -> Self {
        Self { reason: Some(reason), ..Self::default() }
    }
}

/// Which way a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// A fall is bad.
    Higher,
    /// A rise is bad.
    Lower,
}

/// What a metric means.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    /// Name in reports and in `levels`.
    pub name: &'static str,
    /// Tasks that have it.
    pub tasks: &'static [Task],
    /// Which way is better.
    pub better: Better,
    /// The definition it must equal.
    pub definition: &'static str,
}

use Better::{Higher, Lower};
use Task::{Binary, Multiclass, Ranking, Regression};

const CLASSES: &[Task] = &[Binary, Multiclass];
const SCORED: &[Task] = &[Binary, Multiclass, Ranking];

macro_rules! cards {
    ($($name:literal $tasks:expr, $better:ident: $definition:literal;)*) => {
        &[$(Card { name: $name, tasks: $tasks, better: $better, definition: $definition }),*]
    };
}

/// Every metric, in the order of the report.
pub static METRICS: &[Card] = cards! {
    "accuracy" CLASSES, Higher: "share of right predictions; Wilson interval";
    "precision" &[Binary], Higher: "TP / (TP + FP); Wilson interval";
    "recall" &[Binary], Higher: "TP / (TP + FN); Wilson interval";
    "specificity" &[Binary], Higher: "TN / (TN + FP); Wilson interval";
    "f1" &[Binary], Higher: "2 TP / (2 TP + FP + FN); interval from Wilson's of TP / (TP + FP + FN), of which F1 is a monotone function";
    "precision_micro" CLASSES, Higher: "precision over all decisions; with one label a row it equals the accuracy";
    "recall_micro" CLASSES, Higher: "recall over all decisions; with one label a row it equals the accuracy";
    "f1_micro" CLASSES, Higher: "F1 over all decisions; with one label a row it equals the accuracy";
    "precision_macro" CLASSES, Higher: "mean of the precisions of the classes; a class that is never predicted counts 0";
    "recall_macro" CLASSES, Higher: "mean of the recalls of the classes; a class without rows counts 0";
    "specificity_macro" &[Multiclass], Higher: "mean over the classes of the share of other rows that were not predicted to be of it";
    "f1_macro" CLASSES, Higher: "mean of the F1 of the classes";
    "precision_weighted" CLASSES, Higher: "precisions of the classes, weighted by their rows";
    "recall_weighted" CLASSES, Higher: "recalls of the classes, weighted by their rows; it equals the accuracy";
    "f1_weighted" CLASSES, Higher: "F1 of the classes, weighted by their rows";
    "roc_auc" SCORED, Higher: "area under the ROC curve, ties count half; DeLong interval; of several classes: mean of one class against the rest";
    "average_precision" SCORED, Higher: "Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores; logit interval (Boyd 2013); of several classes: mean of one class against the rest";
    "ndcg" &[Ranking], Higher: "Σ label / log₂(rank + 1) over that of the best order; all rows of the group are one list, rows of one score share their ranks";
    "log_loss" CLASSES, Lower: "mean of −ln p(label), p clipped to [2⁻⁵², 1 − 2⁻⁵²]; normal interval";
    "brier" CLASSES, Lower: "mean of Σ (p − label)²: over the positive class for two classes, over every class for more; normal interval for two";
    "calibration_error" CLASSES, Lower: "Σ share of bin · |mean p − share of positives| over 10 bins (a, b] of equal width; of several classes: of the largest p";
    "rmse" &[Regression], Lower: "root of the mean squared error; normal interval of the mean squared error";
    "mse" &[Regression], Lower: "mean squared error; normal interval";
    "mae" &[Regression], Lower: "mean absolute error; normal interval";
    "median_absolute_error" &[Regression], Lower: "median of the absolute errors; interval of order statistics (binomial)";
    "mape" &[Regression], Lower: "mean of |error| / max(|label|, 2⁻⁵²); normal interval";
    "msle" &[Regression], Lower: "mean of (ln(1 + label) − ln(1 + prediction))², where all are above −1; normal interval";
    "rmsle" &[Regression], Lower: "root of the mean squared logarithmic error; its interval's roots";
    "r2" &[Regression], Higher: "1 − Σ error² / Σ (label − mean label)²";
};

/// The card of the metric called `name`.
#[must_use]
pub fn metric(name: &str) -> Option<&'static Card> {
    METRICS.iter().find(|card| card.name == name)
}

/// A sum of f64 whose rounding does not grow with the number of terms (Neumaier 1974).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    sum: f64,
    rest: f64,
}

impl Sum {
    pub(super) fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.rest += if self.sum.abs() >= term.abs() { (self.sum - sum) + term } else { (term - sum) + self.sum };
        self.sum = sum;
    }

    pub(super) fn value(self) -> f64 {
        // Beyond the range of numbers the rest is none.
        if self.sum.is_finite() { self.sum + self.rest } else { self.sum }
    }
}

/// Rows that a figure rests on: how many, or their weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mass {
    /// Rows, or the sum of weights in units of 2⁻³².
    pub(super) sum: u64,
    /// Rows, or the sum of squared weights in units of 2⁻⁴⁸.
    pub(super) squares: u128,
}

/// How many units a weight of 1 has.
pub(super) const WEIGHT_ONE: f64 = 4_294_967_296.0;

/// A weight in those units; `None` of one that is NaN, negative or too large.
pub(super) fn units(weight: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and below 2^63")]
    (0.0..2_147_483_648.0).contains(&weight).then(|| (weight * WEIGHT_ONE).round() as u64)
}

/// The weight, or sum of weights, of so many units.
#[expect(clippy::cast_precision_loss, reason = "a weight is no count")]
pub(super) fn weighed(units: u64) -> f64 {
    units as f64 / WEIGHT_ONE
}

impl Mass {
    /// Adds a row of this weight; the sum does not overflow, as the caller knows.
    pub(super) fn add(&mut self, weight: u64, weighted: bool) {
        self.sum += weight;
        let coarse = u128::from(if weighted { weight >> 8 } else { weight });
        self.squares += coarse * coarse;
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.squares += other.squares;
    }

    /// The number of rows of weight 1 that would tell as much: (Σ w)² / Σ w² (Kish 1965). The number of rows without weights.
    #[expect(clippy::cast_precision_loss, reason = "an effective number of rows is no count")]
    pub(super) fn effective(self, weighted: bool) -> f64 {
        if !weighted {
            return self.sum as f64;
        }
        let (sum, squares) = (self.sum as f64 / WEIGHT_ONE, self.squares as f64 / (WEIGHT_ONE * 65536.0));
        if squares > 0.0 { sum * sum / squares } else { 0.0 }
    }
}
