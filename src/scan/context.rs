//! What every stage of a scan works with.

use super::memory::{Memory, Pool};
use crate::backend::{Backend, DeviceError};
use crate::column::{FactsLevel, Kind, Pairing};
use crate::profile::{Profile, ProfileError};
use crate::progress::Progress;
use crate::source::{Dataset, ReadError};
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
    /// Index of its column in the reference and in current.
    pub(super) columns: [usize; 2],
    /// How the two are compared.
    pub(super) pairing: Pairing,
}

/// What a scan works with; the same for all features.
pub(super) struct Context<'c> {
    pub(super) data: [&'c Dataset; 2],
    /// Stands for the reference, whose data set has no files then.
    pub(super) profile: Option<&'c Profile>,
    pub(super) backend: &'c dyn Backend,
    pub(super) memory: Memory,
    pub(super) threads: usize,
    pub(super) pool: Pool,
    pub(super) facts: FactsLevel,
    pub(super) wanted: Wanted,
    pub(super) progress: &'c dyn Progress,
    pub(super) clock: Clock,
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
    /// Rows of both sides together.
    pub(super) fn rows(&self) -> u64 {
        self.data.iter().map(|data| data.rows()).sum()
    }

    /// The facts to count of a feature. Those of booleans are their categories, too.
    pub(super) fn level(&self, task: &Task) -> FactsLevel {
        if task.pairing.kind == Kind::Boolean { FactsLevel::Full } else { self.facts }
    }

    /// What the profile holds of an ordered feature's reference, where there is a profile.
    pub(super) fn stored(&self, task: &Task) -> Result<Option<crate::profile::Ordered<'c>>, Failure> {
        let Some(profile) = self.profile else { return Ok(None) };
        self.check_stored(profile, task)?;
        Ok(Some(profile.ordered(task.columns[0], &task.pairing.encoding)?))
    }

    /// The categories that the profile holds of the reference, and its facts, where there is a profile.
    pub(super) fn stored_categories(&self, task: &Task) -> Result<Option<StoredCategories>, Failure> {
        let Some(profile) = self.profile else { return Ok(None) };
        self.check_stored(profile, task)?;
        Ok(Some(profile.categories(task.columns[0])?))
    }

    fn check_stored(&self, profile: &Profile, task: &Task) -> Result<(), Failure> {
        profile.failure(task.columns[0]).map_or(Ok(()), |reason| Err(Failure::Stored(reason.to_owned())))
    }

    /// Bytes that the keys of a feature take.
    pub(super) fn bytes(&self, task: &Task) -> usize {
        let rows = usize::try_from(self.rows()).unwrap_or(usize::MAX);
        rows.saturating_mul(task.pairing.encoding.key_bits() as usize / 8)
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
