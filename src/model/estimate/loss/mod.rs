//! Direct loss estimation of a regression (NannyML's DLE): a second model learns from the reference how wrong the first one is,
//! row by row, from its features and its prediction. The figures of a group are means of the losses it foresees.
//!
//! | part | what happens there |
//! |---|---|
//! | `feature` | columns of features, and their values |
//! | `sample` | the rows of the reference that are learned from |
//! | `encode` | values to numbers |
//! | `learner` | gradient boosting |
//! | `usual` | what parts of the reference had, and so what is unusual |
//!
//! The same rows give the same losses, whatever their order and however many threads there are. Rows without a finite
//! prediction have no loss, as they have no error later. A row of weight w counts as w rows do, when losses are learned and when
//! they are added up.

mod encode;
pub(in crate::model) mod feature;
mod learner;
mod sample;
mod usual;

use std::collections::BTreeMap;

use encode::Encoder;
pub(in crate::model) use feature::Feature;
use learner::Learner;
use sample::Sample;

use super::expected::Expected;
use super::{Estimate, Estimates};
use crate::model::config::ModelConfig;
use crate::model::count;
use crate::model::error::ModelError;
use crate::model::residuals::{relative_error, squared_log_error};

/// What a row loses: absolute, squared, relative and squared logarithmic error.
pub(in crate::model) const LOSSES: usize = 4;
const ABSOLUTE: usize = 0;
const SQUARED: usize = 1;
const RELATIVE: usize = 2;
const LOGARITHMIC: usize = 3;

/// The losses of a row; NaN where one is not defined.
fn losses(prediction: f64, label: f64) -> [f64; LOSSES] {
    let error = label - prediction;
    let logarithmic = squared_log_error(prediction, label).unwrap_or(f64::NAN);
    [error.abs(), error * error, relative_error(prediction, label), logarithmic]
}

/// A mean of losses by their weights, in the order in which they come.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn and(self, (loss, weight): (f64, f64)) -> Self {
        Self { sum: self.sum + loss * weight, weight: self.weight + weight }
    }

    fn value(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

/// A figure: its name, the loss it is a mean of, and whether it is the root of that mean. In the order of the report.
const FIGURES: [(&str, usize, bool); 6] = [
    ("rmse", SQUARED, true),
    ("mse", SQUARED, false),
    ("mae", ABSOLUTE, false),
    ("mape", RELATIVE, false),
    ("msle", LOGARITHMIC, false),
    ("rmsle", LOGARITHMIC, true),
];

/// Of a mean loss, the figure.
fn figure(mean: f64, root: bool) -> f64 {
    if root { libm::sqrt(mean) } else { mean }
}

/// What the reference says about one loss.
struct OfLoss {
    encoders: Vec<Encoder>,
    learner: Learner,
    /// Mean, and standard deviation (ddof 0).
    mean: f64,
    deviation: f64,
}

/// A model of losses.
pub(in crate::model) struct Loss {
    /// By loss; `None` where a row of the reference has none.
    losses: [Option<OfLoss>; LOSSES],
    /// By figure, between which ends it is usual.
    usual: BTreeMap<&'static str, [f64; 2]>,
    /// Rows that were learned from.
    rows: u64,
}

impl Loss {
    /// Learns from the reference of a model. `Err` within says why there is nothing to learn.
    ///
    /// # Errors
    /// When the reference cannot be read.
    pub(super) fn of(
        config: &ModelConfig,
        kinds: &[feature::Kind],
        memory: u64,
    ) -> Result<Result<Self, String>, ModelError> {
        let mut reference = count::open_reference(config)?;
        match reference.add_features(config, "reference") {
            Err(reason) => return Ok(Err(reason)),
            Ok(found) => {
                let differs = found.iter().zip(kinds).position(|(a, b)| a != b);
                if let Some(name) = differs.and_then(|at| config.features.get(at)) {
                    let reason = "is text in one of log and reference, and a number in the other";
                    return Ok(Err(format!("feature `{name}` {reason}")));
                }
            }
        }
        let sample = Sample::read(config, &reference, kinds, memory)?;
        if sample.rows() < config.min_labels {
            let reason = format!("the reference has {} rows with prediction and label", sample.rows());
            return Ok(Err(reason));
        }
        let losses = std::array::from_fn(|loss| OfLoss::of(&sample, loss));
        Ok(Ok(Self { losses, usual: usual::of(&sample), rows: sample.rows() }))
    }

    /// Rows of the reference that were learned from.
    pub(super) fn learned_from(&self) -> u64 {
        self.rows
    }

    /// The losses that are to be expected of rows; NaN where there is no finite prediction, or no model of this loss.
    pub(super) fn rows(&self, features: &[Feature], predictions: &[Option<f64>]) -> [Vec<f64>; LOSSES] {
        self.losses.each_ref().map(|loss| match loss {
            Some(loss) => loss.rows(features, predictions),
            None => vec![f64::NAN; predictions.len()],
        })
    }

    /// The figures that are to be expected of a group.
    pub(super) fn estimate(&self, config: &ModelConfig, expected: &Expected) -> Estimates {
        let estimate = |(name, loss, root): (&'static str, usize, bool)| {
            let (Some(of_loss), Some(sums)) = (&self.losses[loss], expected.losses.get(loss)) else {
                return (name, Estimate::default());
            };
            let weighted = config.weight.is_some();
            let value = sums.mean(weighted).map_or(f64::NAN, |mean| figure(mean, root));
            let error = of_loss.deviation / libm::sqrt(sums.mass.effective(weighted));
            // Of a root by the delta method: d√m = dm / 2√m.
            let error = if root { error / (2.0 * libm::sqrt(of_loss.mean)) } else { error };
            (name, Estimate::of(config, value, error, [0.0, f64::INFINITY]).usual(self.usual.get(name).copied()))
        };
        FIGURES.into_iter().map(estimate).collect()
    }
}

impl OfLoss {
    fn of(sample: &Sample, loss: usize) -> Option<Self> {
        let targets = sample.losses(loss);
        if targets.iter().any(|target| !target.is_finite()) {
            return None;
        }
        let mean_of = |values: &[f64]| {
            let of_rows = values.iter().copied().zip(sample.weights().iter().copied());
            of_rows.fold(Mean::default(), Mean::and).value()
        };
        let mean = mean_of(&targets)?;
        let squares: Vec<f64> = targets.iter().map(|target| (target - mean) * (target - mean)).collect();
        let deviation = libm::sqrt(mean_of(&squares)?);
        let encoders = sample.encoders(&targets);
        let columns: Vec<Vec<f64>> = sample.columns(&encoders);
        let learner = Learner::fit(&columns, &targets, sample.weights())?;
        Some(Self { encoders, learner, mean, deviation })
    }

    fn rows(&self, features: &[Feature], predictions: &[Option<f64>]) -> Vec<f64> {
        let mut columns: Vec<Vec<f64>> =
            features.iter().zip(&self.encoders).map(|(feature, encoder)| encoder.column(feature)).collect();
        let known = |prediction: &Option<f64>| prediction.filter(|value| value.is_finite());
        columns.push(predictions.iter().map(|prediction| known(prediction).unwrap_or(f64::NAN)).collect());
        let mut losses = self.learner.predict(&columns, predictions.len());
        for (loss, prediction) in losses.iter_mut().zip(predictions) {
            // A loss is not negative, whatever the sum of the trees.
            *loss = if known(prediction).is_some() { loss.max(0.0) } else { f64::NAN };
        }
        losses
    }
}
