//! The GPU backend: the same counts as the CPU's, by shaders under `shaders/`. The only place that names wgpu.
//!
//! ```text
//!     load          layout -> upload -> windows of keys on the device
//!     count_cells   jobs -> tables, tiles -> count_cells | count_slots | count_wide -> counters -> CellCounts
//!     select        jobs -> tables, tiles -> count_wanted -> write_wanted -> sort -> Keys
//! ```
//!
//! Keys of 128 bits, and maps larger than a binding, are counted by the CPU's code. What a device returns is checked
//! where that is cheap (totals, order); a device that miscounts is treated as lost.

mod adapter;
mod batch;
mod count_cells;
mod device;
mod kernels;
mod launch;
mod layout;
mod named;
mod pipeline_cache;
mod pipelines;
mod pool;
mod read_keys;
mod resident;
mod ring;
mod run;
mod select;
mod sort;
mod tables;
mod tiles;
mod trusted;
mod upload;

pub use adapter::{Adapter, AdapterKind, AdapterSummary, OpenError, adapters, may_be_there};
pub use kernels::{KERNELS, Kernel, LARGE_WORKGROUP, WORKGROUP, Width};
pub use named::{DeviceName, Devices};
pub use resident::Resident;
pub use upload::UploadWay;

use crate::backend::{Backend, Column, DeviceError, Loaded};
use pipeline_cache::PipelineCache;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How a GPU is opened. The defaults are those of a scan.
#[derive(Clone, Debug)]
pub struct GpuOptions {
    /// Whether a software rasteriser will do.
    pub software: Software,
    /// Whether shaders check every index, loop and division again. Slow; for tests.
    pub checks: bool,
    /// Whether the driver's validation layer is asked for. Slow; for tests.
    pub validation: bool,
    /// Largest window of keys in bytes; the device's limits hold anyway.
    pub window_bytes: u64,
    /// Threads of a workgroup, [`WORKGROUP`] or [`LARGE_WORKGROUP`]; what suits the device when `None`.
    pub workgroup: Option<u32>,
    /// Keys of a tile, or a size that suits the batch.
    pub tile_keys: Option<u32>,
    /// Selected keys are sorted on the device from this many of one column on, below that on the host. By default a
    /// software rasteriser, which is the host itself, sorts none.
    pub sort_on_device_from: Option<u64>,
    /// Bytes of device memory that may be taken, or all that there is.
    pub memory_limit: Option<u64>,
    /// How long the device may leave a submission unanswered before it counts as hung.
    pub timeout: Option<Duration>,
    /// How keys are brought to the device; the way that is presumed to be faster when `None`.
    pub upload: Option<UploadWay>,
    /// Where compiled shaders are kept between runs; nowhere when `None`.
    pub pipeline_cache: Option<PathBuf>,
}

/// Whether a software rasteriser may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Software {
    /// Any adapter will do: `--backend gpu`.
    Allow,
    /// Only a real GPU will do: `--backend auto`.
    Refuse,
}

impl Default for GpuOptions {
    fn default() -> Self {
        Self {
            software: Software::Refuse,
            checks: false,
            validation: false,
            window_bytes: 1 << 30,
            workgroup: None,
            tile_keys: None,
            sort_on_device_from: None,
            memory_limit: None,
            timeout: None,
            upload: None,
            pipeline_cache: crate::backend::cache_folder::path(),
        }
    }
}

/// What a device took for its work, added up since it was opened, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GpuTimings {
    /// Filling staging buffers and submitting their copies, on the host's clock.
    pub upload_ns: u64,
    /// Kernels, on the device's clock where it has one, else from submission to answer on the host's.
    pub kernel_ns: u64,
    /// The rest of answering: waiting, copying back, sorting on the host.
    pub readback_ns: u64,
}

/// An open GPU.
pub struct Gpu {
    core: Core,
    summary: AdapterSummary,
}

impl Gpu {
    /// Opens the best adapter that `options` allow.
    ///
    /// # Errors
    /// When there is none, or when it does not open; the message says what to do.
    pub fn open(options: GpuOptions) -> Result<Self, OpenError> {
        let found = adapters(options.validation);
        Self::on(adapter::best(found, options.software == Software::Allow)?, options)
    }

    /// Opens `adapter`, whatever kind it is.
    ///
    /// # Errors
    /// When it does not open.
    pub fn on(adapter: Adapter, options: GpuOptions) -> Result<Self, OpenError> {
        let Adapter { adapter, summary } = adapter;
        let features = adapter.features() & adapter::WANTED;
        let request = adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("gpudrift"),
            required_features: features,
            required_limits: adapter.limits(),
            ..Default::default()
        });
        let (device, queue) = pollster::block_on(request)
            .map_err(|error| OpenError::Refused { name: summary.name.clone(), why: error.to_string() })?;
        let cache = options.pipeline_cache.as_deref();
        let cache = cache.and_then(|folder| PipelineCache::open(&device, &adapter.get_info(), folder));
        Ok(Self { core: Core::new(device, queue, options, &summary, cache), summary })
    }

    /// What is known about the adapter.
    #[must_use]
    pub fn summary(&self) -> &AdapterSummary {
        &self.summary
    }

    /// Brings `columns` to the device, where they stay as long as what is returned lives.
    ///
    /// # Errors
    /// As [`Backend::load`].
    pub fn resident<'k>(&'k self, columns: Vec<Column<'k>>) -> Result<Resident<'k>, DeviceError> {
        Ok(Resident(batch::Batch::load(&self.core, columns)?))
    }

    /// The ways by which keys can come to this device.
    #[must_use]
    pub fn upload_ways(&self) -> &'static [UploadWay] {
        if self.core.mappable { &UploadWay::ALL } else { &UploadWay::ALL[..1] }
    }

    /// The way that is taken.
    #[must_use]
    pub fn upload_way(&self) -> UploadWay {
        self.core.upload_way()
    }

    /// Takes another way from the next batch on, one of [`Self::upload_ways`]; any other changes nothing.
    pub fn set_upload_way(&self, way: UploadWay) {
        self.core.set_upload_way(way);
    }

    /// What the device took so far.
    #[must_use]
    pub fn timings(&self) -> GpuTimings {
        let [upload_ns, kernel_ns, readback_ns] = self.core.times.each_ref().map(|time| time.load(Ordering::Relaxed));
        GpuTimings { upload_ns, kernel_ns, readback_ns }
    }

    /// Makes the device fail as after a driver reset. For fault tests.
    #[doc(hidden)]
    pub fn lose(&self) {
        self.core.device.device.destroy();
        self.core.device.lost.set("destroyed by a test");
    }

    /// Makes the device answer nothing from now on, as one that hangs. For fault tests.
    #[doc(hidden)]
    pub fn hang(&self) {
        self.core.device.silence();
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        self.core.pipelines.save();
    }
}

impl Backend for Gpu {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn device(&self) -> String {
        format!("{} ({}, {})", self.summary.name, self.summary.kind, self.summary.driver)
    }

    fn batch_bytes(&self) -> usize {
        let wanted = if self.summary.is_software() { 64 << 20 } else { 256 << 20 };
        // Selecting everything and sorting it takes the keys twice more, and there may be a batch in the making.
        let share = self.core.options.memory_limit.unwrap_or(u64::MAX) / 8;
        usize::try_from(share).unwrap_or(usize::MAX).clamp(1 << 20, wanted)
    }

    fn kernel_seconds(&self) -> Option<f64> {
        Some(std::time::Duration::from_nanos(self.timings().kernel_ns).as_secs_f64())
    }

    fn load<'k>(&'k self, columns: Vec<Column<'k>>) -> Result<Box<dyn Loaded + 'k>, DeviceError> {
        Ok(Box::new(batch::Batch::load(&self.core, columns)?))
    }
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu").field("summary", &self.summary).finish_non_exhaustive()
    }
}

/// Kinds of work, which run at different speeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Count,
    Wide,
    Select,
    Sort,
    Read,
}

/// How long one submission should take at most: far below what any watchdog allows.
const SUBMISSION_MS: u64 = 20;

/// Everything that belongs to one open device.
struct Core {
    device: device::Device,
    pool: pool::Pool,
    ring: ring::Ring,
    pipelines: pipelines::Pipelines,
    clocks: Mutex<Vec<run::Clock>>,
    timestamps: bool,
    /// Nanoseconds of upload, kernels, readback.
    times: [AtomicU64; 3],
    /// Keys a millisecond for each [`Work`], as seen so far.
    rates: [AtomicU64; 5],
    /// Whether shaders can read mapped buffers.
    mappable: bool,
    /// Whether keys are written into such buffers.
    mapped: AtomicBool,
    options: GpuOptions,
    /// Largest window of keys, within the device's limits.
    window_bytes: u64,
    /// How keys are cut into tiles.
    cutting: tiles::Cutting,
    /// Keys of one column from which on the device sorts them.
    sort_from: u64,
    /// Most bytes of tables that a group of jobs takes.
    table_bytes: u64,
}

impl Core {
    fn new(
        device: wgpu::Device,
        queue: wgpu::Queue,
        options: GpuOptions,
        summary: &AdapterSummary,
        cache: Option<PipelineCache>,
    ) -> Self {
        // A rasteriser shares its processors with everybody else on the machine.
        let patience = Duration::from_secs(if summary.is_software() { 300 } else { 30 });
        let timestamps = device.features().contains(wgpu::Features::TIMESTAMP_QUERY);
        let mappable = device.features().contains(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS);
        let way = options.upload.unwrap_or_else(|| UploadWay::presumed(summary.kind, mappable));
        let device = device::Device::new(device, queue, options.timeout.unwrap_or(patience));
        let binding = device.limits.max_storage_buffer_binding_size.min(device.limits.max_buffer_size) & !15;
        let workgroup = if summary.is_software() { WORKGROUP } else { LARGE_WORKGROUP };
        // Assumed until measured: slow for what it is, so that the first submissions are short.
        let rates = if summary.is_software() {
            [20_000, 5_000, 20_000, 5_000, 50_000]
        } else {
            [1_000_000, 100_000, 500_000, 100_000, 1_000_000]
        };
        // A GPU has some hundred processors; a rasteriser has those of the host, and a tile costs it some 100 µs.
        let (wanted, sort_from) = if summary.is_software() { (16, u64::MAX) } else { (1024, 1 << 14) };
        let (keep, staging) = if summary.is_software() { (256 << 20, 4 << 20) } else { (2 << 30, 32 << 20) };
        Self {
            pool: pool::Pool::new(options.memory_limit, options.memory_limit.unwrap_or(keep).min(keep)),
            ring: ring::Ring::new(staging),
            pipelines: pipelines::Pipelines::new(
                &device,
                options.checks,
                options.workgroup.unwrap_or(workgroup),
                cache,
            ),
            clocks: Mutex::default(),
            timestamps,
            mappable,
            mapped: AtomicBool::new(mappable && way == UploadWay::Mapped),
            times: Default::default(),
            rates: rates.map(AtomicU64::new),
            // At least one key of two words.
            window_bytes: options.window_bytes.max(8).min(binding),
            table_bytes: binding.min(128 << 20),
            cutting: tiles::Cutting { wanted, forced: options.tile_keys },
            sort_from: options.sort_on_device_from.unwrap_or(sort_from),
            options,
            device,
        }
    }

    fn upload_way(&self) -> UploadWay {
        if self.mapped.load(Ordering::Relaxed) { UploadWay::Mapped } else { UploadWay::Copied }
    }

    fn set_upload_way(&self, way: UploadWay) {
        self.mapped.store(self.mappable && way == UploadWay::Mapped, Ordering::Relaxed);
    }

    /// Most keys of one submission of this kind of work.
    fn budget(&self, work: Work) -> u64 {
        (self.rates[work as usize].load(Ordering::Relaxed) * SUBMISSION_MS).max(1 << 16)
    }

    /// Notes what a question took: `keys` were visited within `kernel`; `rest` is what came on top.
    fn record(&self, work: Work, keys: u64, kernel: Duration, rest: Duration) {
        let [_, kernels, readback] = &self.times;
        kernels.fetch_add(nanoseconds(kernel), Ordering::Relaxed);
        readback.fetch_add(nanoseconds(rest), Ordering::Relaxed);
        // Short questions measure latency, not the rate; less so by the device's own clock.
        if kernel > Duration::from_micros(if self.timestamps { 50 } else { 1000 }) {
            let seen = keys.saturating_mul(1_000_000) / nanoseconds(kernel);
            let rate = &self.rates[work as usize];
            let before = rate.load(Ordering::Relaxed);
            rate.store(((before + seen) / 2).max(1), Ordering::Relaxed);
        }
    }

    fn add_upload(&self, time: Duration) {
        self.times[0].fetch_add(nanoseconds(time), Ordering::Relaxed);
    }

    /// Time between pairs of timestamps; `None` without any.
    fn kernel_time(&self, ticks: &[u64]) -> Option<Duration> {
        let (pairs, _) = ticks.as_chunks::<2>();
        let sum: u64 = pairs.iter().map(|[begin, end]| end.saturating_sub(*begin)).sum();
        #[expect(clippy::cast_precision_loss, reason = "a time for people, within a part in 2^53")]
        let seconds = sum as f64 * f64::from(self.device.queue.get_timestamp_period()) * 1e-9;
        (!pairs.is_empty()).then(|| Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
