//! Compiled kernels, made when they are first asked for, in the sizes that the device's workgroup memory allows.

use super::device::{Device, lock};
use super::kernels::{Entry, KERNELS, LARGE_WORKGROUP, TABLE_BYTES, WORKGROUP, Width};
use super::pipeline_cache::PipelineCache;
use super::trusted;
use crate::backend::DeviceError;
use crate::counts::CellMap;
use std::collections::HashMap;
use std::sync::Mutex;

/// Cells of the smaller builds of the counting kernels: less workgroup memory lets more workgroups run at once.
const SMALL_CELLS: [u32; 3] = [1024, 3072, 8200];
/// The same for counters of 16 bits.
const SMALL_SLOTS: [u32; 3] = [2048, 6144, 12300];
/// First cells and widths are packed into 16 bits each.
const MOST_CELLS: u32 = 60_000;
/// Workgroup memory of `scatter` in `sort.wgsl` apart from the tile itself.
const SCATTER_BYTES: u32 = 4 * (2048 + 256 + 16 + 16);

/// Keys that a workgroup looks at before what it took is written.
const TAKEN_KEYS: u32 = 4096;
/// Workgroup memory of `take_wanted` in `select.wgsl` apart from the keys themselves: the table and two words.
const TAKE_BYTES: u32 = 2 * TABLE_BYTES + 8;

/// What a pipeline is built for: the entry point, the keys, and the value of its one size constant (0 without one).
type Build = (Entry, Width, u32);

/// Pipelines of one device.
pub(super) struct Pipelines {
    checks: bool,
    /// Threads of a workgroup, but for sorting.
    workgroup: u32,
    workgroup_bytes: u32,
    built: Mutex<HashMap<Build, wgpu::ComputePipeline>>,
    cache: Option<PipelineCache>,
}

impl Pipelines {
    /// `workgroup`: the threads of a workgroup that are wanted; the device's limits hold anyway.
    pub(super) fn new(device: &Device, checks: bool, workgroup: u32, cache: Option<PipelineCache>) -> Self {
        let limits = &device.limits;
        let most = limits.max_compute_invocations_per_workgroup.min(limits.max_compute_workgroup_size_x);
        let workgroup = if workgroup <= most { workgroup } else { WORKGROUP };
        let workgroup_bytes = limits.max_compute_workgroup_storage_size;
        Self { checks, workgroup, workgroup_bytes, built: Mutex::default(), cache }
    }

    /// Most cells of maps that `entry` counts in workgroup memory.
    fn most_cells(&self, entry: Entry) -> u32 {
        let counters = self.workgroup_bytes.saturating_sub(TABLE_BYTES);
        let cells = match entry {
            Entry::CountCells => counters / 4,
            Entry::CountSlots => counters / 4 * 2,
            _ => 0,
        };
        cells.min(MOST_CELLS)
    }

    /// The kernel that counts the cells of `map`.
    pub(super) fn counting(&self, map: &CellMap) -> Entry {
        let fits = |entry| map.n_cells() <= self.most_cells(entry) as usize;
        if map.pivots().is_none() && fits(Entry::CountCells) {
            Entry::CountCells
        } else if fits(Entry::CountSlots) {
            Entry::CountSlots
        } else {
            Entry::CountWide
        }
    }

    /// Most keys of a tile that `entry` can count.
    pub(super) fn most_tile_keys(entry: Entry) -> u32 {
        match entry {
            // Below 2^16, for counters of 16 bits, and whole rounds of a workgroup.
            Entry::CountSlots => (u32::from(u16::MAX) / LARGE_WORKGROUP) * LARGE_WORKGROUP,
            _ => 1 << 18,
        }
    }

    /// Keys that a thread ranks in a sorting pass.
    pub(super) fn sort_keys_per_thread(&self, width: Width) -> u32 {
        self.keys_per_thread(8, WORKGROUP, SCATTER_BYTES, width)
    }

    /// Keys that a thread looks at before what it took is written.
    fn taken_keys_per_thread(&self, width: Width) -> u32 {
        self.keys_per_thread(TAKEN_KEYS / self.workgroup, self.workgroup, TAKE_BYTES, width)
    }

    /// `most` or as many keys a thread as fit workgroup memory beside `others` bytes: a power of two.
    fn keys_per_thread(&self, most: u32, workgroup: u32, others: u32, width: Width) -> u32 {
        let key_bytes = width.bits() / 8;
        let fits = |n: &u32| others + workgroup * n * key_bytes <= self.workgroup_bytes;
        std::iter::successors(Some(most), |n| Some(n / 2)).take_while(|&n| n > 0).find(fits).unwrap_or(1)
    }

    /// The pipeline of `entry` for keys of `width` and maps of at most `cells` cells.
    pub(super) fn get(
        &self,
        device: &Device,
        entry: Entry,
        width: Width,
        cells: usize,
    ) -> Result<wgpu::ComputePipeline, DeviceError> {
        let (constant, size) = match entry {
            Entry::CountCells => ("CELLS", self.tier(entry, &SMALL_CELLS, cells)),
            Entry::CountSlots => ("CELLS", self.tier(entry, &SMALL_SLOTS, cells)),
            Entry::Histogram | Entry::Scatter => ("KEYS_PER_THREAD", self.sort_keys_per_thread(width)),
            Entry::TakeWanted => ("KEYS_PER_THREAD", self.taken_keys_per_thread(width)),
            _ => ("", 0),
        };
        let mut built = lock(&self.built);
        if let Some(pipeline) = built.get(&(entry, width, size)) {
            return Ok(pipeline.clone());
        }
        let pipeline = device.scoped(|| {
            let (kernel, entry_point) = entry.place();
            let sorting = matches!(entry, Entry::Histogram | Entry::ScanRows | Entry::Scatter);
            let workgroup = if sorting { WORKGROUP } else { self.workgroup };
            let kernel = &KERNELS[kernel];
            let label = format!("gpudrift.{}.{}.{}", kernel.name, entry_point, width.bits());
            let descriptor = wgpu::ShaderModuleDescriptor {
                label: Some(&label),
                source: wgpu::ShaderSource::Wgsl(kernel.source(width, workgroup).into()),
            };
            let constants = [(constant, f64::from(size))];
            Ok(device.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(&label),
                layout: None,
                module: &trusted::shader_module(&device.device, descriptor, self.checks),
                entry_point: Some(entry_point),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: if size == 0 { &[] } else { &constants },
                    // Every kernel writes what it reads of workgroup memory.
                    zero_initialize_workgroup_memory: false,
                },
                cache: self.cache.as_ref().map(PipelineCache::get),
            }))
        })?;
        built.insert((entry, width, size), pipeline.clone());
        Ok(pipeline)
    }

    /// Keeps what was compiled for the next run. Failing costs that run a moment, and this one nothing.
    pub(super) fn save(&self) {
        if let Some(cache) = &self.cache
            && !lock(&self.built).is_empty()
        {
            let _ = cache.save();
        }
    }

    fn tier(&self, entry: Entry, small: &[u32], cells: usize) -> u32 {
        let most = self.most_cells(entry);
        let fits = |&&tier: &&u32| cells <= tier as usize && tier <= most;
        small.iter().find(fits).copied().unwrap_or(most)
    }
}
