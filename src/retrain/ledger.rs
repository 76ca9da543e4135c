//! Trainings and answers, in the history's file.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use super::{Answer, Decision};
use crate::history::instant::{self, of_milliseconds};
use crate::history::{self, History, HistoryError};

/// A training that somebody told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Training {
    /// The version of the model that came of it.
    pub model_version: String,
    /// Up to which time it has seen data.
    #[serde(with = "instant")]
    pub at: DateTime<Utc>,
}

/// What is kept beside a history.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    path: PathBuf,
}

impl Ledger {
    /// The ledger of a history.
    ///
    /// # Errors
    /// When its file cannot be opened.
    pub fn open(history: &History) -> Result<Self, HistoryError> {
        let path = history.state_path().to_owned();
        Ok(Self { connection: history::connect(&path)?, path })
    }

    /// The last training of `job`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn trained(&self, job: &str) -> Result<Option<Training>, HistoryError> {
        let sql = "SELECT model_version, at FROM trainings WHERE job = ?1 ORDER BY at DESC, model_version DESC LIMIT 1";
        let row = |row: &Row<'_>| Ok(Training { model_version: row.get(0)?, at: of_milliseconds(row.get(1)?) });
        self.connection.query_row(sql, [job], row).optional().map_err(|error| self.failed("read", error))
    }

    /// Takes note of a training; said again, it changes nothing but the time.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn done(&self, job: &str, training: &Training) -> Result<(), HistoryError> {
        let sql = "INSERT INTO trainings (job, model_version, at) VALUES (?1, ?2, ?3)
                   ON CONFLICT (job, model_version) DO UPDATE SET at = excluded.at";
        let values = params![job, training.model_version, training.at.timestamp_millis()];
        self.connection.execute(sql, values).map(|_| ()).map_err(|error| self.failed("write", error))
    }

    /// The instant of the earliest yes to `job` after `since` and before `night`: what has been asked for and not done.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn asked(
        &self,
        job: &str,
        since: Option<DateTime<Utc>>,
        night: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, HistoryError> {
        let sql = "SELECT min(at) FROM retrain_decisions WHERE job = ?1 AND answer = 'yes' AND at > ?2 AND at < ?3";
        let since = since.map_or(i64::MIN, |since| since.timestamp_millis());
        let row = |row: &Row<'_>| Ok(row.get::<_, Option<i64>>(0)?.map(of_milliseconds));
        let found = self.connection.query_row(sql, params![job, since, night.timestamp_millis()], row);
        found.map_err(|error| self.failed("read", error))
    }

    /// Keeps an answer; the one of a night takes the place of an earlier one of that night.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, decision: &Decision) -> Result<(), HistoryError> {
        let json = serde_json::to_string(decision).expect("a decision is JSON");
        let sql = "INSERT INTO retrain_decisions (job, at, answer, decision) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (job, at) DO UPDATE SET answer = excluded.answer, decision = excluded.decision";
        let values = params![decision.job, decision.evidence.at.timestamp_millis(), decision.answer.name(), json];
        self.connection.execute(sql, values).map(|_| ()).map_err(|error| self.failed("write", error))
    }

    /// The answers to `job`, or to all jobs, the oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn decisions(&self, job: Option<&str>) -> Result<Vec<Decision>, HistoryError> {
        let sql = "SELECT decision FROM retrain_decisions WHERE ?1 IS NULL OR job = ?1 ORDER BY at, job";
        let read = || {
            let mut statement = self.connection.prepare(sql)?;
            let texts = statement.query_map([job], |row| row.get::<_, String>(0))?;
            texts.collect::<Result<Vec<_>, _>>()
        };
        let texts = read().map_err(|error| self.failed("read", error))?;
        let unreadable = |error: serde_json::Error| {
            let text = rusqlite::types::Type::Text;
            self.failed("read", rusqlite::Error::FromSqlConversionFailure(0, text, error.into()))
        };
        texts.iter().map(|text| serde_json::from_str(text).map_err(unreadable)).collect()
    }

    fn failed(&self, what: &'static str, source: rusqlite::Error) -> HistoryError {
        HistoryError::sqlite(what, &self.path, source)
    }
}

impl Decision {
    /// Whether somebody is to be told: it is a yes.
    #[must_use]
    pub fn is_yes(&self) -> bool {
        self.answer == Answer::Yes
    }
}
