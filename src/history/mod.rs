//! Every run kept: what was found, night after night, so that levels have a past and alerts an end.
//!
//! ```text
//!     Report + RunLabel -> RunIdentity -> History::store        one transaction a run
//!     History::runs, report, series, last_levels                for trends, diffs, alerts, levels that take two nights
//!     ModelReport -> ModelEntry -> History::store_models        windows of models, amended when labels arrive
//! ```
//!
//! A run is known by its job, its window and its definition ([`RunIdentity`]). Storing the same run again changes
//! nothing; storing other data for it replaces it in the same transaction, and notes the revision. The default is one
//! SQLite file ([`HistoryFormat::Sqlite`]), the other choice a folder of Parquet files. Nothing is written unless
//! `[history]` or `--history` asks for it: a scan by hand leaves no files behind.
//!
//! No statistic is computed here, and nothing is lost: [`History::report`] gives back what was stored, to the bit.

mod config;
mod dataset;
mod diff;
mod error;
mod export;
mod hold;
mod identity;
pub(crate) mod instant;
mod models;
mod record;
mod sqlite;
mod still;
mod trend;
mod validations;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub use config::{HistoryConfig, HistoryFormat, HistoryPlace};
pub use diff::{Diff, Moved, diff};
pub use error::HistoryError;
pub use export::{EXPORTS, ExportFormat, export};
pub use identity::{AsOf, DEFAULT_JOB, RunIdentity, RunLabel, content, definition};
pub use models::{
    EarlierDefinition, ModelDrift, ModelEntry, ModelFilter, ModelKey, ModelSegment, ModelStep, ModelTrend, ModelValue,
    ModelWindow, ModelsStored, model_entries,
};
pub use record::{Numbers, QUANTILES};
pub(crate) use sqlite::connect;
pub use trend::{LevelChange, Trend, trends};
pub use validations::StoredValidation;

use crate::quality::{NIGHTS, VOLUME, Volume, volume};
use crate::report::{Report, Run, Summary};
use crate::verdict::Level;

/// A run in the history, without its features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredRun {
    /// What people type: twelve hexadecimal digits that follow from job, window and definition.
    pub name: String,
    /// Name of the job.
    pub job: String,
    /// The time, or the data, that the run is about.
    pub window: String,
    /// Hash of what decides about the numbers.
    pub definition: String,
    /// The instant that it stands for.
    #[serde(with = "instant")]
    pub at: DateTime<Utc>,
    /// When it was stored.
    #[serde(with = "instant")]
    pub stored_at: DateTime<Utc>,
    /// 1, and one more each time that other data took its place.
    pub revision: u32,
    /// Hash of everything that it found.
    pub content: String,
    /// How many features had which level.
    pub summary: Summary,
}

impl StoredRun {
    /// The highest level of any feature.
    #[must_use]
    pub fn worst(&self) -> Level {
        Level::ALL.into_iter().rev().find(|&level| self.summary.of_level(level) > 0).unwrap_or_default()
    }
}

/// What one run says of one feature.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Name of the run.
    pub run: String,
    /// The window of the run.
    pub window: String,
    /// The instant that the run stands for.
    #[serde(with = "instant")]
    pub at: DateTime<Utc>,
    /// The numbers.
    #[serde(flatten)]
    pub numbers: Numbers,
}

/// What became of a run that was to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is new.
    New,
    /// It was there already, with the same content: nothing has changed.
    Unchanged,
    /// It was there with other content, which it has replaced. The revision counts from 1.
    Replaced {
        /// The revision that is stored now.
        revision: u32,
    },
}

/// What was older than the days to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Runs.
    pub runs: usize,
    /// Windows of models, one a version, segment and definition.
    pub model_windows: usize,
}

/// How far the storing of a run has come; see [`History::store_observed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The writer's lock is held, nothing is written.
    Begun,
    /// The run itself is written, its features are not.
    RunWritten,
    /// Half of the features are written.
    HalfWritten,
    /// Everything is written and nothing committed.
    BeforeCommit,
    /// It is stored.
    Committed,
}

/// Where runs are kept: a [`sqlite::Database`] or a [`dataset::Dataset`].
trait Store: Send {
    fn put(
        &mut self,
        identity: &RunIdentity,
        report: &Report,
        observer: &mut dyn FnMut(Step),
    ) -> Result<Stored, HistoryError>;
    /// All runs, by instant, the oldest first.
    fn runs(&self) -> Result<Vec<StoredRun>, HistoryError>;
    fn report(&self, run: &StoredRun) -> Result<Report, HistoryError>;
    /// The circumstances of a run.
    fn facts(&self, run: &StoredRun) -> Result<Run, HistoryError>;
    /// Every feature of a run with its numbers, in the order of the report.
    fn numbers(&self, run: &StoredRun) -> Result<Vec<(String, Numbers)>, HistoryError>;
    /// One feature in the runs of `runs` that have it.
    fn series(&self, runs: &[StoredRun], feature: &str) -> Result<Vec<Point>, HistoryError>;
    /// Removes runs that stand for an instant before `before`, and says how many.
    fn prune(&mut self, before: DateTime<Utc>) -> Result<usize, HistoryError>;
    /// Stores windows of models, each as [`ModelWindow::settle`] says.
    fn put_models(&mut self, entries: &[ModelEntry]) -> Result<ModelsStored, HistoryError>;
    /// All windows of a job and of a model, where they are named, by instant, the oldest first.
    fn models(&self, job: Option<&str>, model: Option<&str>) -> Result<Vec<ModelWindow>, HistoryError>;
    /// A text that is another one when windows of models came, went, or changed.
    fn models_state(&self) -> Result<String, HistoryError>;
    /// Removes windows of models that end longer before the latest one, and says how many.
    fn prune_models(&mut self, keep: TimeDelta) -> Result<usize, HistoryError>;
}

/// Which runs: all of a job, and at most so many of the latest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of this job only.
    pub job: Option<String>,
    /// The latest so many.
    pub last: Option<usize>,
}

impl RunFilter {
    /// Every run of a job.
    #[must_use]
    pub fn job(job: &str) -> Self {
        Self { job: Some(job.to_owned()), last: None }
    }
}

/// The runs of the past.
pub struct History {
    store: Box<dyn Store>,
    path: PathBuf,
    state: PathBuf,
    keep_days: Option<u32>,
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History").field("path", &self.path).finish_non_exhaustive()
    }
}

impl History {
    /// Opens the history that `place` names, and begins one where there is none.
    ///
    /// # Errors
    /// When the file is something else, was written by a later version, or cannot be opened.
    pub fn open(place: &HistoryPlace) -> Result<Self, HistoryError> {
        let path = place.path.clone();
        let (store, state): (Box<dyn Store>, _) = match place.format {
            HistoryFormat::Sqlite => (Box::new(sqlite::Database::open(&path)?), path.clone()),
            // Tools that read folders of Parquet pass over names with an underscore.
            HistoryFormat::Parquet => (Box::new(dataset::Dataset::open(&path)?), path.join("_gpudrift.db")),
        };
        Ok(Self { store, path, state, keep_days: place.keep_days })
    }

    /// Opens a history that must be there: reading does not begin one.
    ///
    /// # Errors
    /// As [`History::open`], and when there is nothing at the path.
    pub fn open_existing(place: &HistoryPlace) -> Result<Self, HistoryError> {
        if !place.path.exists() {
            return Err(HistoryError::Missing { path: place.path.clone() });
        }
        Self::open(place)
    }

    /// The file or folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The SQLite file in which alerts keep their state: the history itself, or a file inside the dataset.
    #[must_use]
    pub fn state_path(&self) -> &Path {
        &self.state
    }

    /// Stores a run, then removes what is older than `keep_days`.
    ///
    /// # Errors
    /// When it could not be stored; then nothing has changed.
    pub fn store(&mut self, identity: &RunIdentity, report: &Report) -> Result<Stored, HistoryError> {
        self.store_observed(identity, report, &mut |_| {})
    }

    /// [`History::store`], telling `observer` how far it has come: tests end the process there.
    ///
    /// # Errors
    /// As [`History::store`].
    pub fn store_observed(
        &mut self,
        identity: &RunIdentity,
        report: &Report,
        observer: &mut dyn FnMut(Step),
    ) -> Result<Stored, HistoryError> {
        let stored = self.store.put(identity, report, observer)?;
        observer(Step::Committed);
        if let Some(days) = self.keep_days {
            self.keep(days)?;
        }
        Ok(stored)
    }

    /// The runs that `filter` lets through, by the instant that they stand for, the oldest first.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<StoredRun>, HistoryError> {
        let mut runs = self.store.runs()?;
        runs.retain(|run| filter.job.as_ref().is_none_or(|job| *job == run.job));
        if let Some(last) = filter.last {
            runs.drain(..runs.len().saturating_sub(last));
        }
        Ok(runs)
    }

    /// The run that `asked` means: its name or the beginning of it, its window, `latest`, or `latest~N` for the one N
    /// runs before.
    ///
    /// # Errors
    /// When none does, or several.
    pub fn find(&self, asked: &str, filter: &RunFilter) -> Result<StoredRun, HistoryError> {
        let mut runs = self.runs(filter)?;
        let none = |problem: String| HistoryError::NoSuchRun { asked: asked.to_owned(), problem };
        if let Some(back) = asked.strip_prefix("latest") {
            let back = match back.strip_prefix('~').map(str::parse::<usize>) {
                None if back.is_empty() => Some(0),
                Some(Ok(back)) => Some(back),
                _ => None,
            };
            let index = back.and_then(|back| runs.len().checked_sub(back + 1));
            return index
                .map(|index| runs.swap_remove(index))
                .ok_or_else(|| none(format!("names no run of the {} here", runs.len())));
        }
        runs.retain(|run| run.window == asked || (asked.len() >= 4 && run.name.starts_with(asked)));
        match runs.len() {
            1 => Ok(runs.swap_remove(0)),
            0 => Err(none("names no run".to_owned())),
            n => {
                let names: Vec<_> = runs.iter().take(5).map(|run| run.name.as_str()).collect();
                Err(none(format!("names {n} runs: {}", names.join(", "))))
            }
        }
    }

    /// What a run found, as it was reported.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn report(&self, run: &StoredRun) -> Result<Report, HistoryError> {
        self.store.report(run)
    }

    /// Every feature of a run with its numbers, in the order of the report.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn numbers(&self, run: &StoredRun) -> Result<Vec<(String, Numbers)>, HistoryError> {
        self.store.numbers(run)
    }

    /// Adds to a report what is wrong with its number of rows, beside those of the latest runs of the same job and definition that
    /// stand for an earlier instant.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn check_volume(&self, identity: &RunIdentity, report: &mut Report) -> Result<(), HistoryError> {
        let mut before = self.runs(&RunFilter::job(&identity.job))?;
        before.retain(|run| run.definition == identity.definition && run.at < identity.at);
        let latest = before.iter().rev().take(NIGHTS);
        let rows = latest.map(|run| Ok(self.store.facts(run)?.current.rows));
        match volume(report.run.current.rows, &rows.collect::<Result<Vec<u64>, HistoryError>>()?) {
            Volume::Unusual(finding) => report.add_finding(finding),
            Volume::Unknown => report.run.blind_checks.push(VOLUME.to_owned()),
            Volume::Usual => {}
        }
        Ok(())
    }

    /// One feature over the runs of a job, the oldest first.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn series(&self, job: &str, feature: &str) -> Result<Vec<Point>, HistoryError> {
        self.store.series(&self.runs(&RunFilter::job(job))?, feature)
    }

    /// The levels of every feature in the last `n` runs of a job, the oldest first; `None` where a run lacks it.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn last_levels(&self, job: &str, n: usize) -> Result<BTreeMap<String, Vec<Option<Level>>>, HistoryError> {
        let runs = self.runs(&RunFilter { job: Some(job.to_owned()), last: Some(n) })?;
        let mut levels: BTreeMap<String, Vec<Option<Level>>> = BTreeMap::new();
        for (index, run) in runs.iter().enumerate() {
            for (name, numbers) in self.numbers(run)? {
                levels.entry(name).or_insert_with(|| vec![None; runs.len()])[index] = Some(numbers.level);
            }
        }
        Ok(levels)
    }

    /// Removes the runs that stand for an instant more than `days` days before that of the latest run, and says how
    /// many there were; and the windows of models that end so long before the latest one. The past is measured from the
    /// data, not from the clock, so filling in old windows is safe.
    ///
    /// # Errors
    /// When the history cannot be written; then nothing is removed.
    pub fn keep(&mut self, days: u32) -> Result<Removed, HistoryError> {
        let days = TimeDelta::days(days.into());
        let model_windows = self.store.prune_models(days)?;
        let runs = match self.store.runs()?.last() {
            Some(latest) => self.store.prune(latest.at - days)?,
            None => 0,
        };
        Ok(Removed { runs, model_windows })
    }
}
