//! `gpudrift model`: how good are the predictions?

mod compare;
mod history;
mod look;
mod scan;

use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use gpudrift::model::{Better, METRICS, ModelError};

use super::exit::{Exit, Failure};
use super::output::print;

const EXAMPLES: &str = "\
Examples:
  gpudrift model scan                                              every [model.NAME] of gpudrift.toml
  gpudrift model scan --input log/ --prediction y_pred --score p --label y
  gpudrift model scan --input log/ --score p --id id --labels labels/ --label y --delay 30days \\
      --timestamp at --window week --segments region --reference reference.parquet --fail-on critical
  gpudrift model scan --history drift.db && gpudrift model history loan --history drift.db
  gpudrift model compare --input log/ --score p --label y --version version --canary v7
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
    Scan(Box<scan::ModelScanArgs>),
    /// Compare versions that serve side by side: a canary with production
    Compare(Box<compare::ModelCompareArgs>),
    /// Show how models did, window by window, from the history
    History(history::ModelHistoryArgs),
    /// List the metrics, with their definitions
    #[command(after_help = EXAMPLES)]
    Metrics,
}

/// Runs the subcommand.
pub(crate) fn run(args: ModelArgs) -> Result<Exit, Failure> {
    match args.command {
        ModelCommand::Scan(args) => scan::run(&args),
        ModelCommand::Compare(args) => compare::run(&args),
        ModelCommand::History(args) => history::run(&args),
        ModelCommand::Metrics => print(&metrics()).map(|()| Exit::Finished).map_err(Failure::failed),
    }
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
