//! The current side, put into a profile while it is scanned: tonight's data as tomorrow's reference, read once.
//!
//! What is held of a feature when it has been compared is all that a profile keeps of it. A column that was compared in
//! other keys than its own, that was too large to be held, or that only current has, is read once more at the end.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::context::Reading;
use super::parts::{Parts, Sample};
use super::pieces::Pieces;
use super::plan::Planned;
use crate::column::{CategoryTable, Encoding, Facts};
use crate::counts::Keys;
use crate::profile::{ProfileError, Spool, Unbuilt, encode, forms, keys_at_once, of_categories, of_keys};
use crate::source::{Dataset, SourceColumn};

/// Collects the features of a side.
pub(super) struct Saving<'d> {
    data: &'d Dataset,
    /// The data set and the rows of it that are saved.
    cut: usize,
    sample: usize,
    /// Whether these are all its rows.
    whole: bool,
    rows: u64,
    /// Keys that may be held beside those that are compared.
    most: usize,
    /// The columns to save.
    wanted: HashSet<usize>,
    spool: Spool,
    /// The first time that a feature could not be kept.
    broken: Mutex<Option<ProfileError>>,
}

impl<'d> Saving<'d> {
    /// Saves the current side of a comparison: the columns of `readings` that are of it, those that only current has, and
    /// those that could not be compared.
    pub(super) fn new(
        parts: &Parts<'d>,
        readings: &[Reading],
        planned: &Planned,
        whole: bool,
        memory_limit: u64,
    ) -> Result<Self, ProfileError> {
        let (cut, sample) = (planned.cuts[1], planned.samples[1]);
        let data = parts.cuts[cut].data;
        let compared = readings.iter().filter(|reading| is_of(reading, sample)).filter_map(|one| one.columns[cut]);
        let others = planned.one_sided[1].iter().chain(planned.skipped.iter().map(|skipped| &skipped.name));
        Ok(Self {
            data,
            cut,
            sample,
            whole,
            rows: parts.samples[sample].rows,
            most: keys_at_once(memory_limit / 2),
            wanted: compared.chain(others.filter_map(|name| data.column(name))).collect(),
            spool: Spool::new()?,
            broken: Mutex::new(None),
        })
    }

    /// The column of the side that a reading is about, where all that a profile keeps of it follows from the reading.
    fn column(&self, reading: &Reading) -> Option<usize> {
        let column = reading.columns[self.cut]?;
        let own = match (forms(&self.data.columns()[column]), reading.encoding) {
            ((None, Some(own)), Encoding::Category { binary }) => own == binary,
            ((Some(own), None), encoding) => own == encoding,
            _ => false,
        };
        (own && is_of(reading, self.sample)).then_some(column)
    }

    fn put(&self, column: usize, encoded: Result<crate::profile::Encoded, ProfileError>) {
        if let Err(error) = encoded.and_then(|encoded| self.spool.put(column, &encoded)) {
            self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    /// Keeps an ordered feature whose keys are held.
    pub(super) fn keys(&self, reading: &Reading, pieces: &Pieces, samples: &[Sample]) {
        let Some(column) = self.column(reading) else { return };
        let sample = &samples[self.sample];
        let held = pieces.column(sample);
        // What is too much to be copied is read again at the end.
        if self.whole && held.iter().map(|piece| piece.len()).sum::<usize>() > self.most {
            return;
        }
        let mut keys = Keys::with_capacity(reading.encoding.key_bits(), held.iter().map(|piece| piece.len()).sum());
        held.iter().for_each(|piece| keys.append(piece));
        let facts = pieces.facts(sample);
        self.put(column, of_keys(keys, &pieces.weighted(sample), &facts, reading.encoding, None));
    }

    /// Keeps a feature of categories, given the facts of a sample and the rows of each code of `table` in it.
    pub(super) fn categories<'r>(
        &self,
        reading: &Reading,
        table: &CategoryTable,
        of_sample: impl FnOnce(usize) -> (Facts, &'r [u64]),
    ) {
        let (Some(column), Encoding::Category { binary }) = (self.column(reading), reading.encoding) else { return };
        let (facts, rows) = of_sample(self.sample);
        // Beyond the codes a map has an end cell.
        let named = (0_u32..).zip(rows).take(table.len()).map(|(code, &rows)| (table.value(code).to_vec(), rows));
        self.put(column, Ok(of_categories(named, &facts, binary)));
    }

    /// Reads what is missing. What goes wrong is told when the profile is written: the report is there all the same.
    pub(super) fn finish(self) -> SavedSide {
        SavedSide(self.collected())
    }

    fn collected(self) -> Result<Collected, ProfileError> {
        if let Some(error) = self.broken.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let missing: Vec<usize> = self.wanted.iter().copied().filter(|&column| !self.spool.has(column)).collect();
        let read = |&column: &usize| -> Result<Option<(usize, String)>, ProfileError> {
            if !self.whole {
                let reason = "it was not compared as its own type, and of a window it is kept only then";
                return Ok(Some((column, reason.to_owned())));
            }
            match encode(self.data, column, None, self.most) {
                Ok(encoded) => self.spool.put(column, &encoded).map(|()| None),
                Err(Unbuilt::Column(error)) => Ok(Some((column, error.to_string()))),
                Err(Unbuilt::Whole(error)) => Err(error),
            }
        };
        let rows = usize::try_from(self.rows).unwrap_or(usize::MAX);
        let at_once = (self.most / rows.max(1)).max(1);
        let mut failures = Vec::new();
        for some in missing.chunks(at_once) {
            failures.extend(some.par_iter().map(read).collect::<Result<Vec<_>, _>>()?);
        }
        let columns = self.data.columns().iter().cloned().enumerate();
        Ok(Collected {
            columns: columns.filter(|(index, _)| self.wanted.contains(index)).collect(),
            failures: failures.into_iter().flatten().collect(),
            rows: self.rows,
            spool: self.spool,
        })
    }
}

/// Whether a reading is asked for by a comparison whose current side is `sample`.
fn is_of(reading: &Reading, sample: usize) -> bool {
    reading.tasks.iter().any(|task| task.samples[1] == sample)
}

/// The current side of a scan, ready to be written as a profile.
#[derive(Debug)]
pub struct SavedSide(Result<Collected, ProfileError>);

#[derive(Debug)]
struct Collected {
    spool: Spool,
    columns: Vec<(usize, SourceColumn)>,
    failures: BTreeMap<usize, String>,
    rows: u64,
}

impl SavedSide {
    /// The columns that could not be read, with the reason; the profile holds it, too.
    #[must_use]
    pub fn failures(&self) -> Vec<(&str, &str)> {
        let Ok(Collected { columns, failures, .. }) = &self.0 else { return Vec::new() };
        let failed = columns.iter().filter_map(|(index, column)| Some((column, failures.get(index)?)));
        failed.map(|(column, reason)| (column.name.as_str(), reason.as_str())).collect()
    }

    /// Writes the profile: the one that [`build`](crate::profile::build) makes of the same rows and columns, to the byte.
    ///
    /// # Errors
    /// When it could not be collected, or writing fails.
    pub fn write(self, out: impl Write) -> Result<(), ProfileError> {
        let Collected { spool, columns, failures, rows } = self.0?;
        spool.write(columns.iter().map(|(index, column)| (*index, column)), &failures, rows, out)
    }
}
