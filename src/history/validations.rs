//! Decisions of validations, kept in the history's SQLite file (of a Parquet history: the file of its state).

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::instant::{self, of_milliseconds};
use super::{DEFAULT_JOB, History, HistoryError, Stored, connect};
use crate::model::validate::{Decision, ValidationReport};

/// A validation in the history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredValidation {
    /// Sixteen hexadecimal digits that follow from what it says.
    pub name: String,
    /// Name of the job.
    pub job: String,
    /// Name of the model.
    pub model: String,
    /// When it was stored.
    #[serde(with = "instant")]
    pub at: DateTime<Utc>,
    /// What followed.
    pub decision: Decision,
    /// The whole report, as `--format json` writes it.
    pub report: Value,
}

impl History {
    /// Stores a validation of `model`. The same logs, policy and figures again change nothing.
    ///
    /// # Errors
    /// When it could not be stored.
    pub fn store_validation(
        &self,
        report: &ValidationReport,
        job: Option<&str>,
        model: &str,
        now: DateTime<Utc>,
    ) -> Result<Stored, HistoryError> {
        let job = job.unwrap_or(DEFAULT_JOB);
        let body = serde_json::to_value(report).expect("a report is JSON");
        let mut said = body.clone();
        if let Some(run) = said["run"].as_object_mut() {
            ["version", "duration_seconds"].iter().for_each(|clock| {
                run.remove(*clock);
            });
        }
        let mut name = hex::encode(Sha256::digest(format!("{job}\0{model}\0{said}")));
        name.truncate(16);
        let sql = "INSERT INTO validations VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO NOTHING";
        let values = params![name, job, model, now.timestamp_millis(), report.decision.name(), body.to_string()];
        let stored = self.ledger()?.execute(sql, values).map_err(|error| self.failed("write", error))?;
        Ok(if stored > 0 { Stored::New } else { Stored::Unchanged })
    }

    /// The validations of a job and of a model, where they are named, the oldest first.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn validations(&self, job: Option<&str>, model: Option<&str>) -> Result<Vec<StoredValidation>, HistoryError> {
        let sql = "SELECT name, job, model, at, decision, body FROM validations
                   WHERE (?1 IS NULL OR job = ?1) AND (?2 IS NULL OR model = ?2) ORDER BY at, name";
        let connection = self.ledger()?;
        let read = || -> Result<Vec<_>, rusqlite::Error> {
            connection.prepare(sql)?.query_map([job, model], validation_of)?.collect()
        };
        read().map_err(|error| self.failed("read", error))
    }

    fn ledger(&self) -> Result<Connection, HistoryError> {
        connect(self.state_path())
    }

    fn failed(&self, doing: &'static str, error: rusqlite::Error) -> HistoryError {
        HistoryError::sqlite(doing, self.state_path(), error)
    }
}

fn validation_of(row: &Row<'_>) -> Result<StoredValidation, rusqlite::Error> {
    let text = rusqlite::types::Type::Text;
    let unreadable = |error| rusqlite::Error::FromSqlConversionFailure(4, text, Box::new(error));
    let decision: String = row.get(4)?;
    let body: String = row.get(5)?;
    Ok(StoredValidation {
        name: row.get(0)?,
        job: row.get(1)?,
        model: row.get(2)?,
        at: of_milliseconds(row.get(3)?),
        decision: serde_json::from_value(Value::from(decision)).map_err(unreadable)?,
        report: serde_json::from_str(&body).map_err(unreadable)?,
    })
}
