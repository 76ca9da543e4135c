//! Runs, series and whole reports from the tables.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

use crate::history::instant::of_milliseconds;
use crate::history::record::{BLOCK, Numbers, Parts, unpacked};
use crate::history::{Point, StoredRun};
use crate::report::{FeatureReport, Finding, ModelImpact, Report, Run};
use crate::verdict::Level;

/// The columns of [`numbers_of`], in its order.
const NUMBERS: &str = "level, psi, ks, p, q, rows, nulls, nans, infinite, mean, std, \
                       q01, q05, q10, q25, q50, q75, q90, q95, q99";

pub(super) fn runs(connection: &Connection) -> Result<Vec<StoredRun>, rusqlite::Error> {
    let sql = "SELECT name, job, window, definition, at, stored_at, revision, content, summary
               FROM runs ORDER BY at, id";
    connection.prepare_cached(sql)?.query_map([], run_of)?.collect()
}

fn run_of(row: &Row<'_>) -> Result<StoredRun, rusqlite::Error> {
    Ok(StoredRun {
        name: row.get(0)?,
        job: row.get(1)?,
        window: row.get(2)?,
        definition: row.get(3)?,
        at: of_milliseconds(row.get(4)?),
        stored_at: of_milliseconds(row.get(5)?),
        revision: row.get(6)?,
        content: row.get(7)?,
        summary: serde_json::from_str(&row.get::<_, String>(8)?).map_err(|error| unreadable(8, error))?,
    })
}

/// What was packed does not unpack.
fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error))
}

fn unpack<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, rusqlite::Error> {
    unpacked(row.get_ref(column)?.as_blob()?).map_err(|error| unreadable(column, error))
}

/// Numbers from the columns [`NUMBERS`], the first of which is column `first`.
fn numbers_of(row: &Row<'_>, first: usize) -> Result<Numbers, rusqlite::Error> {
    let mut quantiles = [None; 9];
    for (index, value) in quantiles.iter_mut().enumerate() {
        *value = row.get(first + 11 + index)?;
    }
    let level: usize = row.get(first)?;
    Ok(Numbers {
        level: Level::ALL.get(level).copied().unwrap_or_default(),
        psi: row.get(first + 1)?,
        ks: row.get(first + 2)?,
        p: row.get(first + 3)?,
        q: row.get(first + 4)?,
        rows: row.get(first + 5)?,
        nulls: row.get(first + 6)?,
        nans: row.get(first + 7)?,
        infinite: row.get(first + 8)?,
        mean: row.get(first + 9)?,
        std: row.get(first + 10)?,
        quantiles,
    })
}

fn id_of(connection: &Connection, run: &StoredRun) -> Result<i64, rusqlite::Error> {
    connection.prepare_cached("SELECT id FROM runs WHERE name = ?1")?.query_row([&run.name], |row| row.get(0))
}

pub(super) fn numbers(connection: &Connection, run: &StoredRun) -> Result<Vec<(String, Numbers)>, rusqlite::Error> {
    let sql = format!(
        "SELECT name, {NUMBERS} FROM feature_runs JOIN features ON features.id = feature
         WHERE run = ?1 ORDER BY position"
    );
    let id = id_of(connection, run)?;
    connection.prepare_cached(&sql)?.query_map([id], |row| Ok((row.get(0)?, numbers_of(row, 1)?)))?.collect()
}

/// One look-up a run: the table is clustered by run and feature.
pub(super) fn series(
    connection: &Connection,
    runs: &[StoredRun],
    feature: &str,
) -> Result<Vec<Point>, rusqlite::Error> {
    let mut ids = connection.prepare_cached("SELECT id FROM features WHERE name = ?1")?;
    // A feature whose type changed has an id for each.
    let ids: Vec<i64> = ids.query_map([feature], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let sql = format!("SELECT {NUMBERS} FROM feature_runs WHERE run = ?1 AND feature = ?2");
    let mut look_up = connection.prepare_cached(&sql)?;
    let mut points = Vec::new();
    for run in runs {
        let id = id_of(connection, run)?;
        for feature in &ids {
            if let Some(numbers) = look_up.query_row([id, *feature], |row| numbers_of(row, 0)).optional()? {
                points.push(Point { run: run.name.clone(), window: run.window.clone(), at: run.at, numbers });
            }
        }
    }
    Ok(points)
}

pub(super) fn facts(connection: &Connection, run: &StoredRun) -> Result<Run, rusqlite::Error> {
    let sql = "SELECT run FROM runs WHERE name = ?1";
    connection.prepare_cached(sql)?.query_row([&run.name], |row| unpack(row, 0))
}

pub(super) fn report(connection: &Connection, run: &StoredRun) -> Result<Report, rusqlite::Error> {
    let (id, facts, skipped, findings, models): (i64, _, _, Vec<Finding>, Vec<ModelImpact>) = connection
        .prepare_cached("SELECT id, run, skipped, findings, models FROM runs WHERE name = ?1")?
        .query_row([&run.name], |row| {
            let findings = row.get_ref(3)?.as_blob_or_null()?.map(|_| unpack(row, 3)).transpose()?;
            let models = row.get_ref(4)?.as_blob_or_null()?.map(|_| unpack(row, 4)).transpose()?;
            let (findings, models) = (findings.unwrap_or_default(), models.unwrap_or_default());
            Ok((row.get(0)?, unpack(row, 1)?, unpack(row, 2)?, findings, models))
        })?;
    let mut blocks = connection.prepare_cached(
        "SELECT reference_blocks.body, detail_blocks.body FROM detail_blocks
         JOIN reference_blocks ON reference_blocks.id = reference WHERE run = ?1 AND block = ?2",
    )?;
    let numbers = numbers(connection, run)?;
    let mut features: Vec<FeatureReport> = Vec::with_capacity(numbers.len());
    for (block, numbers) in numbers.chunks(BLOCK).enumerate() {
        let (references, rests): (Vec<_>, Vec<FeatureReport>) =
            blocks.query_row(params![id, block], |row| Ok((unpack(row, 0)?, unpack(row, 1)?)))?;
        let parts = numbers.iter().zip(references).zip(rests);
        features.extend(
            parts.map(|(((_, numbers), reference), rest)| Parts { numbers: numbers.clone(), reference, rest }.join()),
        );
    }
    Ok(Report { models, ..Report::new(facts, features, skipped).with_findings(findings) })
}
