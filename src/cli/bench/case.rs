//! One case of the bench: its data, and everybody's time over them.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use gpudrift::backend::Backend;
use gpudrift::config::{FactsChoice, ScanConfig};
use gpudrift::generate::{DriftKind, GenerateSpec, type_named};
use gpudrift::progress::NoProgress;
use gpudrift::report::Report;
use gpudrift::scan::{decode_only, scan_by_sorting, scan_with};
use serde::Serialize;

use super::{BenchArgs, Pages, bare, threads};

/// The drifts of the stores that are measured: those that leave as many values as there were rows.
const DRIFTS: [DriftKind; 7] = [
    DriftKind::Shift,
    DriftKind::Scale,
    DriftKind::UnitChange,
    DriftKind::NewCategory,
    DriftKind::VanishedCategory,
    DriftKind::Constant,
    DriftKind::Clipping,
];

/// What is measured: so many features of a type with so many rows a side.
pub(super) struct Case<'a> {
    pub(super) name: &'a str,
    pub(super) features: u64,
    pub(super) rows: u64,
    pub(super) pages: Pages,
}

/// What one of them took.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    #[serde(rename = "type")]
    pub(super) name: String,
    pub(super) features: u64,
    pub(super) rows: u64,
    pub(super) pages: &'static str,
    /// Who worked.
    pub(super) who: String,
    /// From opening the files to the report; the fastest run.
    pub(super) seconds: f64,
    /// Of which counting: by the device's clock, or summed over threads.
    pub(super) kernel_seconds: Option<f64>,
    /// Bytes of the files of both sides.
    pub(super) bytes: u64,
    /// Values of both sides.
    pub(super) values: u64,
    /// Nanoseconds of a core for each value.
    pub(super) ns_per_value: f64,
    /// The same, above bare decoding.
    pub(super) ns_above_bare: f64,
    /// Times the time of bare decoding.
    pub(super) times_bare: f64,
    /// Times the time of counting basic facts on the CPU, where that was measured.
    pub(super) times_basic: Option<f64>,
    /// Whether the report is that of counting on the CPU.
    pub(super) same: Option<bool>,
}

/// Somebody who works through the data.
struct Runner<'r> {
    who: String,
    run: Box<dyn Fn() -> anyhow::Result<Option<Report>> + 'r>,
    backend: Option<&'r dyn Backend>,
    /// The runner whose features it must find.
    like: Option<&'static str>,
    seconds: f64,
    kernels: Option<f64>,
    report: Option<Report>,
}

const BARE: &str = "arrow-rs decode";
const BASIC: &str = "cpu basic";
const FULL: &str = "cpu full";

impl Case<'_> {
    /// Generates the data, runs everybody over them in turn, and gives one line each.
    pub(super) fn run(&self, args: &BenchArgs, backends: &[Box<dyn Backend>]) -> anyhow::Result<Vec<Line>> {
        let base = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
        let folder = tempfile::tempdir_in(base).context("cannot make a folder for the data")?;
        let bytes = self.generate(args, folder.path())?;
        let (basic, full) =
            (config(args, folder.path(), FactsChoice::Basic), config(args, folder.path(), FactsChoice::Full));
        let mut runners = vec![
            runner(BARE, || bare::decode([&basic.reference, &basic.current], basic.threads).map(|_| None)),
            runner("decode", || Ok(decode_only(&basic).map(|_| None)?)),
        ];
        if !args.decode_only {
            for backend in backends {
                for (facts, config) in [("basic", &basic), ("full", &full)] {
                    let who = format!("{} {facts}", backend.name());
                    let scan = || Ok(Some(scan_with(config, backend.as_ref(), &NoProgress)?));
                    let like = if facts == "basic" { BASIC } else { FULL };
                    runners.push(Runner { backend: Some(backend.as_ref()), like: Some(like), ..runner(who, scan) });
                }
            }
            if !args.no_sorting {
                let sort = || Ok(Some(scan_by_sorting(&basic)?));
                runners.push(Runner { like: Some(BASIC), ..runner("cpu basic, sorting", sort) });
            }
        }
        for _ in 0..args.repeat {
            for runner in &mut runners {
                runner.once()?;
            }
        }
        Ok(self.lines(&runners, bytes, basic.threads))
    }

    fn generate(&self, args: &BenchArgs, folder: &Path) -> anyhow::Result<u64> {
        let mut spec = GenerateSpec {
            rows: self.rows,
            current_rows: self.rows,
            features: usize::try_from(self.features)?,
            types: vec![type_named(self.name)?],
            drift: DRIFTS.to_vec(),
            nulls: self.pages.nulls(),
            ..GenerateSpec::default()
        };
        self.pages.apply(&mut spec.format);
        spec.format.row_group_rows = args.row_group_rows.unwrap_or(spec.format.row_group_rows);
        let mut store = spec.store()?;
        if let Some(digits) = self.pages.decimals() {
            store.features.iter_mut().for_each(|feature| feature.decimals = Some(digits));
        }
        Ok(store.write(folder, false)?.bytes)
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn lines(&self, runners: &[Runner<'_>], bytes: u64, threads: usize) -> Vec<Line> {
        let of = |who: &str| runners.iter().find(|runner| runner.who == who);
        let bare = of(BARE).map_or(f64::NAN, |runner| runner.seconds);
        let values = 2 * self.rows * self.features;
        let per_value = |seconds: f64| seconds * 1e9 * threads as f64 / values as f64;
        let line = |runner: &Runner<'_>| Line {
            name: self.name.to_owned(),
            features: self.features,
            rows: self.rows,
            pages: self.pages.name(),
            who: runner.who.clone(),
            seconds: runner.seconds,
            kernel_seconds: runner.kernels,
            bytes,
            values,
            ns_per_value: per_value(runner.seconds),
            ns_above_bare: per_value(runner.seconds - bare),
            times_bare: runner.seconds / bare,
            times_basic: of(BASIC).map(|basic| runner.seconds / basic.seconds),
            same: runner.same(runner.like.and_then(of)),
        };
        runners.iter().map(line).collect()
    }
}

fn runner<'r>(who: impl Into<String>, run: impl Fn() -> anyhow::Result<Option<Report>> + 'r) -> Runner<'r> {
    Runner {
        who: who.into(),
        run: Box::new(run),
        backend: None,
        like: None,
        seconds: f64::INFINITY,
        kernels: None,
        report: None,
    }
}

impl Runner<'_> {
    fn once(&mut self) -> anyhow::Result<()> {
        let kernels = || self.backend.and_then(Backend::kernel_seconds);
        let (before, start) = (kernels(), Instant::now());
        let report = (self.run)()?;
        let seconds = start.elapsed().as_secs_f64();
        if seconds < self.seconds {
            self.seconds = seconds;
            self.kernels = match (before, kernels()) {
                (Some(before), Some(after)) => Some(after - before),
                _ => report.as_ref().and_then(|report| report.run.timings.get("count").copied()),
            };
            self.report = report;
        }
        Ok(())
    }

    fn same(&self, other: Option<&Self>) -> Option<bool> {
        let (own, other) = (self.report.as_ref()?, other?);
        (self.who != other.who).then(|| other.report.as_ref().is_some_and(|other| other.features == own.features))
    }
}

fn config(args: &BenchArgs, folder: &Path, facts: FactsChoice) -> ScanConfig {
    let path = |side: &str| vec![folder.join(side).display().to_string()];
    ScanConfig {
        reference: path("reference"),
        current: path("current"),
        metrics: args.metrics.clone(),
        facts,
        threads: threads(args),
        ..ScanConfig::default()
    }
}
