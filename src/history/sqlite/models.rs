//! Windows of models in their tables.

use chrono::TimeDelta;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde::de::DeserializeOwned;

use crate::history::instant::of_milliseconds;
use crate::history::models::{ModelEntry, ModelKey, ModelSegment, ModelValue, ModelWindow, ModelsStored};

/// Columns of a window, in the order of [`window_of`].
const COLUMNS: &str = "job, model, definition, version, segment, segment_value, window, first_day, last_day, at, task, open, \
                       revision, first.body, latest.body";
const TABLES: &str = "model_windows AS w JOIN model_values AS first ON first.window = w.id AND first.amended = 0
                      LEFT JOIN model_values AS latest ON latest.window = w.id AND latest.amended = 1";

pub(super) fn put(connection: &mut Connection, entries: &[ModelEntry]) -> Result<ModelsStored, rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut stored = ModelsStored::default();
    for entry in entries {
        let name = entry.key.name();
        let sql = format!("SELECT {} FROM {TABLES} WHERE w.name = ?1", columns());
        let before = transaction.prepare_cached(&sql)?.query_row([&name], window_of).optional()?;
        let (step, window) = ModelWindow::settle(before.as_ref(), entry);
        if let Some(window) = window {
            write(&transaction, &name, &window)?;
        }
        stored.add(step);
    }
    transaction.commit()?;
    Ok(stored)
}

/// The columns with the table that has them.
fn columns() -> String {
    let table = |name: &str| if name.contains('.') { name.to_owned() } else { format!("w.{name}") };
    COLUMNS.split(", ").map(|name| table(name.trim())).collect::<Vec<_>>().join(", ")
}

fn write(transaction: &Transaction<'_>, name: &str, window: &ModelWindow) -> Result<(), rusqlite::Error> {
    let ModelWindow { key, days, at, task, open, revision, first, amended, traffic: _, earlier: _ } = window;
    let ModelKey { job, model, definition, segment, version, window } = key;
    let (column, value) = segment.as_ref().map(|one| (&one.column, &one.value)).unzip();
    let [first_day, last_day] = [0, 1].map(|end| days.as_ref().map(|days| &days[end]));
    let task = serde_json::to_value(task).ok().and_then(|task| task.as_str().map(str::to_owned));
    let sql =
        "INSERT INTO model_windows (name, job, model, definition, version, segment, segment_value, window, first_day,
               last_day, at, task, open, revision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
               ON CONFLICT (name) DO UPDATE SET at = excluded.at, open = excluded.open, revision = excluded.revision
               RETURNING id";
    let values = params![
        name,
        job,
        model,
        definition,
        version,
        column,
        value.cloned().flatten(),
        window,
        first_day,
        last_day,
        at.timestamp_millis(),
        task,
        open,
        revision
    ];
    let id: i64 = transaction.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    transaction.prepare_cached("DELETE FROM model_values WHERE window = ?1")?.execute([id])?;
    let mut insert = transaction.prepare_cached("INSERT INTO model_values VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for (index, value) in [Some(first), amended.as_ref()].into_iter().enumerate() {
        let Some(value) = value else { continue };
        let body =
            serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let ModelValue { stored_at, level, rows, .. } = value;
        let at = stored_at.timestamp_millis();
        insert.execute(params![id, index, at, *level as u8, rows.rows, rows.labelled, rows.measured, body])?;
    }
    Ok(())
}

pub(super) fn read(
    connection: &Connection,
    job: Option<&str>,
    model: Option<&str>,
) -> Result<Vec<ModelWindow>, rusqlite::Error> {
    let sql = format!(
        "SELECT {} FROM {TABLES} WHERE (?1 IS NULL OR w.job = ?1) AND (?2 IS NULL OR w.model = ?2) ORDER BY w.at, w.id",
        columns()
    );
    connection.prepare_cached(&sql)?.query_map([job, model], window_of)?.collect()
}

/// A text that is another one when windows came, went, or changed.
pub(super) fn state(connection: &Connection) -> Result<String, rusqlite::Error> {
    let sql = "SELECT count(*) || ' ' || total(revision) || ' ' || total(open) || ' ' || total(at) || ' ' || max(id)
               FROM model_windows";
    connection.query_row(sql, [], |row| row.get::<_, Option<String>>(0)).map(Option::unwrap_or_default)
}

fn window_of(row: &Row<'_>) -> Result<ModelWindow, rusqlite::Error> {
    let column: Option<String> = row.get(4)?;
    let value = row.get(5)?;
    let days: [Option<String>; 2] = [row.get(7)?, row.get(8)?];
    let [first_day, last_day] = days;
    Ok(ModelWindow {
        key: ModelKey {
            job: row.get(0)?,
            model: row.get(1)?,
            definition: row.get(2)?,
            version: row.get(3)?,
            segment: column.map(|column| ModelSegment { column, value }),
            window: row.get(6)?,
        },
        days: first_day.zip(last_day).map(|(first, last)| [first, last]),
        at: of_milliseconds(row.get(9)?),
        task: parsed(&format!("\"{}\"", row.get::<_, String>(10)?), 10)?,
        open: row.get(11)?,
        revision: row.get(12)?,
        traffic: None,
        earlier: Vec::new(),
        first: parsed(&row.get::<_, String>(13)?, 13)?,
        amended: row.get::<_, Option<String>>(14)?.map(|body| parsed(&body, 14)).transpose()?,
    })
}

fn parsed<T: DeserializeOwned>(text: &str, column: usize) -> Result<T, rusqlite::Error> {
    let unreadable = |error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error));
    serde_json::from_str(text).map_err(unreadable)
}

/// Removes the windows that end longer before the latest one.
pub(super) fn prune(connection: &Connection, keep: TimeDelta) -> Result<usize, rusqlite::Error> {
    let sql = "DELETE FROM model_windows WHERE at < (SELECT max(at) FROM model_windows) - ?1";
    connection.execute(sql, [keep.num_milliseconds()])
}
