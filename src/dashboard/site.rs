//! The pages as files in a folder.
//!
//! ```text
//!     DIR/index.html  dashboard.css  dashboard.js  uPlot.js  uPlot-LICENSE.txt
//!     DIR/data-5e1fae3c/jobs.js  JOB/job.js  JOB/features.js  JOB/0.js  JOB/1.js ...
//!                                JOB/models.js  JOB/models/0.js  JOB/models/0-0.js ...   a model, and one of its segments
//! ```
//!
//! The name of the data folder follows from the history. New data lies beside the old until `index.html` names it, so
//! somebody who reads while a nightly job writes sees the one or the other; the folder before that stays one turn longer.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::assets::{ASSETS, Shell, ShellJob, ShellModel};
use super::{Board, DashboardError, ModelBoard};
use crate::history::{History, RunFilter, StoredRun};
use crate::verdict::Level;

/// Numbers of features times runs that a file of features holds, about: a few hundred kilobytes.
const CHUNK: usize = 3000;
/// How the page tells that it is ours.
const MARK: &str = "name=\"generator\" content=\"gpudrift";
/// What names of data folders begin with.
const DATA: &str = "data-";

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The page to open.
    pub index: PathBuf,
    /// Jobs.
    pub jobs: usize,
    /// Features of all jobs.
    pub features: usize,
    /// Models of all jobs.
    pub models: usize,
    /// Bytes in all files.
    pub bytes: u64,
}

/// The folder of a job: hexadecimal digits that follow from its name, which may hold anything.
#[must_use]
pub fn job_id(job: &str) -> String {
    let mut id = hex::encode(Sha256::digest(job));
    id.truncate(10);
    id
}

/// Features in a file, when each has so many runs.
#[must_use]
pub fn chunk_size(runs: usize) -> usize {
    (CHUNK / runs.max(1)).clamp(1, 64)
}

/// A script that hands `value` to the page under `key`.
///
/// # Errors
/// When a value cannot be written as JSON.
pub(crate) fn script(key: &str, value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = format!("gpudrift.receive({}, ", serde_json::to_string(key)?).into_bytes();
    serde_json::to_writer(&mut text, value)?;
    text.extend_from_slice(b");\n");
    Ok(text)
}

/// What the page needs to know of every job.
#[derive(Serialize)]
pub(crate) struct JobEntry<'r> {
    id: String,
    name: &'r str,
    /// Runs; none of a job that has models alone.
    runs: usize,
    /// The latest run, or else the latest window of a model.
    window: &'r str,
    #[serde(with = "crate::history::instant")]
    at: chrono::DateTime<chrono::Utc>,
    summary: crate::report::Summary,
    models: usize,
    /// The highest level of its models.
    model_level: Level,
    /// Answers to the question whether to train.
    decisions: usize,
}

/// Models of jobs, by the names of these.
pub(crate) type ModelBoards = BTreeMap<String, ModelBoard>;

/// Every job of a history with its latest run, by name.
#[must_use]
pub(crate) fn job_entries<'r>(runs: &'r [StoredRun], models: &'r ModelBoards) -> Vec<JobEntry<'r>> {
    let mut jobs: BTreeMap<&str, (usize, Option<&StoredRun>)> =
        models.keys().map(|job| (job.as_str(), (0, None))).collect();
    for run in runs {
        let (number, latest) = jobs.entry(&run.job).or_default();
        (*number, *latest) = (*number + 1, Some(run));
    }
    jobs.into_iter()
        .map(|(name, (runs, latest))| {
            let board = models.get(name);
            let window = board.and_then(ModelBoard::latest);
            JobEntry {
                id: job_id(name),
                name,
                runs,
                window: latest.map(|run| &*run.window).or(window.map(|one| &*one.key.window)).unwrap_or_default(),
                at: latest.map(|run| run.at).or(window.map(|window| window.at)).unwrap_or_default(),
                summary: latest.map(|run| run.summary).unwrap_or_default(),
                models: board.map_or(0, |board| board.models.len()),
                model_level: board.map(ModelBoard::level).unwrap_or_default(),
                decisions: board.map_or(0, |board| board.decisions.len()),
            }
        })
        .collect()
}

/// The page for a history with these runs, whose data lies under `data`.
///
/// # Errors
/// When the template cannot be filled.
pub(crate) fn page(data: &str, runs: &[StoredRun], models: &ModelBoards) -> Result<String, askama::Error> {
    use askama::Template;
    let entries = job_entries(runs, models);
    let counts = |entry: &JobEntry<'_>| {
        [Level::Critical, Level::Warning, Level::Info, Level::Ok]
            .map(|level| (level.name(), entry.summary.of_level(level)))
    };
    let job = |entry: &JobEntry<'_>| (entry.name.to_owned(), entry.window.to_owned(), counts(entry));
    let jobs: Vec<_> = entries.iter().map(job).collect();
    let jobs = jobs.iter().map(|(name, window, counts)| ShellJob { name, window, counts: *counts }).collect();
    let model = |board: &'_ ModelBoard, past: &super::ModelPast| ShellModel {
        job: board.job.clone(),
        name: past.name.clone(),
        window: past.latest().map_or_else(String::new, |window| window.key.window.clone()),
        level: past.level().name(),
    };
    let models = models.values().flat_map(|board| board.models.iter().map(move |past| model(board, past))).collect();
    Shell { data, version: env!("CARGO_PKG_VERSION"), jobs, models }.render()
}

/// Writes the pages of every job, or of one, with the latest `last` runs of each.
///
/// # Errors
/// When the history cannot be read or has no runs, or a file cannot be written.
pub fn write_site(
    history: &History,
    job: Option<&str>,
    last: Option<usize>,
    folder: &Path,
) -> Result<Written, DashboardError> {
    let runs = history.runs(&RunFilter { job: job.map(str::to_owned), last: None })?;
    let models = ModelBoard::all(history, job, last)?;
    if runs.is_empty() && models.is_empty() {
        let of = job.map_or_else(String::new, |job| format!(" of job {job:?}"));
        return Err(DashboardError::NoRuns { path: history.path().to_owned(), of });
    }
    let index = folder.join("index.html");
    let before = fs::read_to_string(&index).unwrap_or_default();
    if index.exists() && !before.contains(MARK) {
        return Err(DashboardError::Foreign { path: index });
    }
    let data = format!("{DATA}{}", fingerprint(&runs, last, &history.models_state()?));
    let site = Site { folder: folder.to_owned(), data: data.clone() };
    let mut bytes = 0;
    for asset in ASSETS {
        bytes += site.put(asset.name, asset.text.as_bytes())?;
    }
    let (mut features, entries) = (0, job_entries(&runs, &models));
    for entry in &entries {
        if let Some(board) = Board::read(history, entry.name, last, true)? {
            bytes += site.write_job(&board)?;
            features += board.order.len();
        }
    }
    for board in models.values() {
        bytes += site.write_models(board)?;
    }
    bytes += site.put_script("jobs", &entries)?;
    let text = page(&data, &runs, &models).map_err(|error| site.failed("index.html", std::io::Error::other(error)))?;
    bytes += site.put("index.html", text.as_bytes())?;
    site.clear(&before)?;
    let models = models.values().map(|board| board.models.len()).sum();
    Ok(Written { index, jobs: entries.len(), features, models, bytes })
}

/// Eight digits that change when the data does.
fn fingerprint(runs: &[StoredRun], last: Option<usize>, models: &str) -> String {
    let mut hash = Sha256::new_with_prefix(format!("{} {last:?} {models} ", env!("CARGO_PKG_VERSION")));
    for run in runs {
        hash.update(format!("{} {} {}\n", run.name, run.revision, run.content));
    }
    let mut text = hex::encode(hash.finalize());
    text.truncate(8);
    text
}

/// A folder of pages that is being written.
struct Site {
    folder: PathBuf,
    data: String,
}

impl Site {
    fn write_job(&self, board: &Board) -> Result<u64, DashboardError> {
        let (id, chunk) = (job_id(&board.job), chunk_size(board.runs.len()));
        let mut bytes = self.put_script(&format!("{id}/job"), &board.page(chunk))?;
        bytes += self.put_script(&format!("{id}/features"), &board.rows().collect::<Vec<_>>())?;
        let chunks: Vec<usize> = (0..board.order.len().div_ceil(chunk)).collect();
        let written = chunks.into_par_iter().map(|number| {
            let places = number * chunk..((number + 1) * chunk).min(board.order.len());
            let pages: Vec<_> = places.filter_map(|place| board.feature_page(place)).collect();
            self.put_script(&format!("{id}/{number}"), &pages)
        });
        Ok(bytes + written.sum::<Result<u64, _>>()?)
    }

    fn write_models(&self, board: &ModelBoard) -> Result<u64, DashboardError> {
        let id = job_id(&board.job);
        let mut bytes = self.put_script(&format!("{id}/models"), &board.page())?;
        for (n, past) in board.models.iter().enumerate() {
            bytes += self.put_script(&format!("{id}/models/{n}"), &board.model_page(n))?;
            for k in 0..past.segments().len() {
                bytes += self.put_script(&format!("{id}/models/{n}-{k}"), &board.segment_page(n, k))?;
            }
        }
        Ok(bytes)
    }

    fn put_script(&self, key: &str, value: &impl Serialize) -> Result<u64, DashboardError> {
        let name = format!("{}/{key}.js", self.data);
        let text = script(key, value).map_err(|error| self.failed(&name, error.into()))?;
        self.put(&name, &text)
    }

    /// Writes a file, complete or not at all.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<u64, DashboardError> {
        let path = self.folder.join(name);
        let write = || {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            let mut builder = tempfile::Builder::new();
            builder.prefix(".gpudrift-").suffix(".tmp");
            // Temporary files are private by default; pages are as readable as any file that one creates.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            let mut file = builder.tempfile_in(folder)?;
            std::io::Write::write_all(&mut file, bytes)?;
            file.persist(&path).map_err(|error| error.error)
        };
        write().map_err(|source| self.failed(name, source))?;
        Ok(bytes.len() as u64)
    }

    /// Removes data that neither the new page nor the one before it names.
    fn clear(&self, before: &str) -> Result<(), DashboardError> {
        let read = || -> std::io::Result<()> {
            for entry in fs::read_dir(&self.folder)? {
                let (entry, name) =
                    entry.map(|entry| (entry.path(), entry.file_name().to_string_lossy().into_owned()))?;
                let ours = name.strip_prefix(DATA).is_some_and(|rest| rest.len() == 8);
                if ours && name != self.data && !before.contains(&name) {
                    fs::remove_dir_all(entry)?;
                }
            }
            Ok(())
        };
        read().map_err(|source| self.failed("", source))
    }

    fn failed(&self, name: &str, source: std::io::Error) -> DashboardError {
        DashboardError::Io { path: self.folder.join(name), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_one_call_whatever_the_names_are() {
        let text = String::from_utf8(script("a\"b", &["</script>\u{2028}"]).unwrap()).unwrap();
        assert!(text.starts_with("gpudrift.receive(\"a\\\"b\", [") && text.ends_with("]);\n"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn a_year_and_a_night_fill_files_of_about_one_size() {
        assert_eq!((chunk_size(0), chunk_size(30), chunk_size(365), chunk_size(100_000)), (64, 64, 8, 1));
    }
}
