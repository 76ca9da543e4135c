//! What every stage of a scan works with.

use super::memory::{Memory, Pool};
use super::parts::Parts;
use crate::backend::{Backend, DeviceError};
use crate::column::{Encoding, FactsLevel, Kind, Pairing};
use crate::config::ScanConfig;
use crate::progress::Progress;
use crate::source::ReadError;
use std::collections::BTreeMap;
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
    /// The segment that it is compared in; `None` for all rows.
    pub(super) segment: Option<BTreeMap<String, Option<String>>>,
    /// How the two are compared.
    pub(super) pairing: Pairing,
    /// Index of the samples of reference and current.
    pub(super) samples: [usize; 2],
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
        let mut samples: Vec<usize> = self.tasks.iter().flat_map(|task| task.samples).collect();
        samples.sort_unstable();
        samples.dedup();
        samples
    }
}

/// What a scan works with; the same for all features.
pub(super) struct Context<'c> {
    pub(super) parts: &'c Parts<'c>,
    pub(super) backend: &'c dyn Backend,
    pub(super) memory: Memory,
    pub(super) threads: usize,
    pub(super) pool: Pool,
    pub(super) facts: FactsLevel,
    pub(super) wanted: Wanted,
    pub(super) config: &'c ScanConfig,
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
    /// Rows that are read.
    pub(super) fn rows(&self) -> u64 {
        self.parts.rows()
    }

    /// The facts to count of a feature. Those of booleans are their categories, too.
    pub(super) fn level(&self, reading: &Reading) -> FactsLevel {
        if reading.kind == Kind::Boolean { FactsLevel::Full } else { self.facts }
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
