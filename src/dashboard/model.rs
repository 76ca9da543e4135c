//! One model: its versions in columns, one value a window, as charts take them; and its validations.

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use super::models::ModelPast;
use super::series::rounded;
use crate::history::{ModelTrend, ModelValue, ModelWindow, StoredValidation};
use crate::model::validate::Decision as Verdict;
use crate::model::{Better, METRICS, NumberReport, Operations, Task};

/// Significant digits of the numbers that are drawn.
const DIGITS: i32 = 6;

/// What the page of a model shows.
#[derive(Debug, Serialize)]
pub struct ModelPage<'b> {
    n: usize,
    name: &'b str,
    task: Option<Task>,
    /// The figure to begin with.
    metric: Option<&'static str>,
    /// Names of segments; each lies in a file of its own.
    segments: Vec<String>,
    /// The versions over the rows of all segments.
    versions: Vec<VersionColumns<'b>>,
    /// The latest first.
    validations: Vec<ValidationRow<'b>>,
}

/// The versions over the rows of one segment.
#[derive(Debug, Serialize)]
pub struct SegmentPage<'b> {
    n: usize,
    k: usize,
    versions: Vec<VersionColumns<'b>>,
}

/// One value a window.
type Column = Vec<Option<f64>>;
/// What a column takes of a window.
type Of<'f> = &'f dyn Fn(&ModelWindow) -> Option<f64>;

/// A version: its windows, the oldest first.
#[derive(Debug, Serialize)]
pub struct VersionColumns<'b> {
    version: Option<&'b str>,
    windows: Vec<&'b str>,
    /// When they begin; of one without days, its instant.
    at: Vec<String>,
    /// 0 ok to 3 critical, one digit a window.
    level: String,
    /// 1 where the log ended within the window.
    open: String,
    traffic: Column,
    rows: Vec<u64>,
    labelled: Vec<u64>,
    /// Labels that there were at first.
    first_labelled: Vec<u64>,
    /// Why windows are not ok, by place.
    reasons: Vec<(usize, &'b [String])>,
    metrics: IndexMap<&'static str, MetricColumns>,
    drift: IndexMap<&'b str, DriftColumns>,
    requests: Column,
    /// Share of failed requests, and the ends of its interval.
    errors: [Column; 3],
    latency: Option<NumberColumns>,
    columns: IndexMap<&'b str, NumberColumns>,
    /// What a row was worth.
    business: Column,
}

/// A figure: from labels, as it was at first, and as it was to be expected.
#[derive(Debug, Serialize)]
struct MetricColumns {
    better: Better,
    level: String,
    value: Column,
    low: Column,
    high: Column,
    baseline: Column,
    /// Where it was another value then.
    first: Column,
    estimate: Column,
    estimate_low: Column,
    estimate_high: Column,
}

#[derive(Debug, Serialize)]
struct DriftColumns {
    level: String,
    psi: Column,
    q: Column,
}

#[derive(Debug, Serialize)]
struct NumberColumns {
    level: String,
    mean: Column,
    p50: Column,
    p95: Column,
    p99: Column,
    max: Column,
}

/// A validation of a challenger.
#[derive(Debug, Serialize)]
struct ValidationRow<'b> {
    at: String,
    decision: Verdict,
    champion: &'b Value,
    challenger: &'b Value,
    rules: &'b Value,
}

impl<'b> ModelPage<'b> {
    pub(super) fn of(n: usize, past: &'b ModelPast, listed: usize) -> Self {
        Self {
            n,
            name: &past.name,
            task: past.latest().map(|window| window.task),
            metric: past.metric(),
            segments: past.segments().into_iter().map(|(name, _)| name).collect(),
            versions: past.whole().map(VersionColumns::of).collect(),
            validations: past.validations.iter().rev().take(listed).map(ValidationRow::of).collect(),
        }
    }
}

impl<'b> SegmentPage<'b> {
    pub(super) fn of(n: usize, k: usize, trends: &[&'b ModelTrend]) -> Self {
        Self { n, k, versions: trends.iter().map(|trend| VersionColumns::of(trend)).collect() }
    }
}

impl<'b> ValidationRow<'b> {
    fn of(validation: &'b StoredValidation) -> Self {
        let StoredValidation { at, decision, report, .. } = validation;
        let run = &report["run"];
        Self {
            at: crate::history::instant::text(at),
            decision: *decision,
            champion: &run["champion"],
            challenger: &run["challenger"],
            rules: &report["rules"],
        }
    }
}

/// Where a window is drawn: at its first day, which it is called as.
fn begin(window: &ModelWindow) -> String {
    match &window.days {
        Some([first, _]) => format!("{first}T00:00:00Z"),
        None => crate::history::instant::text(&window.at),
    }
}

/// A digit a window; a space where there is nothing to have a level.
fn digits<'v>(values: impl Iterator<Item = &'v ModelValue>, level: impl Fn(&ModelValue) -> Option<u8>) -> String {
    values.map(|value| level(value).map_or(' ', |level| char::from(b'0' + level))).collect()
}

impl<'b> VersionColumns<'b> {
    fn of(trend: &'b ModelTrend) -> Self {
        let windows = &trend.windows;
        let values = || windows.iter().map(ModelWindow::latest);
        let column = |of: Of<'_>| -> Column {
            windows.iter().map(|window| of(window).and_then(|value| rounded(value, DIGITS))).collect()
        };
        let served = |of: &dyn Fn(&Operations) -> Option<f64>| {
            column(&|window| window.latest().operations.as_ref().and_then(of))
        };
        let numbers = |of: &dyn Fn(&Operations) -> Option<NumberReport>| -> Option<NumberColumns> {
            let of = |value: &ModelValue| value.operations.as_ref().and_then(of);
            let figure =
                |figure: &dyn Fn(NumberReport) -> Option<f64>| column(&|window| of(window.latest()).and_then(figure));
            values().any(|value| of(value).is_some()).then(|| NumberColumns {
                level: digits(values(), |value| of(value).map(|report| report.level as u8)),
                mean: figure(&|report| report.mean),
                p50: figure(&|report| report.p50),
                p95: figure(&|report| report.p95),
                p99: figure(&|report| report.p99),
                max: figure(&|report| report.max),
            })
        };
        let metrics = METRICS.iter().filter(|card| values().any(|value| value.best(card.name).is_some()));
        let metrics = metrics.map(|card| (card.name, MetricColumns::of(card.name, card.better, windows, &column)));
        let mut outputs: IndexMap<&str, DriftColumns> = IndexMap::new();
        for name in values().flat_map(|value| value.drift.keys()) {
            outputs.entry(name).or_insert_with(|| DriftColumns {
                level: digits(values(), |value| value.drift.get(name).map(|drift| drift.level as u8)),
                psi: column(&|window| window.latest().drift.get(name)?.psi),
                q: column(&|window| window.latest().drift.get(name)?.q_value),
            });
        }
        let mut columns: IndexMap<&str, NumberColumns> = IndexMap::new();
        for name in values().flat_map(|value| value.operations.iter().flat_map(|one| one.columns.keys())) {
            if !columns.contains_key(name.as_str())
                && let Some(numbers) = numbers(&|one| one.columns.get(name).copied())
            {
                columns.insert(name, numbers);
            }
        }
        let reasons = values().enumerate().filter(|(_, value)| !value.reasons.is_empty());
        Self {
            version: trend.version.as_deref(),
            windows: windows.iter().map(|window| window.key.window.as_str()).collect(),
            at: windows.iter().map(begin).collect(),
            level: digits(values(), |value| Some(value.level as u8)),
            open: windows.iter().map(|window| if window.open { '1' } else { '0' }).collect(),
            traffic: column(&|window| window.traffic),
            rows: values().map(|value| value.rows.rows).collect(),
            labelled: values().map(|value| value.rows.labelled).collect(),
            first_labelled: windows.iter().map(|window| window.first.rows.labelled).collect(),
            reasons: reasons.map(|(place, value)| (place, value.reasons.as_slice())).collect(),
            metrics: metrics.collect(),
            drift: outputs,
            requests: served(&|one| one.throughput_per_second),
            errors: [served(&|one| one.errors?.rate), served(&|one| one.errors?.low), served(&|one| one.errors?.high)],
            latency: numbers(&|one| one.latency),
            columns,
            business: column(&|window| Some(window.latest().business?.mean)),
        }
    }
}

impl MetricColumns {
    fn of(name: &str, better: Better, windows: &[ModelWindow], column: &dyn Fn(Of<'_>) -> Column) -> Self {
        let metric = |window: &ModelWindow| window.latest().metrics.get(name).copied();
        let estimate = |window: &ModelWindow| window.latest().estimated.get(name).copied();
        let first = |window: &ModelWindow| {
            let (first, latest) = (window.first.metric(name), window.latest().metric(name));
            first.filter(|_| first != latest)
        };
        Self {
            better,
            level: digits(windows.iter().map(ModelWindow::latest), |value| {
                value.metrics.get(name).map(|metric| metric.level as u8)
            }),
            value: column(&|window| metric(window)?.value),
            low: column(&|window| metric(window)?.low),
            high: column(&|window| metric(window)?.high),
            baseline: column(&|window| window.latest().baseline(name)),
            first: column(&first),
            estimate: column(&|window| estimate(window)?.value),
            estimate_low: column(&|window| estimate(window)?.low),
            estimate_high: column(&|window| estimate(window)?.high),
        }
    }
}
