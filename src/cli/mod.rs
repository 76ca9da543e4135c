//! What was typed: one file a subcommand, and the exit codes.

mod alert;
mod backfill;
mod bench;
mod columns;
mod completions;
mod concept;
mod config;
mod dashboard;
mod deliver;
mod devices;
mod diff;
mod exit;
mod export;
mod generate;
mod history;
mod init;
mod lineage;
mod model;
mod nightly;
mod output;
mod place;
mod profile;
mod progress;
mod retrain;
mod scan;
mod serve;
mod validate;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use exit::{Exit, Failure};
use gpudrift::generate::GenerateError;

const EXIT_CODES: &str = "\
Exit codes:
  0  finished, drift or not
  1  finished, and the level of --fail-on was reached
  2  wrong usage or configuration
  3  input could not be opened, or the run failed
  4  finished, but a feature asked for by name could not be scanned, or a column failed to read,
     or an alert could not be delivered and waits for the next run";

/// Exact drift reports over Parquet feature columns, counted on the GPU or the CPU
///
/// Compares the features of a reference with those of current data, thousands at a time, and reports what drifted: PSI,
/// Kolmogorov-Smirnov, Jensen-Shannon, chi-squared and more, the same to the bit on every device.
#[derive(Debug, Parser)]
#[command(name = "gpudrift", version, max_term_width = 110, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare current data with a reference and report drift
    Scan(Box<scan::ScanArgs>),
    /// Look at the data, and write a configuration to begin with
    Init(init::InitArgs),
    /// Check, explain and describe the configuration file
    Config(config::ConfigArgs),
    /// Fill the history with past nights, in one pass over the data
    Backfill(Box<backfill::BackfillArgs>),
    /// Show how features moved over the nights
    History(history::HistoryArgs),
    /// Compare two runs, or two reports
    Diff(diff::DiffArgs),
    /// Write the history as one table
    Export(export::ExportArgs),
    /// Write pages for people: every job, run and feature of the history
    Dashboard(dashboard::DashboardArgs),
    /// Serve the same pages live, with metrics for Prometheus and a JSON interface; read-only
    Serve(serve::ServeArgs),
    /// Test the channels of alerts; show and send what waits
    Alert(alert::AlertArgs),
    /// Decide whether a model is to be trained again
    Retrain(retrain::RetrainArgs),
    /// Save a reference, so that a scan reads only the current data
    Profile(profile::ProfileArgs),
    /// Write synthetic feature stores with known drift
    #[command(after_help = GENERATE_EXAMPLES)]
    Generate(generate::GenerateArgs),
    /// Measure the predictions of models, with labels that may arrive later
    Model(model::ModelArgs),
    /// Decide whether a model may replace another: deploy, hold or reject
    Validate(validate::ValidateArgs),
    /// Watch streams of errors or losses for concept drift
    Concept(concept::ConceptArgs),
    /// List the GPUs that gpudrift sees
    Devices(devices::DevicesArgs),
    /// Compare the CPU and the GPU of this machine
    Bench(bench::BenchArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
}

const GENERATE_EXAMPLES: &str = "\
Examples:
  gpudrift generate --output store --rows 1000000 --features 200 --drifted 0.1
  gpudrift generate --output store --types f32,string --drift shift,null_spike --seed 7
  gpudrift scan --reference store/reference --current store/current";

/// The program: arguments, run, report, exit code.
pub(crate) fn main() -> ExitCode {
    let matches = with_environment(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let result = match cli.command {
        Command::Scan(args) => scan::run(*args),
        Command::Init(args) => init::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Backfill(args) => backfill::run(&args),
        Command::History(args) => history::run(args),
        Command::Diff(args) => diff::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Dashboard(args) => dashboard::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Alert(args) => alert::run(&args),
        Command::Retrain(args) => retrain::run(&args),
        Command::Profile(args) => profile::run(args),
        Command::Generate(args) => generate(&args),
        Command::Model(args) => model::run(args),
        Command::Validate(args) => validate::run(&args),
        Command::Concept(args) => concept::run(args),
        Command::Devices(args) => devices::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    result.unwrap_or_else(Failure::report).into()
}

/// Every option of a scan may be set by an environment variable: `GPUDRIFT_FAIL_ON` for `--fail-on`. What is typed wins
/// over it, and it wins over the file.
fn with_environment(command: clap::Command) -> clap::Command {
    command.mut_subcommand("scan", |scan| {
        scan.mut_args(|arg| {
            let name = format!("GPUDRIFT_{}", arg.get_id().as_str().to_uppercase());
            arg.env(name).hide_env(true)
        })
    })
}

fn generate(args: &generate::GenerateArgs) -> Result<Exit, Failure> {
    let wrong_request =
        |error: &anyhow::Error| error.downcast_ref::<GenerateError>().is_some_and(GenerateError::is_usage);
    match generate::run(args) {
        Ok(()) => Ok(Exit::Finished),
        Err(error) if wrong_request(&error) => Err(Failure::usage(error)),
        Err(error) => Err(Failure::failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        with_environment(Cli::command()).debug_assert();
    }

    #[test]
    fn every_subcommand_has_an_example() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("gpudrift "), "{} has no example", command.get_name());
        }
    }

    #[test]
    fn the_short_help_of_a_scan_fits_a_screen() {
        let mut command = Cli::command();
        let scan = command.find_subcommand_mut("scan").unwrap();
        let help = scan.render_help().to_string();
        assert!(help.lines().count() <= 52, "{} lines\n{help}", help.lines().count());
    }
}
