//! What every stage of a scan works with.

use super::memory::{Memory, Pool};
use super::parts::Parts;
use super::saving::Saving;
use crate::backend::{Backend, DeviceError};
use crate::column::{Encoding, FactsLevel, Kind, Pairing};
use crate::config::{ScanConfig, Settings};
use crate::profile::{Profile, ProfileError};
use crate::progress::Progress;
use crate::quality::Declared;
use crate::source::ReadError;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Why a feature has no counts.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Its column could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// No device could count it.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The profile that stands for the reference does not give it.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// It could not be read when the profile was built.
    #[error("{0}")]
    Stored(String),
}

impl From<Failure> for DeviceError {
    /// A feature that is read again for every question fails as its backend would.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Read(error) => Self::Read(error.to_string()),
            Failure::Device(error) => error,
            Failure::Profile(error) => error.into(),
            Failure::Stored(reason) => Self::Read(reason),
        }
    }
}

/// One feature to compare.
#[derive(Debug)]
pub(super) struct Task {
    /// Its name.
    pub(super) name: String,
    /// The segment that it is compared in; `None` for all rows.
    pub(super) segment: Option<BTreeMap<String, Option<String>>>,
    /// How the two are compared.
    pub(super) pairing: Pairing,
    /// What rules say about it.
    pub(super) settings: Settings,
    /// What they declare of its values.
    pub(super) declared: Option<Arc<Declared>>,
    /// Index of the samples of reference and current.
    pub(super) samples: [usize; 2],
    /// Samples of the windows of the reference that its limits are learned from.
    pub(super) splits: Vec<usize>,
    /// Index of the comparison that it is part of, and its place in it.
    pub(super) comparison: usize,
    pub(super) order: usize,
}

/// What is decoded once: the columns of a feature, for every comparison and segment that asks for the same keys.
#[derive(Debug)]
pub(super) struct Reading {
    /// Index of the column in each of the cuts that it is read of.
    pub(super) columns: [Option<usize>; 2],
    /// How values become keys.
    pub(super) encoding: Encoding,
    /// Whether facts are needed whatever was asked for.
    pub(super) kind: Kind,
    /// The sample that the profile stands for, where a task is about it.
    pub(super) stored: Option<usize>,
    /// Who asks: at least one.
    pub(super) tasks: Vec<Task>,
    /// One flag an atom: whether a task needs it.
    pub(super) atoms: Vec<bool>,
}

impl Reading {
    /// Whether a task needs the rows of `atom`.
    pub(super) fn needs(&self, atom: usize) -> bool {
        self.atoms.get(atom) == Some(&true)
    }

    /// The samples of its tasks, each once, ascending.
    pub(super) fn samples(&self) -> Vec<usize> {
        let mut samples: Vec<usize> =
            self.tasks.iter().flat_map(|task| task.samples.iter().chain(&task.splits).copied()).collect();
        samples.sort_unstable();
        samples.dedup();
        samples
    }
}

/// What a scan works with; the same for all features.
pub(super) struct Context<'c> {
    pub(super) parts: &'c Parts<'c>,
    /// Stands for the reference, whose data set has no files then.
    pub(super) profile: Option<&'c Profile>,
    pub(super) backend: &'c dyn Backend,
    pub(super) memory: Memory,
    pub(super) threads: usize,
    pub(super) pool: Pool,
    pub(super) facts: FactsLevel,
    pub(super) wanted: Wanted,
    pub(super) config: &'c ScanConfig,
    pub(super) progress: &'c dyn Progress,
    pub(super) clock: Clock,
    /// Where the current side is to become a profile.
    pub(super) saving: Option<Saving<'c>>,
}

/// What the metrics and facts of a run need counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) gap: bool,
    pub(super) bins: Option<u32>,
    pub(super) quantiles: bool,
    pub(super) everything: bool,
    pub(super) max_categories: Option<u64>,
    pub(super) counting: Counting,
}

/// How both sides are counted; anything but cells is there to be measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// In cells.
    Cells,
    /// By sorting both sides.
    Sorting,
    /// Not at all: what reading and decoding alone cost.
    Nothing,
}

/// Categories with their rows, ascending, and the facts of the column.
pub(super) type StoredCategories = (Vec<(Vec<u8>, u64)>, crate::column::Facts);

impl<'c> Context<'c> {
    /// Rows that are read.
    pub(super) fn rows(&self) -> u64 {
        self.parts.rows()
    }

    /// The facts to count of a feature. Those of booleans are their categories, too.
    pub(super) fn level(&self, reading: &Reading) -> FactsLevel {
        if reading.kind == Kind::Boolean { FactsLevel::Full } else { self.facts }
    }

    /// What the profile holds of an ordered feature's reference, where there is a profile.
    pub(super) fn stored(&self, reading: &Reading) -> Result<Option<crate::profile::Ordered<'c>>, Failure> {
        let Some((profile, column)) = self.stored_column(reading)? else { return Ok(None) };
        Ok(Some(profile.ordered(column, &reading.encoding)?))
    }

    /// The categories that the profile holds of the reference, and its facts, where there is a profile.
    pub(super) fn stored_categories(&self, reading: &Reading) -> Result<Option<StoredCategories>, Failure> {
        let Some((profile, column)) = self.stored_column(reading)? else { return Ok(None) };
        Ok(Some(profile.categories(column)?))
    }

    fn stored_column(&self, reading: &Reading) -> Result<Option<(&'c Profile, usize)>, Failure> {
        let asked = reading.stored.and(self.profile).zip(reading.columns[0]);
        match asked.and_then(|(profile, column)| profile.failure(column)) {
            Some(reason) => Err(Failure::Stored(reason.to_owned())),
            None => Ok(asked),
        }
    }

    /// Bytes that the keys of a feature take.
    pub(super) fn bytes(&self, reading: &Reading) -> usize {
        let rows = usize::try_from(self.rows()).unwrap_or(usize::MAX);
        rows.saturating_mul(reading.encoding.key_bits() as usize / 8)
    }
}

/// Time spent by stage, summed over threads.
#[derive(Debug, Default)]
pub(super) struct Clock {
    pub(super) decode: Stage,
    pub(super) count: Stage,
}

/// Nanoseconds spent in one stage.
#[derive(Debug, Default)]
pub(super) struct Stage(AtomicU64);

impl Stage {
    /// Runs `work` and adds the time it took.
    pub(super) fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.0.fetch_add(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        result
    }

    pub(super) fn spent(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}
