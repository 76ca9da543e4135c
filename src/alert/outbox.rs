//! Messages that wait to be sent, and incidents that are open: rows of the history's file.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, Transaction, params};
use serde::Serialize;

use super::members::{Member, members};
use super::message::Message;
use crate::history::instant::{self, of_milliseconds};
use crate::verdict::Level;

/// A message that has not arrived yet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waiting {
    /// Its number; messages of a channel leave in this order.
    pub id: i64,
    /// The channel that it goes to.
    pub channel: String,
    /// The message.
    pub message: Message,
    /// When it was made.
    #[serde(with = "instant")]
    pub created_at: DateTime<Utc>,
    /// Attempts so far.
    pub attempts: u32,
    /// Not to be sent before.
    #[serde(with = "instant")]
    pub not_before: DateTime<Utc>,
    /// What the last attempt ended with.
    pub error: Option<String>,
}

/// An incident that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenIncident {
    #[serde(skip)]
    pub(super) id: i64,
    /// Name of the job.
    pub job: String,
    /// What it is about.
    pub subject: String,
    /// Deduplication key of its messages.
    pub key: String,
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
    #[serde(skip)]
    pub(super) told_at: Option<DateTime<Utc>>,
    /// The level that people were last told.
    pub told_level: Option<Level>,
    /// Its features, by name; none when it is about the whole run.
    pub members: Vec<Member>,
}

pub(super) fn level(number: usize) -> Level {
    Level::ALL.get(number).copied().unwrap_or_default()
}

/// The open incidents of a job, or of all, the oldest first.
pub(super) fn open_incidents(connection: &Connection, job: Option<&str>) -> Result<Vec<OpenIncident>, rusqlite::Error> {
    let sql = "SELECT id, job, subject, key, level, title, opened_at, seen_at, nights, told_at, told_level
               FROM incidents WHERE closed_at IS NULL AND (?1 IS NULL OR job = ?1) ORDER BY id";
    let row = |row: &Row<'_>| {
        Ok(OpenIncident {
            id: row.get(0)?,
            job: row.get(1)?,
            subject: row.get(2)?,
            key: row.get(3)?,
            level: level(row.get(4)?),
            title: row.get(5)?,
            opened_at: of_milliseconds(row.get(6)?),
            seen_at: of_milliseconds(row.get(7)?),
            nights: row.get(8)?,
            told_at: row.get::<_, Option<i64>>(9)?.map(of_milliseconds),
            told_level: row.get::<_, Option<usize>>(10)?.map(level),
            members: Vec::new(),
        })
    };
    let open: Result<Vec<OpenIncident>, _> = connection.prepare_cached(sql)?.query_map([job], row)?.collect();
    let with_members =
        |incident: OpenIncident| Ok(OpenIncident { members: members(connection, incident.id)?, ..incident });
    open?.into_iter().map(with_members).collect()
}

/// Puts a message into the outbox; nothing happens when this event is there already.
pub(super) fn enqueue(
    transaction: &Transaction<'_>,
    channel: &str,
    incident: Option<i64>,
    message: &Message,
) -> Result<(), rusqlite::Error> {
    let json = serde_json::to_string(message).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    transaction.execute(
        "INSERT OR IGNORE INTO outbox (event, channel, incident, message, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![message.event, channel, incident, json, Utc::now().timestamp_millis()],
    )?;
    Ok(())
}

/// Everything that waits, in the order in which it was made.
pub(super) fn waiting(connection: &Connection) -> Result<Vec<Waiting>, rusqlite::Error> {
    let sql = "SELECT id, channel, message, created_at, attempts, not_before, error
               FROM outbox WHERE sent_at IS NULL ORDER BY id";
    let row = |row: &Row<'_>| {
        let json: String = row.get(2)?;
        let message = serde_json::from_str(&json)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, error.into()))?;
        Ok(Waiting {
            id: row.get(0)?,
            channel: row.get(1)?,
            message,
            created_at: of_milliseconds(row.get(3)?),
            attempts: row.get(4)?,
            not_before: of_milliseconds(row.get(5)?),
            error: row.get(6)?,
        })
    };
    connection.prepare_cached(sql)?.query_map([], row)?.collect()
}

/// Notes that a message has arrived.
pub(super) fn sent(connection: &Connection, id: i64) -> Result<(), rusqlite::Error> {
    let sql = "UPDATE outbox SET sent_at = ?2, attempts = attempts + 1, error = NULL WHERE id = ?1";
    connection.execute(sql, params![id, Utc::now().timestamp_millis()])?;
    Ok(())
}

/// Notes that a message has not arrived, after so many attempts, and when it may be tried again.
pub(super) fn failed(
    connection: &Connection,
    id: i64,
    attempts: u32,
    error: &str,
    not_before: DateTime<Utc>,
) -> Result<(), rusqlite::Error> {
    let sql = "UPDATE outbox SET attempts = attempts + ?2, error = ?3, not_before = ?4 WHERE id = ?1";
    connection.execute(sql, params![id, attempts, error, not_before.timestamp_millis()])?;
    Ok(())
}
