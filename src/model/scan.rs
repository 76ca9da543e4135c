//! Logs to counts, counts to figures, figures to a report.

use std::collections::BTreeMap;
use std::time::Instant;

use indexmap::IndexMap;

use super::columns::binary_names;
use super::config::ModelConfig;
use super::confusion::OfClass;
use super::count::{self, Counted};
use super::error::ModelError;
use super::level::judge;
use super::measures::{Measures, measures, unit};
use super::options::Task;
use super::report::{Business, Dates, GroupReport, ModelFacts, ModelReport, RunFacts, Segment, Summary};
use super::rows::Group;
use super::tally::Tally;
use super::window::{DAY, Window, date, days};
use crate::format::{counted as in_words, percent, real};
use crate::verdict::Level;

/// Scans the models on the current rayon pool, holding about `memory` bytes of counts and labels.
///
/// # Errors
/// When a configuration does not fit the data, or a file cannot be read.
pub fn scan(models: &[ModelConfig], memory: u64) -> Result<ModelReport, ModelError> {
    let started = Instant::now();
    let mut summary = Summary { models: models.len() as u64, ..Summary::default() };
    let (mut facts, mut groups) = (Vec::new(), Vec::new());
    for config in models {
        let counted = count::log(config, memory)?;
        let reference = count::reference(config, memory)?;
        let (of_model, of_groups) = report(config, &counted, reference.as_ref())?;
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
    let run = RunFacts { version: env!("CARGO_PKG_VERSION"), duration_seconds: started.elapsed().as_secs_f64() };
    Ok(ModelReport { schema_version: 1, run, summary, models: facts, groups })
}

/// What groups are measured against.
struct Baseline<'c> {
    /// Figures of the reference by segment.
    figures: BTreeMap<Option<(String, Option<String>)>, Measures>,
    declared: &'c BTreeMap<String, f64>,
}

impl Baseline<'_> {
    fn of(&self, segment: Option<&Segment>, name: &str) -> Option<f64> {
        let key = segment.map(|segment| (segment.column.clone(), segment.value.clone()));
        let found = self.figures.get(&key).and_then(|figures| figures.get(name)).and_then(|measure| measure.value);
        found.or_else(|| self.declared.get(name).copied())
    }
}

fn report(
    config: &ModelConfig,
    counted: &Counted,
    reference: Option<&Counted>,
) -> Result<(ModelFacts, Vec<GroupReport>), ModelError> {
    let mut baseline = Baseline { figures: BTreeMap::new(), declared: &config.baseline };
    for (group, tally) in reference.filter(|reference| reference.has_labels).iter().flat_map(|one| &one.groups) {
        let names = reference.map(|reference| &reference.segments);
        let segment = group.segment.as_ref().zip(names);
        let segment = segment.map(|((at, value), names)| (names[*at].clone(), value.clone()));
        baseline.figures.insert(segment, measures(config, tally)?);
    }
    let latest = counted.groups.values().filter_map(|tally| tally.times).map(|[_, latest]| latest).max();
    let mut groups = Vec::with_capacity(counted.groups.len());
    for (group, tally) in &counted.groups {
        groups.push(group_report(config, counted, &baseline, latest, group, tally)?);
    }
    let whole = baseline.figures.get(&None);
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
        ids: counted.ids,
        confidence: config.confidence.level(),
        baseline: whole.iter().flat_map(|all| all.iter()).map(|(name, one)| (*name, one.value)).collect(),
        level: groups.iter().map(|group| group.level).max().unwrap_or_default(),
    };
    Ok((facts, groups))
}

fn group_report(
    config: &ModelConfig,
    counted: &Counted,
    baseline: &Baseline<'_>,
    latest: Option<i64>,
    group: &Group,
    tally: &Tally,
) -> Result<GroupReport, ModelError> {
    let segment = group
        .segment
        .as_ref()
        .map(|(at, value)| Segment { column: counted.segments[*at].clone(), value: value.clone() });
    let dates = group.window.and_then(|start| config.window.dates(start));
    let coverage = if tally.rows.rows == 0 { 0.0 } else { real(tally.rows.labelled) / real(tally.rows.rows) };
    let enough = tally.rows.measured >= config.min_labels;
    let (mut metrics, mut undefined, mut reasons) = (IndexMap::new(), BTreeMap::new(), Vec::new());
    if counted.has_labels {
        for (name, measure) in measures(config, tally)? {
            let (report, reason) = judge(config, name, &measure, baseline.of(segment.as_ref(), name), enough);
            metrics.insert(name, report);
            undefined.extend(measure.reason.map(|reason| (name, reason)));
            reasons.extend(reason.map(|reason| (report.level, reason)));
        }
    }
    let (due, pending) = due(config, dates, latest);
    if counted.has_labels && !enough {
        let labels = in_words(tally.rows.measured, "labelled row", "labelled rows");
        reasons.push((Level::Ok, format!("too few labels for a level: {labels}, fewer than {}", config.min_labels)));
    }
    if counted.has_labels && !pending && coverage < config.min_coverage {
        reasons.push((Level::Info, format!("labels have arrived for {} of the rows", percent(coverage))));
    }
    reasons.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
    let has_matrix = counted.has_labels && config.task != Task::Regression;
    Ok(GroupReport {
        model: config.name.clone(),
        untimed: group.window.is_none(),
        window: dates.map(|[start, end]| Dates { start: start.to_string(), end: end.to_string() }),
        version: group.version.clone(),
        segment,
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
    })
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
    };
    Ok(Some(Business { total, mean: total / rows }))
}
