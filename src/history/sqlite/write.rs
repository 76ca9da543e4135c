//! A run goes in, old ones go out: one transaction each.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use crate::history::record::{BLOCK, Numbers, Parts, packed};
use crate::history::{HistoryError, RunIdentity, Step, Stored, content};
use crate::report::{FeatureReport, Report};

/// Stores a run, unless it is there with the same content.
pub(super) fn put(
    connection: &mut Connection,
    path: &Path,
    identity: &RunIdentity,
    report: &Report,
    observer: &mut dyn FnMut(Step),
) -> Result<Stored, HistoryError> {
    let run =
        PackedRun::of(report).map_err(|source| HistoryError::Io { doing: "write", path: path.to_owned(), source })?;
    transaction(connection, identity, &run, observer).map_err(|error| HistoryError::sqlite("write", path, error))
}

/// A run as it goes into the tables. Compressed before the lock is taken: others wait for the writing alone.
struct PackedRun {
    content: String,
    summary: String,
    run: Vec<u8>,
    skipped: Vec<u8>,
    findings: Vec<u8>,
    models: Option<Vec<u8>>,
    features: Vec<(String, String, &'static str, Numbers)>,
    /// Hash and bytes of the reference's side, bytes of the rest.
    blocks: Vec<(String, Vec<u8>, Vec<u8>)>,
}

impl PackedRun {
    fn of(report: &Report) -> std::io::Result<Self> {
        use rayon::prelude::*;
        let blocks: Vec<_> = report.features.par_chunks(BLOCK).map(packed_block).collect::<std::io::Result<_>>()?;
        let name = |feature: &FeatureReport| {
            (feature.name.clone(), feature.data_type.clone(), feature.kind.name(), Numbers::of(feature))
        };
        Ok(Self {
            content: content(report),
            summary: serde_json::to_string(&report.summary)?,
            run: packed(&report.run)?,
            skipped: packed(&report.skipped)?,
            findings: packed(&report.findings)?,
            models: (!report.models.is_empty()).then(|| packed(&report.models)).transpose()?,
            features: report.features.iter().map(name).collect(),
            blocks,
        })
    }
}

fn packed_block(features: &[FeatureReport]) -> std::io::Result<(String, Vec<u8>, Vec<u8>)> {
    let (references, rests): (Vec<_>, Vec<_>) =
        features.iter().map(Parts::of).map(|parts| (parts.reference, parts.rest)).unzip();
    let reference = packed(&references)?;
    Ok((hex::encode(Sha256::digest(&reference)), reference, packed(&rests)?))
}

fn transaction(
    connection: &mut Connection,
    identity: &RunIdentity,
    run: &PackedRun,
    observer: &mut dyn FnMut(Step),
) -> Result<Stored, rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    observer(Step::Begun);
    let (id, stored) = match existing(&transaction, identity)? {
        Some((_, _, content)) if content == run.content => return Ok(Stored::Unchanged),
        Some((id, revision, _)) => {
            replace(&transaction, id, run)?;
            (id, Stored::Replaced { revision: revision + 1 })
        }
        None => (insert(&transaction, identity, run)?, Stored::New),
    };
    observer(Step::RunWritten);
    insert_features(&transaction, id, run, observer)?;
    insert_blocks(&transaction, id, run)?;
    observer(Step::BeforeCommit);
    transaction.commit()?;
    Ok(stored)
}

fn existing(
    transaction: &Transaction<'_>,
    identity: &RunIdentity,
) -> Result<Option<(i64, u32, String)>, rusqlite::Error> {
    let sql = "SELECT id, revision, content FROM runs WHERE job = ?1 AND window = ?2 AND definition = ?3";
    let key = params![identity.job, identity.window, identity.definition];
    transaction.query_row(sql, key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
}

fn insert(transaction: &Transaction<'_>, identity: &RunIdentity, run: &PackedRun) -> Result<i64, rusqlite::Error> {
    transaction.execute(
        "INSERT INTO runs (name, job, window, definition, at, stored_at, revision, content, summary, run, skipped,
         findings, models) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            identity.name(),
            identity.job,
            identity.window,
            identity.definition,
            identity.at.timestamp_millis(),
            Utc::now().timestamp_millis(),
            run.content,
            run.summary,
            run.run,
            run.skipped,
            run.findings,
            run.models
        ],
    )?;
    Ok(transaction.last_insert_rowid())
}

/// The run keeps its name and its place in time; what it said before is noted in short.
fn replace(transaction: &Transaction<'_>, id: i64, run: &PackedRun) -> Result<(), rusqlite::Error> {
    transaction.execute(
        "INSERT INTO revisions SELECT id, revision, stored_at, content, summary FROM runs WHERE id = ?1",
        [id],
    )?;
    transaction.execute("DELETE FROM feature_runs WHERE run = ?1", [id])?;
    transaction.execute("DELETE FROM detail_blocks WHERE run = ?1", [id])?;
    transaction.execute(
        "UPDATE runs SET revision = revision + 1, stored_at = ?2, content = ?3, summary = ?4, run = ?5, skipped = ?6,
         findings = ?7, models = ?8 WHERE id = ?1",
        params![
            id,
            Utc::now().timestamp_millis(),
            run.content,
            run.summary,
            run.run,
            run.skipped,
            run.findings,
            run.models
        ],
    )?;
    Ok(())
}

fn insert_features(
    transaction: &Transaction<'_>,
    id: i64,
    run: &PackedRun,
    observer: &mut dyn FnMut(Step),
) -> Result<(), rusqlite::Error> {
    let mut find = transaction.prepare("SELECT id FROM features WHERE name = ?1 AND type = ?2 AND kind = ?3")?;
    let mut name = transaction.prepare("INSERT INTO features (name, type, kind) VALUES (?1, ?2, ?3)")?;
    let mut numbers = transaction.prepare(
        "INSERT INTO feature_runs VALUES
         (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
    )?;
    for (position, (feature, data_type, kind, n)) in run.features.iter().enumerate() {
        if position == run.features.len() / 2 {
            observer(Step::HalfWritten);
        }
        let key = params![feature, data_type, kind];
        let feature = match find.query_row(key, |row| row.get::<_, i64>(0)).optional()? {
            Some(feature) => feature,
            None => name.insert(key)?,
        };
        let [q01, q05, q10, q25, q50, q75, q90, q95, q99] = n.quantiles;
        numbers.execute(params![
            id,
            feature,
            position,
            n.level as u8,
            n.psi,
            n.ks,
            n.p,
            n.q,
            n.rows,
            n.nulls,
            n.nans,
            n.infinite,
            n.mean,
            n.std,
            q01,
            q05,
            q10,
            q25,
            q50,
            q75,
            q90,
            q95,
            q99
        ])?;
    }
    Ok(())
}

fn insert_blocks(transaction: &Transaction<'_>, id: i64, run: &PackedRun) -> Result<(), rusqlite::Error> {
    let mut find = transaction.prepare("SELECT id FROM reference_blocks WHERE hash = ?1")?;
    let mut reference = transaction.prepare("INSERT INTO reference_blocks (hash, body) VALUES (?1, ?2)")?;
    let mut detail = transaction.prepare("INSERT INTO detail_blocks VALUES (?1, ?2, ?3, ?4)")?;
    for (block, (hash, body, rest)) in run.blocks.iter().enumerate() {
        let reference = match find.query_row([hash], |row| row.get::<_, i64>(0)).optional()? {
            Some(reference) => reference,
            None => reference.insert(params![hash, body])?,
        };
        detail.execute(params![id, block, reference, rest])?;
    }
    Ok(())
}

/// Removes the runs before an instant and what only they used, and gives the pages back.
pub(super) fn prune(connection: &mut Connection, before: DateTime<Utc>) -> Result<usize, rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let removed = transaction.execute("DELETE FROM runs WHERE at < ?1", [before.timestamp_millis()])?;
    if removed > 0 {
        transaction.execute_batch(
            "DELETE FROM reference_blocks WHERE id NOT IN (SELECT reference FROM detail_blocks);
             DELETE FROM features WHERE id NOT IN (SELECT feature FROM feature_runs);",
        )?;
    }
    transaction.commit()?;
    if removed > 0 {
        // One page a step: the statement has to be run to its end.
        let mut vacuum = connection.prepare("PRAGMA incremental_vacuum")?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
    }
    Ok(removed)
}
