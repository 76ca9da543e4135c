//! What a scan of models found: as JSON, or as a table for people.
//!
//! The same rows give the same report, apart from `run`: models stand in the order of the file, their groups in the order of
//! windows, versions and segments.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::confusion::Matrix;
use super::drift::DriftReport;
use super::estimate::{Estimate, Estimation, ExpectedMatrix};
use super::join::IdFacts;
use super::operations::Operations;
use super::options::Task;
use super::tally::RowCounts;
use super::window::Window;
use crate::format::counted;
use crate::verdict::Level;

/// The report of a scan of models.
#[derive(Clone, Debug, Serialize)]
pub struct ModelReport {
    /// Version of this layout.
    pub schema_version: u32,
    /// What ran.
    pub run: RunFacts,
    /// Counts over all models.
    pub summary: Summary,
    /// Each model: its log, and its baseline.
    pub models: Vec<ModelFacts>,
    /// Each group of each model: its figures.
    pub groups: Vec<GroupReport>,
}

/// What ran.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RunFacts {
    /// Version of the program.
    pub version: &'static str,
    /// Wall time.
    pub duration_seconds: f64,
    /// Who sorted the scores.
    pub backend: &'static str,
    /// The device in words, where it was one.
    pub device: Option<String>,
    /// What went wrong on the device without costing the result.
    pub warnings: Vec<String>,
}

/// Counts over all models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Models.
    pub models: u64,
    /// Groups of all of them.
    pub groups: u64,
    /// Rows of their logs that were counted, each once.
    pub rows: u64,
    /// Those with a label.
    pub labelled: u64,
    /// Groups without a finding.
    pub ok: u64,
    /// Groups with something worth knowing.
    pub info: u64,
    /// Groups that became worse.
    pub warning: u64,
    /// Groups that became much worse.
    pub critical: u64,
}

/// A model: its log, and its baseline.
#[derive(Clone, Debug, Serialize)]
pub struct ModelFacts {
    /// Name in the configuration.
    pub model: String,
    /// What it predicts.
    pub task: Task,
    /// How rows are cut by time.
    pub window: Window,
    /// Paths and globs of the log, of labels that arrive apart, and of the reference.
    pub input: Vec<String>,
    /// See `input`.
    pub labels: Vec<String>,
    /// See `input`.
    pub reference: Vec<String>,
    /// Files and rows of the log.
    pub files: usize,
    /// See `files`.
    pub rows: u64,
    /// Rows of the labels that arrive apart.
    pub label_rows: u64,
    /// The latest time of the log (RFC 3339, UTC), where rows have one.
    pub latest: Option<String>,
    /// Hash of what decides about the figures: everything that is configured but the paths of log and labels.
    pub definition: String,
    /// What was found about ids.
    pub ids: IdFacts,
    /// Level of the confidence intervals.
    pub confidence: f64,
    /// Figures of the whole reference.
    pub baseline: BTreeMap<&'static str, Option<f64>>,
    /// Whether scores are calibrated before performance is estimated; null where it is not.
    pub calibrated: Option<bool>,
    /// How performance is estimated without labels; null where it is not asked for.
    pub estimation: Option<Estimation>,
    /// The worst level of its groups.
    pub level: Level,
}

/// First and last day of a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dates {
    /// The first day.
    pub start: String,
    /// The last day.
    pub end: String,
}

/// A value of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// The column.
    pub column: String,
    /// The value; `None` for null.
    pub value: Option<String>,
}

/// The rows of a window, a version and a segment.
#[derive(Clone, Debug, Serialize)]
pub struct GroupReport {
    /// Name of the model.
    pub model: String,
    /// `None` for all rows, and for rows without a time.
    pub window: Option<Dates>,
    /// Whether these are the rows without a time.
    pub untimed: bool,
    /// `None` where versions are not told apart, or the version is null.
    pub version: Option<String>,
    /// `None` for the rows of all segments.
    pub segment: Option<Segment>,
    /// How bad it is.
    pub level: Level,
    /// Why.
    pub reasons: Vec<String>,
    /// Rows by what they have.
    pub rows: RowCounts,
    /// Share of rows that have a label.
    pub coverage: f64,
    /// The day on which all labels should be there, where a delay is declared.
    pub labels_due: Option<String>,
    /// Whether that day lies after the latest row of the log.
    pub labels_pending: bool,
    /// Figures by name.
    pub metrics: IndexMap<&'static str, MetricReport>,
    /// Why figures have no value.
    pub undefined: BTreeMap<&'static str, &'static str>,
    /// Of a classifier, where there are labels.
    pub confusion: Option<Matrix>,
    /// What the predictions were worth, where outcomes have values.
    pub business: Option<Business>,
    /// Of a model with a reference: the figures that are to be expected, without labels.
    pub estimated: IndexMap<&'static str, Estimate>,
    /// Of a classifier with a reference: the confusion matrix that the scores let expect.
    pub expected_confusion: Option<ExpectedMatrix>,
    /// Predictions and scores beside those of the reference.
    pub drift: IndexMap<String, DriftReport>,
    /// How the model was served.
    pub operations: Option<Operations>,
}

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricReport {
    /// The figure; null where `undefined` says why.
    pub value: Option<f64>,
    /// Ends of its confidence interval, where one is known.
    pub low: Option<f64>,
    /// See `low`.
    pub high: Option<f64>,
    /// The figure of the same segment of the reference, or a declared one.
    pub baseline: Option<f64>,
    /// How much worse than the baseline it is; negative when it is better.
    pub worse_by: Option<f64>,
    /// What that amounts to.
    pub level: Level,
}

/// What predictions were worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Business {
    /// Of all measured rows.
    pub total: f64,
    /// A row.
    pub mean: f64,
}

impl ModelReport {
    /// The worst level of all groups.
    #[must_use]
    pub fn worst(&self) -> Level {
        self.groups.iter().map(|group| group.level).max().unwrap_or_default()
    }

    /// What a person should know beside the report.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.run.warnings.clone();
        for facts in &self.models {
            if let Some(reason) = facts.estimation.as_ref().and_then(|estimation| estimation.reason.as_ref()) {
                warnings.push(format!("model {}: performance is not estimated without labels: {reason}", facts.model));
            }
            let ids = &facts.ids;
            let told = [
                (ids.duplicate_predictions, "rows of the log have an id that another row has, and were left out"),
                (ids.predictions_without_id, "rows of the log have no id"),
                (ids.duplicate_labels, "labels have an id that another label has, and were left out"),
                (ids.conflicting_labels, "of those say something else than the one that was kept"),
                (ids.labels_without_id, "labels have no id"),
                (ids.labels_without_prediction, "labels have an id that no row of the log has"),
            ];
            let groups = self.groups.iter().filter(|group| group.model == facts.model && group.segment.is_none());
            let rows = groups.fold([0; 3], |[null, nan, weights], group| {
                let RowCounts { null_scores, nan_scores, bad_weights, .. } = group.rows;
                [null + null_scores, nan + nan_scores, weights + bad_weights]
            });
            let told_of_rows = [
                (rows[0], "scores are null"),
                (rows[1], "scores are NaN"),
                (rows[2], "weights are null, NaN, infinite or negative, and were left out"),
            ];
            for (count, what) in told.into_iter().chain(told_of_rows).filter(|(count, _)| *count > 0) {
                warnings.push(format!("model {}: {} {what}", facts.model, crate::format::count(count)));
            }
            warnings.extend(self.without_figures(&facts.model));
        }
        warnings
    }

    /// Which figures groups of all segments lack though they have labels, and why.
    fn without_figures(&self, model: &str) -> Vec<String> {
        let groups = || self.groups.iter().filter(|group| group.model == model && group.segment.is_none());
        let mut lacking: BTreeMap<&str, (BTreeSet<&str>, usize)> = BTreeMap::new();
        for group in groups().filter(|group| group.rows.measured > 0) {
            let reasons: BTreeSet<&str> = group.undefined.values().copied().collect();
            for reason in reasons {
                let (figures, times) = lacking.entry(reason).or_default();
                figures.extend(group.undefined.iter().filter(|(_, why)| **why == reason).map(|(name, _)| *name));
                *times += 1;
            }
        }
        let told = lacking.into_iter().map(|(reason, (figures, times))| {
            let figures = figures.into_iter().map(|name| name.replace('_', " ")).collect::<Vec<_>>().join(", ");
            format!(
                "model {model}: no {figures} in {times} of {}: {reason}",
                counted(groups().count() as u64, "group", "groups")
            )
        });
        told.collect()
    }

    /// One object, an element a line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { schema_version, run, summary, models, groups } = self;
        writeln!(out, "{{\"schema_version\":{schema_version},\n\"run\":{},", text(run)?)?;
        writeln!(out, "\"summary\":{},\n\"models\":{},", text(summary)?, lines(models)?)?;
        writeln!(out, "\"groups\":{}}}", lines(groups)?)
    }
}

fn text<T: Serialize>(value: &T) -> io::Result<String> {
    serde_json::to_string(value).map_err(io::Error::from)
}

fn lines<T: Serialize>(elements: &[T]) -> io::Result<String> {
    let elements: Vec<String> = elements.iter().map(text).collect::<io::Result<_>>()?;
    Ok(if elements.is_empty() { "[]".to_owned() } else { format!("[\n{}\n]", elements.join(",\n")) })
}
