//! The other history: a folder of Parquet files, one a run, for tools that read such folders.
//!
//! ```text
//!     HISTORY/job=churn/window=2026-11-22/9f86d081884c7d65.parquet
//! ```
//!
//! One row a feature: the numbers of [`Numbers`] under the names of the JSON report, and `report`, the whole of it as
//! JSON. A file appears complete or not at all, so a process that is killed leaves the history as it was. Two runs
//! that store the same key at once: the later one stays.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, UInt64Type};
use chrono::{DateTime, TimeDelta, Utc};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::models::{ModelEntry, ModelWindow, ModelsStored};
use super::record::{Numbers, QUANTILES};
use super::{HistoryError, Point, RunIdentity, Step, Store, Stored, StoredRun, content};
use crate::report::{FeatureReport, Finding, ModelImpact, Report, Run, Skipped};
use crate::verdict::Level;

/// The columns of numbers that may be null, after which come the quantiles.
const REALS: [&str; 6] = ["psi", "ks_statistic", "p_value", "q_value", "mean", "std"];
/// The columns of counts.
const COUNTS: [&str; 4] = ["rows", "nulls", "nans", "infinite"];

mod models;

/// A history in a folder.
pub(super) struct Dataset {
    folder: PathBuf,
}

impl Dataset {
    pub(super) fn open(folder: &Path) -> Result<Self, HistoryError> {
        if folder.is_file() {
            return Err(HistoryError::Foreign { path: folder.to_owned() });
        }
        fs::create_dir_all(folder).map_err(|source| io("open", folder, source))?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn file_of(&self, job: &str, window: &str, definition: &str) -> PathBuf {
        let [job, window] = [format!("job={}", encoded_name(job)), format!("window={}", encoded_name(window))];
        self.folder.join(job).join(window).join(format!("{definition}.parquet"))
    }

    fn file(&self, run: &StoredRun) -> PathBuf {
        self.file_of(&run.job, &run.window, &run.definition)
    }

    /// Every file of a run: two folders down. What is being written has a name that begins with a dot.
    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let entries = walkdir::WalkDir::new(&self.folder).min_depth(3).max_depth(3).into_iter().filter_map(Result::ok);
        entries.map(walkdir::DirEntry::into_path).filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".parquet") && !name.starts_with('.')
        })
    }
}

/// A text as the name of a folder.
fn encoded_name(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string().replace("%2D", "-")
}

/// How the files of a history are written.
fn compressed() -> WriterPropertiesBuilder {
    WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()))
}

impl Store for Dataset {
    fn put(
        &mut self,
        identity: &RunIdentity,
        report: &Report,
        observer: &mut dyn FnMut(Step),
    ) -> Result<Stored, HistoryError> {
        let path = self.file_of(&identity.job, &identity.window, &identity.definition);
        let content = content(report);
        let before = if path.exists() { Some(read_run(&path)?) } else { None };
        observer(Step::Begun);
        if before.as_ref().is_some_and(|before| before.content == content) {
            return Ok(Stored::Unchanged);
        }
        let run = StoredRun {
            name: identity.name(),
            job: identity.job.clone(),
            window: identity.window.clone(),
            definition: identity.definition.clone(),
            at: before.as_ref().map_or(identity.at, |before| before.at),
            stored_at: Utc::now(),
            revision: before.as_ref().map_or(1, |before| before.revision + 1),
            content,
            summary: report.summary,
        };
        let bytes = encoded(&run, report).map_err(|source| parquet("write", &path, source))?;
        observer(Step::RunWritten);
        replace(&path, &bytes, observer).map_err(|source| io("write", &path, source))?;
        Ok(if before.is_some() { Stored::Replaced { revision: run.revision } } else { Stored::New })
    }

    fn runs(&self) -> Result<Vec<StoredRun>, HistoryError> {
        let mut runs = self.files().map(|path| read_run(&path)).collect::<Result<Vec<_>, _>>()?;
        runs.sort_by(|a, b| (a.at, a.stored_at, &a.name).cmp(&(b.at, b.stored_at, &b.name)));
        Ok(runs)
    }

    fn report(&self, run: &StoredRun) -> Result<Report, HistoryError> {
        let path = self.file(run);
        let mut features: Vec<FeatureReport> = Vec::new();
        for batch in batches(&path, &["report"])? {
            for text in batch.column(0).as_string::<i32>().iter().flatten() {
                features.push(serde_json::from_str(text).map_err(|error| damaged(&path, &error))?);
            }
        }
        let (facts, skipped): (Run, Vec<Skipped>) = (metadata(&path, "run")?, metadata(&path, "skipped")?);
        // Files of earlier versions have none.
        let findings: Option<Vec<Finding>> = optional_metadata(&path, "findings")?;
        let models: Option<Vec<ModelImpact>> = optional_metadata(&path, "models")?;
        let report = Report::new(facts, features, skipped).with_findings(findings.unwrap_or_default());
        Ok(Report { models: models.unwrap_or_default(), ..report })
    }

    fn facts(&self, run: &StoredRun) -> Result<Run, HistoryError> {
        metadata(&self.file(run), "run")
    }

    fn numbers(&self, run: &StoredRun) -> Result<Vec<(String, Numbers)>, HistoryError> {
        let path = self.file(run);
        let columns: Vec<&str> =
            ["column_name", "level"].into_iter().chain(REALS).chain(COUNTS).chain(QUANTILE_COLUMNS).collect();
        Ok(batches(&path, &columns)?.iter().flat_map(numbers).collect())
    }

    fn series(&self, runs: &[StoredRun], feature: &str) -> Result<Vec<Point>, HistoryError> {
        let mut points = Vec::new();
        for run in runs {
            let found = self.numbers(run)?.into_iter().find(|(name, _)| name == feature);
            points.extend(found.map(|(_, numbers)| Point {
                run: run.name.clone(),
                window: run.window.clone(),
                at: run.at,
                numbers,
            }));
        }
        Ok(points)
    }

    fn prune(&mut self, before: DateTime<Utc>) -> Result<usize, HistoryError> {
        let mut removed = 0;
        for run in self.runs()?.into_iter().filter(|run| run.at < before) {
            let path = self.file(&run);
            fs::remove_file(&path).map_err(|source| io("write", &path, source))?;
            // The folder of the window, and the job's, when nothing else is in them.
            let _ = path.parent().map(fs::remove_dir);
            removed += 1;
        }
        Ok(removed)
    }

    fn put_models(&mut self, entries: &[ModelEntry]) -> Result<ModelsStored, HistoryError> {
        self.put_model_windows(entries)
    }

    fn models(&self, job: Option<&str>, model: Option<&str>) -> Result<Vec<ModelWindow>, HistoryError> {
        self.model_windows(job, model)
    }

    fn models_state(&self) -> Result<String, HistoryError> {
        Ok(self.model_windows_state())
    }

    fn prune_models(&mut self, keep: TimeDelta) -> Result<usize, HistoryError> {
        let latest = self.model_windows(None, None)?.pop();
        latest.map_or(Ok(0), |latest| self.prune_model_windows(latest.at - keep))
    }
}

const QUANTILE_COLUMNS: [&str; QUANTILES.len()] = ["q01", "q05", "q10", "q25", "q50", "q75", "q90", "q95", "q99"];

fn encoded(run: &StoredRun, report: &Report) -> Result<Vec<u8>, ParquetError> {
    let external = |error: serde_json::Error| ParquetError::External(Box::new(error));
    let pairs = [
        ("gpudrift.schema_version", report.schema_version.to_string()),
        ("gpudrift.stored", serde_json::to_string(run).map_err(external)?),
        ("gpudrift.run", serde_json::to_string(&report.run).map_err(external)?),
        ("gpudrift.skipped", serde_json::to_string(&report.skipped).map_err(external)?),
        ("gpudrift.findings", serde_json::to_string(&report.findings).map_err(external)?),
        ("gpudrift.models", serde_json::to_string(&report.models).map_err(external)?),
    ];
    let metadata = pairs.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect();
    let properties = compressed().set_key_value_metadata(Some(metadata)).build();
    let all: Vec<Numbers> = report.features.iter().map(Numbers::of).collect();
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    let mut add = |name: &str, data_type, nullable, column| {
        fields.push(Field::new(name, data_type, nullable));
        columns.push(column);
    };
    let texts: [(&str, Text); 4] = [
        ("column_name", |feature| &feature.name),
        ("data_type", |feature| &feature.data_type),
        ("kind", |feature| feature.kind.name()),
        ("level", |feature| feature.level.name()),
    ];
    for (name, text) in texts {
        let column = StringArray::from_iter_values(report.features.iter().map(text));
        add(name, DataType::Utf8, false, Arc::new(column));
    }
    for (index, name) in REALS.into_iter().chain(QUANTILE_COLUMNS).enumerate() {
        let column = Float64Array::from_iter(all.iter().map(|numbers| real(numbers, index)));
        add(name, DataType::Float64, true, Arc::new(column));
    }
    for (index, name) in COUNTS.into_iter().enumerate() {
        let column = UInt64Array::from_iter_values(all.iter().map(|n| [n.rows, n.nulls, n.nans, n.infinite][index]));
        add(name, DataType::UInt64, false, Arc::new(column));
    }
    let reports: Vec<String> =
        report.features.iter().map(serde_json::to_string).collect::<Result<_, _>>().map_err(external)?;
    add("report", DataType::Utf8, false, Arc::new(StringArray::from(reports)));
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), columns)?;
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&batch)?;
    writer.into_inner()
}

/// A column of text from a feature.
type Text = fn(&FeatureReport) -> &str;

/// The number in column `index` of [`REALS`] and then the quantiles.
fn real(n: &Numbers, index: usize) -> Option<f64> {
    let named = [n.psi, n.ks, n.p, n.q, n.mean, n.std];
    named.get(index).copied().unwrap_or_else(|| n.quantiles[index - REALS.len()])
}

fn numbers(batch: &RecordBatch) -> Vec<(String, Numbers)> {
    let text = |name: &str, row: usize| {
        batch.column_by_name(name).map_or("", |column| column.as_string::<i32>().value(row)).to_owned()
    };
    let real = |name: &str, row: usize| {
        let column = batch.column_by_name(name).filter(|column| column.is_valid(row))?;
        Some(column.as_primitive::<Float64Type>().value(row))
    };
    let count = |name: &str, row: usize| {
        batch.column_by_name(name).map_or(0, |column| column.as_primitive::<UInt64Type>().value(row))
    };
    let row = |row: usize| {
        let [psi, ks, p, q, mean, std] = REALS.map(|name| real(name, row));
        let [rows, nulls, nans, infinite] = COUNTS.map(|name| count(name, row));
        let quantiles = QUANTILE_COLUMNS.map(|name| real(name, row));
        let level = text("level", row);
        let level = Level::ALL.into_iter().find(|one| one.name() == level).unwrap_or_default();
        (text("column_name", row), Numbers { level, psi, ks, p, q, rows, nulls, nans, infinite, mean, std, quantiles })
    };
    (0..batch.num_rows()).map(row).collect()
}

/// The columns `names` of a file. The columns that we wrote have the types that we wrote.
fn batches(path: &Path, names: &[&str]) -> Result<Vec<RecordBatch>, HistoryError> {
    let read = || -> Result<Vec<RecordBatch>, ParquetError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
        Ok(builder.with_projection(mask).build()?.collect::<Result<_, _>>()?)
    };
    read().map_err(|source| parquet("read", path, source))
}

fn metadata<T: DeserializeOwned>(path: &Path, key: &str) -> Result<T, HistoryError> {
    let damaged = || HistoryError::Damaged { path: path.to_owned(), what: format!("it has no gpudrift.{key}") };
    optional_metadata(path, key)?.ok_or_else(damaged)
}

fn optional_metadata<T: DeserializeOwned>(path: &Path, key: &str) -> Result<Option<T>, HistoryError> {
    let read = || -> Result<Option<String>, ParquetError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
        let pairs = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
        Ok(pairs.into_iter().find(|pair| pair.key == format!("gpudrift.{key}")).and_then(|pair| pair.value))
    };
    let text = read().map_err(|source| parquet("read", path, source))?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| damaged(path, &error))).transpose()
}

fn read_run(path: &Path) -> Result<StoredRun, HistoryError> {
    metadata(path, "stored")
}

/// The file at `path`, complete or as it was.
fn replace(path: &Path, bytes: &[u8], observer: &mut dyn FnMut(Step)) -> std::io::Result<()> {
    use std::io::Write;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".gpudrift-").suffix(".tmp").tempfile_in(folder)?;
    let (first, second) = bytes.split_at(bytes.len() / 2);
    file.write_all(first)?;
    observer(Step::HalfWritten);
    file.write_all(second)?;
    file.as_file().sync_all()?;
    observer(Step::BeforeCommit);
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder).and_then(|folder| folder.sync_all())
}

fn io(doing: &'static str, path: &Path, source: std::io::Error) -> HistoryError {
    match source.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
            HistoryError::Full { path: path.to_owned() }
        }
        _ => HistoryError::Io { doing, path: path.to_owned(), source },
    }
}

fn parquet(doing: &'static str, path: &Path, source: ParquetError) -> HistoryError {
    HistoryError::Parquet { doing, path: path.to_owned(), source }
}

fn damaged(path: &Path, error: &serde_json::Error) -> HistoryError {
    HistoryError::Damaged { path: path.to_owned(), what: error.to_string() }
}
