//! `gpudrift concept`: when did the relation between features and label change?

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use gpudrift::concept::scan::scan;
use gpudrift::concept::{ConceptError, ConceptOptions, DETECTORS};
use gpudrift::format::printable;

use super::exit::{Exit, Failure};
use super::output::{Output, print};

const EXAMPLES: &str = "\
Examples:
  gpudrift concept list                                            detectors and their parameters
  gpudrift concept scan --input log/ --prediction score --label y  errors of one model
  gpudrift concept scan --input 'log/2026-*.parquet' --value loss --stream-by model,segment \\
      --order-by timestamp --detector adwin,ddm:drift_threshold=3.5 --state concept.state
                                                                   every night, from where it stopped";

/// What `gpudrift concept` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConceptArgs {
    #[command(subcommand)]
    command: ConceptCommand,
}

#[derive(Debug, Subcommand)]
enum ConceptCommand {
    /// Run detectors over streams of errors, losses or any column
    #[command(after_help = EXAMPLES)]
    Scan(Box<ConceptScanArgs>),
    /// List the detectors, with their parameters
    #[command(after_help = EXAMPLES)]
    List,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For people: the worst streams first
    #[default]
    Table,
    /// One object, for programs: everything that is known
    Json,
    /// One object a line: run, events, streams, summary
    Ndjson,
}

#[derive(Debug, Args)]
struct ConceptScanArgs {
    #[command(flatten)]
    options: ConceptOptions,
    /// File with a table [concept], which has the same keys [default: ./gpudrift.toml, where no input is named]
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
    /// No messages but errors
    #[arg(long, short)]
    quiet: bool,
}

/// Runs the subcommand.
pub(crate) fn run(args: ConceptArgs) -> Result<Exit, Failure> {
    match args.command {
        ConceptCommand::Scan(args) => run_scan(*args),
        ConceptCommand::List => print(&list()).map(|()| Exit::Finished).map_err(Failure::failed),
    }
}

fn run_scan(args: ConceptScanArgs) -> Result<Exit, Failure> {
    let options = args.options.with_file(args.config.as_deref()).map_err(failure)?;
    let fail_on = options.fail_on.unwrap_or_default();
    let config = options.resolve().map_err(failure)?;
    let destination = Output::open(args.output.as_deref(), false).map_err(Failure::usage)?;
    let threads = args.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::failed)?;
    let run = pool.install(|| scan(&config)).map_err(failure)?;
    let report = &run.report;
    let written = destination.write(|out| match args.format {
        Format::Table => report.write_table(out),
        Format::Json => report.write_json(out),
        Format::Ndjson => report.write_ndjson(out),
    });
    written.map_err(Failure::failed)?;
    // Only now: findings that nobody could read are found again by the next run.
    run.save().map_err(failure)?;
    if !args.quiet {
        for warning in report.warnings() {
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr(), "warning: {}", printable(&warning));
        }
    }
    Ok(if fail_on.is_reached(report.worst()) { Exit::Gate } else { Exit::Finished })
}

fn failure(error: ConceptError) -> Failure {
    if error.is_usage() { Failure::usage(error) } else { Failure::failed(error) }
}

fn list() -> String {
    let mut text = String::new();
    for card in DETECTORS {
        text += &format!("{}  {}: {}\n    {}; takes {}\n", card.name, card.title, card.about, card.source, card.input);
        let mut table = Table::new();
        table.load_style(TableStyle::new().header_separator(LineStyle::none()));
        table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
        for parameter in card.parameters {
            let default = parameter.default.to_string();
            table.add_row([format!("   {}", parameter.name), default, parameter.range(), parameter.about.to_owned()]);
        }
        text += &format!("{}\n\n", table.trim_fmt());
    }
    text
}
