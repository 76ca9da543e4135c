//! How fast a backend counts on this machine, measured once and kept.
//!
//! `--backend auto` takes a GPU only where it counts several times as fast as the CPU does: an integrated one does not.
//! The figures lie in `rates.json` in the cache folder, one a device, driver, version and number of threads; what is not
//! there is measured, which takes some tens of milliseconds.

use super::gpu::{AdapterSummary, Gpu, UploadWay};
use super::{Backend, CountJob, DeviceError, SelectJob, cache_folder, cpu::Cpu};
use crate::counts::{CellCounts, CellMap, CellSet, Keys};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Columns and keys of the probe: 32 MiB, beyond the caches of most processors.
const COLUMNS: usize = 16;
const ROWS: usize = 1 << 18;
/// Cells of its map, and of these one in so many is fetched: about what a comparison refines.
const CELLS: u32 = 4096;
const FETCHED: usize = 128;
/// How often the probe runs, after once for warming up; the fastest counts.
const REPEATS: u32 = 3;

/// What was measured of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// 64-bit keys a second, from keys on the host to counts on the host.
    pub keys_per_second: u64,
    /// The way of bringing keys there that was faster; none for the CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadWay>,
}

/// The columns that are counted to measure.
struct Probe {
    columns: Vec<Keys>,
    map: CellMap,
    wanted: CellSet,
}

impl Probe {
    fn new() -> Self {
        // Weyl's sequence: spread evenly, never in order, and needs no generator.
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let column = |start: u64| (0..ROWS as u64).map(|row| (start + row).wrapping_mul(STEP)).collect();
        let columns: Vec<Keys> = (0..COLUMNS).map(|index| Keys::U64(column((index * ROWS) as u64))).collect();
        let mut sample: Vec<u128> = (0..2048).map(|row| columns[0].get(row * (ROWS / 2048))).collect();
        sample.sort_unstable();
        let map = CellMap::new(0, u64::MAX.into(), &sample, CELLS, false);
        let mut wanted = CellSet::none(map.n_cells());
        (0..map.n_cells()).step_by(FETCHED).for_each(|cell| wanted.insert(cell));
        Self { columns, map, wanted }
    }

    /// Loads, counts and fetches as a scan does; the counts of all columns.
    fn run(&self, backend: &dyn Backend) -> Result<Vec<CellCounts>, DeviceError> {
        let a_batch = (backend.batch_bytes() / self.columns[0].bytes()).clamp(1, COLUMNS / 2);
        let counted = self.columns.par_chunks(a_batch).map(|columns| {
            let mut loaded = backend.load(columns.iter().map(|keys| vec![keys]).collect())?;
            let jobs: Vec<_> = (0..columns.len()).map(|column| CountJob { column, map: &self.map }).collect();
            let counts = loaded.count_cells(&jobs)?;
            let wanted =
                |job: &CountJob<'_>| SelectJob { column: job.column, map: &self.map, wanted: &self.wanted, rows: None };
            loaded.select(&jobs.iter().map(wanted).collect::<Vec<_>>())?;
            Ok(counts)
        });
        Ok(counted.collect::<Result<Vec<_>, DeviceError>>()?.into_iter().flatten().collect())
    }

    fn fastest(&self, backend: &dyn Backend) -> Result<Duration, DeviceError> {
        let expected = self.run(&Cpu)?;
        if self.run(backend)? != expected {
            return Err(DeviceError::Lost("it counts wrongly".to_owned()));
        }
        let mut fastest = Duration::MAX;
        for _ in 0..REPEATS {
            let start = Instant::now();
            std::hint::black_box(self.run(backend)?);
            fastest = fastest.min(start.elapsed());
        }
        Ok(fastest)
    }
}

fn keys_per_second(fastest: Duration) -> u64 {
    let nanoseconds = fastest.as_nanos().max(1);
    u64::try_from((COLUMNS * ROWS) as u128 * 1_000_000_000 / nanoseconds).unwrap_or(u64::MAX)
}

/// Measures the CPU with so many threads.
///
/// # Errors
/// When they cannot be started.
pub fn measure_cpu(threads: usize) -> Result<Rate, DeviceError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| DeviceError::Unsupported(error.to_string()))?;
    let fastest = pool.install(|| Probe::new().fastest(&Cpu))?;
    Ok(Rate { keys_per_second: keys_per_second(fastest), upload: None })
}

/// Measures a GPU by every way of bringing keys to it, and leaves it with the faster one.
///
/// # Errors
/// When the device fails, or counts wrongly.
pub fn measure_gpu(gpu: &Gpu) -> Result<Rate, DeviceError> {
    let probe = Probe::new();
    let mut measured = Vec::new();
    for &way in gpu.upload_ways() {
        gpu.set_upload_way(way);
        measured.push((probe.fastest(gpu)?, way));
    }
    let (fastest, way) = measured.into_iter().min_by_key(|&(time, _)| time).expect("there is a way");
    gpu.set_upload_way(way);
    Ok(Rate { keys_per_second: keys_per_second(fastest), upload: Some(way) })
}

/// What was measured so far on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates(BTreeMap<String, Rate>);

impl Rates {
    /// What was kept; nothing when it cannot be read.
    #[must_use]
    pub fn load() -> Self {
        let bytes = file().and_then(|file| std::fs::read(file).ok());
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Of one device: [`cpu_key`] or [`gpu_key`].
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Rate> {
        self.0.get(key).copied()
    }

    /// The figure of `key`, measured and kept when there is none.
    ///
    /// # Errors
    /// With what measuring fails with.
    pub fn get_or<E>(&mut self, key: &str, measure: impl FnOnce() -> Result<Rate, E>) -> Result<Rate, E> {
        match self.get(key) {
            Some(rate) => Ok(rate),
            None => {
                let rate = measure()?;
                self.put(key, rate);
                Ok(rate)
            }
        }
    }

    /// Keeps a figure, for this run and, where that is possible, for later ones.
    pub fn put(&mut self, key: &str, rate: Rate) {
        // What another run measured meanwhile stays.
        let mut kept = Self::load();
        kept.0.insert(key.to_owned(), rate);
        self.0.insert(key.to_owned(), rate);
        if let (Some(file), Ok(text)) = (file(), serde_json::to_vec_pretty(&kept)) {
            // Without the file it is measured again: that costs time, and nothing else.
            let _ = cache_folder::write(&file, &[&text]);
        }
    }
}

fn file() -> Option<PathBuf> {
    cache_folder::path().map(|folder| folder.join("rates.json"))
}

/// The name of the CPU with so many threads among the figures.
#[must_use]
pub fn cpu_key(threads: usize) -> String {
    let mut system = sysinfo::System::new();
    system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
    let brand = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default();
    format!("{brand}, {threads} threads, gpudrift {}", env!("CARGO_PKG_VERSION"))
}

/// The name of an adapter among the figures.
#[must_use]
pub fn gpu_key(adapter: &AdapterSummary) -> String {
    let AdapterSummary { name, driver, pci, .. } = adapter;
    format!("{name} {pci}, {driver}, gpudrift {}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_counts_every_key_and_fetches_some() {
        let probe = Probe::new();
        let counts = probe.run(&Cpu).unwrap();
        assert_eq!(counts.len(), COLUMNS);
        assert!(counts.iter().all(|counts| counts.total() == ROWS as u64));
        let fetched: u64 =
            (0..probe.map.n_cells()).filter(|&cell| probe.wanted.contains(cell)).map(|cell| counts[0].0[cell]).sum();
        assert!((ROWS as u64 / 1000..ROWS as u64 / 50).contains(&fetched), "{fetched}");
    }

    #[test]
    fn a_rate_is_keys_by_time() {
        assert_eq!(keys_per_second(Duration::from_millis(1)), (COLUMNS * ROWS) as u64 * 1000);
        assert!(keys_per_second(Duration::ZERO) > 0);
    }
}
