//! The history as one table: the rows of the Parquet report, with the run that they belong to in front.
//!
//! `job`, `run`, `window`, `at` (RFC 3339, UTC) and `revision` stand before the columns of `--format parquet`.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value};

use super::{History, HistoryError, StoredRun, instant};
use crate::report::Report;
use crate::report::parquet::{COLUMNS, Rows, field, metric_rows};

/// What stands before the columns of the report.
const RUN_COLUMNS: [&str; 5] = ["job", "run", "window", "at", "revision"];

/// A format that a history can be exported to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// A Parquet table, one row group a run.
    Parquet,
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Json,
}

/// Every format, with its name.
pub const EXPORTS: [(&str, ExportFormat); 3] =
    [("parquet", ExportFormat::Parquet), ("csv", ExportFormat::Csv), ("json", ExportFormat::Json)];

/// Writes the runs, and of them the features that `wanted` lets through. One run is in memory at a time.
///
/// # Errors
/// When the history cannot be read or `out` cannot be written.
pub fn export(
    history: &History,
    runs: &[StoredRun],
    wanted: &dyn Fn(&str) -> bool,
    format: ExportFormat,
    out: &mut dyn Write,
) -> io::Result<()> {
    let reports = runs.iter().map(|run| {
        let mut report = history.report(run)?;
        report.features.retain(|feature| wanted(&feature.name));
        Ok((run, report))
    });
    match format {
        ExportFormat::Parquet => parquet(reports, out),
        ExportFormat::Csv => csv(reports, out),
        ExportFormat::Json => json(reports, out),
    }
}

type Item<'r> = Result<(&'r StoredRun, Report), HistoryError>;

fn parquet<'r>(reports: impl Iterator<Item = Item<'r>>, out: &mut dyn Write) -> io::Result<()> {
    let run = |&name: &&str| match name {
        "revision" => Field::new(name, DataType::UInt32, false),
        _ => Field::new(name, DataType::Utf8, false),
    };
    let fields: Vec<_> = RUN_COLUMNS.iter().map(run).chain(COLUMNS.iter().map(|&name| field(name))).collect();
    let schema = Arc::new(Schema::new(fields));
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    // The writer wants a sink that can go to another thread: each row group goes out through a buffer of its own.
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?;
    for item in reports {
        let (run, report) = item.map_err(io::Error::other)?;
        let mut rows = Rows::default();
        let count = report.features.iter().map(|feature| rows.add(feature)).sum();
        let texts = texts(run);
        let mut columns: Vec<ArrayRef> = Vec::new();
        for text in &texts {
            columns.push(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, count))));
        }
        columns.push(Arc::new(UInt32Array::from(vec![run.revision; count])));
        columns.extend(rows.finish());
        writer.write(&RecordBatch::try_new(schema.clone(), columns).map_err(io::Error::other)?)?;
        writer.flush()?;
        out.write_all(&std::mem::take(writer.inner_mut()))?;
    }
    out.write_all(&writer.into_inner()?)
}

/// The first four run columns.
fn texts(run: &StoredRun) -> [String; 4] {
    [run.job.clone(), run.name.clone(), run.window.clone(), instant::text(&run.at)]
}

fn csv<'r>(reports: impl Iterator<Item = Item<'r>>, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(RUN_COLUMNS.iter().chain(&COLUMNS))?;
    for item in reports {
        let (run, report) = item.map_err(io::Error::other)?;
        let (texts, revision) = (texts(run), run.revision.to_string());
        for row in report.features.iter().flat_map(metric_rows) {
            // As in JSON: what is printed reads back to the same bits.
            let value = row.value.map_or_else(String::new, |value| Value::from(value).to_string());
            let front = texts.iter().map(String::as_str).chain([revision.as_str()]);
            let back = [row.metric, &value, row.text.unwrap_or_default(), row.undefined.unwrap_or_default()];
            writer.write_record(front.chain(row.feature).chain(back))?;
        }
    }
    writer.flush()
}

fn json<'r>(reports: impl Iterator<Item = Item<'r>>, out: &mut dyn Write) -> io::Result<()> {
    for item in reports {
        let (run, report) = item.map_err(io::Error::other)?;
        for row in report.features.iter().flat_map(metric_rows) {
            let [job, name, window, at] = texts(run).map(Value::from);
            let front = [job, name, window, at, run.revision.into()];
            let back = [row.metric.into(), row.value.into(), row.text.into(), row.undefined.into()];
            let values = front.into_iter().chain(row.feature.map(Value::from)).chain(back);
            let names = RUN_COLUMNS.iter().chain(&COLUMNS).map(|&name| name.to_owned());
            serde_json::to_writer(&mut *out, &names.zip(values).collect::<Map<_, _>>())?;
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}
