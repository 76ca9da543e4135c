//! `gpudrift validate`: may the challenger replace the champion?

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::Utc;
use clap::{Args, ValueEnum};
use gpudrift::config::DEFAULT_FILE;
use gpudrift::history::Stored;
use gpudrift::model::ModelError;
use gpudrift::model::validate::{Decision, validate};

use super::exit::{Exit, Failure};
use super::output::Output;
use super::place::begin;

const EXAMPLES: &str = "\
Examples:
  gpudrift validate --champion prod.parquet --challenger candidate.parquet --policy policy.toml
  gpudrift validate --champion a/ --challenger b/ --policy policy.toml --format json --output decision.json
  gpudrift validate --champion a/ --challenger b/ --policy policy.toml --format html --output decision.html --history drift.db

Ends with 0 for deploy, and with 1 for hold or reject.";

/// What `gpudrift validate` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ValidateArgs {
    /// Predictions of the model that runs: Parquet files, folders or globs
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    champion: Vec<String>,
    /// Predictions of the model that may replace it, for the same rows
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    challenger: Vec<String>,
    /// Columns, and the rules that must hold
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// How the answer is written
    #[arg(long, short, value_enum, default_value = "markdown")]
    format: Format,
    /// File to write [default: standard output]
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Name of the model, in the history
    #[arg(long, value_name = "NAME", default_value = "model")]
    model: String,
    /// Name of the job, in the history [default: default]
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Keep the decision in a history [default: that of ./gpudrift.toml, if there is one]
    #[arg(long, value_name = "PATH")]
    history: Option<PathBuf>,
    /// Keep nothing, whatever the file says
    #[arg(long, conflicts_with = "history")]
    no_history: bool,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For people, and for pull requests
    #[default]
    Markdown,
    /// One object, for programs
    Json,
    /// One self-contained page
    Html,
}

/// Runs the subcommand.
pub(crate) fn run(args: &ValidateArgs) -> Result<Exit, Failure> {
    let file = Path::new(DEFAULT_FILE);
    let history = if args.no_history { None } else { begin(args.history.as_deref(), file.exists().then_some(file))? };
    let destination = Output::open(args.output.as_deref(), false).map_err(Failure::usage)?;
    let threads = args.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::failed)?;
    let found = pool.install(|| validate(&args.champion, &args.challenger, &args.policy));
    let report = found.map_err(
        |error: ModelError| {
            if error.is_usage() { Failure::usage(error) } else { Failure::failed(error) }
        },
    )?;
    let written = destination.write(|out| match args.format {
        Format::Markdown => report.write_markdown(out),
        Format::Json => report.write_json(out),
        Format::Html => report.write_html(out),
    });
    written.map_err(Failure::failed)?;
    if let Some(history) = history {
        let stored = history.store_validation(&report, args.job.as_deref(), &args.model, Utc::now());
        let said = match stored.map_err(Failure::failed)? {
            Stored::Unchanged => "is in",
            _ => "stored in",
        };
        // Nobody may be there to read it.
        let _ = writeln!(std::io::stderr(), "{} {said} {}", report.decision.name(), history.path().display());
    }
    Ok(if report.decision == Decision::Deploy { Exit::Finished } else { Exit::Gate })
}
