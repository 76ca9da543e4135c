//! `gpudrift export`: the history as one table, for other programs.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use clap::builder::PossibleValuesParser;
use gpudrift::config::{Names, Patterns};
use gpudrift::history::{AsOf, EXPORTS, ExportFormat, StoredRun, export};

use super::exit::{Exit, Failure};
use super::output::Output;
use super::place::Place;

/// What `gpudrift export` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gpudrift export --format csv --output drift.csv
  gpudrift export --format parquet --output drift.parquet --from 2026-11-01
  gpudrift export --format json --features 'user:*' | jq .value

One row a run, feature and metric, with the columns of `scan --format parquet`, and job, run, window, at and revision before them.")]
pub(crate) struct ExportArgs {
    /// The format
    #[arg(long, short, value_name = "FORMAT", value_parser = PossibleValuesParser::new(EXPORTS.map(|(name, _)| name)))]
    format: String,
    /// File to write instead of standard output
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Names and globs of features [default: all]
    #[arg(long, value_name = "NAMES")]
    features: Option<Vec<Names>>,
    /// Runs that stand for this time or a later one
    #[arg(long, value_name = "TIME")]
    from: Option<AsOf>,
    /// Runs that stand for an earlier time than this
    #[arg(long, value_name = "TIME")]
    to: Option<AsOf>,
    #[command(flatten)]
    place: Place,
}

impl ExportArgs {
    fn wants(&self, run: &StoredRun) -> bool {
        let at = |time: &Option<AsOf>| -> Option<DateTime<Utc>> { time.as_ref().map(AsOf::at) };
        at(&self.from).is_none_or(|from| run.at >= from) && at(&self.to).is_none_or(|to| run.at < to)
    }
}

/// Writes the table.
pub(crate) fn run(args: &ExportArgs) -> Result<Exit, Failure> {
    let known = EXPORTS.into_iter().find(|(name, _)| *name == args.format);
    let (_, format) = known.expect("clap takes the names of the list only");
    let output = Output::open(args.output.as_deref(), format == ExportFormat::Parquet).map_err(Failure::usage)?;
    let history = args.place.open()?;
    let mut runs = history.runs(&args.place.filter(None)).map_err(Failure::failed)?;
    runs.retain(|run| args.wants(run));
    let patterns = Names::joined(args.features.clone()).map(|names| Patterns::new(&names));
    let wanted = |name: &str| patterns.as_ref().is_none_or(|patterns| patterns.matches(name));
    let written = output.write(|out| export(&history, &runs, &wanted, format, out));
    written.map_err(Failure::failed)?;
    Ok(Exit::Finished)
}
