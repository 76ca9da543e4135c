//! The policy: what is compared, and what must hold.
//!
//! ```toml
//! id = "id"                       # pairs the rows of the two logs
//! prediction = "y_pred"
//! score = "p"
//! label = "repaid"                # in a log, or in `labels`
//! groups = ["gender"]
//! latency = "ms"
//! values = { tp = 120, fp = -800 }
//! training = ["train.parquet"]    # what the challenger learned from, beside
//! current = ["tonight/"]          # the features that it would meet
//!
//! [[rule]]
//! figure = "change.accuracy"      # challenger minus champion
//! min = -0.005                    # kept when the whole interval lies above
//!
//! [[rule]]
//! figure = "challenger.latency_p95"
//! max = 200
//! otherwise = "hold"              # instead of "reject"
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::report::Decision;
use crate::config::{ConfigError, Document};
use crate::model::config::ModelConfig;
use crate::model::error::ModelError;
use crate::model::options::{ModelOptions, Task, delay};
use crate::stats::Confidence;

/// What must hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Name of the figure that it bounds.
    pub figure: String,
    /// It must not be below.
    pub min: Option<f64>,
    /// It must not be above.
    pub max: Option<f64>,
    /// Whether the whole interval must lie within the bounds, or only the value [default: true].
    pub certain: Option<bool>,
    /// What follows when it does not hold [default: reject].
    pub otherwise: Option<Decision>,
}

/// What is compared, and what must hold. Columns are as in [`ModelOptions`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the options of a model have the docs")]
pub struct Policy {
    pub task: Option<Task>,
    pub id: Option<String>,
    pub prediction: Option<String>,
    pub score: Option<String>,
    pub label: Option<String>,
    pub labels: Option<Vec<String>>,
    pub positive: Option<String>,
    pub threshold: Option<f64>,
    pub timestamp: Option<String>,
    /// Rows of the last days are compared apart, too, such as 7days.
    pub recent: Option<String>,
    /// Columns whose groups must be treated alike.
    pub groups: Vec<String>,
    pub latency: Option<String>,
    pub error: Option<String>,
    pub values: Option<BTreeMap<String, f64>>,
    /// What the challenger learned from, and the features that it would meet: Parquet files, folders or globs.
    pub training: Vec<String>,
    /// See `training`.
    pub current: Vec<String>,
    /// Names and globs of the features that are compared [default: all but the columns named here].
    pub features: Vec<String>,
    pub confidence: Option<f64>,
    /// Samples of the bootstrap [default: 1000].
    pub samples: Option<u32>,
    /// Seed of its random numbers [default: 42].
    pub seed: Option<u64>,
    /// With fewer pairs than this nothing is sure [default: 100].
    pub min_rows: Option<u64>,
    /// Groups with fewer pairs than this are left out of fairness [default: 30].
    pub min_group: Option<u64>,
    pub rule: Vec<Rule>,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// When it cannot be read, has keys that nobody knows, or values that cannot be meant.
    pub fn read(file: &Path) -> Result<Self, ModelError> {
        let read = || -> Result<Self, ConfigError> {
            let text =
                std::fs::read_to_string(file).map_err(|source| ConfigError::Read { file: file.to_owned(), source })?;
            let document = Document::parse(&text, file)?;
            toml::from_str(&text).map_err(|error| document.explain(&error))
        };
        let mut policy = read().map_err(|error| ModelError::Config(Box::new(error)))?;
        let wrong = |reason: &str| Err(ModelError::Policy { file: file.to_owned(), reason: reason.to_owned() });
        if policy.id.is_none() || policy.label.is_none() {
            return wrong("name `id`, which pairs the rows of the two logs, and `label`");
        }
        if policy.task == Some(Task::Ranking) {
            return wrong(
                "`task` must be binary, multiclass or regression; `gpudrift model compare` sets rankings side by side",
            );
        }
        if policy.task == Some(Task::Multiclass) && (policy.score.is_some() || !policy.groups.is_empty()) {
            return wrong("`score` and `groups` are for a binary task");
        }
        if policy.task == Some(Task::Regression) && !policy.groups.is_empty() {
            return wrong("`groups` are for a binary task: fairness compares the shares of positive predictions");
        }
        if policy.recent.is_some() && policy.timestamp.is_none() {
            return wrong("`recent` needs a `timestamp`");
        }
        if policy.confidence.is_some_and(|level| Confidence::new(level).is_none()) {
            return wrong("`confidence` must lie between 0 and 1");
        }
        if policy.samples == Some(0) {
            return wrong("`samples` must be at least 1");
        }
        for rule in &policy.rule {
            if rule.min.is_none() && rule.max.is_none() {
                return wrong(&format!("the rule of {} has neither `min` nor `max`", rule.figure));
            }
        }
        if policy.training.is_empty() != policy.current.is_empty() {
            return wrong(
                "name both `training`, what the challenger learned from, and `current`, the features that it would meet",
            );
        }
        let folder = file.parent().unwrap_or(Path::new(""));
        let seen = |paths: Vec<String>| paths.into_iter().map(|path| folder.join(path).display().to_string()).collect();
        policy.labels = policy.labels.map(seen);
        policy.training = seen(policy.training);
        policy.current = seen(policy.current);
        if policy.rule.is_empty() {
            policy.rule = policy.customary();
        }
        Ok(policy)
    }

    /// Rules of a policy that has none: not worse by more than a hundredth, and groups within a tenth.
    fn customary(&self) -> Vec<Rule> {
        let rule = |figure: String, min, max| Rule { figure, min, max, ..Rule::default() };
        let mut rules = match self.task.unwrap_or_default() {
            Task::Regression => vec![rule("change.r2".to_owned(), Some(-0.01), None)],
            _ => vec![rule("change.accuracy".to_owned(), Some(-0.01), None)],
        };
        for group in &self.groups {
            rules.push(rule(format!("challenger.demographic_parity.{group}"), None, Some(0.1)));
            rules.push(rule(format!("challenger.equalized_odds.{group}"), None, Some(0.1)));
        }
        if self.latency.is_some() {
            rules.push(rule("challenger.latency_p95".to_owned(), None, Some(500.0)));
        }
        if self.error.is_some() {
            rules.push(rule("challenger.error_rate".to_owned(), None, Some(0.05)));
        }
        if !self.training.is_empty() {
            let drifted = rule("training.critical".to_owned(), None, Some(0.0));
            rules.push(Rule { otherwise: Some(Decision::Hold), ..drifted });
        }
        rules
    }

    /// One of the two logs, as a model.
    pub(super) fn model(&self, name: &str, paths: &[String]) -> Result<ModelConfig, ModelError> {
        let policy = self.clone();
        let options = ModelOptions {
            input: Some(paths.to_vec()),
            task: policy.task,
            prediction: policy.prediction,
            score: policy.score,
            label: policy.label,
            labels: policy.labels,
            id: policy.id,
            positive: policy.positive,
            threshold: policy.threshold,
            timestamp: policy.timestamp,
            segments: Some(policy.groups),
            latency: policy.latency,
            error: policy.error,
            values: policy.values,
            ..ModelOptions::default()
        };
        options.resolve(name)
    }

    /// Rows later than this many microseconds before the latest one are recent.
    pub(super) fn recent(&self) -> Result<Option<i64>, ModelError> {
        let recent = self.recent.as_deref().map(delay).transpose()?;
        Ok(recent.map(|recent| i64::try_from(recent.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Of the intervals.
    #[must_use]
    pub fn confidence(&self) -> Confidence {
        Confidence::new(self.confidence.unwrap_or(0.95)).expect("checked when the policy was read")
    }

    /// Samples of the bootstrap.
    #[must_use]
    pub fn samples(&self) -> u32 {
        self.samples.unwrap_or(1000)
    }

    /// Seed of its random numbers.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(42)
    }
}
