//! `gpudrift bench --kernels`: what a GPU takes for features that lie on it, and for bringing them there.
//!
//! The answers are those of a scan, KS and the counts of ten PSI bins, and are compared with the CPU's. Reading every
//! key once is the floor: an exact comparison reads them at least twice, once to count cells and once to refine.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use gpudrift::backend::cpu::Cpu;
use gpudrift::backend::gpu::{Devices, Gpu, GpuOptions, Resident, UploadWay, adapters};
use gpudrift::backend::{Backend, Column, CountJob, DeviceError, Loaded, SelectJob};
use gpudrift::compare::{Compared, MOST_CELLS, Pair, Query, compare, map_for, sample_of};
use gpudrift::counts::{CellCounts, CellMap, Key, Keys, with_keys};
use rayon::prelude::*;
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
    asked: Vec<Asked>,
}

/// What a comparison of a drawn feature begins with: in a scan it comes from the facts of decoding.
struct Asked {
    extent: (u128, u128),
    map: CellMap,
    sample: Vec<u128>,
}

impl Asked {
    fn of(sides: &[Keys; 2]) -> Self {
        let ends =
            with_keys!(&sides[0], keys => ends(keys)).into_iter().chain(with_keys!(&sides[1], keys => ends(keys)));
        let (lowest, highest): (Vec<u128>, Vec<u128>) = ends.unzip();
        let extent = (lowest.into_iter().min().unwrap_or(0), highest.into_iter().max().unwrap_or(0));
        let sample = sample_of(sides.iter());
        let map = map_for(extent.0, extent.1, sample.clone(), sides[1].len() as u64, MOST_CELLS);
        Self { extent, map, sample }
    }
}

fn ends<K: Key>(keys: &[K]) -> Option<(u128, u128)> {
    Some((keys.iter().min()?.widen(), keys.iter().max()?.widen()))
}

impl<'a> Case<'a> {
    fn new(name: &'a str, float: Float, shape: &'static str, features: usize, rows: usize) -> Self {
        let both = |feature: u64| {
            [0_u32, 1].map(|side| keys(shape, float, rows, f64::from(side) * 0.02, 2 * feature + u64::from(side)))
        };
        let drawn: Vec<[Keys; 2]> = (0..features.min(DRAWN) as u64).into_par_iter().map(both).collect();
        let asked = drawn.par_iter().map(Asked::of).collect();
        Self { name, float, shape, features, rows, drawn, asked }
    }

    /// The columns of both sides, a reference and its current one side by side; or of one side.
    fn columns(&self, sides: &[usize]) -> Vec<Column<'_>> {
        let feature =
            |feature: usize| sides.iter().map(move |&side| vec![&self.drawn[feature % self.drawn.len()][side]]);
        (0..self.features).flat_map(feature).collect()
    }

    fn pairs<'q>(&self, query: &Query<'q>, features: usize) -> Vec<Pair<'q>> {
        let pair = |feature: usize| {
            let asked = &self.asked[feature % self.asked.len()];
            Pair {
                columns: [2 * feature, 2 * feature + 1],
                n: [self.rows as u64; 2],
                extent: asked.extent,
                map: asked.map.clone(),
                sample: asked.sample.clone(),
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
        let awake = Awake::new(gpu, &self.drawn[0][1])?;
        let chosen = gpu.upload_way();
        for &way in gpu.upload_ways() {
            gpu.set_upload_way(way);
            add(
                uploading(way),
                1,
                fastest(gpu, &awake, repeat, || gpu.resident(self.columns(&[1]))?.read().map(drop))?,
                None,
            );
        }
        gpu.set_upload_way(chosen);
        let mut current = gpu.resident(self.columns(&[1]))?;
        let sums: Vec<u32> = self
            .columns(&[1])
            .iter()
            .map(|column| column.iter().map(|keys| words(keys)).fold(0, u32::wrapping_add))
            .collect();
        let arrived = current.read()? == sums;
        add("read".to_owned(), 1, fastest(gpu, &awake, repeat, || current.read().map(drop))?, Some(arrived));
        let maps = self.pairs(&query, self.features);
        let jobs: Vec<_> = maps.iter().enumerate().map(|(column, pair)| CountJob { column, map: &pair.map }).collect();
        add("count cells".to_owned(), 1, fastest(gpu, &awake, repeat, || current.count_cells(&jobs).map(drop))?, None);
        let mut prepared = Prepared::new(Cpu.load(self.columns(&[0]))?, current);
        let found = compare(&mut prepared, self.pairs(&query, self.features), BUDGET)?;
        let mut made = made_before(repeat, || self.pairs(&query, self.features));
        let again = || compare(prepared.again(), made.next().unwrap_or_default(), BUDGET).map(drop);
        add(
            "compare with a prepared reference".to_owned(),
            1,
            fastest(gpu, &awake, repeat, again)?,
            Some(same(&found)),
        );
        drop(prepared);
        let mut both = gpu.resident(self.columns(&[0, 1]))?;
        let found = compare(&mut both, self.pairs(&query, self.features), BUDGET)?;
        let mut made = made_before(repeat, || self.pairs(&query, self.features));
        let again = || compare(&mut both, made.next().unwrap_or_default(), BUDGET).map(drop);
        add("compare both sides".to_owned(), 2, fastest(gpu, &awake, repeat, again)?, Some(same(&found)));
        beside_reading(&mut lines);
        Ok(lines)
    }
}

/// The questions of every run, so that no run makes its own: in a scan the maps come from the facts of decoding.
fn made_before<'q>(repeat: u32, make: impl Fn() -> Vec<Pair<'q>>) -> impl Iterator<Item = Vec<Pair<'q>>> {
    let made: Vec<_> = (0..=repeat).map(|_| make()).collect();
    made.into_iter()
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

/// How long a device is kept busy before its time is taken: one that waited for the host has lowered its clock (an H100 from
/// 1980 MHz to 345).
const AWAKE: Duration = Duration::from_millis(60);

/// Something small that is read again and again.
struct Awake<'g>(Resident<'g>);

impl<'g> Awake<'g> {
    fn new(gpu: &'g Gpu, keys: &'g Keys) -> Result<Self, DeviceError> {
        Ok(Self(gpu.resident(vec![vec![keys]; 32])?))
    }

    fn keep(&self) -> Result<(), DeviceError> {
        let start = Instant::now();
        while start.elapsed() < AWAKE {
            self.0.read()?;
        }
        Ok(())
    }
}

/// Kernel time and whole time of the run with the least kernel time, after one to warm up.
fn fastest(
    gpu: &Gpu,
    awake: &Awake<'_>,
    repeat: u32,
    mut work: impl FnMut() -> Result<(), DeviceError>,
) -> Result<(Duration, Duration), DeviceError> {
    work()?;
    let mut best = (Duration::MAX, Duration::MAX);
    for _ in 0..repeat {
        awake.keep()?;
        let (before, start) = (gpu.timings().kernel_ns, Instant::now());
        work()?;
        let whole = start.elapsed();
        best = best.min((Duration::from_nanos(gpu.timings().kernel_ns - before), whole));
    }
    Ok(best)
}

/// The current side on a device, and a reference that answers from memory: its side of every question is the same in
/// every run, and is counted in the first one.
struct Prepared<'g> {
    reference: Box<dyn Loaded + 'g>,
    current: Resident<'g>,
    counts: Recorded<Vec<CellCounts>>,
    keys: Recorded<Vec<Keys>>,
}

/// Answers in the order of their questions.
struct Recorded<A> {
    answers: Vec<A>,
    next: usize,
}

impl<A: Clone> Recorded<A> {
    const NOTHING: Self = Self { answers: Vec::new(), next: 0 };

    fn answer(&mut self, ask: impl FnOnce() -> Result<A, DeviceError>) -> Result<A, DeviceError> {
        if self.next == self.answers.len() {
            self.answers.push(ask()?);
        }
        self.next += 1;
        Ok(self.answers[self.next - 1].clone())
    }
}

impl<'g> Prepared<'g> {
    fn new(reference: Box<dyn Loaded + 'g>, current: Resident<'g>) -> Self {
        Self { reference, current, counts: Recorded::NOTHING, keys: Recorded::NOTHING }
    }

    /// Begins the questions anew.
    fn again(&mut self) -> &mut Self {
        (self.counts.next, self.keys.next) = (0, 0);
        self
    }
}

/// The jobs of one side, whose columns every other one is.
fn of_side<J: Copy>(jobs: &[J], side: usize, column: impl Fn(&J) -> usize, with: impl Fn(J, usize) -> J) -> Vec<J> {
    jobs.iter().filter(|job| column(job) % 2 == side).map(|&job| with(job, column(&job) / 2)).collect()
}

/// The answers of both sides in the order of the jobs, which alternate.
fn alternating<A>(reference: Vec<A>, current: Vec<A>) -> Vec<A> {
    reference.into_iter().zip(current).flat_map(|(reference, current)| [reference, current]).collect()
}

impl Loaded for Prepared<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        let of = |side| of_side(jobs, side, |job| job.column, |job, column| CountJob { column, ..job });
        let reference = self.counts.answer(|| self.reference.count_cells(&of(0)))?;
        Ok(alternating(reference, self.current.count_cells(&of(1))?))
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        let of = |side| of_side(jobs, side, |job| job.column, |job, column| SelectJob { column, ..job });
        let reference = self.keys.answer(|| self.reference.select(&of(0)))?;
        Ok(alternating(reference, self.current.select(&of(1))?))
    }
}
