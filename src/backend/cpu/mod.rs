//! The CPU backend: a product, not a mock. It counts on all cores of the pool it runs in, or on one.

mod count_cells;
mod select;
mod slots;

use super::{Backend, Column, CountJob, DeviceError, Loaded, SelectJob};
use crate::counts::{CellCounts, CellMap, Keys};
use rayon::prelude::*;
use slots::Lanes;
use std::cell::RefCell;
use std::ops::Range;

/// Fewer keys than this are not worth a task of their own.
const TASK_KEYS: usize = 1 << 18;
/// Tasks of a large column: each has counters of its own to add, and none should be waited for.
const TASKS_A_THREAD: usize = 4;
/// Inner cells for which the counters have room; with pivots, which cut a cell in three, half as many.
pub(crate) const MOST_CELLS: u32 = 20_000;

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

    fn most_cells(&self) -> u32 {
        MOST_CELLS
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

/// The cell of every key, part by part, in the order of [`Held::tasks`].
struct Found {
    map: CellMap,
    cells: Vec<Vec<Vec<u16>>>,
}

impl Drop for Found {
    fn drop(&mut self) {
        let cells = std::mem::take(&mut self.cells).into_iter().flatten();
        let cells = cells.filter(|cells| cells.capacity() <= 2 * TASK_KEYS);
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

/// A part of one piece of a column.
struct Part<'k> {
    keys: &'k Keys,
    range: Range<usize>,
}

/// Parts that one thread works on.
type Task<'k> = Vec<Part<'k>>;

impl<'k> Held<'k> {
    /// The column, cut into what is worth a task: many small pieces together, or a part of a large one.
    fn tasks(&self, column: usize) -> Vec<Task<'k>> {
        let pieces = &self.columns[column];
        let keys: usize = pieces.iter().map(|keys| keys.len()).sum();
        let most = TASK_KEYS.max(keys.div_ceil(TASKS_A_THREAD * rayon::current_num_threads()));
        let (mut tasks, mut room): (Vec<Task<'k>>, usize) = (Vec::new(), 0);
        for &keys in pieces {
            let mut start = 0;
            while start < keys.len() {
                if room == 0 {
                    tasks.push(Vec::new());
                    room = most;
                }
                let end = keys.len().min(start + room);
                room -= end - start;
                tasks.last_mut().expect("one was begun").push(Part { keys, range: start..end });
                start = end;
            }
        }
        tasks
    }

    fn count(&mut self, job: &CountJob<'_>) -> CellCounts {
        let tasks = self.tasks(job.column);
        let mut parts = each(&tasks, |task| match task.first().map(|part| part.keys) {
            Some(Keys::U32(_)) => count_task::<u32>(task, job.map),
            Some(Keys::U64(_)) => count_task::<u64>(task, job.map),
            Some(Keys::U128(_)) => count_task::<u128>(task, job.map),
            None => (CellCounts::zero(job.map.n_cells()), Vec::new()),
        })
        .into_iter();
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
        let tasks = self.tasks(job.column);
        let bits = self.columns[job.column].first().map_or(32, |keys| keys.bits());
        let parts = match self.found[job.column].as_ref().filter(|found| found.map.is_same(job.map)) {
            Some(found) => {
                let flags = select::Flags::of(job.wanted);
                let tasks: Vec<_> = tasks.iter().zip(&found.cells).collect();
                each(&tasks, |(task, cells)| {
                    let parts = task.iter().zip(cells.iter());
                    select::joined(bits, parts.map(|(part, cells)| flags.gather(part.keys, part.range.clone(), cells)))
                })
            }
            None => each(&tasks, |task| {
                let by_map = |part: &Part<'_>| select::by_map(part.keys, part.range.clone(), job.map, job.wanted);
                select::joined(bits, task.iter().map(by_map))
            }),
        };
        select::sorted(bits, parts)
    }
}

/// Counts the keys of a task, and tells their cells.
fn count_task<K: Lanes>(task: &[Part<'_>], map: &CellMap) -> (CellCounts, Vec<Vec<u16>>) {
    let pieces: Vec<&[K]> =
        task.iter().filter_map(|part| K::slice_of(part.keys).map(|keys| &keys[part.range.clone()])).collect();
    let mut cells: Vec<Vec<u16>> =
        SHELF.with_borrow_mut(|shelf| pieces.iter().map(|_| shelf.pop().unwrap_or_default()).collect());
    let counts = count_cells::count(&pieces, map, &mut cells);
    (counts, cells)
}

/// `work` on each task, on all cores when there is more than one.
fn each<P: Sync, T: Send>(tasks: &[P], work: impl Fn(&P) -> T + Send + Sync) -> Vec<T> {
    if tasks.len() > 1 { tasks.par_iter().map(work).collect() } else { tasks.iter().map(work).collect() }
}

impl Loaded for Held<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        Ok(jobs.iter().map(|job| self.count(job)).collect())
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        Ok(jobs.iter().map(|job| Held::select(self, job)).collect())
    }
}
