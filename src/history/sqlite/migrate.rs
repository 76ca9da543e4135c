//! The layout of the file: numbered steps, one file each, every one applied once and in one transaction with the rest.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::history::HistoryError;

/// The steps in their order. A step that was released never changes.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_runs.sql"),
    include_str!("../migrations/0002_alerts.sql"),
    include_str!("../migrations/0003_retrain.sql"),
    include_str!("../migrations/0004_findings.sql"),
    include_str!("../migrations/0005_models.sql"),
    include_str!("../migrations/0006_incident_members.sql"),
    include_str!("../migrations/0007_run_models.sql"),
];

/// `gdri`: tells our files from other SQLite files.
const APPLICATION_ID: u32 = 0x6764_7269;

/// Brings the file to the newest layout.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), HistoryError> {
    let failed = |error| HistoryError::sqlite("open", path, error);
    let version =
        |connection: &Connection| connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
    let known = u32::try_from(MIGRATIONS.len()).expect("a handful of steps");
    let found = version(connection).map_err(failed)?;
    if found == known {
        return Ok(());
    }
    if found > known {
        return Err(HistoryError::Newer { path: path.to_owned(), found, known });
    }
    let steps = connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
        // Another run may have done it while we waited.
        let done = usize::try_from(version(&transaction)?).unwrap_or(usize::MAX);
        for step in MIGRATIONS.iter().skip(done) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", known.max(u32::try_from(done).unwrap_or(known)))?;
        transaction.commit()
    });
    steps.map_err(failed)
}

/// A file with tables of somebody else is left alone.
pub(super) fn check_owner(connection: &Connection, path: &Path) -> Result<(), HistoryError> {
    let failed = |error| HistoryError::sqlite("open", path, error);
    // In this order: whoever has just made the tables has marked the file in the same transaction.
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let id: u32 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    match id == APPLICATION_ID || tables == 0 {
        true => Ok(()),
        false => Err(HistoryError::Foreign { path: path.to_owned() }),
    }
}
