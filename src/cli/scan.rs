//! `gpudrift scan`: what was typed becomes a configuration, the scan gives a report, a sink writes it.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use gpudrift::config::{ColorChoice, FileConfig, OutputConfig, ScanOptions, resolve};
use gpudrift::format::printable;
use gpudrift::progress::{NoProgress, Progress};
use gpudrift::report::{Report, SinkOptions, sink};
use gpudrift::scan::scan;

use super::exit::{Exit, Failure};
use super::nightly::{Aftermath, Nightly, NightlyArgs};
use super::output::Output;
use super::progress::Bar;

const EXAMPLES: &str = "\
Examples:
  gpudrift scan --features all                            the two sides that ./gpudrift.toml names
  gpudrift scan --reference jan/ --current feb/           every feature of two folders
  gpudrift scan --reference 'data/2013-01*.parquet' --current new.parquet \\
      --features 'user:*,order:total' --exclude '*_id'    some features
  gpudrift scan --profile jan.gpd --current feb/          a saved reference
  gpudrift scan --source store/ --timestamp at --current-window yesterday   a day and the day before
  gpudrift scan --fail-on critical -f json -o drift.json  a nightly job

-h is short, --help explains every option; all can stand in the [scan] table of gpudrift.toml.";

/// What `gpudrift scan` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = long_after_help())]
pub(crate) struct ScanArgs {
    #[command(flatten)]
    options: ScanOptions,
    /// Configuration [default: ./gpudrift.toml unless both sides are given]
    ///
    /// Flags win over the file. When both sides are named on the command line, no file is read unless it is named here, so
    /// that the result does not depend on the folder.
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    config: Option<PathBuf>,
    #[command(flatten)]
    nightly: NightlyArgs,
}

fn long_after_help() -> String {
    format!("{EXAMPLES}\n\n{}", super::EXIT_CODES)
}

/// Columns of a table that goes to a file or a pipe.
const FILE_WIDTH: usize = 120;

/// Scans, writes the report, and says how it ended.
pub(crate) fn run(args: ScanArgs) -> Result<Exit, Failure> {
    let file = FileConfig::find(args.config.as_deref(), &args.options)?;
    let (history, alerts) = file.as_ref().map(|file| (file.history.clone(), file.alerts.clone())).unwrap_or_default();
    let (config, output) = resolve(args.options, file)?;
    let mut nightly = Nightly::open(args.nightly, None, config.windows.as_of, &history, &alerts)?;
    let sink = sink(&output.format).expect("the configuration was resolved with this format");
    let destination = Output::open(output.output.as_deref(), sink.is_binary()).map_err(Failure::usage)?;

    let bar = Bar::default();
    let progress: &dyn Progress =
        if output.progress && !output.quiet && Bar::is_visible() { &bar } else { &NoProgress };
    let report = scan(&config, progress);
    progress.finish();
    let report =
        report.map_err(|error| if error.is_usage() { Failure::usage(error) } else { Failure::failed(error) })?;

    let options = sink_options(&output);
    destination.write(|out| sink.write(&report, &options, out)).map_err(Failure::failed)?;
    tell(&report, &output);
    let after = nightly.as_mut().map(|nightly| nightly.after(&report)).unwrap_or_default();
    tell_after(&after, &output);
    Ok(after.exit(Exit::of(&report, output.fail_on)))
}

/// How wide and colourful the place is where the report goes.
fn sink_options(output: &OutputConfig) -> SinkOptions {
    let terminal = output.output.is_none() && io::stdout().is_terminal();
    let width = if terminal { terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)) } else { None };
    let color = match output.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        // https://no-color.org: any value but the empty one.
        ColorChoice::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    SinkOptions { width: width.unwrap_or(FILE_WIDTH), color, top: output.top, all: output.all }
}

/// Messages for people, on stderr. Nobody may be there to read them.
fn tell(report: &Report, output: &OutputConfig) {
    let mut text = String::new();
    if !output.quiet {
        for warning in &report.run.warnings {
            text += &format!("warning: {}\n", printable(warning));
        }
        for input in [&report.run.reference, &report.run.current] {
            for file in &input.skipped_files {
                text += &format!("warning: left out {}: {}\n", printable(&file.path), printable(&file.reason));
            }
        }
        if let Some(path) = &output.output {
            text += &format!("wrote {}\n", path.display());
        }
    }
    if output.timings {
        for (stage, seconds) in &report.run.timings {
            text += &format!("{stage:>16} {seconds:9.3} s\n");
        }
        text += &format!("{:>16} {:9.3} s\n", "whole run", report.run.duration_seconds);
    }
    let _ = io::stderr().write_all(text.as_bytes());
}

/// What became of the run in the history, and of its alerts. Trouble is told to quiet runs too.
fn tell_after(after: &Aftermath, output: &OutputConfig) {
    let notes = after.notes.iter().filter(|_| !output.quiet).map(|note| format!("{}\n", printable(note)));
    let warnings = after.warnings.iter().map(|warning| format!("warning: {}\n", printable(warning)));
    let _ = io::stderr().write_all(notes.chain(warnings).collect::<String>().as_bytes());
}
