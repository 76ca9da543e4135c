//! Rows to groups: the one loop over a log, and over its labels.

use std::fs::File;
use std::sync::{Arc, Mutex};

use arrow::array::ArrayRef;
use rayon::prelude::*;

use super::columns::Columns;
use super::config::ModelConfig;
use super::device;
use super::error::ModelError;
use super::estimate::{Estimator, Kind, find_features};
use super::join::{IdFacts, LABEL_BYTES, SEEN_BYTES};
use super::labels::{Joined, joined};
use super::rows::{Batch, Group, Groups};
use super::tally::{Sorting, Tally};
use crate::backend::Backend;
use crate::source::rows::{Piece, pieces, read_rows};
use crate::source::{Dataset, Fault, OpenOptions, ReadError};

/// What was counted of a log.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) groups: Groups,
    pub(super) ids: IdFacts,
    /// Rows of the log, and of the labels.
    pub(super) rows: u64,
    pub(super) label_rows: u64,
    pub(super) files: usize,
    /// Whether there are labels at all.
    pub(super) has_labels: bool,
    /// Names of the segments that the log has, in the order of their indices in groups.
    pub(super) segments: Vec<String>,
}

/// Where labels come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LabelSource {
    Nowhere,
    Log,
    Joined,
}

/// A log, or a reference: its files, its columns, and where its labels are.
pub(super) struct Log {
    data: Dataset,
    columns: Columns,
    labels: LabelSource,
}

impl Log {
    /// Reads the features of the model, too: what they are, or why they cannot be used.
    pub(super) fn add_features(&mut self, config: &ModelConfig, called: &str) -> Result<Vec<Kind>, String> {
        let (at, kinds) = find_features(config, &self.data, called, &mut self.columns.read)?;
        self.columns.features = at.into_iter().zip(kinds.iter().copied()).collect();
        Ok(kinds)
    }
}

/// The log, opened: its mistakes are told before those of the reference.
pub(super) fn open_log(config: &ModelConfig) -> Result<Log, ModelError> {
    let data = Dataset::open(&config.input, &OpenOptions::default())?;
    let in_log = config.label.as_ref().is_some_and(|label| data.column(label).is_some());
    let labels = match &config.label {
        None => LabelSource::Nowhere,
        Some(_) if !config.labels.is_empty() => LabelSource::Joined,
        // They may come later: performance is estimated from the reference until then.
        Some(_) if !in_log && !config.reference.is_empty() => LabelSource::Nowhere,
        Some(_) => LabelSource::Log,
    };
    let columns = Columns::of(config, &data, "log", labels != LabelSource::Log)?;
    Ok(Log { data, columns, labels })
}

/// The reference, opened.
pub(super) fn open_reference(config: &ModelConfig) -> Result<Log, ModelError> {
    let data = Dataset::open(&config.reference, &OpenOptions::default())?;
    let in_log = config.label.as_ref().is_some_and(|label| data.column(label).is_some());
    let labels = match (&config.label, in_log) {
        (None, _) => LabelSource::Nowhere,
        (Some(_), false) if !config.labels.is_empty() => LabelSource::Joined,
        (Some(_), _) => LabelSource::Log,
    };
    let columns = Columns::of(config, &data, "reference", labels != LabelSource::Log)?;
    Ok(Log { data, columns, labels })
}

/// Counts the rows of the log by window, version and segment, with what `estimator` lets expect of them.
pub(super) fn log(
    config: &ModelConfig,
    log: &Log,
    estimator: Option<&Estimator>,
    memory: u64,
    backend: Option<&dyn Backend>,
) -> Result<Counted, ModelError> {
    count(config, log, false, estimator, memory, backend)
}

/// Counts the rows of the reference, by segment; `None` when there is none.
pub(super) fn reference(
    config: &ModelConfig,
    memory: u64,
    backend: Option<&dyn Backend>,
) -> Result<Option<Counted>, ModelError> {
    if config.reference.is_empty() {
        return Ok(None);
    }
    count(config, &open_reference(config)?, true, None, memory, backend).map(Some)
}

fn count(
    config: &ModelConfig,
    log: &Log,
    whole: bool,
    estimator: Option<&Estimator>,
    memory: u64,
    backend: Option<&dyn Backend>,
) -> Result<Counted, ModelError> {
    let Log { data, columns, labels } = log;
    let mut groups = Groups::new();
    // Two runs that are merged are there twice for a moment: counts and ids take half of the memory each.
    let mut counter = Counter { config, columns, memory: memory / 4, spill: None };
    // Weights differ from row to row: there are no rows that add the same.
    let backend = backend.filter(|_| config.weight.is_none());
    let sorting = if backend.is_some() { Sorting::Device } else { Sorting::Here };
    let (ids, label_rows) = each(config, log, estimator, memory, |batches| {
        let count = |(batch, keep, _): &Kept| batch.count(config, keep.as_deref(), whole, sorting);
        let parts: Result<Vec<_>, Fault> = batches.par_iter().map(count).collect();
        let mut parts = parts.map_err(|fault| too_heavy(&fault))?;
        if let Some(backend) = backend {
            let mut tallies: Vec<&mut Tally> = parts.iter_mut().flatten().map(|(_, tally)| tally).collect();
            device::sort(backend, &mut tallies)?;
        }
        counter.merge(&mut groups, parts)
    })?;
    Ok(Counted {
        groups,
        ids,
        rows: data.rows(),
        label_rows,
        files: data.files().len(),
        has_labels: *labels != LabelSource::Nowhere,
        segments: columns.segments.iter().map(|&at| data.columns()[columns.read[at]].name.clone()).collect(),
    })
}

/// A batch, which of its rows count (all, where that is `None`), and how many rows come before it.
pub(super) type Kept = (Batch, Option<Vec<bool>>, u64);

/// Visits the rows, some batches at a time in their order, with their labels: what was found about ids, and how many
/// labels there are.
pub(super) fn each(
    config: &ModelConfig,
    log: &Log,
    estimator: Option<&Estimator>,
    memory: u64,
    mut visit: impl FnMut(&[Kept]) -> Result<(), ModelError>,
) -> Result<(IdFacts, u64), ModelError> {
    let Log { data, columns, labels } = log;
    let label_data = match labels {
        LabelSource::Joined => Some(Dataset::open(&config.labels, &OpenOptions::default())?),
        _ => None,
    };
    let label_rows = label_data.as_ref().map_or(0, Dataset::rows);
    let batch = |arrays: &[ArrayRef]| {
        let mut batch = Batch::of(config, columns, arrays)?;
        batch.add_features(columns, arrays)?;
        if let Some(estimator) = estimator {
            batch.foresee(estimator);
        }
        Ok(batch)
    };
    let cut: Vec<Piece> = data.units().iter().copied().flat_map(pieces).collect();
    // A reference that lies in the same labels is joined like the log.
    let needed = label_rows * LABEL_BYTES + data.rows() * SEEN_BYTES;
    let parts = needed.div_ceil((memory / 2).max(1)).max(1);
    let (mut joined, classes) = match columns.id {
        Some(id) => {
            let (joined, classes) = joined(config, label_data.as_ref(), data, columns.read[id], &cut, parts)?;
            (Some(joined), classes)
        }
        None => (None, Vec::new()),
    };
    let mut before = 0;
    for some in cut.chunks(rayon::current_num_threads()) {
        let mut kept: Vec<Kept> = Vec::new();
        for mut batch in read_rows(data, &columns.read, some, batch).map_err(read_error)? {
            let mut keep = None;
            if let Some((joined, ids)) = joined.as_mut().zip(batch.ids.as_deref()) {
                let (rows, truths) = joined.rows(ids)?;
                if label_data.is_some() {
                    batch.answer(truths, &classes);
                }
                keep = Some(rows);
            }
            let rows = batch.rows as u64;
            kept.push((batch, keep, before));
            before += rows;
        }
        visit(&kept)?;
    }
    Ok((joined.map(Joined::finish).unwrap_or_default(), label_rows))
}

/// Adds counts up, in bounded memory.
struct Counter<'c> {
    config: &'c ModelConfig,
    columns: &'c Columns,
    /// Bytes of counts to hold.
    memory: u64,
    spill: Option<Arc<Mutex<File>>>,
}

impl Counter<'_> {
    fn merge(&mut self, groups: &mut Groups, parts: Vec<Vec<(Group, Tally)>>) -> Result<(), ModelError> {
        debug_assert!(self.columns.segments.len() <= self.config.segments.len(), "columns of this model");
        for (group, tally) in parts.into_iter().flatten() {
            groups.entry(group).or_default().merge(tally).map_err(|fault| too_heavy(&fault))?;
        }
        if groups.values_mut().map(Tally::bytes).sum::<u64>() > self.memory {
            let file = match &self.spill {
                Some(file) => Arc::clone(file),
                None => Arc::clone(self.spill.insert(Arc::new(Mutex::new(tempfile::tempfile()?)))),
            };
            groups.values_mut().try_for_each(|tally| tally.spill(&file))?;
        }
        Ok(())
    }
}

pub(super) fn read_error(error: ReadError) -> ModelError {
    ModelError::Read(Box::new(error))
}

fn too_heavy(fault: &Fault) -> ModelError {
    let expected = match fault {
        Fault::Value(reason) | Fault::Corrupt(reason) | Fault::Unsupported(reason) => reason.clone(),
        other => format!("{other:?}"),
    };
    ModelError::Value { key: "weight", value: "too large".to_owned(), expected }
}
