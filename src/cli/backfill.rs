//! `gpudrift backfill`: the history of many past nights, in one pass over the data.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use gpudrift::config::{Resolved, ScanOptions};
use gpudrift::format::{counted, printable};
use gpudrift::history::{History, RunIdentity, RunLabel, Stored};
use gpudrift::lineage::Lineage;
use gpudrift::progress::{NoProgress, Progress};
use gpudrift::report::Report;
use gpudrift::scan::backfill;
use gpudrift::verdict::Level;
use gpudrift::window::{AsOf, Every, WindowSpec};

use super::exit::{Exit, Failure};
use super::lineage::{LineageArgs, Traced};
use super::progress::Bar;
use super::scan::{resolved, scan_failure};

/// What `gpudrift backfill` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gpudrift backfill --from 2026-01-02 --to 2026-03-31
  gpudrift backfill --from 2026-01-05 --to 2026-03-30 --every week --history drift.db \\
      --source store/ --timestamp at --current-window last-7-days

Every night is the run that `gpudrift scan --as-of NIGHT` stores: done again, or after an interruption, it changes
nothing that is there. Nobody is told about nights that are over.")]
pub(crate) struct BackfillArgs {
    /// The first night: a date or RFC 3339 time, as in --as-of of a scan
    #[arg(long, value_name = "DATE")]
    from: AsOf,
    /// The last night
    #[arg(long, value_name = "DATE")]
    to: AsOf,
    /// Between two nights: hour, day, week, month, or several, like 2-weeks
    #[arg(long, value_name = "LENGTH", default_value = "day")]
    every: Every,
    /// The history: a SQLite file, or a folder for Parquet files [default: that of the configuration]
    #[arg(long, value_name = "PATH")]
    history: Option<PathBuf>,
    /// Configuration [default: ./gpudrift.toml unless both sides are given]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Jobs of the configuration: names, or `all`
    #[arg(long, value_name = "NAMES")]
    job: Option<String>,
    #[command(flatten)]
    lineage: LineageArgs,
    #[command(flatten)]
    options: ScanOptions,
}

/// Makes and stores the run of every night. A job that fails costs no other.
pub(crate) fn run(args: &BackfillArgs) -> Result<Exit, Failure> {
    let typed = &args.options;
    for (flag, given) in [
        ("--as-of", typed.as_of.is_some()),
        ("--format", typed.format.is_some()),
        ("--output", typed.output.is_some()),
        ("--fail-on", typed.fail_on.is_some()),
        ("--save-profile", typed.save_profile.is_some()),
    ] {
        if given {
            let message =
                format!("{flag} is for a scan: backfill stores every night from --from to --to in the history");
            return Err(Failure::usage(anyhow::anyhow!(message)));
        }
    }
    let jobs = resolved(args.config.as_deref(), args.job.as_deref(), typed)?;
    let plan = |job| Ok((job, nights(args, job)?, open(args, job)?, args.lineage.open(&job.sections.lineage)?));
    let planned = jobs.iter().map(plan);
    let planned = planned.collect::<Result<Vec<_>, Failure>>()?;
    let mut exit = Exit::Finished;
    for (job, nights, mut history, lineage) in planned {
        if let Err(failure) = stored(job, &nights, &mut history, lineage.as_ref()) {
            let failure = match &job.job {
                Some(name) => failure.within(format!("job {name}")),
                None => failure,
            };
            exit = exit.worse(failure.report());
        }
    }
    Ok(exit)
}

/// The nights of a job, whose current window must move with them.
fn nights(args: &BackfillArgs, job: &Resolved) -> Result<Vec<AsOf>, Failure> {
    let windows = &job.scan.windows;
    if !windows.current.as_ref().is_some_and(WindowSpec::is_relative) {
        let now = windows.current.as_ref().map_or_else(|| "not given".to_owned(), ToString::to_string);
        let message = format!(
            "current_window is {now}, but takes a window that moves with the night: yesterday, last-7-days, last-month"
        );
        return Err(Failure::usage(anyhow::anyhow!(message)));
    }
    args.from.until(args.to, args.every, &windows.timezone).map_err(Failure::usage)
}

fn open(args: &BackfillArgs, job: &Resolved) -> Result<History, Failure> {
    let Some(place) = job.sections.history.place(args.history.clone()) else {
        let message = "there is no history to fill: add `[history] path = \"gpudrift.db\"` to the configuration, or \
                       type --history PATH";
        return Err(Failure::usage(anyhow::anyhow!(message)));
    };
    History::open(&place).map_err(|error| if error.is_usage() { Failure::usage(error) } else { Failure::failed(error) })
}

fn stored(
    job: &Resolved,
    nights: &[AsOf],
    history: &mut History,
    lineage: Option<&Arc<Lineage>>,
) -> Result<(), Failure> {
    let label = |night: AsOf| RunLabel { job: job.job.clone(), run_id: None, as_of: Some(night.into()) };
    let mut traced: Vec<(AsOf, Traced)> =
        nights.iter().map(|&night| (night, Traced::start(lineage, job, &label(night)))).collect();
    let bar = Bar::default();
    let progress: &dyn Progress = if Bar::is_wanted(&job.output) { &bar } else { &NoProgress };
    let made = backfill(&job.scan, nights, progress, &mut |mut report| {
        report.run.job.clone_from(&job.job);
        let as_of = report.run.config.windows.as_of;
        let label = RunLabel { job: job.job.clone(), run_id: None, as_of: as_of.map(Into::into) };
        let identity = RunIdentity::of(&report, &label);
        history.hold(&identity, &mut report).map_err(io::Error::other)?;
        history.check_volume(&identity, &mut report).map_err(io::Error::other)?;
        history.check_still(&identity, &mut report).map_err(io::Error::other)?;
        let stored = history.store(&identity, &report).map_err(io::Error::other)?;
        progress.finish();
        if let Some(at) = traced.iter().position(|(night, _)| Some(*night) == as_of) {
            traced.swap_remove(at).1.complete(&report);
        }
        tell(&report, as_of, &stored, job.output.quiet)
    });
    progress.finish();
    let made = made.map_err(scan_failure);
    let problem = made.as_ref().err().map(|failure| format!("{:#}", failure.source));
    // Nights that were not reached, or that the pass has left out.
    for (_, traced) in traced {
        traced.fail(problem.as_deref().unwrap_or("the night was not made"));
    }
    made
}

/// A line a night.
fn tell(report: &Report, night: Option<AsOf>, stored: &Stored, quiet: bool) -> io::Result<()> {
    if quiet {
        return Ok(());
    }
    let night = night.map_or_else(String::new, |night| night.to_string());
    let summary = &report.summary;
    let levels = [Level::Critical, Level::Warning, Level::Info, Level::Ok];
    let levels = levels.map(|level| format!("{:5} {}", summary.of_level(level), level.name()));
    let rows = counted(report.run.current.rows, "row", "rows");
    let what = match stored {
        Stored::New => "stored".to_owned(),
        Stored::Unchanged => "there already".to_owned(),
        Stored::Replaced { revision } => format!("replaced (revision {revision})"),
    };
    let mut text = format!("{night} {}  {rows}, {what}\n", levels.join(" "));
    let findings = report.findings.iter().filter(|finding| finding.feature.is_none());
    // What is told as a warning of the run is not told twice.
    let told = |check: &str| ["rows", "freshness", "partitions"].contains(&check);
    for finding in findings.filter(|finding| finding.level > Level::Info && !told(&finding.check)) {
        text += &format!("    {}\n", printable(&finding.message));
    }
    for warning in &report.run.warnings {
        text += &format!("    {}\n", printable(warning));
    }
    io::stdout().lock().write_all(text.as_bytes())
}
