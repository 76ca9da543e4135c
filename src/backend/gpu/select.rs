//! Fetching the keys of some cells: launches `shaders/select.wgsl`, then sorts on the device or on the host.
//!
//! How many keys a job has in its wanted cells is known from counting, so each job gets a region of exactly that size and
//! one pass over the keys fills it.

use super::batch::Batch;
use super::kernels::{Entry, Width};
use super::launch::{Binding, Launch};
use super::layout::Part;
use super::pipelines::Pipelines;
use super::pool::Purpose;
use super::run::Run;
use super::sort::{self, Sorted};
use super::tables::{Params, Tables, word};
use super::{Core, Work, count_cells, tiles};
use crate::backend::{CountJob, DeviceError, SelectJob};
use crate::counts::{CellCounts, CellMap, CellSet, Keys, with_keys};
use rayon::prelude::*;
use std::collections::BTreeMap;

const CURSORS: Purpose = Purpose::storage("gpudrift.select.cursors");
const FOUND: Purpose = Purpose::storage("gpudrift.select.found");

/// What is taken from some parts of a job's column into one region.
struct Unit<'l> {
    job: usize,
    /// All keys of the parts, or those in wanted cells.
    all: bool,
    parts: &'l [Part],
    /// Size of the region.
    room: u64,
    /// Whether the keys fill the region.
    exact: bool,
}

/// Where the keys of a job stand in a round.
struct Region {
    job: usize,
    /// Index of the first key.
    first: u64,
    room: u64,
    exact: bool,
    all: bool,
}

/// Selects for `jobs`, all on columns of `width` with at least one key and with tables that fit one binding together.
pub(super) fn select(batch: &Batch<'_, '_>, jobs: &[SelectJob<'_>], width: Width) -> Result<Vec<Keys>, DeviceError> {
    let rows = rows_of(batch, jobs, width)?;
    let mut tables = Tables::default();
    let mut units: Vec<Unit<'_>> = Vec::new();
    let capacity = batch.core.window_bytes / width.bytes();
    for (index, job) in jobs.iter().enumerate() {
        tables.push(job.map, Some(job.wanted), width);
        let parts = batch.layout.columns[job.column].as_slice();
        let all = all_wanted(job.map, job.wanted);
        let rows = if all { batch.n_keys(job.column) } else { rows[index] };
        if rows == 0 {
            continue;
        }
        let unit = |parts, room, exact| Unit { job: index, all, parts, room, exact };
        if rows <= capacity {
            units.push(unit(parts, rows, true));
        } else {
            // Part by part, each of which is in one window and so fits. How many of the keys are there nobody counted.
            units.extend(parts.chunks(1).map(|parts| unit(parts, parts[0].n.min(rows), all)));
        }
    }

    let mut found: Vec<Keys> = jobs.iter().map(|_| Keys::empty(width.bits())).collect();
    let mut rest = units.as_slice();
    while !rest.is_empty() {
        let mut n = 0;
        let fits = |unit: &&Unit<'_>| {
            n += unit.room;
            n <= capacity
        };
        // A unit fits alone.
        let (round, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
        take_round(batch, &tables, jobs, round, width, &mut found)?;
        rest = later;
    }
    for (keys, rows) in found.iter_mut().zip(rows) {
        if keys.len() as u64 != rows {
            batch.core.device.lost.set(format!("it found {} of {rows} keys", keys.len()));
        }
        if !is_sorted(keys) {
            // Runs of several rounds, each in order: the standard library's sort merges them.
            with_keys!(keys, keys => keys.sort());
        }
    }
    batch.core.device.lost.check()?;
    Ok(found)
}

/// Keys that each job wants: told by the job, or counted here.
fn rows_of(batch: &Batch<'_, '_>, jobs: &[SelectJob<'_>], width: Width) -> Result<Vec<u64>, DeviceError> {
    let unknown: Vec<_> = jobs.iter().filter(|job| job.rows.is_none()).collect();
    if unknown.is_empty() {
        return Ok(jobs.iter().filter_map(|job| job.rows).collect());
    }
    let count: Vec<_> = unknown.iter().map(|job| CountJob { column: job.column, map: job.map }).collect();
    let counted = count_cells::count(batch, &count, width)?;
    let wanted = |(job, counts): (&&SelectJob<'_>, CellCounts)| {
        let cells = counts.0.iter().enumerate().filter(|&(cell, _)| job.wanted.contains(cell));
        cells.map(|(_, rows)| rows).sum()
    };
    let mut counted = unknown.iter().zip(counted).map(wanted);
    Ok(jobs.iter().map(|job| job.rows.or_else(|| counted.next()).unwrap_or(0)).collect())
}

fn is_sorted(keys: &Keys) -> bool {
    with_keys!(keys, keys => keys.is_sorted())
}

fn all_wanted(map: &CellMap, wanted: &CellSet) -> bool {
    (0..map.n_cells()).all(|cell| wanted.contains(cell))
}

/// One pass over some units, which are in order of their jobs: their keys, sorted, are added to `found`.
fn take_round(
    batch: &Batch<'_, '_>,
    tables: &Tables,
    jobs: &[SelectJob<'_>],
    round: &[Unit<'_>],
    width: Width,
    found: &mut [Keys],
) -> Result<(), DeviceError> {
    let core = batch.core;
    let key_bytes = width.bytes();
    let n_found: u64 = round.iter().map(|unit| unit.room).sum();
    let buffer = core.pool.get(&core.device, FOUND, n_found * key_bytes)?;

    let mut by_window: BTreeMap<usize, Vec<(u32, Part)>> = BTreeMap::new();
    let mut copies: Vec<(Part, u64)> = Vec::new();
    // Where the next key of each job goes.
    let mut cursors: Vec<u32> = vec![0; jobs.len()];
    let mut regions: Vec<Region> = Vec::new();
    let mut at = 0_u64;
    for unit in round {
        match regions.last_mut() {
            Some(last) if last.job == unit.job => {
                last.room += unit.room;
                last.exact &= unit.exact;
            }
            _ => {
                cursors[unit.job] = word(place(at));
                regions.push(Region { job: unit.job, first: at, room: unit.room, exact: unit.exact, all: unit.all });
            }
        }
        let mut to = at;
        for &part in unit.parts {
            if unit.all {
                copies.push((part, to));
                to += part.n;
            } else {
                by_window.entry(part.window).or_default().push((word(unit.job), part));
            }
        }
        at += unit.room;
    }

    let mut launch = Launch::default();
    for (&window, parts) in &by_window {
        let keys = parts.iter().map(|(_, part)| part.n).sum();
        let tile_keys = core.cutting.tile_keys(keys, 0, Pipelines::most_tile_keys(Entry::TakeWanted));
        let first = launch.tiles.len();
        for &(job, part) in parts {
            tiles::cut(&mut launch.tiles, job, part, tile_keys);
        }
        launch.plan(first, core.budget(Work::Select), Entry::TakeWanted, window, 0, Params::default());
    }
    let cursor_bytes = 4 * cursors.len() as u64;
    let cursors_on_device = core.upload(CURSORS, bytemuck::cast_slice(&cursors))?;
    let outputs =
        [Binding::storage(7, &cursors_on_device, cursor_bytes), Binding::storage(8, &buffer, n_found * key_bytes)];
    let mut run = dispatch(batch, tables, &launch, width, &outputs)?;
    for (part, at) in copies {
        let (from, bytes) = (part.first * key_bytes, part.n * key_bytes);
        run.encoder().copy_buffer_to_buffer(batch.window(part.window), from, &buffer, at * key_bytes, bytes);
    }
    let sorted = |region: &Region| {
        let key_bits = key_bits(&jobs[region.job], width);
        let worth_it = region.exact && region.room >= core.sort_from && key_bits > 0;
        worth_it.then_some(Sorted { first: region.first, n: region.room, key_bits })
    };
    let large: Vec<Sorted> = regions.iter().filter_map(sorted).collect();
    if !large.is_empty() {
        run.submit();
        sort::sort(core, &mut run, width, &buffer, n_found * key_bytes, &large)?;
    }
    let taken = run.read(&[(&buffer, n_found * key_bytes), (&cursors_on_device, cursor_bytes)], |bytes| {
        let ends: Vec<u32> = bytemuck::pod_collect_to_vec(bytes[1]);
        let take = |region: &Region| -> Result<Keys, String> {
            let end = if region.all { region.first + region.room } else { u64::from(ends[region.job]) };
            let n = end.wrapping_sub(region.first);
            if n > region.room || (region.exact && n != region.room) {
                return Err(format!("it found {n} of {} keys", region.room));
            }
            let range = place(region.first * key_bytes)..place(end * key_bytes);
            let mut keys = match width {
                Width::Bits32 => Keys::U32(bytemuck::pod_collect_to_vec(&bytes[0][range])),
                Width::Bits64 => Keys::U64(bytemuck::pod_collect_to_vec(&bytes[0][range])),
            };
            if sorted(region).is_none() {
                with_keys!(&mut keys, keys => keys.sort_unstable());
            } else if !is_sorted(&keys) {
                return Err(format!("{n} keys came back unsorted"));
            }
            Ok(keys)
        };
        regions.par_iter().map(take).collect::<Result<Vec<Keys>, String>>()
    })?;
    let Ok(taken) = taken.map_err(|why| core.device.lost.set(why)) else { return core.device.lost.check() };
    for (region, keys) in regions.iter().zip(taken) {
        let found = &mut found[region.job];
        if found.is_empty() { *found = keys } else { found.append(&keys) }
    }
    Ok(())
}

/// Records the dispatches of `select.wgsl`, with the bindings that are its own.
fn dispatch<'g>(
    batch: &Batch<'g, '_>,
    tables: &Tables,
    launch: &Launch,
    width: Width,
    own: &[Binding<'_>],
) -> Result<Run<'g>, DeviceError> {
    let core: &'g Core = batch.core;
    let mut run = Run::new(core, Work::Select);
    if launch.dispatches.is_empty() {
        return Ok(run);
    }
    let on_device = core.upload_tables(tables, launch)?;
    for (index, dispatch) in launch.dispatches.iter().enumerate() {
        let pipeline = core.pipelines.get(&core.device, dispatch.entry, width, 0)?;
        let shared = [
            on_device.params(index),
            on_device.tiles(),
            on_device.jobs(),
            on_device.segments(),
            batch.keys(dispatch.window),
            on_device.pivots(),
            on_device.wanted(),
        ];
        let bindings = core.bind("gpudrift.select", &pipeline, &[&shared, own].concat());
        run.dispatch("gpudrift.select", &pipeline, &bindings, dispatch.groups(), dispatch.keys);
        run.submit();
    }
    Ok(run)
}

/// How many low bits of the wanted keys can differ: the digits above need no sorting.
fn key_bits(job: &SelectJob<'_>, width: Width) -> u32 {
    let bounds = |cell| job.wanted.contains(cell).then(|| job.map.bounds(cell)).flatten();
    let highest = u128::MAX >> (128 - width.bits());
    let n = job.map.n_cells();
    let first = (0..n).find_map(bounds).map_or(0, |(first, _)| first);
    let last = (0..n).rev().find_map(bounds).map_or(highest, |(_, last)| last.min(highest));
    (128 - (first ^ last).leading_zeros()).min(width.bits())
}

fn place(n: u64) -> usize {
    usize::try_from(n).expect("what is read back has addresses")
}
