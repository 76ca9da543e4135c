//! Models for Prometheus: the latest window of every version that serves, over the rows of all segments.
//!
//! Figures of performance are those of the latest window that has them, from labels or, in series of their own, as they
//! were to be expected: labels may arrive long after the window.

use std::io::{self, Write};

use crate::dashboard::{ModelBoard, ModelPast};
use crate::format::real;
use crate::history::{ModelTrend, ModelValue, ModelWindow};
use crate::model::METRICS;
use crate::report::prometheus::{Gauge, JOB_LABEL, Sample, write_gauges};

type Label<'b> = (&'static str, &'b str);

/// A version that serves, with the labels of its series.
struct Version<'b> {
    labels: [Label<'b>; 3],
    trend: &'b ModelTrend,
    window: &'b ModelWindow,
}

/// The models of several jobs, in Prometheus' text format; every series has the labels `drift_job`, `model`, `version`.
///
/// # Errors
/// When `out` cannot be written.
pub fn prometheus_of_models<'b>(boards: impl Iterator<Item = &'b ModelBoard>, out: &mut dyn Write) -> io::Result<()> {
    let boards: Vec<&ModelBoard> = boards.collect();
    let versions: Vec<Version<'b>> =
        boards.iter().flat_map(|board| board.models.iter().flat_map(|past| serving(board, past))).collect();
    let gauges = of_windows(&versions).into_iter().chain(of_figures(&versions)).chain(of_serving(&versions));
    write_gauges(out, gauges.chain([training(&boards)]))
}

fn serving<'b>(board: &'b ModelBoard, past: &'b ModelPast) -> impl Iterator<Item = Version<'b>> {
    past.whole().filter(|trend| past.serves(trend)).filter_map(|trend| {
        let version = trend.version.as_deref().unwrap_or("");
        let labels = [(JOB_LABEL, board.job.as_str()), ("model", past.name.as_str()), ("version", version)];
        Some(Version { labels, trend, window: trend.windows.last()? })
    })
}

impl<'b> Version<'b> {
    fn sample(&self, more: &[Label<'b>], value: f64) -> Sample<'b> {
        (self.labels.iter().chain(more).copied().collect(), value)
    }

    /// The latest window that has something, and this.
    fn latest<T>(&self, of: impl Fn(&'b ModelValue) -> Option<T>) -> Option<(&'b ModelWindow, T)> {
        self.trend.windows.iter().rev().find_map(|window| Some((window, of(window.latest())?)))
    }
}

/// One sample a version, where there is a value.
fn each<'b>(versions: &[Version<'b>], value: impl Fn(&Version<'b>) -> Option<f64>) -> Vec<Sample<'b>> {
    versions.iter().filter_map(|version| Some(version.sample(&[], value(version)?))).collect()
}

fn of_windows<'b>(versions: &[Version<'b>]) -> Vec<Gauge<'b>> {
    let level = "How a version that serves stands: 0 ok, 1 info, 2 warning, 3 critical.";
    let traffic = "Share of the latest window's rows that the version answered.";
    let ends = "When the latest window ends, or its latest row so far, in Unix time.";
    let at = |version: &Version<'_>| u64::try_from(version.window.at.timestamp()).ok().map(real);
    let rows = |version: &Version<'_>| Some(real(version.window.latest().rows.rows));
    vec![
        Gauge::new("gpudrift_model_level", level, each(versions, |one| Some(real(one.trend.standing() as u64)))),
        Gauge::new("gpudrift_model_rows", "Rows of the latest window.", each(versions, rows)),
        Gauge::new("gpudrift_model_traffic_share", traffic, each(versions, |one| one.window.traffic)),
        Gauge::new(
            "gpudrift_model_label_share",
            "Share of the latest window's rows that have a label.",
            each(versions, |one| Some(one.window.latest().coverage())),
        ),
        Gauge::new("gpudrift_model_window_timestamp_seconds", ends, each(versions, at)),
    ]
}

fn of_figures<'b>(versions: &[Version<'b>]) -> Vec<Gauge<'b>> {
    let figures = |of: &dyn Fn(&Version<'b>, &'static str) -> Option<f64>| -> Vec<Sample<'b>> {
        let pairs = versions.iter().flat_map(|version| METRICS.iter().map(move |card| (version, card.name)));
        pairs.filter_map(|(version, name)| Some(version.sample(&[("metric", name)], of(version, name)?))).collect()
    };
    let measured = |version: &Version<'b>, name: &'static str| {
        version.latest(move |value| value.metrics.get(name).filter(|metric| metric.value.is_some()))
    };
    let ends = |version: &Version<'b>, name: &'static str| {
        u64::try_from(measured(version, name)?.0.at.timestamp()).ok().map(real)
    };
    let value = "Performance, from labels, of the latest window that has some.";
    let baseline = "What that is held against.";
    let level = "Level of that: 0 ok, 1 info, 2 warning, 3 critical.";
    let when = "When that window ends, in Unix time.";
    let expected = "Performance as it is to be expected of the latest window, without labels.";
    vec![
        Gauge::new("gpudrift_model_metric", value, figures(&|one, name| measured(one, name)?.1.value)),
        Gauge::new("gpudrift_model_metric_baseline", baseline, figures(&|one, name| measured(one, name)?.1.baseline)),
        Gauge::new(
            "gpudrift_model_metric_level",
            level,
            figures(&|one, name| Some(real(measured(one, name)?.1.level as u64))),
        ),
        Gauge::new("gpudrift_model_metric_timestamp_seconds", when, figures(&ends)),
        Gauge::new(
            "gpudrift_model_estimate",
            expected,
            figures(&|one, name| one.latest(|value| value.estimate(name)).map(|(_, value)| value)),
        ),
    ]
}

fn of_serving<'b>(versions: &[Version<'b>]) -> Vec<Gauge<'b>> {
    let (mut latencies, mut drifts) = (Vec::new(), Vec::new());
    for version in versions {
        let value = version.window.latest();
        if let Some(latency) = value.operations.as_ref().and_then(|one| one.latency) {
            let quantiles = [("0.5", latency.p50), ("0.95", latency.p95), ("0.99", latency.p99)];
            let known = quantiles.into_iter().filter_map(|(quantile, value)| Some((quantile, value?)));
            // Milliseconds in the log; seconds are Prometheus' unit.
            latencies.extend(known.map(|(name, value)| version.sample(&[("quantile", name)], value / 1000.0)));
        }
        let known = value.drift.iter().filter_map(|(output, drift)| Some((output.as_str(), drift.psi?)));
        drifts.extend(known.map(|(output, psi)| version.sample(&[("output", output)], psi)));
    }
    let served = |of: &dyn Fn(&crate::model::Operations) -> Option<f64>| {
        each(versions, |version| version.window.latest().operations.as_ref().and_then(of))
    };
    vec![
        Gauge::new(
            "gpudrift_model_requests_per_second",
            "Requests a second in the latest window.",
            served(&|one| one.throughput_per_second),
        ),
        Gauge::new(
            "gpudrift_model_error_share",
            "Share of the latest window's requests that failed.",
            served(&|one| one.errors?.rate),
        ),
        Gauge::new("gpudrift_model_latency_seconds", "Quantiles of the latest window's latency.", latencies),
        Gauge::new("gpudrift_model_output_psi", "Population stability index of predictions and scores.", drifts),
    ]
}

/// Whether a training of each job is asked for and not done.
fn training<'b>(boards: &[&'b ModelBoard]) -> Gauge<'b> {
    let sample =
        |board: &&'b ModelBoard| Some((vec![(JOB_LABEL, board.job.as_str())], real(u64::from(board.training_due()?))));
    Gauge::new(
        "gpudrift_retrain_due",
        "1 when a training was asked for and nobody has told of one since.",
        boards.iter().filter_map(sample).collect::<Vec<_>>(),
    )
}
