//! What was found of a window, and what becomes of it when it is found again.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ModelEntry, ModelKey};
use crate::format::ratio;
use crate::history::instant;
use crate::model::{Business, Estimate, GroupReport, MetricReport, Operations, RowCounts, Task};
use crate::verdict::Level;

/// How far predictions or scores moved from the reference's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelDrift {
    /// What it amounts to.
    pub level: Level,
    /// Population stability index.
    pub psi: Option<f64>,
    /// Its q-value.
    pub q_value: Option<f64>,
}

/// What a scan found of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelValue {
    /// When it was stored.
    #[serde(with = "instant")]
    pub stored_at: DateTime<Utc>,
    /// How bad it is.
    pub level: Level,
    /// Why.
    pub reasons: Vec<String>,
    /// Rows (requests) by what they have.
    pub rows: RowCounts,
    /// The day on which all labels should be there, where a delay is declared.
    #[serde(default)]
    pub labels_due: Option<String>,
    /// Figures by name, from labels; those that are defined.
    #[serde(default)]
    pub metrics: IndexMap<String, MetricReport>,
    /// Figures by name, as the scores let expect them.
    #[serde(default)]
    pub estimated: IndexMap<String, Estimate>,
    /// Drift of `prediction`, `score` and the like.
    #[serde(default)]
    pub drift: IndexMap<String, ModelDrift>,
    /// Throughput, latency, errors, declared columns.
    #[serde(default)]
    pub operations: Option<Operations>,
    /// What the predictions were worth.
    #[serde(default)]
    pub business: Option<Business>,
}

impl ModelValue {
    /// What a report says of a group.
    #[must_use]
    pub fn of(group: &GroupReport, now: DateTime<Utc>) -> Self {
        let drift = group.drift.iter().map(|(name, drift)| {
            let psi = drift.metrics.get("psi").and_then(Value::as_f64);
            (name.clone(), ModelDrift { level: drift.level, psi, q_value: drift.q_value })
        });
        let defined = group.metrics.iter().filter(|(_, metric)| metric.value.is_some());
        Self {
            stored_at: now,
            level: group.level,
            reasons: group.reasons.clone(),
            rows: group.rows,
            labels_due: group.labels_due.clone(),
            metrics: defined.map(|(name, metric)| ((*name).to_owned(), *metric)).collect(),
            estimated: group.estimated.iter().map(|(name, one)| ((*name).to_owned(), *one)).collect(),
            drift: drift.collect(),
            operations: group.operations.clone(),
            business: group.business,
        }
    }

    /// Share of the rows that have a label.
    #[must_use]
    pub fn coverage(&self) -> f64 {
        ratio(self.rows.labelled, self.rows.rows)
    }

    /// A figure from labels.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).and_then(|metric| metric.value)
    }

    /// A figure as it was to be expected without labels.
    #[must_use]
    pub fn estimate(&self, name: &str) -> Option<f64> {
        self.estimated.get(name).and_then(|estimate| estimate.value)
    }

    /// A figure from labels or, without them, as it was to be expected.
    #[must_use]
    pub fn best(&self, name: &str) -> Option<f64> {
        self.metric(name).or_else(|| self.estimate(name))
    }

    /// What a figure is held against.
    #[must_use]
    pub fn baseline(&self, name: &str) -> Option<f64> {
        let measured = self.metrics.get(name).and_then(|metric| metric.baseline);
        measured.or_else(|| self.estimated.get(name).and_then(|estimate| estimate.baseline))
    }

    /// Whether it says the same, whenever it was stored. Reasons follow from the figures; q-values depend on how many windows
    /// the log has, and say nothing new about this one unless its level is another.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let figures = |value: &Self| {
            let mut value = Self { stored_at: other.stored_at, reasons: Vec::new(), ..value.clone() };
            value.drift.values_mut().for_each(|drift| drift.q_value = None);
            value
        };
        figures(self) == figures(other)
    }
}

/// A window of a model in the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelWindow {
    /// What it is known by.
    #[serde(flatten)]
    pub key: ModelKey,
    /// First and last day.
    pub days: Option<[String; 2]>,
    /// The instant that it ends at; of an open one the latest row of the log.
    #[serde(with = "instant")]
    pub at: DateTime<Utc>,
    /// What the model predicts.
    pub task: Task,
    /// Whether the log ended within it.
    pub open: bool,
    /// 1, and one more each time that its value changed.
    pub revision: u32,
    /// Share of the rows of the window, in this segment, that this version answered.
    #[serde(default)]
    pub traffic: Option<f64>,
    /// What was found at first.
    pub first: ModelValue,
    /// What was found at last, where that is another value.
    pub amended: Option<ModelValue>,
    /// What was found of it as long as something else was configured, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierDefinition>,
}

/// What was found of a window under a definition that is not the latest one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlierDefinition {
    /// Hash of what was configured.
    pub definition: String,
    /// What was found at first.
    pub first: ModelValue,
    /// What was found at last, where that is another value.
    pub amended: Option<ModelValue>,
}

/// What became of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelStep {
    /// It is new.
    New,
    /// It says the same as before.
    Unchanged,
    /// It was not finished and has more rows now: its value takes the place of the first one.
    Grown,
    /// Its value stands beside the first one.
    Amended,
    /// It rests on fewer rows, or fewer labels, than what is kept, which stays.
    Kept,
}

impl ModelWindow {
    /// What is known now.
    #[must_use]
    pub fn latest(&self) -> &ModelValue {
        self.amended.as_ref().unwrap_or(&self.first)
    }

    /// What follows when `entry` is to be stored where `before` is; `None` for a window that stays as it is.
    pub(in crate::history) fn settle(before: Option<&Self>, entry: &ModelEntry) -> (ModelStep, Option<Self>) {
        let ModelEntry { key, days, at, task, open, value } = entry;
        let new = || Self {
            key: key.clone(),
            days: days.clone(),
            at: *at,
            task: *task,
            open: *open,
            revision: 1,
            traffic: None,
            first: value.clone(),
            amended: None,
            earlier: Vec::new(),
        };
        let Some(before) = before else { return (ModelStep::New, Some(new())) };
        let (rows, known) = (value.rows, before.latest().rows);
        let (open, at) = (before.open && *open, before.at.max(*at));
        let revision = before.revision + 1;
        match () {
            () if before.latest().says_the_same(value) => {
                // A later row of the log may have closed it.
                let now = Self { open, at, ..before.clone() };
                (ModelStep::Unchanged, (now != *before).then_some(now))
            }
            () if rows.rows < known.rows || (rows.rows == known.rows && rows.labelled < known.labelled) => {
                (ModelStep::Kept, None)
            }
            () if before.open && rows.rows > known.rows => (ModelStep::Grown, Some(Self { revision, ..new() })),
            () => {
                let (first, amended) = (before.first.clone(), Some(value.clone()));
                (ModelStep::Amended, Some(Self { revision, first, amended, open, at, ..before.clone() }))
            }
        }
    }
}
