//! What can be asked for: the same keys as flags of `gpudrift model scan` and in a table `[model.NAME]` of a file.
//!
//! ```toml
//! [model.loan]
//! task = "binary"
//! input = ["log/2026-*.parquet"]          # relative to the folder of the file
//! prediction = "y_pred"
//! score = "y_pred_proba"
//! labels = ["labels/*.parquet"]           # joined on `id`
//! id = "id"
//! label = "repaid"
//! delay = "30days"
//! timestamp = "timestamp"
//! window = "month"
//! segments = ["region"]
//! features = ["age", "income"]
//! importances = { age = 0.3, income = 0.7 }  # or the path of a file
//! reference = ["log/reference.parquet"]
//! levels.roc_auc = { warning = 0.02, critical = 0.05 }
//! values = { tp = 120, fp = -800, fn = -30 }
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::ModelError;
use super::importance::Importances;
use super::window::Window;
use crate::config::{FailOn, FileConfig};

/// What a model predicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// One of two classes
    #[default]
    Binary,
    /// One of several classes
    Multiclass,
    /// A number
    Regression,
    /// An order: scores that are no probabilities, and labels that say what was relevant
    Ranking,
}

impl Task {
    /// Whether labels are yes or no.
    pub(super) fn has_two_classes(self) -> bool {
        matches!(self, Self::Binary | Self::Ranking)
    }

    /// Whether rows are predicted to be of a class.
    pub(super) fn predicts_classes(self) -> bool {
        matches!(self, Self::Binary | Self::Multiclass)
    }

    /// The metric that is judged and followed where none is named.
    #[must_use]
    pub fn main_metric(self) -> &'static str {
        match self {
            Self::Binary | Self::Multiclass => "accuracy",
            Self::Regression => "r2",
            Self::Ranking => "roc_auc",
        }
    }
}

/// Which of several rows with one id counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// The first, in the order of the files
    #[default]
    First,
    /// The last, in the order of the files
    Last,
}

/// Whether scores become probabilities before performance is estimated from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Calibrate {
    /// Where that lowers the calibration error on rows it was not fitted to
    #[default]
    Auto,
    /// Yes
    Always,
    /// No: the scores are probabilities
    Never,
}

/// From which change to the worse a metric has a level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// WARNING from here.
    pub warning: Option<f64>,
    /// CRITICAL from here.
    pub critical: Option<f64>,
}

/// Everything optional: flags, a file, and what both say together.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct ModelOptions {
    /// The prediction log: Parquet files, folders or globs
    #[arg(long, short, value_name = "PATH", num_args = 1..)]
    pub input: Option<Vec<String>>,
    /// What the model predicts [default: binary]
    #[arg(long, value_enum, value_name = "TASK")]
    pub task: Option<Task>,
    /// Column of predictions; without it, --score decides at --threshold
    #[arg(long, value_name = "COLUMN")]
    pub prediction: Option<String>,
    /// Column of the score of the positive class
    #[arg(long, value_name = "COLUMN")]
    pub score: Option<String>,
    /// Column of the score of each class, by class.
    #[arg(skip)]
    pub scores: Option<IndexMap<String, String>>,
    /// Column of labels, in the log or in --labels
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// The positive class [default: true or 1]
    #[arg(long, value_name = "CLASS")]
    pub positive: Option<String>,
    /// Scores from here on are predicted positive, where there is no --prediction [default: 0.5]
    #[arg(long, value_name = "SCORE")]
    pub threshold: Option<f64>,
    /// Parquet with labels that arrived later, joined on --id
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub labels: Option<Vec<String>>,
    /// Column that names a prediction, in the log and with its label
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Which of several rows with one id counts [default: first]
    #[arg(long, value_enum, value_name = "ROW")]
    pub keep: Option<Keep>,
    /// How late labels arrive, such as 30days [default: 0s]
    #[arg(long, value_name = "TIME")]
    pub delay: Option<String>,
    /// Column of the time of a prediction
    #[arg(long, value_name = "COLUMN")]
    pub timestamp: Option<String>,
    /// Rows that are measured together [default: whole]
    #[arg(long, value_enum, value_name = "WINDOW")]
    pub window: Option<Window>,
    /// Column of the model's version
    #[arg(long, value_name = "COLUMN")]
    pub version: Option<String>,
    /// Columns whose values are measured apart, besides all rows
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub segments: Option<Vec<String>>,
    /// Column of the weight of a row
    #[arg(long, value_name = "COLUMN")]
    pub weight: Option<String>,
    /// A log with labels that levels are measured against
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub reference: Option<Vec<String>>,
    /// Values of metrics that levels are measured against, where the reference has none.
    #[arg(skip)]
    pub baseline: Option<BTreeMap<String, f64>>,
    /// Levels by metric.
    #[arg(skip)]
    pub levels: Option<BTreeMap<String, Limits>>,
    /// What a row is worth, by outcome.
    #[arg(skip)]
    pub values: Option<BTreeMap<String, f64>>,
    /// Column of latencies, in milliseconds
    #[arg(long, value_name = "COLUMN")]
    pub latency: Option<String>,
    /// Column that says whether a request failed
    #[arg(long, value_name = "COLUMN")]
    pub error: Option<String>,
    /// Other numbers of a request, such as CPU time
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub operations: Option<Vec<String>>,
    /// Features of the model; a regression with a --reference learns from them how wrong it is, before any label
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub features: Option<Vec<String>>,
    /// How much each feature matters: a table of numbers, or a file (.csv, .json, .parquet) with `feature` and `importance`.
    #[arg(skip)]
    pub importances: Option<Importances>,
    /// Whether scores are calibrated before performance is estimated without labels [default: auto]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub calibrate: Option<Calibrate>,
    /// Level of confidence intervals [default: 0.95]
    #[arg(long, value_name = "SHARE")]
    pub confidence: Option<f64>,
    /// Fewer labels than this give no level [default: 100]
    #[arg(long, value_name = "ROWS")]
    pub min_labels: Option<u64>,
    /// Once they are due, a smaller share of labels than this is worth knowing [default: 0.9]
    #[arg(long, value_name = "SHARE")]
    pub min_coverage: Option<f64>,
    /// End with exit code 1 from this level on [default: never]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<FailOn>,
}

impl ModelOptions {
    /// The models to look at, by name: every `[model.NAME]` of the file that applies (or those in `wanted`), each under these
    /// flags. The file is the one named, or [`DEFAULT_FILE`](crate::config::DEFAULT_FILE) in this folder when no input is named. Without a file, these flags
    /// are a model called `model`.
    ///
    /// # Errors
    /// When a named file cannot be read, a table has keys that nobody knows, or there is no such model.
    pub fn models(self, named: Option<&Path>, wanted: &[String]) -> Result<Vec<(String, Self)>, ModelError> {
        if named.is_none() && self.input.is_some() && wanted.is_empty() {
            return Ok(vec![("model".to_owned(), self)]);
        }
        let file = FileConfig::named_or_default(named).map_err(|error| ModelError::Config(Box::new(error)))?;
        let Some(file) = file else { return Err(ModelError::NoInput) };
        let (path, models) = (file.path(), file.sections.model);
        let known: Vec<String> = models.keys().cloned().collect();
        if let Some(unknown) = wanted.iter().find(|name| !known.contains(name)) {
            return Err(ModelError::UnknownModel { file: path, name: unknown.clone(), known: known.join(", ") });
        }
        if known.is_empty() {
            return Err(ModelError::NoTable { file: path });
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let chosen = models.into_iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name));
        Ok(chosen.map(|(name, file)| (name, self.clone().or(file.beside(folder)))).collect())
    }

    /// These, and those of `file` where these are silent.
    fn or(self, file: Self) -> Self {
        macro_rules! either {
            ($($field:ident),*) => { Self { $($field: self.$field.or(file.$field)),* } };
        }
        either!(
            input,
            task,
            prediction,
            score,
            scores,
            label,
            positive,
            threshold,
            labels,
            id,
            keep,
            delay,
            timestamp,
            window,
            version,
            segments,
            weight,
            reference,
            baseline,
            levels,
            values,
            latency,
            error,
            operations,
            features,
            importances,
            calibrate,
            confidence,
            min_labels,
            min_coverage,
            fail_on
        )
    }

    /// Paths as seen from here, when they were written as seen from `folder`.
    fn beside(self, folder: &Path) -> Self {
        let seen = |paths: Option<Vec<String>>| {
            paths.map(|paths| paths.into_iter().map(|path| folder.join(path).display().to_string()).collect())
        };
        Self { input: seen(self.input), labels: seen(self.labels), reference: seen(self.reference), ..self }
    }
}

/// A delay as it is written: `30days`, `12h`.
pub(super) fn delay(text: &str) -> Result<Duration, ModelError> {
    humantime::parse_duration(text).map_err(|source| ModelError::Value {
        key: "delay",
        value: text.to_owned(),
        expected: format!("must be a time such as 30days or 12h ({source})"),
    })
}
