//! Labels that arrive apart: read, and joined to the rows of a log in memory or from disk.

use std::collections::HashMap;

use arrow::datatypes::DataType;

use super::columns::{Coded, Finder, NONE, binary_names, floats, ids};
use super::config::ModelConfig;
use super::count::read_error;
use super::error::ModelError;
use super::join::{IdFacts, Join, LabelSink, Truth};
use super::options::{Keep, Task};
use super::spool::{Answers, Dealt};
use crate::source::Dataset;
use crate::source::rows::{Piece, pieces, read_rows};

/// Parts that ids are dealt to at most: each holds some memory.
const MOST_PARTS: usize = 4096;

/// Which rows count, and their labels: from memory, or from disk.
pub(super) enum Joined {
    Memory(Join),
    Disk(Answers),
}

impl Joined {
    /// Which of the next rows count, and their labels.
    pub(super) fn rows(&mut self, ids: &[Option<u128>]) -> std::io::Result<(Vec<bool>, Vec<Option<Truth>>)> {
        match self {
            Self::Memory(join) => Ok(join.rows(ids)),
            Self::Disk(answers) => answers.rows(ids),
        }
    }

    /// What was found, once all rows were asked for.
    pub(super) fn finish(self) -> IdFacts {
        match self {
            Self::Memory(join) => join.finish(),
            Self::Disk(answers) => answers.finish(),
        }
    }
}

/// Reads labels and, where they are needed before the rows, ids; with the names of the classes of labels.
pub(super) fn joined(
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
    let mut names: Vec<String> = if config.task.has_two_classes() { binary_names(config) } else { Vec::new() };
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
