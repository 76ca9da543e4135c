//! How good the model is, and the rows that it could learn from, from the windows of model scans.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::evidence::{days, part_of};
use crate::history::{History, HistoryError, ModelFilter, ModelWindow};
use crate::model::{Better, metric};

/// Rows, or labels, below which a window says too little: as of a model scan by default.
const ENOUGH: u64 = 100;
/// Share of labels from which they count more than what was to be expected without them.
const MOST: f64 = 0.5;

/// How good the model is, where somebody knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// When it was trained.
    pub baseline: f64,
    /// Now.
    pub current: f64,
    /// Where the two come from; `None` when somebody has typed them, and larger is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<MeasuredIn>,
}

/// A window of a model in the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredIn {
    /// Name of the model.
    pub model: String,
    /// The version that most of the window's rows are of.
    pub version: Option<String>,
    /// The metric.
    pub metric: String,
    /// The window.
    pub window: String,
    /// Whether larger is worse.
    pub lower_is_better: bool,
    /// Whether it is what scores let expect (CBPE), for want of labels.
    pub estimated: bool,
    /// Labels of the window.
    pub labels: u64,
}

impl Performance {
    /// How much worse it became.
    #[must_use]
    pub fn worse_by(&self) -> f64 {
        let fell = self.baseline - self.current;
        if self.of.as_ref().is_some_and(|of| of.lower_is_better) { -fell } else { fell }
    }
}

/// What is looked at in the history.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watched<'a> {
    /// Name of the model; the only one, where none is named.
    pub model: Option<&'a str>,
    /// The metric; accuracy, or R² of a regression, where none is named.
    pub metric: Option<&'a str>,
    /// Whether estimates count where labels are missing.
    pub estimates: bool,
}

/// What the windows of a model say.
#[derive(Clone, Debug, Default)]
pub(super) struct FromModels {
    pub(super) performance: Option<Performance>,
    /// Rows with a label in windows since the training; `None` without windows.
    pub(super) labelled: Option<u64>,
    /// The first and the latest window: its name and instant.
    pub(super) ends: Option<[(String, DateTime<Utc>); 2]>,
    /// Models of which none was named.
    pub(super) unnamed: Vec<String>,
}

impl FromModels {
    pub(super) fn gather(
        history: &History,
        job: &str,
        watched: Watched<'_>,
        trained: Option<DateTime<Utc>>,
    ) -> Result<Self, HistoryError> {
        let model = watched.model.map(str::to_owned);
        let filter = ModelFilter { job: Some(job.to_owned()), model, whole: true, ..ModelFilter::default() };
        let mut windows = history.models(&filter)?;
        let mut names: Vec<String> = windows.iter().map(|window| window.key.model.clone()).collect();
        names.dedup();
        if names.len() > 1 {
            return Ok(Self { unnamed: names, ..Self::default() });
        }
        windows.sort_by_key(|window| window.at);
        let end = |window: &ModelWindow| (window.key.name(), window.at);
        Ok(Self {
            performance: windows.iter().rev().find_map(|window| of_window(&windows, window, watched)),
            labelled: (!windows.is_empty()).then(|| windows.iter().map(|window| labelled(window, trained)).sum()),
            ends: windows.first().zip(windows.last()).map(|(first, last)| [end(first), end(last)]),
            unnamed: Vec::new(),
        })
    }
}

/// What a window says, if its version answered the most rows of it.
fn of_window(all: &[ModelWindow], window: &ModelWindow, watched: Watched<'_>) -> Option<Performance> {
    let rows = |window: &ModelWindow| window.latest().rows.rows;
    let same = all.iter().filter(|other| other.key.window == window.key.window);
    if same.map(rows).max() > Some(rows(window)) {
        return None;
    }
    let name = watched.metric.unwrap_or(window.task.main_metric());
    let value = window.latest();
    let found = value.metrics.get(name);
    let true_one = found.and_then(|metric| metric.value);
    let true_one = true_one.filter(|_| value.rows.measured >= ENOUGH && value.coverage() >= MOST);
    let expected = value.estimate(name).filter(|_| watched.estimates && value.rows.rows >= ENOUGH);
    let (current, estimated) = true_one.map(|value| (value, false)).or(expected.map(|value| (value, true)))?;
    let of_estimate = || value.estimated.get(name).and_then(|estimate| estimate.baseline);
    let baseline = found.and_then(|metric| metric.baseline).or_else(of_estimate);
    Some(Performance {
        baseline: baseline?,
        current,
        of: Some(MeasuredIn {
            model: window.key.model.clone(),
            version: window.key.version.clone(),
            metric: name.to_owned(),
            window: window.key.window.clone(),
            lower_is_better: metric(name).is_some_and(|card| card.better == Better::Lower),
            estimated,
            labels: value.rows.labelled,
        }),
    })
}

/// Rows with a label of the part of a window that lies after the training.
fn labelled(window: &ModelWindow, trained: Option<DateTime<Utc>>) -> u64 {
    let rows = window.latest().rows.labelled;
    let Some(trained) = trained else { return rows };
    if window.at <= trained {
        return 0;
    }
    let start = window.days.as_ref().and_then(|days| days[0].parse::<chrono::NaiveDate>().ok());
    let start = start.and_then(|day| day.and_hms_opt(0, 0, 0)).map(|at| at.and_utc());
    match start.filter(|start| *start < trained) {
        Some(start) => part_of(rows, (days(window.at - trained) / days(window.at - start)).clamp(0.0, 1.0)),
        None => rows,
    }
}
