//! Who counts. A backend returns integers only, so every backend returns the same.
//!
//! [`Backend::load`] takes the keys of a batch of columns; [`Loaded`] then answers two questions about them, as often
//! as they are asked: how many keys are in each cell ([`Loaded::count_cells`]), and which keys are in these cells
//! ([`Loaded::select`]). Answers over pieces of a column add, or merge, exactly.

mod cache_folder;
mod choice;
pub mod cpu;
pub mod fallback;
pub mod gpu;
pub mod rate;
pub mod several;
pub mod weighted;

pub use choice::{Asked, TIMES_THE_CPU, Weighed, auto, open};
pub use gpu::OpenError;

use crate::compare::MOST_CELLS;
use crate::counts::{CellCounts, CellMap, CellSet, Keys};

/// One column of a batch: its keys in any number of pieces, all of one width.
pub type Column<'k> = Vec<&'k Keys>;

/// Counts the cells of one column: its index in the batch, and the map.
#[derive(Clone, Copy, Debug)]
pub struct CountJob<'m> {
    /// Index of the column in the batch.
    pub column: usize,
    /// The cells to count.
    pub map: &'m CellMap,
}

/// Fetches keys of one column: its index in the batch, the map, and the cells whose keys are wanted.
#[derive(Clone, Copy, Debug)]
pub struct SelectJob<'m> {
    /// Index of the column in the batch.
    pub column: usize,
    /// The map that says which cell a key is in.
    pub map: &'m CellMap,
    /// The cells whose keys are wanted; made for `map`.
    pub wanted: &'m CellSet,
    /// Keys of the column in the wanted cells, where they are counted already.
    pub rows: Option<u64>,
}

/// Somebody who counts: the CPU, or a GPU.
pub trait Backend: Send + Sync {
    /// `cpu` or `gpu`, as in `--backend`.
    fn name(&self) -> &'static str;

    /// The device in words, for the report's `run` part.
    fn device(&self) -> String;

    /// Bytes of keys that one batch should hold: what keeps the device busy and fits its memory.
    fn batch_bytes(&self) -> usize;

    /// Cells of a map that are counted as fast as few are, pivots left out: more of them leave less to fetch.
    fn most_cells(&self) -> u32 {
        MOST_CELLS
    }

    /// Seconds that the device's kernels have run so far, by its own clock, where it has one.
    fn kernel_seconds(&self) -> Option<f64> {
        None
    }

    /// What went wrong on the device without costing the result, for the report's `run` part.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Takes the keys of a batch of columns.
    ///
    /// # Errors
    /// When the device has too little memory, is lost, or does not answer.
    fn load<'k>(&'k self, columns: Vec<Column<'k>>) -> Result<Box<dyn Loaded + 'k>, DeviceError>;
}

/// A batch of columns that a backend holds.
pub trait Loaded {
    /// Number of keys in each cell: one [`CellCounts`] a job, in the order of the jobs.
    ///
    /// # Errors
    /// When the device has too little memory, is lost, or does not answer.
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError>;

    /// The keys in the wanted cells, sorted ascending, repeated as often as they occur: one [`Keys`] a job.
    ///
    /// # Errors
    /// When the device has too little memory, is lost, or does not answer.
    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError>;
}

/// Why a device could not count. The batch can be counted again, smaller or elsewhere, with the same result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The batch does not fit the device's memory; a smaller one may.
    #[error("out of device memory: {0}")]
    OutOfMemory(String),
    /// The device is gone, with all that it held; it must be opened again.
    #[error("device lost: {0}")]
    Lost(String),
    /// The device cannot do this job at all (for example keys of 128 bits); the CPU can.
    #[error("not supported on this device: {0}")]
    Unsupported(String),
    /// Reading columns again for another pass failed.
    #[error("{0}")]
    Read(String),
}
