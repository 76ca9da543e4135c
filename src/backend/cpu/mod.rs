//! The CPU backend: a product, not a mock. It counts on all cores of the pool it runs in, or on one.

mod count_cells;
mod select;
mod slots;
#[cfg(target_arch = "x86_64")]
mod slots_avx2;

use super::{Backend, Column, CountJob, DeviceError, Loaded, SelectJob};
use crate::counts::{CellCounts, CellMap, Keys, with_keys};
use rayon::prelude::*;
use std::cell::RefCell;
use std::ops::Range;

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
        let found = columns.iter().map(|_| None).collect();
        Ok(Box::new(Held { columns, found }))
    }
}

struct Held<'k> {
    columns: Vec<Column<'k>>,
    /// By column: the cells of its keys by the map that was counted last, for selecting with the same map.
    found: Vec<Option<Found>>,
}

/// The cell of every key, piece by piece, in the order of [`Held::pieces`].
struct Found {
    map: CellMap,
    cells: Vec<Vec<u16>>,
}

impl Drop for Found {
    fn drop(&mut self) {
        let cells = std::mem::take(&mut self.cells).into_iter().filter(|cells| cells.capacity() <= 2 * TASK_KEYS);
        // The shelf is gone while its thread ends; the memory is then simply freed.
        let _ = SHELF.try_with(|shelf| {
            let mut shelf = shelf.borrow_mut();
            shelf.extend(cells);
            shelf.truncate(MAX_SHELVED);
        });
    }
}

/// Vectors that are kept a thread.
const MAX_SHELVED: usize = 8;

thread_local! {
    /// Vectors of cells that were used: fresh memory costs a page fault for every 2048 of them.
    static SHELF: RefCell<Vec<Vec<u16>>> = const { RefCell::new(Vec::new()) };
}

/// A part of a column that one task works on.
struct Piece<'k> {
    keys: &'k Keys,
    range: Range<usize>,
}

impl<'k> Held<'k> {
    /// The column, cut into pieces that are worth a task.
    fn pieces(&self, column: usize) -> Vec<Piece<'k>> {
        let mut pieces = Vec::new();
        for &keys in &self.columns[column] {
            let mut start = 0;
            while start < keys.len() {
                let end = if keys.len() - start < 2 * TASK_KEYS { keys.len() } else { start + TASK_KEYS };
                pieces.push(Piece { keys, range: start..end });
                start = end;
            }
        }
        pieces
    }

    fn count(&mut self, job: &CountJob<'_>) -> CellCounts {
        let work = |piece: &Piece<'_>| {
            let mut cells = SHELF.with_borrow_mut(Vec::pop).unwrap_or_default();
            let keys = piece.keys;
            let counts = with_keys!(keys, k => count_cells::count(&k[piece.range.clone()], job.map, &mut cells));
            (counts, cells)
        };
        let mut parts = each(&self.pieces(job.column), work).into_iter();
        let (mut total, first) = parts.next().unwrap_or_else(|| (CellCounts::zero(job.map.n_cells()), Vec::new()));
        let mut cells = vec![first];
        for (part, found) in parts {
            total.merge(&part);
            cells.push(found);
        }
        // Only maps of many categories have too many cells, and these are never selected from.
        let found = count_cells::tells(job.map).then(|| Found { map: job.map.clone(), cells });
        self.found[job.column] = found;
        total
    }

    fn select(&self, job: &SelectJob<'_>) -> Keys {
        let pieces = self.pieces(job.column);
        let bits = self.columns[job.column].first().map_or(32, |keys| keys.bits());
        let parts = match self.found[job.column].as_ref().filter(|found| found.map.is_same(job.map)) {
            Some(found) => {
                let pieces: Vec<_> = pieces.iter().zip(&found.cells).collect();
                each(&pieces, |(piece, cells)| select::by_cells(piece.keys, piece.range.clone(), cells, job.wanted))
            }
            None => each(&pieces, |piece| select::by_map(piece.keys, piece.range.clone(), job.map, job.wanted)),
        };
        select::sorted(bits, &parts)
    }
}

/// `work` on each piece, on all cores when there is more than one.
fn each<P: Sync, T: Send>(pieces: &[P], work: impl Fn(&P) -> T + Send + Sync) -> Vec<T> {
    if pieces.len() > 1 { pieces.par_iter().map(work).collect() } else { pieces.iter().map(work).collect() }
}

impl Loaded for Held<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        Ok(jobs.iter().map(|job| self.count(job)).collect())
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        Ok(jobs.iter().map(|job| Held::select(self, job)).collect())
    }
}
