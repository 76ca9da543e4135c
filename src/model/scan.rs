//! Logs to counts, counts to figures, figures to a report.

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::{DateTime, SecondsFormat};
use indexmap::IndexMap;

use super::baseline::{Baseline, Slice};
use super::columns::binary_names;
use super::config::ModelConfig;
use super::confusion::OfClass;
use super::count::{self, Counted};
use super::drift::{self, DriftReport};
use super::error::ModelError;
use super::estimate::{self, Estimation, Estimator, Kept};
use super::level::judge;
use super::measure::Measure;
use super::measures::{measures, unit};
use super::operations::operations;
use super::options::Task;
use super::report::{Business, Dates, GroupReport, ModelFacts, ModelReport, RunFacts, Segment, Summary};
use super::rows::Group;
use super::tally::Tally;
use super::window::{DAY, Window, date, days};
use crate::backend::Backend;
use crate::format::{counted as in_words, percent, real};
use crate::verdict::Level;

/// Scans the models on the current rayon pool, holding about `memory` bytes of counts and labels.
///
/// # Errors
/// When a configuration does not fit the data, or a file cannot be read.
pub fn scan(models: &[ModelConfig], memory: u64) -> Result<ModelReport, ModelError> {
    scan_on(models, memory, None)
}

/// The same with scores that are sorted by `backend`, where rows have no weights: another way to the same report.
///
/// # Errors
/// Those of [`scan`], and that a device failed.
pub fn scan_on(models: &[ModelConfig], memory: u64, backend: Option<&dyn Backend>) -> Result<ModelReport, ModelError> {
    let started = Instant::now();
    let mut summary = Summary { models: models.len() as u64, ..Summary::default() };
    let (mut facts, mut groups) = (Vec::new(), Vec::new());
    for config in models {
        let mut log = count::open_log(config)?;
        let reference = count::reference(config, memory, backend)?;
        let baseline = reference.as_ref().map(|reference| Baseline::of(config, reference, memory));
        let mut baseline = baseline.transpose()?.unwrap_or_default();
        baseline.learn_losses(config, &mut log, memory)?;
        let counted = count::log(config, &log, baseline.estimator.as_ref(), memory, backend)?;
        let (of_model, of_groups) = report(config, &counted, &baseline)?;
        for group in &of_groups {
            summary.groups += 1;
            if group.segment.is_none() {
                summary.rows += group.rows.rows;
                summary.labelled += group.rows.labelled;
            }
            *match group.level {
                Level::Ok => &mut summary.ok,
                Level::Info => &mut summary.info,
                Level::Warning => &mut summary.warning,
                Level::Critical => &mut summary.critical,
            } += 1;
        }
        facts.push(of_model);
        groups.extend(of_groups);
    }
    let run = RunFacts {
        version: env!("CARGO_PKG_VERSION"),
        duration_seconds: started.elapsed().as_secs_f64(),
        backend: backend.map_or("cpu", Backend::name),
        device: backend.map(Backend::device),
        warnings: backend.map(|backend| warnings(backend, models)).unwrap_or_default(),
    };
    Ok(ModelReport { schema_version: 1, run, summary, models: facts, groups })
}

/// What is to be said of a run on this backend.
fn warnings(backend: &dyn Backend, models: &[ModelConfig]) -> Vec<String> {
    let here = models.iter().filter(|config| config.weight.is_some());
    let here = here.map(|config| format!("model {}: its rows have weights, and were sorted on the CPU", config.name));
    backend.warnings().into_iter().chain(here).collect()
}

fn report(
    config: &ModelConfig,
    counted: &Counted,
    baseline: &Baseline<'_>,
) -> Result<(ModelFacts, Vec<GroupReport>), ModelError> {
    let latest = counted.groups.values().filter_map(|tally| tally.times).map(|[_, latest]| latest).max();
    let slice =
        |group: &Group| group.segment.as_ref().map(|(at, value)| (counted.segments[*at].clone(), value.clone()));
    let mut drift = Vec::with_capacity(counted.groups.len());
    for (group, tally) in &counted.groups {
        let references = baseline.predictions.get(&slice(group));
        drift.push(references.map(|references| references.compare(config, tally)).transpose()?.unwrap_or_default());
    }
    let told = drift::judge(&mut drift);
    let mut groups = Vec::with_capacity(counted.groups.len());
    for (((group, tally), drift), told) in counted.groups.iter().zip(drift).zip(told) {
        let part = Part { config, counted, baseline, slice: slice(group), latest };
        groups.push(part.report(group, tally, drift, told)?);
    }
    let whole = baseline.figures.get(&None);
    let told = groups.iter().filter(|group| group.segment.is_none() && group.rows.measured >= config.min_labels);
    let kept = Kept::of(told.map(|group| &group.estimated));
    let estimation = baseline.estimation.clone().map(|estimation| Estimation { kept, ..estimation });
    let facts = ModelFacts {
        model: config.name.clone(),
        task: config.task,
        window: config.window,
        input: config.input.clone(),
        labels: config.labels.clone(),
        reference: config.reference.clone(),
        files: counted.files,
        rows: counted.rows,
        label_rows: counted.label_rows,
        latest: latest
            .and_then(DateTime::from_timestamp_micros)
            .map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        definition: config.definition(),
        ids: counted.ids,
        confidence: config.confidence.level(),
        baseline: whole.iter().flat_map(|all| all.iter()).map(|(name, one)| (*name, one.value)).collect(),
        calibrated: baseline.estimator.as_ref().and_then(Estimator::calibrates),
        estimation,
        level: groups.iter().map(|group| group.level).max().unwrap_or_default(),
    };
    Ok((facts, groups))
}

/// A group, and what its report needs to know.
struct Part<'p> {
    config: &'p ModelConfig,
    counted: &'p Counted,
    baseline: &'p Baseline<'p>,
    slice: Slice,
    /// The latest time of the log.
    latest: Option<i64>,
}

impl Part<'_> {
    fn report(
        &self,
        group: &Group,
        tally: &Tally,
        drift: IndexMap<String, DriftReport>,
        of_drift: Vec<(Level, String)>,
    ) -> Result<GroupReport, ModelError> {
        let Self { config, counted, baseline, slice, latest } = self;
        let dates = group.window.and_then(|start| config.window.dates(start));
        let coverage = if tally.rows.rows == 0 { 0.0 } else { real(tally.rows.labelled) / real(tally.rows.rows) };
        let enough = tally.rows.measured >= config.min_labels;
        let (mut metrics, mut undefined, mut reasons) = (IndexMap::new(), BTreeMap::new(), Vec::new());
        if counted.has_labels {
            for (name, measure) in measures(config, tally)? {
                let (report, reason) = judge(config, name, &measure, baseline.figure(config, slice, name), enough);
                metrics.insert(name, report);
                undefined.extend(measure.reason.map(|reason| (name, reason)));
                reasons.extend(reason.map(|reason| (report.level, reason)));
            }
        }
        let mut estimated = match &baseline.estimator {
            Some(estimator) => estimator.estimate(config, tally)?,
            None => IndexMap::new(),
        };
        let matrix = baseline.estimator.as_ref().map(|estimator| estimator.matrix(config, tally)).transpose()?;
        for (name, estimate) in &mut estimated {
            let truth = metrics.get(*name).and_then(|metric| metric.value).filter(|_| coverage > 0.0);
            *estimate = estimate.beside(truth, tally.rows.rows, tally.rows.measured, config.confidence);
            // What came true weighs more than what was to be expected.
            let measure = Measure { value: estimate.value, ..Measure::default() };
            let many = tally.rows.rows >= config.min_labels && !enough;
            estimate.baseline = baseline.figure(config, slice, name);
            let (report, reason) = judge(config, name, &measure, estimate.baseline, many);
            reasons.extend(reason.map(|reason| (report.level, format!("expected {reason}"))));
        }
        let is_usual = |name: &str| config.levels.contains_key(name) || enough || tally.rows.rows < config.min_labels;
        reasons.extend(estimate::unusual(estimated.iter().filter(|(name, _)| !is_usual(name))));
        // Where it is known how good the predictions are, that they moved is worth a look, and no alarm.
        let known = counted.has_labels && enough;
        let at_most = if known { Level::Warning } else { Level::Critical };
        reasons.extend(of_drift.into_iter().map(|(level, reason)| (level.min(at_most), reason)));
        let (due, pending) = due(config, dates, *latest);
        let (operations, told) = operations(config, tally)?;
        reasons.extend(told);
        if counted.has_labels && !enough {
            let labels = in_words(tally.rows.measured, "labelled row", "labelled rows");
            reasons
                .push((Level::Ok, format!("too few labels for a level: {labels}, fewer than {}", config.min_labels)));
        }
        if counted.has_labels && !pending && coverage < config.min_coverage {
            reasons.push((Level::Info, format!("labels have arrived for {} of the rows", percent(coverage))));
        }
        reasons.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
        let has_matrix = counted.has_labels && config.task.predicts_classes();
        Ok(GroupReport {
            model: config.name.clone(),
            untimed: group.window.is_none(),
            window: dates.map(|[start, end]| Dates { start: start.to_string(), end: end.to_string() }),
            version: group.version.clone(),
            segment: slice.clone().map(|(column, value)| Segment { column, value }),
            level: reasons.first().map_or(Level::Ok, |(level, _)| *level),
            reasons: reasons.into_iter().map(|(_, reason)| reason).collect(),
            rows: tally.rows,
            coverage,
            labels_due: due,
            labels_pending: pending,
            metrics,
            undefined,
            confusion: has_matrix.then(|| tally.confusion.matrix(unit(config))),
            business: if counted.has_labels { business(config, tally)? } else { None },
            estimated,
            expected_confusion: matrix.flatten(),
            drift,
            operations,
        })
    }
}

/// The day after which all labels of a window should be there, and whether it is still to come.
fn due(config: &ModelConfig, dates: Option<[chrono::NaiveDate; 2]>, latest: Option<i64>) -> (Option<String>, bool) {
    if config.delay.is_zero() || config.window == Window::Whole {
        return (None, false);
    }
    let Some([_, end]) = dates else { return (None, false) };
    let delay = i64::try_from(config.delay.as_micros()).unwrap_or(i64::MAX);
    let due = ((days(end) + 1) * DAY).saturating_add(delay);
    let day = date(due.saturating_sub(1).div_euclid(DAY)).map(|day| day.to_string());
    (day, latest.is_none_or(|latest| latest < due))
}

/// What the predictions were worth, by the declared values of their outcomes.
fn business(config: &ModelConfig, tally: &Tally) -> Result<Option<Business>, ModelError> {
    if config.values.is_empty() || tally.mass.sum == 0 {
        return Ok(None);
    }
    let unit = unit(config);
    let value = |name: &str| config.values.get(name).copied().unwrap_or(0.0);
    let rows = real(tally.mass.sum) / unit;
    let total = match config.task {
        Task::Binary => {
            let positive = binary_names(config).pop().unwrap_or_default();
            let OfClass { tp, fp, fn_, tn } = tally.confusion.of_class(&positive);
            (tp * value("tp") + fp * value("fp") + fn_ * value("fn") + tn * value("tn")) / unit
        }
        Task::Multiclass => {
            let cells = &tally.confusion.cells;
            let right: u64 = cells.iter().filter(|((a, b), _)| a == b).map(|(_, count)| count).sum();
            let all: u64 = cells.values().sum();
            (real(right) * value("right") + real(all - right) * value("wrong")) / unit
        }
        Task::Regression => {
            let mae = measures(config, tally)?.get("mae").and_then(|mae| mae.value);
            mae.unwrap_or(0.0) * rows * value("error")
        }
        Task::Ranking => return Ok(None),
    };
    Ok(Some(Business { total, mean: total / rows }))
}
