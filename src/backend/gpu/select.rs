//! Fetching the keys of some cells: launches `shaders/select.wgsl`, then sorts on the device or on the host.

use super::batch::Batch;
use super::kernels::{Entry, Width};
use super::launch::{Binding, Launch};
use super::layout::Part;
use super::pipelines::Pipelines;
use super::pool::Purpose;
use super::run::Run;
use super::sort::{self, Sorted};
use super::tables::{Params, Tables, Tile, word};
use super::{Core, Work, tiles};
use crate::backend::{DeviceError, SelectJob};
use crate::counts::{CellMap, CellSet, Keys};
use std::collections::BTreeMap;

const COUNTS: Purpose = Purpose::storage("gpudrift.select.counts");
const OFFSETS: Purpose = Purpose::storage("gpudrift.select.offsets");
const FOUND: Purpose = Purpose::storage("gpudrift.select.found");

/// Keys to be taken: those of a tile in wanted cells, or all of a part.
#[derive(Clone, Copy)]
struct Unit {
    job: usize,
    window: usize,
    from: Take,
    n: u64,
}

#[derive(Clone, Copy)]
enum Take {
    Tile(Tile),
    Part(Part),
}

/// Selects for `jobs`, all on columns of `width` with at least one key and with tables that fit one binding together.
pub(super) fn select(batch: &Batch<'_, '_>, jobs: &[SelectJob<'_>], width: Width) -> Result<Vec<Keys>, DeviceError> {
    let mut tables = Tables::default();
    let mut units: Vec<Unit> = Vec::new();
    let mut work: BTreeMap<usize, Vec<(u32, Part)>> = BTreeMap::new();
    for (index, job) in jobs.iter().enumerate() {
        let in_tables = tables.push(job.map, Some(job.wanted), width);
        let parts = &batch.layout.columns[job.column];
        if all_wanted(job.map, job.wanted) {
            units.extend(parts.iter().map(|&part| Unit {
                job: index,
                window: part.window,
                from: Take::Part(part),
                n: part.n,
            }));
        } else if !job.wanted.is_empty() {
            parts.iter().for_each(|&part| work.entry(part.window).or_default().push((in_tables, part)));
        }
    }
    if !work.is_empty() {
        units.extend(count_wanted(batch, &tables, &work, width)?);
    }
    units.sort_by_key(|unit| unit.job);

    let mut found: Vec<Keys> = jobs.iter().map(|_| Keys::empty(width.bits())).collect();
    let capacity = batch.core.window_bytes / width.bytes();
    let mut rest = units.as_slice();
    while !rest.is_empty() {
        let mut n = 0;
        let fits = |unit: &&Unit| {
            n += unit.n;
            n <= capacity
        };
        // A unit is a part of a window, so it fits alone.
        let (round, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
        take_round(batch, &tables, jobs, round, width, &mut found)?;
        rest = later;
    }
    for keys in &mut found {
        if !is_sorted(keys) {
            // Runs of several rounds, each in order: the standard library's sort merges them.
            match keys {
                Keys::U32(keys) => keys.sort(),
                Keys::U64(keys) => keys.sort(),
                Keys::U128(keys) => keys.sort(),
            }
        }
    }
    Ok(found)
}

fn is_sorted(keys: &Keys) -> bool {
    match keys {
        Keys::U32(keys) => keys.is_sorted(),
        Keys::U64(keys) => keys.is_sorted(),
        Keys::U128(keys) => keys.is_sorted(),
    }
}

fn all_wanted(map: &CellMap, wanted: &CellSet) -> bool {
    (0..map.n_cells()).all(|cell| wanted.contains(cell))
}

/// First pass: the tiles that have wanted keys, and how many each has.
fn count_wanted(
    batch: &Batch<'_, '_>,
    tables: &Tables,
    work: &BTreeMap<usize, Vec<(u32, Part)>>,
    width: Width,
) -> Result<Vec<Unit>, DeviceError> {
    let core = batch.core;
    let mut launch = Launch::default();
    let mut window_of = Vec::new();
    for (&window, parts) in work {
        let keys = parts.iter().map(|(_, part)| part.n).sum();
        let tile_keys = core.cutting.tile_keys(keys, 0, Pipelines::most_tile_keys(Entry::CountWanted));
        let first = launch.tiles.len();
        for &(job, part) in parts {
            tiles::cut(&mut launch.tiles, job, part, tile_keys);
        }
        window_of.resize(launch.tiles.len(), window);
        launch.plan(first, core.budget(Work::Select), Entry::CountWanted, window, 0, Params::default());
    }
    let bytes = 4 * launch.tiles.len() as u64;
    let counts = core.pool.get(&core.device, COUNTS, bytes)?;
    let run = launch_select(batch, tables, &launch, width, &[Binding::storage(7, &counts, bytes)])?;
    let counts: Vec<u32> = run.read(&[(&counts, bytes)], |bytes| bytemuck::pod_collect_to_vec(bytes[0]))?;
    let tiles = launch.tiles.iter().zip(window_of).zip(counts);
    if tiles.clone().any(|((tile, _), n)| n > tile.n) {
        core.device.lost.set("it found more keys than there are");
        core.device.lost.check()?;
    }
    let found = tiles.filter(|&(_, n)| n > 0);
    Ok(found
        .map(|((&tile, window), n)| Unit { job: tile.job as usize, window, from: Take::Tile(tile), n: u64::from(n) })
        .collect())
}

/// Second pass over some units, which are in order of their jobs: their keys, sorted, are added to `found`.
fn take_round(
    batch: &Batch<'_, '_>,
    tables: &Tables,
    jobs: &[SelectJob<'_>],
    round: &[Unit],
    width: Width,
    found: &mut [Keys],
) -> Result<(), DeviceError> {
    let core = batch.core;
    let key_bytes = width.bytes();
    let n_found: u64 = round.iter().map(|unit| unit.n).sum();
    let buffer = core.pool.get(&core.device, FOUND, n_found * key_bytes)?;

    let mut by_window: BTreeMap<usize, Vec<(Tile, u32)>> = BTreeMap::new();
    let mut copies: Vec<(Part, u64)> = Vec::new();
    let mut segments: Vec<Sorted> = Vec::new();
    let mut at = 0_u64;
    for unit in round {
        match unit.from {
            Take::Part(part) => copies.push((part, at)),
            Take::Tile(tile) => by_window.entry(unit.window).or_default().push((tile, word(place(at)))),
        }
        match segments.last_mut() {
            Some(last) if last.job == unit.job => last.n += unit.n,
            _ => {
                let key_bits = key_bits(&jobs[unit.job], width);
                segments.push(Sorted { job: unit.job, first: at, n: unit.n, key_bits });
            }
        }
        at += unit.n;
    }

    let mut launch = Launch::default();
    let mut offsets: Vec<u32> = Vec::new();
    for (&window, tiles) in &by_window {
        let first = launch.tiles.len();
        launch.tiles.extend(tiles.iter().map(|&(tile, _)| tile));
        offsets.extend(tiles.iter().map(|&(_, offset)| offset));
        launch.plan(first, core.budget(Work::Select), Entry::WriteWanted, window, 0, Params::default());
    }
    let offsets_on_device = core.upload(OFFSETS, bytemuck::cast_slice(&offsets))?;
    let outputs = [
        Binding::storage(8, &offsets_on_device, 4 * offsets.len() as u64),
        Binding::storage(9, &buffer, n_found * key_bytes),
    ];
    let mut run = launch_select(batch, tables, &launch, width, &outputs)?;
    for (part, at) in copies {
        let (from, bytes) = (part.first * key_bytes, part.n * key_bytes);
        run.encoder().copy_buffer_to_buffer(batch.window(part.window), from, &buffer, at * key_bytes, bytes);
    }
    let on_device = |segment: &Sorted| segment.n >= core.sort_from && segment.key_bits > 0;
    let large: Vec<Sorted> = segments.iter().filter(|&segment| on_device(segment)).copied().collect();
    if !large.is_empty() {
        run.submit();
        sort::sort(core, &mut run, width, &buffer, n_found * key_bytes, &large)?;
    }
    let sorted: Result<(), String> = run.read(&[(&buffer, n_found * key_bytes)], |bytes| {
        let bytes = bytes[0];
        for segment in &segments {
            let range = place(segment.first * key_bytes)..place((segment.first + segment.n) * key_bytes);
            let mut keys = match width {
                Width::Bits32 => Keys::U32(bytemuck::pod_collect_to_vec(&bytes[range])),
                Width::Bits64 => Keys::U64(bytemuck::pod_collect_to_vec(&bytes[range])),
            };
            if on_device(segment) && !is_sorted(&keys) {
                return Err(format!("{} keys came back unsorted", segment.n));
            }
            match &mut keys {
                Keys::U32(keys) if !on_device(segment) => keys.sort_unstable(),
                Keys::U64(keys) if !on_device(segment) => keys.sort_unstable(),
                _ => {}
            }
            match (&mut found[segment.job], keys) {
                (found, keys) if found.is_empty() => *found = keys,
                (Keys::U32(found), Keys::U32(keys)) => found.extend(keys),
                (Keys::U64(found), Keys::U64(keys)) => found.extend(keys),
                _ => unreachable!("all keys of a job have its width"),
            }
        }
        Ok(())
    })?;
    sorted.or_else(|why| {
        core.device.lost.set(why);
        core.device.lost.check()
    })
}

/// Records the dispatches of one pass of `select.wgsl`, with the bindings that are that pass's own.
fn launch_select<'g>(
    batch: &Batch<'g, '_>,
    tables: &Tables,
    launch: &Launch,
    width: Width,
    own: &[Binding<'_>],
) -> Result<Run<'g>, DeviceError> {
    let core: &'g Core = batch.core;
    let on_device = core.upload_tables(tables, launch)?;
    let mut run = Run::new(core, Work::Select);
    for (index, dispatch) in launch.dispatches.iter().enumerate() {
        let pipeline = core.pipelines.get(&core.device, dispatch.entry, width, 0)?;
        let label = format!("gpudrift.select.{}", dispatch.entry.place().1);
        let shared = [
            on_device.params(index),
            on_device.tiles(),
            on_device.jobs(),
            on_device.segments(),
            batch.keys(dispatch.window),
            on_device.pivots(),
            on_device.wanted(),
        ];
        let bindings = core.bind(&label, &pipeline, &[&shared, own].concat());
        run.dispatch(&label, &pipeline, &bindings, dispatch.groups(), dispatch.keys);
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
