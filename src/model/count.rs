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
use super::join::{IdFacts, Join, LABEL_BYTES, LabelSink, SEEN_BYTES, Truth};
use super::options::{Keep, Task};
use super::rows::{Batch, Group, Groups};
use super::spool::{Answers, Dealt};
use super::tally::Tally;
use crate::source::rows::{Piece, pieces, read_rows};
use crate::source::{Dataset, Fault, OpenOptions, ReadError};

/// Parts that ids are dealt to at most: each holds some memory.
const MOST_PARTS: usize = 4096;

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
    // Two runs that are merged are there twice for a moment: counts and ids take half of the memory each.
    let mut counter = Counter { config, columns, memory: memory / 4, spill: None };
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

/// Which rows count, and their labels: from memory, or from disk.
enum Joined {
    Memory(Join),
    Disk(Answers),
}

impl Joined {
    fn rows(&mut self, ids: &[Option<u128>]) -> std::io::Result<(Vec<bool>, Vec<Option<Truth>>)> {
        match self {
            Self::Memory(join) => Ok(join.rows(ids)),
            Self::Disk(answers) => answers.rows(ids),
        }
    }

    fn finish(self) -> IdFacts {
        match self {
            Self::Memory(join) => join.finish(),
            Self::Disk(answers) => answers.finish(),
        }
    }
}

/// Reads labels and, where they are needed before the rows, ids; with the names of the classes of labels.
fn joined(
    config: &ModelConfig,
    labels: Option<&Dataset>,
    log: &Dataset,
    log_id: usize,
    cut: &[Piece],
    parts: u64,
) -> Result<(Joined, Vec<String>), ModelError> {
    let label_rows = labels.map_or(0, Dataset::rows);
    if parts == 1 {
        let mut join = Join::new(config.keep).with_room(label_rows, log.rows());
        let classes = labels.map(|labels| add_labels(config, labels, log, log_id, &mut join)).transpose()?;
        if config.keep == Keep::Last {
            each_ids(log, log_id, cut, |ids| {
                join.add_ids(ids);
                Ok(())
            })?;
        }
        return Ok((Joined::Memory(join), classes.unwrap_or_default()));
    }
    let mut dealt = Dealt::new(usize::try_from(parts).unwrap_or(usize::MAX).min(MOST_PARTS))?;
    let classes = labels.map(|labels| add_labels(config, labels, log, log_id, &mut dealt)).transpose()?;
    each_ids(log, log_id, cut, |ids| dealt.add_ids(ids))?;
    let answers = dealt.join(config.keep, label_rows, log.rows())?;
    Ok((Joined::Disk(answers), classes.unwrap_or_default()))
}

/// Visits all ids of a log, in the order of its rows.
fn each_ids(
    data: &Dataset,
    id: usize,
    cut: &[Piece],
    mut take: impl FnMut(&[Option<u128>]) -> std::io::Result<()>,
) -> Result<(), ModelError> {
    for some in cut.chunks(rayon::current_num_threads()) {
        let batches = read_rows(data, &[id], some, |arrays| ids(&arrays[0]).map_err(|fault| (id, fault)));
        batches.map_err(read_error)?.iter().try_for_each(|ids| take(ids))?;
    }
    Ok(())
}

/// Reads all labels, and gives the names of their classes.
pub(super) fn add_labels(
    config: &ModelConfig,
    labels: &Dataset,
    log: &Dataset,
    log_id: usize,
    join: &mut impl LabelSink,
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
                join.add_labels(&of_ids, codes.iter().map(truth))?;
            } else if let Some(numbers) = numbers {
                let truth = |number: Option<f64>| number.filter(|number| !number.is_nan()).map(Truth::of_number);
                join.add_labels(&of_ids, numbers.iter().map(truth))?;
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
