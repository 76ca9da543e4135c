//! Rows to groups: the one loop over a log, and over its labels.

use std::collections::HashMap;
use std::fs::File;
use std::sync::{Arc, Mutex};

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use rayon::prelude::*;

use super::columns::{Coded, Columns, Finder, NONE, binary_names, floats, ids};
use super::config::ModelConfig;
use super::error::ModelError;
use super::estimate::{Estimator, Kind, find_features};
use super::join::{IdFacts, Join, LABEL_BYTES, SEEN_BYTES, Truth};
use super::options::{Keep, Task};
use super::rows::{Batch, Group, Groups};
use super::tally::Tally;
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
) -> Result<Counted, ModelError> {
    count(config, log, false, estimator, memory)
}

/// Counts the rows of the reference, by segment; `None` when there is none.
pub(super) fn reference(config: &ModelConfig, memory: u64) -> Result<Option<Counted>, ModelError> {
    if config.reference.is_empty() {
        return Ok(None);
    }
    count(config, &open_reference(config)?, true, None, memory).map(Some)
}

fn count(
    config: &ModelConfig,
    log: &Log,
    whole: bool,
    estimator: Option<&Estimator>,
    memory: u64,
) -> Result<Counted, ModelError> {
    let Log { data, columns, labels } = log;
    let mut groups = Groups::new();
    let mut counter = Counter { config, columns, memory: memory / 2, spill: None };
    let (ids, label_rows) = each(config, log, estimator, memory, |batches| {
        let count = |(batch, keep, _): &Kept| batch.count(config, keep.as_deref(), whole);
        let parts: Result<Vec<_>, Fault> = batches.par_iter().map(count).collect();
        counter.merge(&mut groups, parts.map_err(|fault| too_heavy(&fault))?)
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

/// Visits the rows, some batches at a time in their order, with their labels. With ids there may be several passes: a row counts
/// in one of them. What was found about ids, and how many labels there are.
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
    let mut facts = IdFacts::default();
    // A reference that lies in the same labels is joined like the log.
    let needed = label_rows * LABEL_BYTES + data.rows() * SEEN_BYTES;
    let passes = if columns.id.is_some() { needed.div_ceil((memory / 2).max(1)).max(1) } else { 1 };
    for pass in 0..passes {
        let mut join = Join::new(config.keep, pass, passes);
        let id = columns.id.map(|id| columns.read[id]);
        let classes = match (&label_data, id) {
            (Some(label_data), Some(id)) => add_labels(config, label_data, data, id, &mut join)?,
            _ => Vec::new(),
        };
        if let Some(id) = id.filter(|_| config.keep == Keep::Last) {
            add_ids(data, id, &cut, &mut join)?;
        }
        let mut before = 0;
        for some in cut.chunks(rayon::current_num_threads()) {
            let batches = read_rows(data, &columns.read, some, batch).map_err(read_error)?;
            let kept = batches.into_iter().map(|mut batch| {
                let keep = batch.ids.as_deref().map(|ids| join.rows(ids)).map(|(keep, truths)| {
                    if label_data.is_some() {
                        batch.answer(truths, &classes);
                    }
                    keep
                });
                before += batch.rows as u64;
                let first = before - batch.rows as u64;
                (batch, keep, first)
            });
            visit(&kept.collect::<Vec<Kept>>())?;
        }
        facts.merge(join.finish());
    }
    Ok((facts, label_rows))
}

fn add_ids(data: &Dataset, id: usize, cut: &[Piece], join: &mut Join) -> Result<(), ModelError> {
    for some in cut.chunks(rayon::current_num_threads()) {
        let batches = read_rows(data, &[id], some, |arrays| ids(&arrays[0]).map_err(|fault| (id, fault)));
        batches.map_err(read_error)?.iter().for_each(|ids| join.add_ids(ids));
    }
    Ok(())
}

/// Reads all labels of a pass, and gives the names of their classes.
pub(super) fn add_labels(
    config: &ModelConfig,
    labels: &Dataset,
    log: &Dataset,
    log_id: usize,
    join: &mut Join,
) -> Result<Vec<String>, ModelError> {
    let mut finder = Finder { data: labels, called: "labels", read: Vec::new() };
    let (id_name, label_name) = (config.id.as_deref().unwrap_or_default(), config.label.as_deref().unwrap_or_default());
    let id = finder.id(id_name)?;
    let label = finder.label(label_name, config.task)?;
    let read = finder.read;
    let integer = |data: &Dataset, column: usize| data.columns()[column].types.iter().all(DataType::is_integer);
    if integer(labels, read[id]) != integer(log, log_id) {
        let kind = |data: &Dataset, column: usize| {
            data.columns()[column].types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let reason = format!("is {}, but {} in the log: cast one of them", kind(labels, read[id]), kind(log, log_id));
        return Err(ModelError::UnfitColumn { key: "id", data: "labels", name: id_name.to_owned(), reason });
    }
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut names: Vec<String> = if config.task == Task::Binary { binary_names(config) } else { Vec::new() };
    known.extend(names.iter().cloned().zip(0..));
    let cut: Vec<Piece> = labels.units().iter().copied().flat_map(pieces).collect();
    for some in cut.chunks(rayon::current_num_threads()) {
        let batches = read_rows(labels, &read, some, |arrays| {
            let of_ids = ids(&arrays[id]).map_err(|fault| (read[id], fault))?;
            let at = |fault| (read[label], fault);
            if config.task == Task::Regression {
                Ok((of_ids, None, Some(floats(&arrays[label]).map_err(at)?)))
            } else {
                Ok((of_ids, Some(Coded::classes(&arrays[label], config).map_err(at)?), None))
            }
        });
        for (of_ids, classes, numbers) in batches.map_err(read_error)? {
            if let Some(Coded { codes, names: local }) = classes {
                let global: Vec<u32> = local
                    .into_iter()
                    .map(|name| {
                        *known.entry(name).or_insert_with_key(|name| {
                            names.push(name.clone());
                            u32::try_from(names.len() - 1).unwrap_or(NONE)
                        })
                    })
                    .collect();
                let truth = |code: &u32| global.get(*code as usize).map(|&code| Truth::of_class(code));
                join.add_labels(&of_ids, codes.iter().map(truth));
            } else if let Some(numbers) = numbers {
                let truth = |number: Option<f64>| number.filter(|number| !number.is_nan()).map(Truth::of_number);
                join.add_labels(&of_ids, numbers.iter().map(truth));
            }
        }
    }
    Ok(names)
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
