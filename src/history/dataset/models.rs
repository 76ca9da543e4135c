//! Windows of models in a folder of Parquet files, one a job, model, window and definition.
//!
//! ```text
//!     HISTORY/_models/job=churn/model=loan/window=2026-11-01/9f86d081884c7d65.parquet
//! ```
//!
//! One row a version, a segment and a state (`first`, `amended`): counts, a column a metric and a column an estimate, and
//! `body`, the whole of it as JSON. Tools that read the folder of runs pass over names with an underscore, so rows of
//! models do not mix with those of features; they read `_models` when it is named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, UInt64Array};
use chrono::{DateTime, Utc};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use sha2::Digest;

use super::{Dataset, batches, damaged, encoded_name, io, parquet, replace};
use crate::history::HistoryError;
use crate::history::models::{ModelEntry, ModelKey, ModelValue, ModelWindow, ModelsStored};

impl Dataset {
    fn models_folder(&self) -> PathBuf {
        self.folder.join("_models")
    }

    fn file_of_model(&self, key: &ModelKey) -> PathBuf {
        let folder = |name: &str, value: &str| format!("{name}={}", encoded_name(value));
        let path = self.models_folder().join(folder("job", &key.job)).join(folder("model", &key.model));
        path.join(folder("window", &key.window)).join(format!("{}.parquet", key.definition))
    }

    fn model_files(&self) -> impl Iterator<Item = PathBuf> {
        let entries = walkdir::WalkDir::new(self.models_folder()).min_depth(4).max_depth(4).sort_by_file_name();
        entries.into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path).filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".parquet") && !name.starts_with('.')
        })
    }

    pub(super) fn put_model_windows(&self, entries: &[ModelEntry]) -> Result<ModelsStored, HistoryError> {
        let mut stored = ModelsStored::default();
        let mut files: Vec<(PathBuf, Vec<&ModelEntry>)> = Vec::new();
        for entry in entries {
            let path = self.file_of_model(&entry.key);
            match files.iter_mut().find(|(known, _)| *known == path) {
                Some((_, entries)) => entries.push(entry),
                None => files.push((path, vec![entry])),
            }
        }
        for (path, entries) in files {
            let mut windows = if path.exists() { read(&path)? } else { Vec::new() };
            let mut changed = false;
            for entry in entries {
                let at = windows.iter().position(|window| window.key == entry.key);
                let (step, window) = ModelWindow::settle(at.map(|at| &windows[at]), entry);
                stored.add(step);
                changed |= window.is_some();
                match (at, window) {
                    (Some(at), Some(window)) => windows[at] = window,
                    (None, Some(window)) => windows.push(window),
                    (_, None) => {}
                }
            }
            if changed {
                let bytes = encoded(&windows).map_err(|source| parquet("write", &path, source))?;
                replace(&path, &bytes, &mut |_| {}).map_err(|source| io("write", &path, source))?;
            }
        }
        Ok(stored)
    }

    pub(super) fn model_windows(
        &self,
        job: Option<&str>,
        model: Option<&str>,
    ) -> Result<Vec<ModelWindow>, HistoryError> {
        let mut windows = Vec::new();
        for path in self.model_files() {
            windows.extend(read(&path)?);
        }
        windows.retain(|window| {
            job.is_none_or(|job| job == window.key.job) && model.is_none_or(|model| model == window.key.model)
        });
        windows.sort_by_key(|window| window.at);
        Ok(windows)
    }

    /// Another text whenever a file came, went, or was replaced.
    pub(super) fn model_windows_state(&self) -> String {
        let state = |path: PathBuf| {
            let facts = path.metadata().ok()?;
            let since = facts.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(format!("{} {} {since:?}", path.display(), facts.len()))
        };
        let files: Vec<String> = self.model_files().filter_map(state).collect();
        hex::encode(sha2::Sha256::digest(files.join("\n")))
    }

    pub(super) fn prune_model_windows(&self, before: DateTime<Utc>) -> Result<usize, HistoryError> {
        let mut removed = 0;
        for path in self.model_files() {
            let windows = read(&path)?;
            if windows.iter().all(|window| window.at < before) {
                std::fs::remove_file(&path).map_err(|source| io("write", &path, source))?;
                // The folder of the window, when nothing else is in it.
                let _ = path.parent().map(std::fs::remove_dir);
                removed += windows.len();
            }
        }
        Ok(removed)
    }
}

fn read(path: &Path) -> Result<Vec<ModelWindow>, HistoryError> {
    let mut windows = Vec::new();
    for batch in batches(path, &["window_body"])? {
        for text in batch.column(0).as_string::<i32>().iter().flatten() {
            windows.push(serde_json::from_str(text).map_err(|error| damaged(path, &error))?);
        }
    }
    Ok(windows)
}

/// A row of the file: a window with its value in one state.
struct StateRow<'w> {
    window: &'w ModelWindow,
    state: &'static str,
    value: &'w ModelValue,
}

fn encoded(windows: &[ModelWindow]) -> Result<Vec<u8>, ParquetError> {
    let mut rows = Vec::new();
    for window in windows {
        rows.push(StateRow { window, state: "first", value: &window.first });
        rows.extend(window.amended.as_ref().map(|value| StateRow { window, state: "amended", value }));
    }
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    let texts: [(&str, Text); 8] = [
        ("version", |row| row.window.key.version.clone()),
        ("segment", |row| row.window.key.segment.as_ref().map(|segment| segment.column.clone())),
        ("segment_value", |row| row.window.key.segment.as_ref().and_then(|segment| segment.value.clone())),
        ("first_day", |row| row.window.days.as_ref().map(|days| days[0].clone())),
        ("last_day", |row| row.window.days.as_ref().map(|days| days[1].clone())),
        ("state", |row| Some(row.state.to_owned())),
        ("stored_at", |row| Some(crate::history::instant::text(&row.value.stored_at))),
        ("level", |row| Some(row.value.level.name().to_owned())),
    ];
    for (name, text) in texts {
        columns.push((name.to_owned(), Arc::new(rows.iter().map(text).collect::<StringArray>())));
    }
    let counts: [(&str, Count); 3] = [
        ("rows", |row| row.value.rows.rows),
        ("labelled", |row| row.value.rows.labelled),
        ("measured", |row| row.value.rows.measured),
    ];
    for (name, count) in counts {
        columns.push((name.to_owned(), Arc::new(UInt64Array::from_iter_values(rows.iter().map(count)))));
    }
    let names: BTreeSet<&String> = rows.iter().flat_map(|row| row.value.metrics.keys()).collect();
    for name in names {
        let values = rows.iter().map(|row| row.value.metric(name)).collect::<Float64Array>();
        columns.push((name.clone(), Arc::new(values)));
    }
    let names: BTreeSet<&String> = rows.iter().flat_map(|row| row.value.estimated.keys()).collect();
    for name in names {
        let values = rows.iter().map(|row| row.value.estimate(name)).collect::<Float64Array>();
        columns.push((format!("estimated_{name}"), Arc::new(values)));
    }
    let external = |error: serde_json::Error| ParquetError::External(Box::new(error));
    let body = |row: &StateRow<'_>| serde_json::to_string(row.value).map(Some);
    let bodies: Vec<_> = rows.iter().map(body).collect::<Result<_, _>>().map_err(external)?;
    columns.push(("body".to_owned(), Arc::new(StringArray::from(bodies))));
    // The whole window stands in the row of its first value alone.
    let whole = |row: &StateRow<'_>| (row.state == "first").then(|| serde_json::to_string(row.window)).transpose();
    let wholes: Vec<_> = rows.iter().map(whole).collect::<Result<_, _>>().map_err(external)?;
    columns.push(("window_body".to_owned(), Arc::new(StringArray::from(wholes))));
    let batch = RecordBatch::try_from_iter(columns)?;
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(super::compressed().build()))?;
    writer.write(&batch)?;
    writer.into_inner()
}

/// A column of text, or of counts, from a row.
type Text = fn(&StateRow<'_>) -> Option<String>;
type Count = fn(&StateRow<'_>) -> u64;
