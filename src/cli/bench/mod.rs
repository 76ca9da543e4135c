//! `gpudrift bench`: what a scan costs on this machine, beside bare decoding of the same columns, the same program with
//! sorting in place of counting, and a GPU where there is one.

mod bare;
mod case;
mod kernels;
mod sample;
mod table;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use gpudrift::backend::cpu::Cpu;
use gpudrift::backend::gpu::Devices;
use gpudrift::backend::{self, Asked, Backend};
use gpudrift::config::{BackendChoice, ScanConfig};
use gpudrift::generate::Format;
use parquet::basic::{Compression, ZstdLevel};

use super::exit::{Exit, Failure};
use super::output::{Output, print};
use case::{Case, Line};

/// What `gpudrift bench` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gpudrift bench                                        a small grid of rows, features, types and pages
  gpudrift bench --rows 1000000 --features 20 --type f64 --pages plain,dictionary,whole,zstd,nulls
  gpudrift bench --decode-only                          what reading alone costs
  gpudrift bench --kernels --backend gpu                what a GPU takes for keys that lie on it")]
pub(crate) struct BenchArgs {
    /// Rows a side
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "100000,1000000")]
    pub(crate) rows: Vec<u64>,
    /// Features
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "40")]
    pub(crate) features: Vec<u64>,
    /// Types of the features
    #[arg(long = "type", value_name = "TYPE,...", value_delimiter = ',', default_value = "f32,f64",
        value_parser = ["f32", "f64", "int32", "int64", "string"])]
    pub(crate) types: Vec<String>,
    /// How the pages are written
    #[arg(long, value_enum, value_name = "PAGES,...", value_delimiter = ',', default_value = "plain,dictionary")]
    pub(crate) pages: Vec<Pages>,
    /// Rows in a row group [default: 131072]
    #[arg(long, value_name = "N")]
    pub(crate) row_group_rows: Option<usize>,
    /// Metrics to compute
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', default_value = "psi,ks,js")]
    pub(crate) metrics: Vec<String>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Backends; auto is the CPU, and a real GPU where there is one; gpu takes a software one, too
    #[arg(long, value_enum, value_name = "BACKEND", default_value = "auto")]
    pub(crate) backend: BackendChoice,
    /// Times that each case runs, all its lines in turn; the fastest of each counts
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeat: u32,
    /// Only decode the columns, and count nothing
    #[arg(long)]
    pub(crate) decode_only: bool,
    /// Measure the kernels of a GPU instead of scans: features that lie on it, by distribution and type
    #[arg(long, conflicts_with = "decode_only")]
    pub(crate) kernels: bool,
    /// With --kernels: the GPU, as `gpudrift devices` counts them, or its PCI address [default: the best one]
    #[arg(long, value_name = "DEVICE", requires = "kernels")]
    pub(crate) device: Option<String>,
    /// With --kernels: shaders that check every index, too
    #[arg(long, requires = "kernels")]
    pub(crate) checked: bool,
    /// Leave out the line of sorting, which takes several times as long as the others
    #[arg(long)]
    pub(crate) no_sorting: bool,
    /// Folder for the data, some gigabytes for large cases; removed afterwards [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
    /// Also write all lines to a file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// How the pages of a case are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pages {
    /// Plain pages, snappy
    Plain,
    /// Dictionary pages, snappy, as pyarrow writes by default
    Dictionary,
    /// Dictionary pages, snappy, of features rounded to whole numbers: many rows share a value
    Whole,
    /// Plain pages, zstd
    Zstd,
    /// Plain pages, snappy, with 3 % nulls
    Nulls,
}

impl Pages {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Dictionary => "dictionary",
            Self::Whole => "whole",
            Self::Zstd => "zstd",
            Self::Nulls => "nulls",
        }
    }

    /// Digits behind the point of numbers, where these are few.
    fn decimals(self) -> Option<u8> {
        (self == Self::Whole).then_some(0)
    }

    /// Share of nulls in every feature.
    fn nulls(self) -> f64 {
        if self == Self::Nulls { 0.03 } else { 0.0 }
    }

    fn apply(self, format: &mut Format) {
        format.dictionary = matches!(self, Self::Dictionary | Self::Whole);
        format.codec = if self == Self::Zstd { Compression::ZSTD(ZstdLevel::default()) } else { Compression::SNAPPY };
    }
}

/// Runs every case and prints its lines.
pub(crate) fn run(args: &BenchArgs) -> Result<Exit, Failure> {
    let output =
        args.json.as_deref().map(|path| Output::open(Some(path), false)).transpose().map_err(Failure::usage)?;
    if args.kernels {
        return kernels::run(args, output);
    }
    let backends = backends(args.backend).map_err(Failure::failed)?;
    let mut lines: Vec<Line> = Vec::new();
    for name in &args.types {
        for &features in &args.features {
            for &rows in &args.rows {
                for &pages in &args.pages {
                    let case = Case { name, features, rows, pages };
                    lines.extend(case.run(args, &backends).map_err(Failure::failed)?);
                }
            }
        }
    }
    let threads = threads(args);
    let devices: String =
        backends.iter().map(|backend| format!("{}: {}\n", backend.name(), backend.device())).collect();
    let version = env!("CARGO_PKG_VERSION");
    print(&format!("gpudrift {version}, {threads} threads\n{devices}{}\n", table::of(&lines)))
        .map_err(Failure::failed)?;
    if let Some(output) = output {
        let all = serde_json::json!({
            "version": version,
            "threads": threads,
            "metrics": args.metrics,
            "repeat": args.repeat,
            "devices": backends.iter().map(|backend| (backend.name(), backend.device())).collect::<Vec<_>>(),
            "lines": lines,
        });
        let written = output.write(|out| serde_json::to_writer_pretty(out, &all).map_err(Into::into));
        written.map_err(Failure::failed)?;
    }
    match lines.iter().find(|line| line.same == Some(false)) {
        Some(line) => {
            Err(Failure::failed(anyhow::anyhow!("{} found something else than counting on the CPU", line.who)))
        }
        None => Ok(Exit::Finished),
    }
}

fn threads(args: &BenchArgs) -> usize {
    args.threads.unwrap_or_else(|| ScanConfig::default().threads)
}

fn backends(choice: BackendChoice) -> anyhow::Result<Vec<Box<dyn Backend>>> {
    let mut backends: Vec<Box<dyn Backend>> = vec![Box::new(Cpu)];
    if choice != BackendChoice::Cpu {
        let asked = Asked { backend: choice, devices: Devices::Best, threads: ScanConfig::default().threads };
        let other = backend::open(&asked).context("no other backend to compare with")?;
        backends.extend((other.name() != "cpu").then_some(other));
    }
    Ok(backends)
}
