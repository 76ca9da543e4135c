//! Performance without labels: what a reference with labels lets expect of a group.
//!
//! | task | how | file |
//! |---|---|---|
//! | binary | confidence-based (CBPE): a calibrated score says how often the prediction will turn out right | `binary` |
//! | multiclass | the same, each class against the rest | `multiclass` |
//! | regression | direct loss estimation (DLE): a second model says how wrong a prediction will be | `loss` |
//!
//! The figures are expected ones. They hold as long as the relation between features and label does (no concept drift),
//! whatever happens to the features. Definitions, calibration and sampling errors are those of NannyML 0.13.1, by which they
//! are checked.

mod binary;
mod calibration;
mod curve;
mod expected;
mod isotonic;
mod loss;
mod matrix;
mod multiclass;
mod spread;
mod table;

use std::io;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::config::ModelConfig;
use super::error::ModelError;
use super::measure::{Better, metric};
use super::options::Task;
use super::rows::Answers;
use super::tally::Tally;
use crate::format::{real, significant};
use crate::stats::Confidence;
use crate::verdict::Level;
use binary::Binary;
pub(super) use expected::{Expected, Foreseen};
pub(super) use loss::feature::{Kind, find as find_features};
pub(super) use loss::{Feature, Loss};
pub use matrix::ExpectedMatrix;
use multiclass::Multiclass;
pub(super) use table::write_estimates;

/// Rounds of random numbers are the same in every run.
const SEED: u64 = 42;

/// A way to estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Confidence-based performance estimation.
    #[default]
    Cbpe,
    /// Direct loss estimation.
    Dle,
}

/// How the figures of a model are estimated, or why they are not.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Estimation {
    /// The way.
    pub method: Method,
    /// Features that losses are learned from, beside the prediction.
    pub features: Vec<String>,
    /// Rows of the reference that were learned from.
    pub rows: u64,
    /// Why there are no estimates.
    pub reason: Option<String>,
    /// By figure, how near the estimates of groups of all segments came to what was true of them.
    pub kept: IndexMap<&'static str, Kept>,
}

/// Estimates of several groups beside what came true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Kept {
    /// Groups that have labels enough.
    pub groups: u64,
    /// Those of them whose truth lay within the uncertainty of the estimate.
    pub within: u64,
    /// Mean of the estimate minus the truth.
    pub mean_error: f64,
    /// Mean of the distance between them.
    pub mean_distance: f64,
}

impl Kept {
    /// Of the estimates of groups, by figure.
    pub(super) fn of<'e>(
        groups: impl Iterator<Item = &'e IndexMap<&'static str, Estimate>>,
    ) -> IndexMap<&'static str, Self> {
        let mut kept: IndexMap<&'static str, Self> = IndexMap::new();
        for (name, estimate) in groups.flatten() {
            let (Some(error), Some(within)) = (estimate.error, estimate.within) else { continue };
            let of = kept.entry(name).or_default();
            of.groups += 1;
            of.within += u64::from(within);
            of.mean_error += error;
            of.mean_distance += error.abs();
        }
        for of in kept.values_mut() {
            of.mean_error /= real(of.groups);
            of.mean_distance /= real(of.groups);
        }
        kept
    }
}

/// An estimated figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Estimate {
    /// The figure as it is to be expected.
    pub value: Option<f64>,
    /// Standard error that the number of rows alone causes.
    pub sampling_error: Option<f64>,
    /// Ends of the interval that follows from it.
    pub low: Option<f64>,
    /// See `low`.
    pub high: Option<f64>,
    /// The estimate minus what came true, once there are labels.
    pub error: Option<f64>,
    /// Whether what came true lies within the uncertainty of the estimate: that of as many rows as have a label.
    pub within: Option<bool>,
    /// Of a regression: between which ends the figure is usual, as parts of the reference had it.
    pub usual: Option<[f64; 2]>,
    /// Whether it lies outside of them.
    pub unusual: bool,
    /// The same figure of the reference, from its labels, or a declared one.
    pub baseline: Option<f64>,
}

impl Estimate {
    /// A figure between `least` and `most`, with its standard error.
    fn of(config: &ModelConfig, value: f64, sampling_error: f64, [least, most]: [f64; 2]) -> Self {
        let value = Some(value).filter(|value| value.is_finite());
        let error = Some(sampling_error).filter(|error| error.is_finite() && value.is_some());
        let ends = value.zip(error).and_then(|(value, error)| config.confidence.normal(value, error));
        let [low, high] = [0, 1].map(|end| ends.map(|ends| ends[end].clamp(least, most)));
        Self { value, sampling_error: error, low, high, ..Self::default() }
    }

    /// The same beside what came true of `measured` of `rows` rows.
    pub(super) fn beside(self, truth: Option<f64>, rows: u64, measured: u64, confidence: Confidence) -> Self {
        let error = self.value.zip(truth).map(|(value, truth)| value - truth);
        // Few labels are a smaller sample than the estimate is of.
        let spread = self.sampling_error.map(|error| error * libm::sqrt(real(rows) / real(measured)));
        let within = error.zip(spread).map(|(error, spread)| error.abs() <= confidence.z() * spread);
        Self { error, within, ..self }
    }

    /// The same beside what is usual.
    fn usual(self, ends: Option<[f64; 2]>) -> Self {
        let outside = self.value.zip(ends).is_some_and(|(value, [low, high])| value < low || value > high);
        Self { usual: ends, unusual: outside, ..self }
    }
}

/// What to say about estimates that are worse than usual: one sentence for all of them.
pub(super) fn unusual<'e>(
    estimates: impl Iterator<Item = (&'e &'static str, &'e Estimate)>,
) -> Option<(Level, String)> {
    let worse = estimates.filter_map(|(name, estimate)| {
        let (value, [low, high]) = (estimate.value?, estimate.usual?);
        let bad = match metric(name)?.better {
            Better::Higher => value < low,
            Better::Lower => value > high,
        };
        let end = if value > high { ("most", high) } else { ("least", low) };
        let name = name.replace('_', " ");
        bad.then(|| format!("{name} {} (usually at {} {})", significant(value), end.0, significant(end.1)))
    });
    let worse: Vec<String> = worse.collect();
    (!worse.is_empty()).then(|| (Level::Warning, format!("expected {}", worse.join(", "))))
}

/// Figures by name, in the order of the report.
pub(super) type Estimates = IndexMap<&'static str, Estimate>;

/// What was learned, or why nothing was, where there is something to say.
pub(super) type Learned<T> = Result<T, Option<String>>;

/// Why nothing is learned from scores of rows with weights.
const WEIGHTED: &str = "rows have weights, and scores alone would count all rows alike; leave out `weight` to have one";

/// What a reference knows that estimates need.
pub(super) enum Estimator {
    /// Of two classes.
    Binary(Binary),
    /// Of more.
    Multiclass(Multiclass),
    /// Of a number.
    Loss(Box<Loss>),
}

impl Estimator {
    /// Learns from a reference with labels. `Err` within where its scores cannot be used, with a reason where a user may wonder:
    /// rows have weights, or the scores do not fit `memory` bytes. There is none where there are no scores, one class, or scores
    /// that are no probabilities. [`Estimator::of_losses`] is for a regression.
    pub(super) fn of(config: &ModelConfig, reference: &Tally, memory: u64) -> io::Result<Learned<Self>> {
        match config.task {
            Task::Regression | Task::Ranking => Ok(Err(None)),
            _ if config.weight.is_some() && config.scores.is_empty() => Ok(Err(None)),
            _ if config.weight.is_some() => Ok(Err(Some(WEIGHTED.to_owned()))),
            Task::Binary => Ok(Binary::of(config, reference, memory)?.map(Self::Binary)),
            Task::Multiclass => Ok(Multiclass::of(config, reference, memory)?.map(Self::Multiclass)),
        }
    }

    /// Learns the losses of a regression from its reference, which is read again; with the rows that were learned from. `Err` within says why there is nothing to
    /// learn; `kinds` are those of the features in the log.
    pub(super) fn of_losses(
        config: &ModelConfig,
        kinds: &[Kind],
        memory: u64,
    ) -> Result<Result<(Self, u64), String>, ModelError> {
        let with_rows = |loss: Loss| {
            let rows = loss.learned_from();
            (Self::Loss(Box::new(loss)), rows)
        };
        Ok(Loss::of(config, kinds, memory)?.map(with_rows))
    }

    /// Whether scores are calibrated first: of any class. `None` where there are no scores.
    pub(super) fn calibrates(&self) -> Option<bool> {
        match self {
            Self::Binary(binary) => Some(binary.calibrates()),
            Self::Multiclass(multiclass) => Some(multiclass.calibrates()),
            Self::Loss(_) => None,
        }
    }

    /// What is foreseen of the rows of a batch, where counts alone do not tell.
    pub(super) fn rows(&self, answers: &Answers, features: &[Feature], rows: usize) -> Option<Foreseen> {
        match (self, answers) {
            (Self::Multiclass(multiclass), Answers::Classes { scores, .. }) => {
                Some(Foreseen::Classes(multiclass.rows(scores, rows)))
            }
            (Self::Loss(loss), Answers::Numbers { predictions, .. }) => {
                Some(Foreseen::Losses(loss.rows(features, predictions)))
            }
            _ => None,
        }
    }

    /// The figures that are to be expected of a group.
    pub(super) fn estimate(&self, config: &ModelConfig, tally: &Tally) -> io::Result<Estimates> {
        match self {
            Self::Binary(binary) => binary.estimate(config, tally),
            Self::Multiclass(multiclass) => multiclass.estimate(config, tally),
            Self::Loss(loss) => Ok(loss.estimate(config, &tally.expected)),
        }
    }

    /// The confusion matrix that is to be expected of a group; `None` of a regression.
    pub(super) fn matrix(&self, config: &ModelConfig, tally: &Tally) -> io::Result<Option<ExpectedMatrix>> {
        match self {
            Self::Binary(binary) => binary.matrix(config, tally),
            Self::Multiclass(multiclass) => Ok(Some(multiclass.matrix(&tally.expected))),
            Self::Loss(_) => Ok(None),
        }
    }
}
