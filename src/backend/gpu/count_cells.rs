//! Counting cells on the device: launches `shaders/count_cells.wgsl`, `count_slots.wgsl` and `count_wide.wgsl`.

use super::batch::Batch;
use super::kernels::{Entry, Width};
use super::launch::{Binding, Launch};
use super::layout::Part;
use super::pipelines::Pipelines;
use super::pool::Purpose;
use super::run::Run;
use super::tables::{Job, Params, Tables};
use super::{Core, Work, tiles};
use crate::backend::{CountJob, DeviceError};
use crate::counts::CellCounts;
use rayon::prelude::*;
use std::collections::BTreeMap;

const COUNTERS: Purpose = Purpose::storage("gpudrift.count.counters");

/// A counter holds the keys of a round, whatever cell they are in.
const ROUND_KEYS: u64 = 1 << 31;

/// Jobs whose counts a thread takes over at a time.
const JOBS_A_TASK: usize = 4;

/// The parts to be counted with one kernel in one window, and the jobs that they belong to.
type Work1 = BTreeMap<(usize, Entry), Vec<(u32, Part)>>;

/// Counts `jobs`, all on columns of `width` with at least one key and with tables that fit one binding together.
pub(super) fn count(
    batch: &Batch<'_, '_>,
    jobs: &[CountJob<'_>],
    width: Width,
) -> Result<Vec<CellCounts>, DeviceError> {
    let core = batch.core;
    let mut tables = Tables::default();
    let mut work: Work1 = BTreeMap::new();
    for job in jobs {
        let index = tables.push(job.map, None, width);
        let entry = core.pipelines.counting(job.map);
        for &part in &batch.layout.columns[job.column] {
            work.entry((part.window, entry)).or_default().push((index, part));
        }
    }
    let zero = |job: &CountJob<'_>| CellCounts::zero(job.map.n_cells());
    let mut counts: Vec<_> = jobs.par_iter().with_min_len(JOBS_A_TASK).map(zero).collect();
    for round in rounds(work, |window| batch.layout.windows[window].n) {
        count_round(batch, &tables, &round, width, &mut counts)?;
    }
    for (job, counts) in jobs.iter().zip(&counts) {
        let n = batch.n_keys(job.column);
        if counts.total() != n {
            core.device.lost.set(format!("it counted {} of {n} keys", counts.total()));
        }
    }
    core.device.lost.check()?;
    Ok(counts)
}

/// Cuts the work after a window wherever the keys would exceed [`ROUND_KEYS`].
fn rounds(work: Work1, keys_of: impl Fn(usize) -> u64) -> Vec<Work1> {
    let mut rounds: Vec<Work1> = Vec::new();
    let (mut keys, mut last) = (0, None);
    for (place, parts) in work {
        if last != Some(place.0) {
            let n = keys_of(place.0);
            keys += n;
            if rounds.is_empty() || keys > ROUND_KEYS {
                rounds.push(BTreeMap::new());
                keys = n;
            }
            last = Some(place.0);
        }
        if let Some(round) = rounds.last_mut() {
            round.insert(place, parts);
        }
    }
    rounds
}

/// Counts some windows and adds what is found to `counts`.
fn count_round(
    batch: &Batch<'_, '_>,
    tables: &Tables,
    round: &Work1,
    width: Width,
    counts: &mut [CellCounts],
) -> Result<(), DeviceError> {
    let core: &Core = batch.core;
    let mut launch = Launch::default();
    for (&(window, entry), parts) in round {
        let keys = parts.iter().map(|(_, part)| part.n).sum();
        let cells = parts.iter().map(|&(job, _)| tables.jobs[job as usize].n_cells as usize).max().unwrap_or(0);
        // Global counters are neither cleared nor flushed by a tile.
        let flushed = if entry == Entry::CountWide { 0 } else { cells };
        let tile_keys = core.cutting.tile_keys(keys, flushed, Pipelines::most_tile_keys(entry));
        let first = launch.tiles.len();
        for &(job, part) in parts {
            tiles::cut(&mut launch.tiles, job, part, tile_keys);
        }
        launch.plan(first, core.budget(work_of(entry)), entry, window, cells, Params::default());
    }

    let counter_bytes = 4 * tables.n_counters as u64;
    let counters = core.pool.get(&core.device, COUNTERS, counter_bytes)?;
    let on_device = core.upload_tables(tables, &launch)?;
    let mut run = Run::new(core, round.keys().map(|&(_, entry)| work_of(entry)).max().unwrap_or(Work::Count));
    run.encoder().clear_buffer(&counters, 0, Some(counter_bytes));
    for (index, dispatch) in launch.dispatches.iter().enumerate() {
        let pipeline = core.pipelines.get(&core.device, dispatch.entry, width, dispatch.cells)?;
        let (_, name) = dispatch.entry.place();
        let mut bindings = vec![
            on_device.params(index),
            on_device.tiles(),
            on_device.jobs(),
            on_device.segments(),
            batch.keys(dispatch.window),
            Binding::storage(6, &counters, counter_bytes),
        ];
        if dispatch.entry != Entry::CountCells {
            bindings.push(on_device.pivots());
        }
        let bindings = core.bind(&format!("gpudrift.{name}"), &pipeline, &bindings);
        run.dispatch(&format!("gpudrift.{name}"), &pipeline, &bindings, dispatch.groups(), dispatch.keys);
        run.submit();
    }
    run.read(&[(&counters, counter_bytes)], |bytes| {
        let add = |(job, counts): (&Job, &mut CellCounts)| {
            let counters = &bytes[0][4 * job.counters as usize..][..4 * counts.0.len()];
            let (words, _) = counters.as_chunks::<4>();
            counts.0.iter_mut().zip(words).for_each(|(sum, &n)| *sum += u64::from(u32::from_ne_bytes(n)));
        };
        tables.jobs.par_iter().zip(counts).with_min_len(JOBS_A_TASK).for_each(add);
    })
}

fn work_of(entry: Entry) -> Work {
    if entry == Entry::CountWide { Work::Wide } else { Work::Count }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_holds_fewer_keys_than_a_counter() {
        let part = Part { window: 0, first: 0, n: 1 };
        let work: Work1 = (0..5)
            .flat_map(|window| [Entry::CountCells, Entry::CountWide].map(|entry| ((window, entry), vec![(0, part)])))
            .collect();
        let windows = |rounds: Vec<Work1>| -> Vec<Vec<usize>> {
            rounds.iter().map(|round| round.keys().map(|&(window, _)| window).step_by(2).collect()).collect()
        };
        assert_eq!(windows(rounds(work.clone(), |_| 1 << 30)), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(windows(rounds(work, |_| 7)), [vec![0, 1, 2, 3, 4]]);
        assert!(rounds(Work1::new(), |_| 1).is_empty());
    }
}
