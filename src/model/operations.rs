//! How a model is served: latency, throughput, errors, and whatever other numbers the log has.

use std::io;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::config::{ERROR_RATE, LATENCY_P95, ModelConfig};
use super::measure::Sum;
use super::sample::Sample;
use super::tally::{Numbers, Tally};
use crate::format::{percent, real, significant};
use crate::verdict::Level;

/// Operations of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operations {
    /// Rows a second, between the first and the last of the group.
    pub throughput_per_second: Option<f64>,
    /// Latencies, in milliseconds as the log has them.
    pub latency: Option<NumberReport>,
    /// Requests that failed.
    pub errors: Option<ErrorReport>,
    /// Declared columns of numbers.
    pub columns: IndexMap<String, NumberReport>,
}

/// A column of numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NumberReport {
    /// Values that are neither null nor NaN.
    pub values: u64,
    /// Nulls.
    pub nulls: u64,
    /// NaNs.
    pub nans: u64,
    /// Their mean.
    pub mean: Option<f64>,
    /// Quantiles (linear, as NumPy).
    pub p50: Option<f64>,
    /// See `p50`.
    pub p95: Option<f64>,
    /// See `p50`.
    pub p99: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// What they amount to; of latencies by their p95.
    pub level: Level,
}

/// Requests that failed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// How many failed.
    pub failed: u64,
    /// How many it is known of.
    pub known: u64,
    /// Their share.
    pub rate: Option<f64>,
    /// Ends of its Wilson interval.
    pub low: Option<f64>,
    /// See `low`.
    pub high: Option<f64>,
    /// What it amounts to.
    pub level: Level,
}

/// The operations of a group, with the sentences about them; `None` where the log tells nothing of them.
pub(super) type Found = (Option<Operations>, Vec<(Level, String)>);

/// Finds them.
pub(super) fn operations(config: &ModelConfig, tally: &Tally) -> io::Result<Found> {
    let declared = config.latency.is_some() || config.error.is_some() || !config.operations.is_empty();
    if !declared && tally.times.is_none() {
        return Ok((None, Vec::new()));
    }
    let mut reasons = Vec::new();
    let mut latency = config.latency.as_ref().map(|_| numbers(&tally.latency)).transpose()?;
    if let Some(report) = &mut latency
        && let (Some(p95), Some(limits)) = (report.p95, config.levels.get(LATENCY_P95))
    {
        report.level = limits.level(p95);
        if report.level > Level::Ok {
            reasons.push((report.level, format!("p95 of latency is {} ms", significant(p95))));
        }
    }
    let errors = config.error.as_ref().map(|_| {
        let [failed, known] = tally.failed;
        let rate = (known > 0).then(|| real(failed) / real(known));
        let ends = rate.and_then(|rate| config.confidence.wilson(rate, real(known)));
        let limits = config.levels.get(ERROR_RATE);
        let level = rate.zip(limits).map_or(Level::Ok, |(rate, limits)| limits.level(rate));
        if let Some(rate) = rate.filter(|_| level > Level::Ok) {
            reasons.push((level, format!("{} of the requests failed", percent(rate))));
        }
        ErrorReport { failed, known, rate, low: ends.map(|ends| ends[0]), high: ends.map(|ends| ends[1]), level }
    });
    let columns = config.operations.iter().zip(&tally.operations);
    let columns: IndexMap<String, NumberReport> =
        columns.map(|(name, column)| Ok((name.clone(), numbers(column)?))).collect::<io::Result<_>>()?;
    let span = tally.times.map(|[first, last]| last.saturating_sub(first)).filter(|span| *span > 0);
    #[expect(clippy::cast_precision_loss, reason = "a span of microseconds, rounded once")]
    let throughput = span.map(|span| real(tally.rows.rows) / (span as f64 / 1e6));
    Ok((Some(Operations { throughput_per_second: throughput, latency, errors, columns }), reasons))
}

fn numbers(column: &Numbers) -> io::Result<NumberReport> {
    let sample = Sample::of(column);
    let (n, mut sum, mut max) = (sample.rows(), Sum::default(), None);
    sample.walk(|value, rows| {
        sum.add(value * real(rows));
        max = Some(value);
    })?;
    let some = |value: f64| Some(value).filter(|value| n > 0 && value.is_finite());
    let quantiles = sample.quantiles(&[0.5, 0.95, 0.99])?;
    let at = |index: usize| quantiles.get(index).copied().and_then(some);
    Ok(NumberReport {
        values: n,
        nulls: column.nulls,
        nans: column.nans,
        mean: some(sum.value() / real(n)),
        p50: at(0),
        p95: at(1),
        p99: at(2),
        max: max.and_then(some),
        level: Level::Ok,
    })
}
