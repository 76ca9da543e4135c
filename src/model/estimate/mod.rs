//! Performance without labels: what a reference with labels lets expect of a group.
//!
//! | task | how | file |
//! |---|---|---|
//! | binary | confidence-based (CBPE): a calibrated score says how often the prediction will turn out right | `binary` |
//! | multiclass | the same, each class against the rest | `multiclass` |
//!
//! The figures are expected ones. They hold as long as the relation between features and label does (no concept drift),
//! whatever happens to the features. Definitions, calibration and sampling errors are those of NannyML 0.13.1, by which they
//! are checked.

mod binary;
mod calibration;
mod curve;
mod expected;
mod isotonic;
mod multiclass;
mod spread;

use std::io;

use indexmap::IndexMap;
use serde::Serialize;

use super::config::ModelConfig;
use super::options::Task;
use super::rows::Answers;
use super::tally::Tally;
use binary::Binary;
pub(super) use expected::{Expected, Foreseen};
use multiclass::Multiclass;

/// Rounds of random numbers are the same in every run.
const SEED: u64 = 42;

/// An estimated figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
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
}

impl Estimate {
    /// A figure between `least` and `most`, with its standard error.
    fn of(config: &ModelConfig, value: f64, sampling_error: f64, [least, most]: [f64; 2]) -> Self {
        let value = Some(value).filter(|value| value.is_finite());
        let error = Some(sampling_error).filter(|error| error.is_finite() && value.is_some());
        let ends = value.zip(error).and_then(|(value, error)| config.confidence.normal(value, error));
        let [low, high] = [0, 1].map(|end| ends.map(|ends| ends[end].clamp(least, most)));
        Self { value, sampling_error: error, low, high, error: None }
    }
}

/// The confusion matrix that is to be expected.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ExpectedMatrix {
    /// Classes that have scores, sorted.
    pub classes: Vec<String>,
    /// Rows by label (outer) and prediction (inner).
    pub counts: Vec<Vec<f64>>,
    /// Standard errors of those, by the number of rows alone.
    pub sampling_errors: Vec<Vec<f64>>,
}

/// Figures by name, in the order of the report.
pub(super) type Estimates = IndexMap<&'static str, Estimate>;

/// What a reference knows that estimates need.
#[derive(Clone, Debug)]
pub(super) enum Estimator {
    /// Of two classes.
    Binary(Binary),
    /// Of more.
    Multiclass(Multiclass),
}

impl Estimator {
    /// Learns from a reference with labels; `None` where its scores cannot be used: no scores, one class, scores that are no
    /// probabilities, or rows with weights.
    pub(super) fn of(config: &ModelConfig, reference: &Tally) -> io::Result<Option<Self>> {
        match config.task {
            _ if config.weight.is_some() => Ok(None),
            Task::Binary => Ok(Binary::of(config, reference)?.map(Self::Binary)),
            Task::Multiclass => Ok(Multiclass::of(config, reference)?.map(Self::Multiclass)),
            Task::Regression => Ok(None),
        }
    }

    /// Whether scores are calibrated first: of any class.
    pub(super) fn calibrates(&self) -> bool {
        match self {
            Self::Binary(binary) => binary.calibrates(),
            Self::Multiclass(multiclass) => multiclass.calibrates(),
        }
    }

    /// What is foreseen of the rows of a batch, where counts alone do not tell.
    pub(super) fn rows(&self, answers: &Answers, rows: usize) -> Option<Foreseen> {
        match (self, answers) {
            (Self::Multiclass(multiclass), Answers::Classes { scores, .. }) => {
                Some(Foreseen::Classes(multiclass.rows(scores, rows)))
            }
            _ => None,
        }
    }

    /// The figures that are to be expected of a group.
    pub(super) fn estimate(&self, config: &ModelConfig, tally: &Tally) -> io::Result<Estimates> {
        match self {
            Self::Binary(binary) => binary.estimate(config, tally),
            Self::Multiclass(multiclass) => multiclass.estimate(config, tally),
        }
    }

    /// The confusion matrix that is to be expected of a group.
    pub(super) fn matrix(&self, tally: &Tally) -> Option<ExpectedMatrix> {
        match self {
            Self::Binary(_) => None,
            Self::Multiclass(multiclass) => Some(multiclass.matrix(&tally.expected)),
        }
    }
}
