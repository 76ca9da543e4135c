//! What the options of a model amount to, checked.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::error::ModelError;
use super::measure::{METRICS, metric};
use super::options::{Calibrate, Keep, Limits, ModelOptions, Task, delay};
use super::window::Window;
use crate::stats::Confidence;

/// A model, and how it is looked at. See [`ModelOptions`] for what the fields mean.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the options have the docs")]
pub struct ModelConfig {
    pub name: String,
    pub input: Vec<String>,
    pub task: Task,
    pub prediction: Option<String>,
    /// (class, column); one, of the positive class, for a binary task.
    pub scores: Vec<(String, String)>,
    pub label: Option<String>,
    pub positive: Option<String>,
    pub threshold: f64,
    pub labels: Vec<String>,
    pub id: Option<String>,
    pub keep: Keep,
    pub delay: Duration,
    pub timestamp: Option<String>,
    pub window: Window,
    pub version: Option<String>,
    pub segments: Vec<String>,
    pub weight: Option<String>,
    pub reference: Vec<String>,
    pub baseline: BTreeMap<String, f64>,
    pub levels: BTreeMap<&'static str, Limits>,
    pub values: BTreeMap<String, f64>,
    pub latency: Option<String>,
    pub error: Option<String>,
    pub operations: Vec<String>,
    pub features: Vec<String>,
    pub calibrate: Calibrate,
    #[serde(serialize_with = "level")]
    pub confidence: Confidence,
    pub min_labels: u64,
    pub min_coverage: f64,
}

fn level<S: Serializer>(confidence: &Confidence, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(confidence.level())
}

impl ModelConfig {
    /// Hash of what decides about the figures and their levels: not where the log and its labels lie, which is another
    /// place every night. The reference counts by its path, seen from the root.
    #[must_use]
    pub fn definition(&self) -> String {
        let absolute = |path: &String| {
            std::path::absolute(path).map_or_else(|_| path.clone(), |path| path.to_string_lossy().into_owned())
        };
        let reference = self.reference.iter().map(absolute).collect();
        let config = Self { reference, input: Vec::new(), labels: Vec::new(), ..self.clone() };
        let json = serde_json::to_string(&config).expect("options are JSON");
        let mut definition = hex::encode(Sha256::digest(json));
        definition.truncate(16);
        definition
    }
}

/// Names of levels that are no metrics of performance: limits of the figures themselves.
pub(super) const LATENCY_P95: &str = "latency_p95";
pub(super) const ERROR_RATE: &str = "error_rate";

fn default_levels() -> BTreeMap<&'static str, Limits> {
    let limits = |warning, critical| Limits { warning: Some(warning), critical: Some(critical) };
    BTreeMap::from([
        ("accuracy", limits(0.03, 0.1)),
        ("r2", limits(0.03, 0.1)),
        (LATENCY_P95, limits(200.0, 500.0)),
        (ERROR_RATE, limits(0.01, 0.05)),
    ])
}

impl ModelOptions {
    /// What they amount to, checked, for the model called `name`.
    ///
    /// # Errors
    /// When something that must be named is not, or a value cannot be meant.
    pub fn resolve(self, name: &str) -> Result<ModelConfig, ModelError> {
        let missing = |what: &'static str| ModelError::Missing { model: name.to_owned(), what };
        let task = self.task.unwrap_or_default();
        let input = self.input.filter(|paths| !paths.is_empty());
        let input = input.ok_or_else(|| ModelError::NoLog { model: name.to_owned() })?;
        let labels = self.labels.unwrap_or_default();
        let scores: Vec<(String, String)> = match (task, self.score, self.scores) {
            (Task::Binary | Task::Ranking, Some(column), None) => vec![(String::new(), column)],
            (Task::Binary, None, Some(scores)) if scores.len() == 1 => scores.into_iter().collect(),
            (Task::Multiclass, None, Some(scores)) => scores.into_iter().collect(),
            (Task::Ranking, ..) => return Err(missing("a ranking has one `score`")),
            (_, None, None) => Vec::new(),
            (Task::Binary, ..) => return Err(missing("a binary task has one `score`, that of the positive class")),
            (Task::Multiclass, ..) => {
                return Err(missing("several classes need `scores = { CLASS = \"COLUMN\", ... }`"));
            }
            (Task::Regression, ..) => return Err(missing("a regression has no scores; name its `prediction`")),
        };
        if task == Task::Ranking && self.prediction.is_some() {
            return Err(missing("a ranking has a `score` and no `prediction`"));
        }
        if self.prediction.is_none() && (!task.has_two_classes() || scores.is_empty()) {
            return Err(missing("name the column of predictions with `prediction` (or, for a binary task, `score`)"));
        }
        if !labels.is_empty() && (self.id.is_none() || self.label.is_none()) {
            return Err(missing("`labels` are joined on `id`, and `label` names their column: name both"));
        }
        let window = self.window.unwrap_or_default();
        if window != Window::Whole && self.timestamp.is_none() {
            return Err(missing("windows need a `timestamp`"));
        }
        let positive =
            self.positive.or_else(|| scores.first().map(|(class, _)| class.clone()).filter(|c| !c.is_empty()));
        let confidence = self.confidence.unwrap_or(0.95);
        if let Some(importances) = &self.importances {
            importances.check(self.features.as_deref())?;
        }
        let config = ModelConfig {
            name: name.to_owned(),
            input,
            task,
            prediction: self.prediction,
            scores,
            label: self.label,
            positive: positive.filter(|_| task.has_two_classes()),
            threshold: self.threshold.unwrap_or(0.5),
            labels,
            id: self.id,
            keep: self.keep.unwrap_or_default(),
            delay: self.delay.as_deref().map(delay).transpose()?.unwrap_or_default(),
            timestamp: self.timestamp,
            window,
            version: self.version,
            segments: self.segments.unwrap_or_default(),
            weight: self.weight,
            reference: self.reference.unwrap_or_default(),
            baseline: checked_baseline(self.baseline.unwrap_or_default(), task)?,
            levels: levels(self.levels.unwrap_or_default(), task)?,
            values: values(self.values.unwrap_or_default(), task)?,
            latency: self.latency,
            error: self.error,
            operations: self.operations.unwrap_or_default(),
            features: self.features.unwrap_or_default(),
            calibrate: self.calibrate.unwrap_or_default(),
            confidence: Confidence::new(confidence).ok_or_else(|| ModelError::Value {
                key: "confidence",
                value: confidence.to_string(),
                expected: "must lie between 0 and 1".to_owned(),
            })?,
            min_labels: self.min_labels.unwrap_or(100),
            min_coverage: self.min_coverage.unwrap_or(0.9),
        };
        Ok(config)
    }
}

fn unknown(key: &'static str, name: &str, known: impl Iterator<Item = &'static str>) -> ModelError {
    let expected = format!("must be one of {}", known.collect::<Vec<_>>().join(", "));
    ModelError::Value { key, value: name.to_owned(), expected }
}

fn names(task: Task) -> impl Iterator<Item = &'static str> {
    METRICS.iter().filter(move |card| card.tasks.contains(&task)).map(|card| card.name)
}

fn levels(asked: BTreeMap<String, Limits>, task: Task) -> Result<BTreeMap<&'static str, Limits>, ModelError> {
    let operational = [LATENCY_P95, ERROR_RATE];
    let mut levels = default_levels();
    if task == Task::Ranking {
        levels.insert(task.main_metric(), Limits { warning: Some(0.03), critical: Some(0.1) });
    }
    levels.retain(|name, _| operational.contains(name) || names(task).any(|known| known == *name));
    for (name, limits) in asked {
        let found = names(task).chain(operational).find(|known| *known == name);
        let found = found.ok_or_else(|| unknown("levels", &name, names(task).chain(operational)))?;
        let bad = [limits.warning, limits.critical].into_iter().flatten().find(|limit| limit.is_nan() || *limit < 0.0);
        if let Some(bad) = bad {
            let expected = format!("a level of {name} must not be negative");
            return Err(ModelError::Value { key: "levels", value: bad.to_string(), expected });
        }
        levels.insert(found, limits);
    }
    Ok(levels)
}

fn checked_baseline(baseline: BTreeMap<String, f64>, task: Task) -> Result<BTreeMap<String, f64>, ModelError> {
    match baseline.keys().find(|name| metric(name).is_none_or(|card| !card.tasks.contains(&task))) {
        Some(name) => Err(unknown("baseline", name, names(task))),
        None => Ok(baseline),
    }
}

fn values(values: BTreeMap<String, f64>, task: Task) -> Result<BTreeMap<String, f64>, ModelError> {
    let known: &[&'static str] = match task {
        Task::Binary => &["tp", "fp", "fn", "tn"],
        Task::Multiclass => &["right", "wrong"],
        Task::Regression => &["error"],
        Task::Ranking => &[],
    };
    match values.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unknown("values", name, known.iter().copied())),
        None => Ok(values),
    }
}
