//! Columns that stay on the device while several questions are asked: what the kernels cost without the way there.

use super::batch::Batch;
use super::read_keys;
use crate::backend::{CountJob, DeviceError, Loaded, SelectJob};
use crate::counts::{CellCounts, Keys};

/// A batch of columns on an open GPU.
pub struct Resident<'g>(pub(super) Batch<'g, 'g>);

impl Resident<'_> {
    /// Reads every key once: the sum of the words of each column's keys, modulo 2^32. Keys of 128 bits stay on the host
    /// and add nothing.
    ///
    /// # Errors
    /// When the device is lost, or does not answer.
    pub fn read(&self) -> Result<Vec<u32>, DeviceError> {
        self.0.core.device.scoped(|| read_keys::read(&self.0))
    }
}

impl Loaded for Resident<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        self.0.count_cells(jobs)
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        self.0.select(jobs)
    }
}
