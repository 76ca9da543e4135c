//! `gpudrift model`: how good are the predictions?

use std::io::Write;
use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use gpudrift::format::printable;
use gpudrift::model::scan::scan;
use gpudrift::model::{Better, METRICS, ModelConfig, ModelError, ModelOptions};

use super::exit::{Exit, Failure};
use super::output::{Output, print};

const EXAMPLES: &str = "\
Examples:
  gpudrift model scan                                              every [model.NAME] of gpudrift.toml
  gpudrift model scan --input log/ --prediction y_pred --score p --label y
  gpudrift model scan --input log/ --score p --id id --labels labels/ --label y --delay 30days \\
      --timestamp at --window week --segments region --reference reference.parquet --fail-on critical
  gpudrift model metrics                                           what every figure means";

/// What `gpudrift model` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ModelArgs {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Measure predictions by window, version and segment
    #[command(after_help = EXAMPLES)]
    Scan(Box<ModelScanArgs>),
    /// List the metrics, with their definitions
    #[command(after_help = EXAMPLES)]
    Metrics,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For people: windows, then the worst segments
    #[default]
    Table,
    /// One object, for programs: everything that is known
    Json,
}

#[derive(Debug, Args)]
struct ModelScanArgs {
    /// Models of the file to look at [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    model: Vec<String>,
    #[command(flatten)]
    options: ModelOptions,
    /// File with tables [model.NAME], which have the same keys [default: ./gpudrift.toml, where no input is named]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How the report is written
    #[arg(long, short, value_enum, default_value = "table")]
    format: Format,
    /// File to write [default: standard output]
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Memory for counts and labels; what does not fit goes to a temporary file, or takes another pass
    #[arg(long, value_name = "SIZE", default_value = "512MiB")]
    memory_limit: ByteSize,
    /// No messages but errors
    #[arg(long, short)]
    quiet: bool,
}

/// Runs the subcommand.
pub(crate) fn run(args: ModelArgs) -> Result<Exit, Failure> {
    match args.command {
        ModelCommand::Scan(args) => run_scan(*args),
        ModelCommand::Metrics => print(&metrics()).map(|()| Exit::Finished).map_err(Failure::failed),
    }
}

fn run_scan(args: ModelScanArgs) -> Result<Exit, Failure> {
    let options = args.options.models(args.config.as_deref(), &args.model).map_err(failure)?;
    let fail_on: Vec<_> = options.iter().map(|(_, options)| options.fail_on.unwrap_or_default()).collect();
    let models = options.into_iter().map(|(name, options)| options.resolve(&name));
    let models: Vec<ModelConfig> = models.collect::<Result<_, _>>().map_err(failure)?;
    let destination = Output::open(args.output.as_deref(), false).map_err(Failure::usage)?;
    let threads = args.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::failed)?;
    let report = pool.install(|| scan(&models, args.memory_limit.as_u64())).map_err(failure)?;
    let written = destination.write(|out| match args.format {
        Format::Table => report.write_table(out),
        Format::Json => report.write_json(out),
    });
    written.map_err(Failure::failed)?;
    if !args.quiet {
        for warning in report.warnings() {
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr(), "warning: {}", printable(&warning));
        }
    }
    let reached = report.models.iter().zip(fail_on).any(|(model, fail_on)| fail_on.is_reached(model.level));
    Ok(if reached { Exit::Gate } else { Exit::Finished })
}

fn failure(error: ModelError) -> Failure {
    if error.is_usage() { Failure::usage(error) } else { Failure::failed(error) }
}

fn metrics() -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none()));
    table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    for card in METRICS {
        let better = if card.better == Better::Higher { "higher" } else { "lower" };
        table.add_row([card.name, better, card.definition]);
    }
    format!("{}\n", table.trim_fmt())
}
