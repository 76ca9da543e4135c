//! Which rows are read, and to which samples they belong.
//!
//! A *sample* is what a report compares: the rows of a window, or of a segment of it. Samples overlap: the reference
//! window may hold the previous one, and the whole holds its segments. So rows are cut into *atoms*, which do not overlap
//! (a slice of time × a segment): a row is decoded once, into the keys and facts of its atom, and a sample is a list of
//! atoms. Counts add, so nothing behind this door knows that there were windows.
//!
//! ```text
//!     footers   -> units that may hold rows of a window              (statistics, folders)
//!     survey    -> rows of every slice and segment, unit by unit     (timestamp, segment columns)
//!     choose    -> the segments to scan, and so the atoms
//!     RowMap    -> for each row of a unit its atom, when features are read
//! ```
//!
//! A unit whose rows are all in one atom is read as ever. The maps of the others are kept while there is room for them,
//! and made again where there is not.

mod cut;
mod segments;
mod time;
mod writes;

pub(super) use cut::{Cut, CutUnit, Survey};
pub(super) use segments::{Segment, SegmentValues};

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use segments::{SegmentTable, largest};

use crate::source::{Dataset, ReadError};
use crate::window::{Window, WindowError};

/// Why rows cannot be told apart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartsError {
    /// A column that is not there, or not of the kind that it must be.
    #[error("{flag} {column} of the {side} data: {reason}")]
    Column {
        /// The flag that names it.
        flag: &'static str,
        /// Its name.
        column: String,
        /// `reference` or `current`.
        side: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A column that tells rows apart could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A folder that names no time.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The segment columns have too many values.
    #[error("--segment-by gives more than {limit} segments; name columns with few values")]
    TooManySegments {
        /// How many there may be.
        limit: usize,
    },
}

/// Rows that are compared as a whole.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Its atoms, ascending.
    pub(super) atoms: Vec<usize>,
    /// Its rows.
    pub(super) rows: u64,
}

/// The data of a scan, cut into atoms, and the samples that were asked for.
pub(super) struct Parts<'d> {
    /// One, or one a side.
    pub(super) cuts: Vec<Cut<'d>>,
    /// Every sample.
    pub(super) samples: Vec<Sample>,
    known: HashMap<(usize, Range<usize>, Option<u32>), usize>,
    rows: u64,
}

impl<'d> Parts<'d> {
    /// The data, after its survey. Both cuts share the codes of segments.
    pub(super) fn new(cuts: Vec<Cut<'d>>) -> Self {
        let rows = cuts.iter().flat_map(|cut| &cut.units).map(CutUnit::rows_read).sum();
        Self { cuts, samples: Vec::new(), known: HashMap::new(), rows }
    }

    /// Number of atoms.
    pub(super) fn atoms(&self) -> usize {
        self.cuts.iter().map(Cut::atoms).sum()
    }

    /// Rows that are read, of all cuts.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// The sample of a window (everything, where there is none), or of one of its segments.
    pub(super) fn sample(&mut self, cut: usize, window: Option<&Window>, segment: Option<u32>) -> usize {
        let range = self.cuts[cut].slices_of(window);
        let key = (cut, range.clone(), segment);
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        let atoms = self.cuts[cut].atoms_of(range, segment);
        let wanted = |atom: &usize| atoms.binary_search(atom).is_ok();
        let rows = self.cuts[cut].units.iter().map(|unit| unit.rows_of(wanted)).sum();
        self.samples.push(Sample { atoms, rows });
        self.known.insert(key, self.samples.len() - 1);
        self.samples.len() - 1
    }
}

/// Segments that are shared by both sides.
#[derive(Debug, Default)]
pub(super) struct Segments {
    table: std::sync::Mutex<SegmentTable>,
}

impl Segments {
    fn code(&self, values: &SegmentValues) -> Result<u32, PartsError> {
        self.table.lock().unwrap_or_else(std::sync::PoisonError::into_inner).code(values)
    }

    fn known(&self, values: &SegmentValues) -> Option<u32> {
        self.table.lock().unwrap_or_else(std::sync::PoisonError::into_inner).known(values)
    }

    /// The largest segments of two windows, and those left out.
    pub(super) fn largest(&self, windows: [(&Survey, Range<usize>); 2], most: usize) -> (Vec<Segment>, Vec<Segment>) {
        let mut rows: BTreeMap<u32, u64> = BTreeMap::new();
        for (survey, range) in windows {
            for (&(_, code), n) in survey.rows.iter().filter(|((slice, _), _)| range.contains(&(*slice as usize))) {
                *rows.entry(code).or_default() += n;
            }
        }
        largest(&self.table.lock().unwrap_or_else(std::sync::PoisonError::into_inner), rows, most)
    }
}

/// Which of the data sets hold rows of some atoms: one flag a file.
pub(super) fn files_of(data: &Dataset, cut: &Cut<'_>, sample: &Sample) -> Vec<bool> {
    let mut files = vec![false; data.files().len()];
    for unit in &cut.units {
        files[unit.unit.file] |= unit.rows_of(|atom| sample.atoms.binary_search(atom).is_ok()) > 0;
    }
    files
}
