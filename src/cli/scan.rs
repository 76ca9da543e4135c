//! `gpudrift scan`: what was typed becomes a configuration, the scan gives a report, a sink writes it.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use gpudrift::config::{ALL_JOBS, ConfigError, FileConfig, OutputConfig, Resolved, ScanOptions, Sections, resolve_all};
use gpudrift::format::printable;
use gpudrift::model::ModelUse;
use gpudrift::progress::{NoProgress, Progress};
use gpudrift::report::Report;
use gpudrift::scan::{SavedSide, ScanError, scan, scan_and_save};

use super::deliver::Deliveries;
use super::exit::{Exit, Failure};
use super::lineage::{LineageArgs, Traced};
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

-h is short, --help explains every option. [scan] of gpudrift.toml has all of them (fail_on),
and so has the environment (GPUDRIFT_FAIL_ON).";

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
    /// Jobs of the configuration: names, or `all`
    ///
    /// They run one after another; each has a report of its own, and one that fails costs no other. Standard output
    /// gets the reports of `all`, or of several names, together: a JSON array, lines of NDJSON, tables one below the
    /// other. The exit code is the worst: 3 over 2 over 1 over 4 over 0.
    #[arg(long, value_name = "NAMES", help_heading = "Data", hide_short_help = true)]
    job: Option<String>,
    #[command(flatten)]
    nightly: NightlyArgs,
    #[command(flatten)]
    lineage: LineageArgs,
}

fn long_after_help() -> String {
    format!("{EXAMPLES}\n\n{}", super::EXIT_CODES)
}

/// Scans every job that is asked for, writes the reports, and says how it ended. A job that fails costs no other.
pub(crate) fn run(args: ScanArgs) -> Result<Exit, Failure> {
    let jobs = resolved(args.config.as_deref(), args.job.as_deref(), &args.options)?;
    let several = jobs.len() > 1 || args.job.as_deref().is_some_and(|job| job == ALL_JOBS || job.contains(','));
    let nightly = jobs.iter().map(|job| {
        let Sections { history, alerts, .. } = &job.sections;
        Nightly::open(args.nightly.clone(), job.job.clone(), job.scan.windows.as_of, &job.scan.rules, history, alerts)
    });
    let mut nightly = nightly.collect::<Result<Vec<_>, _>>()?;
    let models = jobs.iter().map(|job| ModelUse::of(&job.sections.model)).collect::<Result<Vec<_>, _>>();
    let models = models.map_err(Failure::usage)?;
    let lineage = jobs.iter().map(|job| args.lineage.open(&job.sections.lineage)).collect::<Result<Vec<_>, _>>()?;
    let deliveries = Deliveries::open(&jobs, several)?;
    let profiles = profiles(&jobs)?;
    let mut reports: Vec<Option<Report>> = jobs.iter().map(|_| None).collect();
    let mut exit = Exit::Finished;
    for (index, job) in jobs.iter().enumerate() {
        let named = |failure: Failure| match &job.job {
            Some(name) => failure.within(format!("job {name}")).report(),
            None => failure.report(),
        };
        let traced =
            Traced::start(lineage[index].as_ref(), job, &args.nightly.label(job.job.clone(), job.scan.windows.as_of));
        let mut problem = None;
        match scanned(job) {
            Ok((mut report, saved)) => {
                if let Some((saved, destination)) = saved.zip(profiles[index].as_ref())
                    && let Err(failure) = save(saved, destination, &job.output)
                {
                    exit = exit.worse(named(failure));
                }
                if let Some(nightly) = &nightly[index] {
                    nightly.beside(&mut report);
                }
                report.models = ModelUse::impacts(&models[index], &report);
                reports[index] = Some(report);
            }
            Err(failure) => {
                problem = Some(format!("{:#}", failure.source));
                exit = exit.worse(named(failure));
            }
        }
        let (written, failed) = deliveries.write(index, &reports);
        let delivered = failed.is_empty();
        problem = problem.or_else(|| failed.first().map(|failure| format!("{:#}", failure.source)));
        exit = failed.into_iter().fold(exit, |exit, failure| exit.worse(named(failure)));
        tell_written(&written, &job.output);
        let report = reports[index].as_ref();
        match (&problem, report) {
            (None, Some(report)) => traced.complete(report),
            (problem, _) => traced.fail(problem.as_deref().unwrap_or("there is no report")),
        }
        let Some(report) = report else { continue };
        tell(report, &job.output);
        let nightly = nightly[index].as_mut().filter(|_| delivered);
        let after = nightly.map(|nightly| nightly.after(report)).unwrap_or_default();
        tell_after(&after, &job.output);
        exit = exit.worse(after.exit(Exit::of(report, job.output.fail_on)));
    }
    Ok(exit)
}

/// The configurations of the jobs that are asked for.
pub(super) fn resolved(
    config: Option<&Path>,
    job: Option<&str>,
    options: &ScanOptions,
) -> Result<Vec<Resolved>, ConfigError> {
    let jobs = match (FileConfig::find(config, options)?, job) {
        (Some(file), job) => file.select(job)?.into_iter().map(Some).collect(),
        (None, Some(job)) => return Err(ConfigError::NoFile(job.to_owned())),
        (None, None) => vec![None],
    };
    let resolved = jobs.into_iter().map(|job| resolve_all(options, job)).collect::<Result<Vec<_>, _>>()?;
    Ok(resolved.into_iter().flatten().collect())
}

/// Where the current side of each job is saved. One file cannot be the profile of two.
fn profiles(jobs: &[Resolved]) -> Result<Vec<Option<Output>>, Failure> {
    let mut taken = HashSet::new();
    let one = |job: &Resolved| {
        let Some(path) = &job.output.save_profile else { return Ok(None) };
        if !taken.insert(path.clone()) {
            let path = path.display();
            return Err(Failure::usage(anyhow::anyhow!("--save-profile {path} is of one job: choose it with --job")));
        }
        Output::file("--save-profile", path).map(Some).map_err(Failure::usage)
    };
    jobs.iter().map(one).collect()
}

/// The report of one job, and its current side where that is to be saved.
fn scanned(job: &Resolved) -> Result<(Report, Option<SavedSide>), Failure> {
    let bar = Bar::default();
    let progress: &dyn Progress = if Bar::is_wanted(&job.output) { &bar } else { &NoProgress };
    let made = match job.output.save_profile {
        Some(_) => scan_and_save(&job.scan, progress),
        None => scan(&job.scan, progress).map(|report| (report, None)),
    };
    progress.finish();
    let (mut report, saved) = made.map_err(scan_failure)?;
    report.run.job.clone_from(&job.job);
    Ok((report, saved))
}

/// Writes the profile of the current side, and says so.
fn save(saved: SavedSide, destination: &Output, output: &OutputConfig) -> Result<(), Failure> {
    let failures = saved
        .failures()
        .into_iter()
        .map(|(name, reason)| format!("warning: the profile has no {}: {}\n", printable(name), printable(reason)));
    let failures: String = failures.filter(|_| !output.quiet).collect();
    let _ = io::stderr().write_all(failures.as_bytes());
    destination.write(|out| saved.write(out).map_err(io::Error::other)).map_err(Failure::failed)?;
    tell_written(output.save_profile.as_deref().as_slice(), output);
    Ok(())
}

/// A wrong request is wrong usage, everything else a failure.
pub(super) fn scan_failure(error: ScanError) -> Failure {
    if error.is_usage() { Failure::usage(error) } else { Failure::failed(error) }
}

/// The files that were written, for people.
fn tell_written(written: &[&Path], output: &OutputConfig) {
    let wrote = written.iter().filter(|_| !output.quiet).map(|path| format!("wrote {}\n", path.display()));
    let _ = io::stderr().write_all(wrote.collect::<String>().as_bytes());
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
