//! Incidents that people were told of, open and over, for those who look back.

use chrono::{DateTime, Utc};
use rusqlite::Row;
use serde::Serialize;

use super::members::{Member, members};
use super::outbox::level;
use crate::history::instant::{self, of_milliseconds};
use crate::history::{self, History, HistoryError};
use crate::verdict::Level;

/// An incident, from its first run to its last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PastIncident {
    /// Name of the job.
    pub job: String,
    /// What it is about: the first of its features, or a check of the whole run.
    pub subject: String,
    /// Its level in the last run that had it.
    pub level: Level,
    /// One line.
    pub title: String,
    /// The instant of its first run.
    #[serde(with = "instant")]
    pub opened_at: DateTime<Utc>,
    /// The instant of the last run that had it.
    #[serde(with = "instant")]
    pub seen_at: DateTime<Utc>,
    /// Runs that had it.
    pub nights: u32,
    /// When people were last told, RFC 3339; `None`: never.
    pub told_at: Option<String>,
    /// The instant of the first run without it, RFC 3339; `None`: it is open.
    pub closed_at: Option<String>,
    /// Its features, by name; none when it is about the whole run. Not in JSON: there may be thousands.
    #[serde(skip)]
    pub members: Vec<Member>,
}

/// The latest `most` incidents of a job, those that began last first. None where alerts were never configured.
///
/// # Errors
/// When the history's file cannot be read.
pub fn past_incidents(history: &History, job: &str, most: usize) -> Result<Vec<PastIncident>, HistoryError> {
    let path = history.state_path();
    if !path.exists() {
        return Ok(Vec::new());
    }
    let connection = history::connect(path)?;
    let read = || -> Result<Vec<PastIncident>, rusqlite::Error> {
        let sql = "SELECT job, subject, level, title, opened_at, seen_at, nights, told_at, closed_at, id
                   FROM incidents WHERE job = ?1 ORDER BY opened_at DESC, id DESC LIMIT ?2";
        let found: Result<Vec<(PastIncident, i64)>, _> =
            connection.prepare(sql)?.query_map(rusqlite::params![job, most], incident)?.collect();
        let with_members =
            |(incident, id): (PastIncident, i64)| Ok(PastIncident { members: members(&connection, id)?, ..incident });
        found?.into_iter().map(with_members).collect()
    };
    read().map_err(|error| HistoryError::sqlite("read", path, error))
}

/// The incident without its members, and its number.
fn incident(row: &Row<'_>) -> Result<(PastIncident, i64), rusqlite::Error> {
    let text = |milliseconds: Option<i64>| milliseconds.map(|at| instant::text(&of_milliseconds(at)));
    let incident = PastIncident {
        job: row.get(0)?,
        subject: row.get(1)?,
        level: level(row.get(2)?),
        title: row.get(3)?,
        opened_at: of_milliseconds(row.get(4)?),
        seen_at: of_milliseconds(row.get(5)?),
        nights: row.get(6)?,
        told_at: text(row.get(7)?),
        closed_at: text(row.get(8)?),
        members: Vec::new(),
    };
    Ok((incident, row.get(9)?))
}
