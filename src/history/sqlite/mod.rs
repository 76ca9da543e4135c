//! The default history: one SQLite file. A run is one transaction, so a process that is killed, or a disk that is full,
//! leaves the history as it was. Runs at the same time wait for each other.

mod migrate;
mod models;
mod read;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::error::HistoryError;
use super::models::{ModelEntry, ModelWindow, ModelsStored};
use super::{Numbers, Point, RunIdentity, Step, Store, Stored, StoredRun};
use crate::report::{Report, Run};

/// How long one run waits for another's transaction, which takes a second or two.
const PATIENCE: Duration = Duration::from_secs(60);

/// A history in a SQLite file.
pub(super) struct Database {
    connection: Connection,
    path: PathBuf,
}

impl Database {
    pub(super) fn open(path: &Path) -> Result<Self, HistoryError> {
        Ok(Self { connection: connect(path)?, path: path.to_owned() })
    }

    /// Runs `work`, with what it was doing and the path in its errors.
    fn doing<T>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, HistoryError> {
        work(&self.connection).map_err(|error| HistoryError::sqlite(what, &self.path, error))
    }
}

/// Opens the file, with the newest layout.
pub(crate) fn connect(path: &Path) -> Result<Connection, HistoryError> {
    let failed = |error| HistoryError::sqlite("open", path, error);
    if path.is_dir() {
        return Err(HistoryError::Foreign { path: path.to_owned() });
    }
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    // Before anything is written: even the journal mode is a change to somebody else's file.
    migrate::check_owner(&connection, path)?;
    prepare(&connection).map_err(failed)?;
    migrate::migrate(&mut connection, path)?;
    Ok(connection)
}

/// Readers do not wait for the writer (WAL), and a commit is on the disk before anybody is told (FULL).
fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    // Only a new file takes this: pages that pruning frees go back to the disk.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)
}

impl Store for Database {
    fn put(
        &mut self,
        identity: &RunIdentity,
        report: &Report,
        observer: &mut dyn FnMut(Step),
    ) -> Result<Stored, HistoryError> {
        write::put(&mut self.connection, &self.path, identity, report, observer)
    }

    fn runs(&self) -> Result<Vec<StoredRun>, HistoryError> {
        self.doing("read", read::runs)
    }

    fn report(&self, run: &StoredRun) -> Result<Report, HistoryError> {
        self.doing("read", |connection| read::report(connection, run))
    }

    fn facts(&self, run: &StoredRun) -> Result<Run, HistoryError> {
        self.doing("read", |connection| read::facts(connection, run))
    }

    fn numbers(&self, run: &StoredRun) -> Result<Vec<(String, Numbers)>, HistoryError> {
        self.doing("read", |connection| read::numbers(connection, run))
    }

    fn series(&self, runs: &[StoredRun], feature: &str) -> Result<Vec<Point>, HistoryError> {
        self.doing("read", |connection| read::series(connection, runs, feature))
    }

    fn prune(&mut self, before: DateTime<Utc>) -> Result<usize, HistoryError> {
        write::prune(&mut self.connection, before).map_err(|error| HistoryError::sqlite("write", &self.path, error))
    }

    fn put_models(&mut self, entries: &[ModelEntry]) -> Result<ModelsStored, HistoryError> {
        models::put(&mut self.connection, entries).map_err(|error| HistoryError::sqlite("write", &self.path, error))
    }

    fn models(&self, job: Option<&str>, model: Option<&str>) -> Result<Vec<ModelWindow>, HistoryError> {
        self.doing("read", |connection| models::read(connection, job, model))
    }

    fn models_state(&self) -> Result<String, HistoryError> {
        self.doing("read", models::state)
    }

    fn prune_models(&mut self, keep: TimeDelta) -> Result<usize, HistoryError> {
        self.doing("write", |connection| models::prune(connection, keep))
    }
}

#[cfg(test)]
mod tests;
