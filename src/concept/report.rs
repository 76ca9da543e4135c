//! What a concept scan found: as JSON, as lines of JSON, or as a table for people.
//!
//! The same rows give the same report, apart from `run`: streams stand in the order of their names, events in the order of
//! streams, detectors and indices. Level of a stream: `critical` when a detector saw a drift in this run (or one that began
//! earlier and lasts), `warning` when the run ended in a warning, `info` when a warning came and went.

use std::collections::BTreeMap;
use std::io::{self, Write};

use arrow::array::{ArrayRef, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::Serialize;
use serde_json::{Value, json};

use super::scan::{ConceptConfig, Key};
use super::state::Identity;
use super::stream::{Rows, Stream, Watch};
use super::{Input, Signal};
use crate::format::counted;
use crate::verdict::Level;

/// The report of a concept scan.
#[derive(Clone, Debug, Serialize)]
pub struct ConceptReport {
    /// Version of this layout.
    pub schema_version: u32,
    /// What ran, and how.
    pub run: RunFacts,
    /// Counts over all streams.
    pub summary: Summary,
    /// Every stream, with its detectors.
    pub streams: Vec<StreamReport>,
    /// Every drift, and the beginning of every warning.
    pub events: Vec<Found>,
}

/// What ran, and how.
#[derive(Clone, Debug, Serialize)]
pub struct RunFacts {
    /// Version of the program.
    pub version: &'static str,
    /// Paths and globs.
    pub input: Vec<String>,
    /// Files that were read.
    pub files: usize,
    /// Files that were in the state already, and were not read again.
    pub files_seen: usize,
    /// What a value is.
    pub value: String,
    /// Columns that tell streams apart.
    pub stream_by: Vec<String>,
    /// The column of the time, with its type; empty for the order of the files.
    pub order_by: String,
    /// Detectors with every setting.
    pub detectors: Vec<Value>,
    /// The state file.
    pub state: Option<String>,
    /// Wall time.
    pub duration_seconds: f64,
}

/// Counts over all streams.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Streams that are known.
    pub streams: u64,
    /// Rows of this run.
    pub rows: Rows,
    /// Drifts of this run.
    pub drifts: u64,
    /// Warnings that began in this run.
    pub warnings: u64,
    /// Streams without a finding.
    pub ok: u64,
    /// Streams with a warning that came and went.
    pub info: u64,
    /// Streams that end in a warning.
    pub warning: u64,
    /// Streams with a drift.
    pub critical: u64,
}

/// One stream.
#[derive(Clone, Debug, Serialize)]
pub struct StreamReport {
    /// The columns that tell it apart, and its values.
    pub stream: BTreeMap<String, Option<String>>,
    /// The worst level of its detectors.
    pub level: Level,
    /// Rows of this run.
    pub rows: Rows,
    /// Values of all runs.
    pub total_values: u64,
    /// What each detector said.
    pub detectors: Vec<WatchReport>,
}

/// One detector on one stream.
#[derive(Clone, Debug, Serialize)]
pub struct WatchReport {
    /// Name and settings that are not the default, as they are typed.
    pub detector: String,
    /// How bad it is.
    pub level: Level,
    /// Drifts of this run.
    pub drifts: u64,
    /// Warnings that began in this run.
    pub warnings: u64,
    /// Drifts of all runs.
    pub total_drifts: u64,
    /// Warnings of all runs.
    pub total_warnings: u64,
    /// Values of this run that it cannot take (outside 0 to 1).
    pub outside: u64,
    /// What it knows after the latest value; what is not finite is null.
    pub statistics: BTreeMap<&'static str, Option<f64>>,
}

/// A drift, or the beginning of a warning.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The columns that tell the stream apart, and its values.
    pub stream: BTreeMap<String, Option<String>>,
    /// The detector.
    pub detector: String,
    /// `drift` or `warning`.
    pub kind: &'static str,
    /// Number of the value in its stream, from 0, over all runs.
    pub index: u64,
    /// Time of the row, where rows are ordered by one.
    pub timestamp: Option<String>,
}

/// What the report says about the run.
pub(super) struct Labels<'c> {
    pub(super) config: &'c ConceptConfig,
    pub(super) identity: &'c Identity,
    pub(super) time_type: Option<&'c DataType>,
    pub(super) files: usize,
    pub(super) files_seen: usize,
    pub(super) seconds: f64,
}

impl ConceptReport {
    pub(super) fn new(
        labels: &Labels<'_>,
        streams: &BTreeMap<&Key, &Stream>,
        times: &BTreeMap<&Key, &[Vec<i64>]>,
    ) -> Self {
        let mut summary = Summary::default();
        let (mut reports, mut events) = (Vec::new(), Vec::new());
        for (key, stream) in streams {
            let name: BTreeMap<String, Option<String>> =
                labels.config.stream_by.iter().cloned().zip(key.iter().cloned()).collect();
            let detectors: Vec<WatchReport> = stream.watches.iter().map(watch_report).collect();
            for (watch, times) in stream.watches.iter().zip(times.get(key).copied().unwrap_or_default()) {
                events.extend(found(labels, &name, watch, times));
            }
            let level = stream.level();
            summary.streams += 1;
            summary.rows.add(&stream.run);
            summary.drifts += detectors.iter().map(|watch| watch.drifts).sum::<u64>();
            summary.warnings += detectors.iter().map(|watch| watch.warnings).sum::<u64>();
            *match level {
                Level::Ok => &mut summary.ok,
                Level::Info => &mut summary.info,
                Level::Warning => &mut summary.warning,
                Level::Critical => &mut summary.critical,
            } += 1;
            let total_values = stream.total.values;
            reports.push(StreamReport { stream: name, level, rows: stream.run, total_values, detectors });
        }
        Self { schema_version: 1, run: run(labels), summary, streams: reports, events }
    }

    /// The worst level of all streams.
    #[must_use]
    pub fn worst(&self) -> Level {
        self.streams.iter().map(|stream| stream.level).max().unwrap_or_default()
    }

    /// What a person should know beside the report.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let outside: u64 = self.streams.iter().flat_map(|stream| &stream.detectors).map(|watch| watch.outside).sum();
        if outside > 0 {
            warnings.push(format!(
                "{} outside {}: detectors of errors do not take them; see `outside` of each",
                counted(outside, "value is", "values are"),
                Input::Unit
            ));
        }
        if self.summary.rows.late > 0 {
            let late = counted(self.summary.rows.late, "row is", "rows are");
            warnings.push(format!("{late} older than what the state has seen, and left out"));
        }
        warnings
    }

    /// One object, an element a line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { schema_version, run, summary, streams, events } = self;
        write!(out, "{{\"schema_version\":{schema_version},\n\"run\":{},\n", text(run)?)?;
        write!(out, "\"summary\":{},\n\"streams\":{},\n", text(summary)?, lines(streams)?)?;
        writeln!(out, "\"events\":{}}}", lines(events)?)
    }

    /// An object a line: `run` first, then events, then streams, then `summary`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", text(&json!({ "schema_version": self.schema_version, "run": self.run }))?)?;
        for event in &self.events {
            writeln!(out, "{}", text(&json!({ "event": event }))?)?;
        }
        for stream in &self.streams {
            writeln!(out, "{}", text(&json!({ "stream": stream }))?)?;
        }
        writeln!(out, "{}", text(&json!({ "summary": self.summary }))?)
    }
}

fn run(labels: &Labels<'_>) -> RunFacts {
    let Labels { config, identity, .. } = labels;
    let detectors = config.specs.iter().map(|spec| {
        let settings: BTreeMap<_, _> = spec.settings().iter().map(|(name, value)| (name, value.to_string())).collect();
        json!({ "detector": spec.card().name, "settings": settings })
    });
    RunFacts {
        version: env!("CARGO_PKG_VERSION"),
        input: config.input.clone(),
        files: labels.files,
        files_seen: labels.files_seen,
        value: identity.value.clone(),
        stream_by: config.stream_by.clone(),
        order_by: identity.order_by.clone(),
        detectors: detectors.collect(),
        state: config.state.as_ref().map(|path| path.display().to_string()),
        duration_seconds: labels.seconds,
    }
}

fn watch_report(watch: &Watch) -> WatchReport {
    let of = |signal: Signal| watch.run.events.iter().filter(|event| event.signal == signal).count() as u64;
    let finite = |(name, value): (&'static str, f64)| (name, Some(value).filter(|value| value.is_finite()));
    WatchReport {
        detector: watch.spec().to_string(),
        level: watch.level(),
        drifts: of(Signal::Drift),
        warnings: of(Signal::Warning),
        total_drifts: watch.tally.drifts,
        total_warnings: watch.tally.warnings,
        outside: watch.run.outside,
        statistics: watch.statistics().into_iter().map(finite).collect(),
    }
}

fn found<'a>(
    labels: &'a Labels<'_>,
    name: &'a BTreeMap<String, Option<String>>,
    watch: &'a Watch,
    times: &'a [i64],
) -> impl Iterator<Item = Found> + 'a {
    watch.run.events.iter().enumerate().map(move |(at, event)| Found {
        stream: name.clone(),
        detector: watch.spec().to_string(),
        kind: if event.signal == Signal::Drift { "drift" } else { "warning" },
        index: event.index,
        timestamp: times.get(at).zip(labels.time_type).map(|(&time, data_type)| written(time, data_type)),
    })
}

/// A time as Arrow writes it; the integer where it is none.
fn written(time: i64, data_type: &DataType) -> String {
    let stored: ArrayRef = std::sync::Arc::new(Int64Array::from(vec![time]));
    let typed = match data_type {
        DataType::Date32 | DataType::Time32(_) => {
            cast(&stored, &DataType::Int32).and_then(|narrow| cast(&narrow, data_type))
        }
        _ => cast(&stored, data_type),
    };
    let text = typed.and_then(|array| {
        ArrayFormatter::try_new(&array, &FormatOptions::default()).map(|formatter| formatter.value(0).to_string())
    });
    text.unwrap_or_else(|_| time.to_string())
}

fn text<T: Serialize>(value: &T) -> io::Result<String> {
    serde_json::to_string(value).map_err(io::Error::from)
}

fn lines<T: Serialize>(elements: &[T]) -> io::Result<String> {
    let elements: io::Result<Vec<String>> = elements.iter().map(text).collect();
    let elements = elements?;
    Ok(if elements.is_empty() { "[]".to_owned() } else { format!("[\n{}\n]", elements.join(",\n")) })
}
