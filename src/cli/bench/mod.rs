//! `gpudrift bench`: the CPU and the GPU of this machine over the same data, side by side.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use gpudrift::backend::{self, Backend};
use gpudrift::config::{BackendChoice, FactsChoice, ScanConfig};
use gpudrift::generate::{GenerateSpec, type_named};
use gpudrift::progress::NoProgress;
use gpudrift::report::Report;
use gpudrift::scan::{decode_only, scan_with};

use super::exit::{Exit, Failure};
use super::output::print;

/// What `gpudrift bench` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gpudrift bench                                        a small grid of rows, features and types
  gpudrift bench --rows 1000000 --features 20 --type f64
  gpudrift bench --decode-only                          what reading alone costs")]
pub(crate) struct BenchArgs {
    /// Rows a side
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "100000,1000000")]
    pub(crate) rows: Vec<u64>,
    /// Metrics to compute
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', default_value = "psi,ks,js")]
    pub(crate) metrics: Vec<String>,
    /// Count the full facts, too
    #[arg(long)]
    pub(crate) full_facts: bool,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Write plain pages instead of dictionary ones
    #[arg(long)]
    pub(crate) plain: bool,
    /// Features
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "20,200")]
    pub(crate) features: Vec<u64>,
    /// Types of the features
    #[arg(long = "type", value_name = "TYPE,...", value_delimiter = ',', default_value = "f32,f64",
        value_parser = ["f32", "f64", "int32", "int64", "string"])]
    pub(crate) types: Vec<String>,
    /// Backends; auto is the CPU, and a real GPU where there is one; gpu takes a software one, too
    #[arg(long, value_enum, value_name = "BACKEND", default_value = "auto")]
    pub(crate) backend: BackendChoice,
    /// Times that each case runs; the fastest counts
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeat: u32,
    /// Only decode the columns, and count nothing
    #[arg(long)]
    pub(crate) decode_only: bool,
}

/// Runs every case and prints a line for each backend.
pub(crate) fn run(args: &BenchArgs) -> Result<Exit, Failure> {
    let backends = backends(args.backend).map_err(Failure::failed)?;
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    table.set_header([
        "type",
        "features",
        "rows",
        "who",
        "whole",
        "kernels",
        "values/s",
        "bytes/s",
        "ns/value",
        "÷ decode",
        "report",
    ]);
    for name in &args.types {
        for &features in &args.features {
            for &rows in &args.rows {
                let case = Case { name, features, rows };
                for line in case.run(args, &backends).map_err(Failure::failed)? {
                    table.add_row(line);
                }
            }
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let devices: String =
        backends.iter().map(|backend| format!("{}: {}\n", backend.name(), backend.device())).collect();
    let threads = config(args, Path::new("")).threads;
    let notes = "values of both sides; whole: from opening the files to the report; kernels: counting alone, by the device's clock or \
                 summed over threads; ns/value: on each core; ÷ decode: whole, over reading and decoding alone\n";
    print(&format!("gpudrift {}, {threads} threads\n{devices}{table}\n{notes}", env!("CARGO_PKG_VERSION")))
        .map_err(Failure::failed)?;
    Ok(Exit::Finished)
}

fn backends(choice: BackendChoice) -> anyhow::Result<Vec<Box<dyn Backend>>> {
    let mut backends = vec![backend::open(BackendChoice::Cpu)?];
    if choice != BackendChoice::Cpu {
        let other = backend::open(choice)?;
        backends.extend((other.name() != "cpu").then_some(other));
    }
    Ok(backends)
}

struct Case<'a> {
    name: &'a str,
    features: u64,
    rows: u64,
}

impl Case<'_> {
    /// Generates the data, runs every backend over it, and gives one line each.
    fn run(&self, args: &BenchArgs, backends: &[Box<dyn Backend>]) -> anyhow::Result<Vec<Vec<String>>> {
        let folder = tempfile::tempdir().context("cannot make a folder for the data")?;
        let mut spec = GenerateSpec {
            rows: self.rows,
            current_rows: self.rows,
            features: usize::try_from(self.features)?,
            types: vec![type_named(self.name)?],
            ..GenerateSpec::default()
        };
        spec.format.dictionary = !args.plain;
        let bytes = spec.store()?.write(folder.path(), false)?.bytes;
        let config = config(args, folder.path());
        let decode = fastest(args.repeat, || decode_only(&config))?.0;
        let mut lines = vec![self.line("decode", decode, None, bytes, decode, config.threads, "")];
        let mut first: Option<Report> = None;
        for backend in backends.iter().filter(|_| !args.decode_only) {
            let (seconds, report) = fastest(args.repeat, || scan_with(&config, backend.as_ref(), &NoProgress))?;
            let kernels = backend.kernel_seconds().map(|all| all / f64::from(args.repeat));
            let kernels = kernels.or_else(|| report.run.timings.get("count").copied());
            let same = first.as_ref().is_none_or(|first| first.features == report.features);
            let verdict = if first.is_none() {
                ""
            } else if same {
                "the same"
            } else {
                "DIFFERS"
            };
            lines.push(self.line(backend.name(), seconds, kernels, bytes, decode, config.threads, verdict));
            first.get_or_insert(report);
        }
        Ok(lines)
    }

    #[expect(clippy::too_many_arguments, reason = "the cells of a line")]
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn line(
        &self,
        who: &str,
        seconds: f64,
        kernels: Option<f64>,
        bytes: u64,
        decode: f64,
        threads: usize,
        same: &str,
    ) -> Vec<String> {
        let values = 2.0 * self.rows as f64 * self.features as f64;
        vec![
            self.name.to_owned(),
            self.features.to_string(),
            self.rows.to_string(),
            who.to_owned(),
            format!("{seconds:.3} s"),
            kernels.map_or_else(String::new, |kernels| format!("{kernels:.3} s")),
            format!("{:.1} M", values / seconds / 1e6),
            format!("{:.0} MB", bytes as f64 / seconds / 1e6),
            format!("{:.2}", seconds * 1e9 * threads as f64 / values),
            format!("{:.2}", seconds / decode),
            same.to_owned(),
        ]
    }
}

fn config(args: &BenchArgs, folder: &Path) -> ScanConfig {
    let path = |side: &str| vec![folder.join(side).display().to_string()];
    let defaults = ScanConfig::default();
    ScanConfig {
        reference: path("reference"),
        current: path("current"),
        metrics: args.metrics.clone(),
        facts: if args.full_facts { FactsChoice::Full } else { FactsChoice::Basic },
        threads: args.threads.unwrap_or(defaults.threads),
        ..defaults
    }
}

/// The fastest of some runs in seconds of wall time, and what it gave.
fn fastest<T, E>(repeat: u32, mut run: impl FnMut() -> Result<T, E>) -> Result<(f64, T), E> {
    let mut timed = || {
        let start = Instant::now();
        run().map(|result| (start.elapsed().as_secs_f64(), result))
    };
    let mut best = timed()?;
    for _ in 1..repeat {
        let next = timed()?;
        if next.0 < best.0 {
            best = next;
        }
    }
    Ok(best)
}
