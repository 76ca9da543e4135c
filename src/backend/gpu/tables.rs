//! What a dispatch is told: tiles, jobs and maps, laid out as the shaders read them.
//!
//! The structs have the same fields in the same order as those in `shaders/include`; a test compares the two.

use super::kernels::Width;
use crate::counts::{CellMap, CellSet, Key, MapView};
use bytemuck::{Pod, Zeroable};
use std::collections::HashMap;

/// Index that says that a job's map has no pivots: `NO_PIVOTS` in the shaders.
const NO_PIVOTS: u32 = u32::MAX;

/// One dispatch: `Params` in `tiles.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct Params {
    pub(super) first_tile: u32,
    pub(super) n_tiles: u32,
    pub(super) shift: u32,
    pub(super) n_rows: u32,
}

/// A run of neighbouring keys of one job: `Tile` in `tiles.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub(super) struct Tile {
    pub(super) job: u32,
    pub(super) first: u32,
    pub(super) n: u32,
}

/// What is asked of one column: `Job` in `map.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct Job {
    pub(super) lo_low: u32,
    pub(super) lo_high: u32,
    pub(super) hi_low: u32,
    pub(super) hi_high: u32,
    pub(super) shift: u32,
    pub(super) fraction_bits: u32,
    pub(super) segments: u32,
    pub(super) n_segments: u32,
    pub(super) last: u32,
    pub(super) n_cells: u32,
    pub(super) counters: u32,
    pub(super) pivots: u32,
    pub(super) wanted: u32,
}

/// One run of keys to sort: `SortSegment` in `sort.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct SortSegment {
    pub(super) first: u32,
    pub(super) n_tiles: u32,
    pub(super) histogram: u32,
}

/// The low and the high word.
pub(super) fn words(wide: u64) -> (u32, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "cut into its two words on purpose")]
    (wide as u32, (wide >> 32) as u32)
}

/// A count that the planner keeps below 2^32.
pub(super) fn word(n: usize) -> u32 {
    u32::try_from(n).expect("the planner keeps what it counts below the size of a binding")
}

/// The tables of a group of jobs on keys of one width.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) jobs: Vec<Job>,
    pub(super) segments: Vec<[u32; 2]>,
    /// Pivots as words, one or two a key.
    pub(super) pivots: Vec<u32>,
    pub(super) wanted: Vec<u32>,
    pub(super) n_counters: usize,
    /// Where the tables of a map begin that several jobs share.
    shared: HashMap<*const CellMap, (u32, u32)>,
}

impl Tables {
    /// Bytes that a job can add to all tables together, counters included: what a group of jobs is cut by.
    pub(super) fn bytes_of(map: &CellMap) -> u64 {
        let cells = map.n_cells() as u64;
        let pivots = map.pivots().map_or(0, <[u128]>::len) as u64;
        size_of::<Job>() as u64 + 4 * cells + 8 * map.segments().len() as u64 + 8 * pivots
    }

    /// Adds a job; returns its index.
    pub(super) fn push(&mut self, map: &CellMap, wanted: Option<&CellSet>, width: Width) -> u32 {
        let mut job = match width {
            Width::Bits32 => self.job(&map.view::<u32>(), map),
            Width::Bits64 => self.job(&map.view::<u64>(), map),
        };
        job.n_cells = word(map.n_cells());
        job.counters = word(self.n_counters);
        self.n_counters += map.n_cells();
        if let Some(wanted) = wanted {
            job.wanted = word(self.wanted.len());
            self.wanted.resize(self.wanted.len() + map.n_cells().div_ceil(32), 0);
            let bits = &mut self.wanted[job.wanted as usize..];
            for cell in (0..map.n_cells()).filter(|&cell| wanted.contains(cell)) {
                bits[cell / 32] |= 1 << (cell % 32);
            }
        }
        self.jobs.push(job);
        word(self.jobs.len() - 1)
    }

    fn job<K: Key>(&mut self, view: &MapView<'_, K>, map: &CellMap) -> Job {
        let (segments, pivots) = match self.shared.get(&std::ptr::from_ref(map)) {
            Some(&places) => places,
            None => {
                let places = self.push_map(view);
                self.shared.insert(std::ptr::from_ref(map), places);
                places
            }
        };
        let (lo_low, lo_high) = words(low_64(view.lo));
        let (hi_low, hi_high) = words(low_64(view.hi));
        Job {
            lo_low,
            lo_high,
            hi_low,
            hi_high,
            shift: view.shift,
            fraction_bits: view.fraction_bits,
            segments,
            n_segments: word(view.segments.len()),
            last: view.last,
            pivots,
            ..Job::default()
        }
    }

    fn push_map<K: Key>(&mut self, view: &MapView<'_, K>) -> (u32, u32) {
        let segments = word(self.segments.len());
        self.segments.extend(view.segments.iter().map(|segment| [segment.base, segment.width]));
        let Some(pivots) = &view.pivots else { return (segments, NO_PIVOTS) };
        let words_a_key = K::BITS as usize / 32;
        let first = word(self.pivots.len() / words_a_key);
        for &pivot in pivots {
            let (low, high) = words(low_64(pivot));
            self.pivots.extend_from_slice(&[low, high][..words_a_key]);
        }
        (segments, first)
    }
}

/// A key of at most 64 bits.
fn low_64<K: Key>(key: K) -> u64 {
    u64::try_from(key.widen()).expect("keys of 128 bits stay on the host")
}
