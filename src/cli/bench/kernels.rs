//! `gpudrift bench --kernels`: what a GPU takes for features that lie on it, and for bringing them there.
//!
//! The answers are those of a scan, KS and the counts of ten PSI bins, and are compared with the CPU's. Reading every
//! key once is the floor: an exact comparison reads them at least twice, once to count cells and once to refine.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use gpudrift::backend::cpu::Cpu;
use gpudrift::backend::gpu::{Devices, Gpu, GpuOptions, Resident, UploadWay, adapters};
use gpudrift::backend::{Backend, Column, CountJob, DeviceError, Loaded, SelectJob};
use gpudrift::compare::{Compared, Pair, Query, compare, map_for, sample_of};
use gpudrift::counts::{CellCounts, Keys};
use serde::Serialize;

use super::BenchArgs;
use super::sample::{Float, SHAPES, keys};
use super::table::kernel_lines;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, print};

/// Features that are drawn; more features than these are these again.
const DRAWN: usize = 8;
/// Keys of a feature that are fetched at a time: all that a comparison ever asks for.
const BUDGET: u64 = u64::MAX;

/// What one piece of work took.
#[derive(Clone, Debug, Serialize)]
pub(super) struct KernelLine {
    #[serde(rename = "type")]
    pub(super) name: String,
    pub(super) shape: &'static str,
    pub(super) features: usize,
    pub(super) rows: usize,
    /// Whether the shaders check every index.
    pub(super) checked: bool,
    pub(super) work: String,
    /// By the device's clock; the fastest run.
    pub(super) kernel_seconds: f64,
    /// On the host's clock, of the same run.
    pub(super) seconds: f64,
    /// Keys that the work is about.
    pub(super) keys: usize,
    pub(super) bytes: usize,
    /// Time of reading these keys twice, over the time of the kernels.
    pub(super) of_two_reads: Option<f64>,
    /// Whether the answers are those of the CPU.
    pub(super) same: Option<bool>,
}

/// Runs every case and prints its lines.
pub(super) fn run(args: &BenchArgs, output: Option<Output>) -> Result<Exit, Failure> {
    let (gpus, lines) = measured(args).map_err(Failure::failed)?;
    let summary = gpus[0].summary();
    print(&format!("gpudrift {}\n{summary}\n\n{}\n", env!("CARGO_PKG_VERSION"), kernel_lines(&lines)))
        .map_err(Failure::failed)?;
    if let Some(output) = output {
        let all = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "device": gpus[0].device(),
            "pci": summary.pci,
            "repeat": args.repeat,
            "lines": lines,
        });
        let written = output.write(|out| serde_json::to_writer_pretty(out, &all).map_err(Into::into));
        written.map_err(Failure::failed)?;
    }
    match lines.iter().find(|line| line.same == Some(false)) {
        Some(line) => {
            Err(Failure::failed(anyhow::anyhow!("{} of {} found something else than the CPU", line.work, line.shape)))
        }
        None => Ok(Exit::Finished),
    }
}

fn measured(args: &BenchArgs) -> anyhow::Result<(Vec<Gpu>, Vec<KernelLine>)> {
    let devices = Devices::parse(args.device.as_slice()).map_err(anyhow::Error::msg)?;
    let checks: &[bool] = if args.checked { &[false, true] } else { &[false] };
    let open = |&checks: &bool| {
        let adapter = devices.pick(adapters(false), true)?.swap_remove(0);
        Gpu::on(adapter, GpuOptions { checks, ..GpuOptions::default() })
    };
    let gpus = checks.iter().map(open).collect::<Result<Vec<_>, _>>().context("no GPU to measure")?;
    let mut lines = Vec::new();
    for name in &args.types {
        let float = Float::named(name)?;
        for &features in &args.features {
            for &rows in &args.rows {
                let (features, rows) = (usize::try_from(features)?, usize::try_from(rows)?);
                for shape in SHAPES {
                    let case = Case::new(name, float, shape, features, rows);
                    for (gpu, &checked) in gpus.iter().zip(checks) {
                        lines.extend(case.run(gpu, checked, args.repeat)?);
                    }
                }
            }
        }
    }
    Ok((gpus, lines))
}

/// Two samples of some features, and what is asked about them.
struct Case<'a> {
    name: &'a str,
    float: Float,
    shape: &'static str,
    features: usize,
    rows: usize,
    /// Reference and current, for [`DRAWN`] features at most.
    drawn: Vec<[Keys; 2]>,
}

impl<'a> Case<'a> {
    fn new(name: &'a str, float: Float, shape: &'static str, features: usize, rows: usize) -> Self {
        let both = |feature: u64| {
            [0_u32, 1].map(|side| keys(shape, float, rows, f64::from(side) * 0.02, 2 * feature + u64::from(side)))
        };
        let drawn = (0..features.min(DRAWN) as u64).map(both).collect();
        Self { name, float, shape, features, rows, drawn }
    }

    /// The columns of both sides, a reference and its current one side by side; or of one side.
    fn columns(&self, sides: &[usize]) -> Vec<Column<'_>> {
        let feature =
            |feature: usize| sides.iter().map(move |&side| vec![&self.drawn[feature % self.drawn.len()][side]]);
        (0..self.features).flat_map(feature).collect()
    }

    fn pairs<'q>(&self, query: &Query<'q>, features: usize) -> Vec<Pair<'q>> {
        let pair = |feature: usize| {
            let sides = &self.drawn[feature % self.drawn.len()];
            let sample = sample_of(sides.iter());
            let keys = || sides.iter().flat_map(|keys| (0..keys.len()).map(|index| keys.get(index)));
            let extent = (keys().min().unwrap_or(0), keys().max().unwrap_or(0));
            Pair {
                columns: [2 * feature, 2 * feature + 1],
                n: [self.rows as u64; 2],
                extent,
                map: map_for(extent.0, extent.1, sample.clone(), self.rows as u64),
                sample,
                query: *query,
            }
        };
        (0..features).map(pair).collect()
    }

    fn run(&self, gpu: &Gpu, checked: bool, repeat: u32) -> anyhow::Result<Vec<KernelLine>> {
        let encoding = self.float.encoding();
        let query = Query {
            scale: &encoding,
            gap: true,
            bins: Some(10),
            quantiles: false,
            wasserstein: false,
            atoms: false,
            distinct: false,
            marks: &[],
        };
        let drawn = || self.pairs(&query, self.drawn.len());
        let expected = compare(Cpu.load(self.columns(&[0, 1]))?.as_mut(), drawn(), BUDGET)?;
        let same =
            |found: &[Compared]| found.iter().zip(expected.iter().cycle()).all(|(found, expected)| found == expected);
        let mut lines = Vec::new();
        let mut add = |work: String, sides: usize, (kernel, whole): (Duration, Duration), same: Option<bool>| {
            let keys = sides * self.features * self.rows;
            let bytes = keys * usize::try_from(encoding.key_bits() / 8).expect("a few bytes");
            lines.push(KernelLine {
                name: self.name.to_owned(),
                shape: self.shape,
                features: self.features,
                rows: self.rows,
                checked,
                work,
                kernel_seconds: kernel.as_secs_f64(),
                seconds: whole.as_secs_f64(),
                keys,
                bytes,
                of_two_reads: None,
                same,
            });
        };
        let chosen = gpu.upload_way();
        for &way in gpu.upload_ways() {
            gpu.set_upload_way(way);
            add(uploading(way), 1, fastest(gpu, repeat, || gpu.resident(self.columns(&[1]))?.read().map(drop))?, None);
        }
        gpu.set_upload_way(chosen);
        let mut current = gpu.resident(self.columns(&[1]))?;
        let sums: Vec<u32> = self
            .columns(&[1])
            .iter()
            .map(|column| column.iter().map(|keys| words(keys)).fold(0, u32::wrapping_add))
            .collect();
        let arrived = current.read()? == sums;
        add("read".to_owned(), 1, fastest(gpu, repeat, || current.read().map(drop))?, Some(arrived));
        let maps = self.pairs(&query, self.features);
        let jobs: Vec<_> = maps.iter().enumerate().map(|(column, pair)| CountJob { column, map: &pair.map }).collect();
        add("count cells".to_owned(), 1, fastest(gpu, repeat, || current.count_cells(&jobs).map(drop))?, None);
        let mut prepared = Prepared { reference: Cpu.load(self.columns(&[0]))?, current };
        let found = compare(&mut prepared, self.pairs(&query, self.features), BUDGET)?;
        let again = || compare(&mut prepared, self.pairs(&query, self.features), BUDGET).map(drop);
        add("compare with a prepared reference".to_owned(), 1, fastest(gpu, repeat, again)?, Some(same(&found)));
        drop(prepared);
        let mut both = gpu.resident(self.columns(&[0, 1]))?;
        let found = compare(&mut both, self.pairs(&query, self.features), BUDGET)?;
        let again = || compare(&mut both, self.pairs(&query, self.features), BUDGET).map(drop);
        add("compare both sides".to_owned(), 2, fastest(gpu, repeat, again)?, Some(same(&found)));
        beside_reading(&mut lines);
        Ok(lines)
    }
}

/// Says how near to reading the keys twice the comparisons come.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn beside_reading(lines: &mut [KernelLine]) {
    let read = lines.iter().find(|line| line.work == "read").map(|line| line.kernel_seconds / line.keys as f64);
    for line in lines.iter_mut().filter(|line| line.work.starts_with("co")) {
        line.of_two_reads = read.map(|read| 2.0 * read * line.keys as f64 / line.kernel_seconds);
    }
}

fn uploading(way: UploadWay) -> String {
    format!("upload, {way}, and read")
}

/// The sum of the words of the keys, modulo 2^32.
fn words(keys: &Keys) -> u32 {
    match keys {
        Keys::U32(keys) => bytemuck::cast_slice::<u32, u32>(keys).iter().copied().fold(0, u32::wrapping_add),
        Keys::U64(keys) => bytemuck::cast_slice::<u64, u32>(keys).iter().copied().fold(0, u32::wrapping_add),
        Keys::U128(_) => 0,
    }
}

/// Kernel time and whole time of the run with the least kernel time, after one to warm up.
fn fastest(
    gpu: &Gpu,
    repeat: u32,
    mut work: impl FnMut() -> Result<(), DeviceError>,
) -> Result<(Duration, Duration), DeviceError> {
    work()?;
    let mut best = (Duration::MAX, Duration::MAX);
    for _ in 0..repeat {
        let (before, start) = (gpu.timings().kernel_ns, Instant::now());
        work()?;
        let whole = start.elapsed();
        best = best.min((Duration::from_nanos(gpu.timings().kernel_ns - before), whole));
    }
    Ok(best)
}

/// The current side on a device, and the reference as a profile would answer for it: not on the device.
struct Prepared<'g> {
    reference: Box<dyn Loaded + 'g>,
    current: Resident<'g>,
}

impl Prepared<'_> {
    /// Asks each side for its columns, the even ones being the reference's.
    fn each<J: Copy, A>(
        &mut self,
        jobs: &[J],
        column: impl Fn(J) -> usize,
        with: impl Fn(J, usize) -> J,
        ask: impl Fn(&mut dyn Loaded, &[J]) -> Result<Vec<A>, DeviceError>,
    ) -> Result<Vec<A>, DeviceError> {
        let of = |side: usize| -> Vec<J> {
            jobs.iter().filter(|&&job| column(job) % 2 == side).map(|&job| with(job, column(job) / 2)).collect()
        };
        let mut answers =
            [ask(self.reference.as_mut(), &of(0))?.into_iter(), ask(&mut self.current, &of(1))?.into_iter()];
        Ok(jobs.iter().filter_map(|&job| answers[column(job) % 2].next()).collect())
    }
}

impl Loaded for Prepared<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        self.each(jobs, |job| job.column, |job, column| CountJob { column, ..job }, |side, jobs| side.count_cells(jobs))
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        self.each(jobs, |job| job.column, |job, column| SelectJob { column, ..job }, |side, jobs| side.select(jobs))
    }
}
