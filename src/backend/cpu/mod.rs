//! The CPU backend: a product, not a mock. It counts on all cores of the pool it runs in, or on one.

mod count_cells;
mod select;

use super::{Backend, Column, CountJob, DeviceError, Loaded, SelectJob};
use crate::counts::{CellCounts, Keys, with_keys};
use rayon::prelude::*;

/// Pieces below this many keys are not worth a task of their own.
const TASK_KEYS: usize = 1 << 18;

/// Counts on the host.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn device(&self) -> String {
        format!("{} threads", rayon::current_num_threads())
    }

    fn batch_bytes(&self) -> usize {
        64 << 20
    }

    fn load<'k>(&'k self, columns: Vec<Column<'k>>) -> Result<Box<dyn Loaded + 'k>, DeviceError> {
        Ok(Box::new(Held { columns }))
    }
}

struct Held<'k> {
    columns: Vec<Column<'k>>,
}

impl Held<'_> {
    /// Runs `work` on every task-sized piece of `column`, on all cores when there is more than one piece.
    fn pieces<T: Send>(&self, column: usize, work: impl Fn(&Keys, std::ops::Range<usize>) -> T + Sync) -> Vec<T> {
        let mut pieces: Vec<(&Keys, std::ops::Range<usize>)> = Vec::new();
        for keys in &self.columns[column] {
            let mut start = 0;
            while start < keys.len() {
                let end = if keys.len() - start < 2 * TASK_KEYS { keys.len() } else { start + TASK_KEYS };
                pieces.push((keys, start..end));
                start = end;
            }
        }
        if pieces.len() > 1 {
            pieces.into_par_iter().map(|(keys, range)| work(keys, range)).collect()
        } else {
            pieces.into_iter().map(|(keys, range)| work(keys, range)).collect()
        }
    }
}

impl Loaded for Held<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        let count = |job: &CountJob<'_>| {
            let parts =
                self.pieces(job.column, |keys, range| with_keys!(keys, k => count_cells::count(&k[range], job.map)));
            let mut parts = parts.into_iter();
            let mut total = parts.next().unwrap_or_else(|| CellCounts::zero(job.map.n_cells()));
            parts.for_each(|part| total.merge(&part));
            total
        };
        Ok(jobs.iter().map(count).collect())
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        let fetch = |job: &SelectJob<'_>| {
            let bits = self.columns[job.column].first().map_or(32, |keys| keys.bits());
            let parts = self.pieces(job.column, |keys, range| select::select(keys, range, job.map, job.wanted));
            select::sorted(bits, parts)
        };
        Ok(jobs.iter().map(fetch).collect())
    }
}
