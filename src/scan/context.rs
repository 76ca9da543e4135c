//! What every stage of a scan works with.

use super::memory::{Memory, Pool};
use crate::backend::{Backend, DeviceError};
use crate::column::{FactsLevel, Kind, Pairing};
use crate::progress::Progress;
use crate::quality::Expectations;
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
}

impl From<Failure> for DeviceError {
    /// A feature that is read again for every question fails as its backend would.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Read(error) => Self::Read(error.to_string()),
            Failure::Device(error) => error,
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
    /// What was declared about it.
    pub(super) expected: Expectations,
}

/// What a scan works with; the same for all features.
pub(super) struct Context<'c> {
    pub(super) data: [&'c Dataset; 2],
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
    /// Read and decode, count nothing: what the decoder alone costs.
    pub(super) decode_only: bool,
}

impl Context<'_> {
    /// Rows of both sides together.
    pub(super) fn rows(&self) -> u64 {
        self.data.iter().map(|data| data.rows()).sum()
    }

    /// The facts to count of a feature. Those of booleans are their categories, too.
    pub(super) fn level(&self, task: &Task) -> FactsLevel {
        if task.pairing.kind == Kind::Boolean { FactsLevel::Full } else { self.facts }
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
