//! `gpudrift model scan`: the report, and what the history takes from it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::Utc;
use clap::Args;
use gpudrift::alert::{AlertError, Alerts, Delivered};
use gpudrift::backend::gpu::Devices;
use gpudrift::backend::{Asked, open};
use gpudrift::config::{BackendChoice, DEFAULT_FILE, FileConfig};
use gpudrift::format::{counted, printable};
use gpudrift::history::{AsOf, DEFAULT_JOB, History, ModelsStored, model_entries};
use gpudrift::model::ModelReport;
use gpudrift::model::scan::scan_on;

use super::EXAMPLES;
use super::look::{LookArgs, Written};
use crate::cli::exit::{Exit, Failure};
use crate::cli::nightly::alert_failure;
use crate::cli::place::begin;

/// What `gpudrift model scan` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ModelScanArgs {
    #[command(flatten)]
    look: LookArgs,
    /// Who sorts the scores; the report is the same. A GPU gains nothing where the processor waits for the disk, and rows with weights stay on the CPU
    #[arg(long, value_enum, default_value = "cpu", value_name = "BACKEND")]
    backend: BackendChoice,
    #[command(flatten)]
    kept: Kept,
}

/// Flags about the history.
#[derive(Debug, Args)]
#[command(next_help_heading = "History")]
struct Kept {
    /// Keep the windows in a history: a SQLite file, or a folder for Parquet files [default: [history] of the file]
    #[arg(long, value_name = "PATH")]
    history: Option<PathBuf>,
    /// Keep nothing, whatever the file says
    #[arg(long, conflicts_with = "history")]
    no_history: bool,
    /// Tell nobody, whatever the file says
    #[arg(long)]
    no_alerts: bool,
    /// Name of the job that the windows belong to [default: default]
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// The time that a log without windows is about: a date or an instant
    #[arg(long, value_name = "TIME")]
    as_of: Option<AsOf>,
}

impl Written for ModelReport {
    fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write_table(out)
    }

    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write_json(out)
    }
}

/// Scans, writes the report, then stores it and tells about it: nothing that goes wrong there can lose it.
pub(super) fn run(args: &ModelScanArgs) -> Result<Exit, Failure> {
    let history = args.kept.open(&args.look)?;
    let alerts = history.as_ref().map(|history| args.kept.alerts(&args.look, history)).transpose()?.flatten();
    let backend = match args.backend {
        BackendChoice::Cpu => None,
        backend => {
            let threads = args.look.threads.map_or_else(rayon::current_num_threads, usize::from);
            Some(open(&Asked { backend, devices: Devices::Best, threads }).map_err(Failure::failed)?)
        }
    };
    let (report, fail_on) = args.look.run(|models, memory| scan_on(models, memory, backend.as_deref()))?;
    let mut said: Vec<String> = report.warnings().iter().map(|warning| format!("warning: {warning}")).collect();
    let mut waits = false;
    if let Some(mut history) = history {
        said.push(args.kept.store(&mut history, &report)?);
        if let Some(alerts) = alerts {
            let told = args.kept.tell(&history, &alerts, &report);
            waits = told.as_ref().map_or(true, |told| told.waiting > 0);
            match told {
                Ok(told) => {
                    let sent = (told.sent > 0).then(|| counted(told.sent as u64, "alert sent", "alerts sent"));
                    said.extend(told.warnings.iter().map(|warning| format!("warning: {warning}")).chain(sent));
                }
                Err(error) => said.push(format!("warning: nobody was told: {:#}", anyhow::Error::from(error))),
            }
        }
    }
    if !args.look.quiet {
        for line in said {
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "{}", printable(&line));
        }
    }
    let reached = report.models.iter().zip(fail_on).any(|(model, (_, fail_on))| fail_on.is_reached(model.level));
    Ok(match () {
        () if reached => Exit::Gate,
        () if waits => Exit::Incomplete,
        () => Exit::Finished,
    })
}

impl Kept {
    /// The history that flags, or the file that models come from, ask for.
    fn open(&self, args: &LookArgs) -> Result<Option<History>, Failure> {
        if self.no_history {
            return Ok(None);
        }
        begin(self.history.as_deref(), file(args))
    }

    /// Who is told, by the file.
    fn alerts(&self, args: &LookArgs, history: &History) -> Result<Option<Alerts>, Failure> {
        let Some(file) = file(args).filter(|_| !self.no_alerts) else { return Ok(None) };
        let config = FileConfig::read(file)?.sections.alerts;
        let told = !config.channels.is_empty();
        told.then(|| Alerts::open(history, &config)).transpose().map_err(alert_failure)
    }

    /// Stores the report, and says what became of its windows.
    fn store(&self, history: &mut History, report: &ModelReport) -> Result<String, Failure> {
        let entries = model_entries(report, self.job.as_deref(), self.as_of.as_ref(), Utc::now());
        let stored = history.store_models(&entries).map_err(Failure::failed)?;
        Ok(said(&stored, history.path()))
    }

    /// Tells of the models that are worse, and of those that are well again.
    fn tell(&self, history: &History, alerts: &Alerts, report: &ModelReport) -> Result<Delivered, AlertError> {
        let models: Vec<String> = report.models.iter().map(|facts| facts.model.clone()).collect();
        alerts.models(history, self.job.as_deref().unwrap_or(DEFAULT_JOB), &models)?;
        alerts.flush()
    }
}

/// The file that models come from: flags that name an input stand for themselves.
fn file(args: &LookArgs) -> Option<&Path> {
    let default = Path::new(DEFAULT_FILE);
    let alone = args.options.input.is_some() && args.model.is_empty();
    args.config.as_deref().or((!alone && default.exists()).then_some(default))
}

fn said(stored: &ModelsStored, path: &Path) -> String {
    let ModelsStored { new, unchanged, grown, amended, kept } = *stored;
    let parts = [
        (new, "new"),
        (amended, "amended"),
        (grown, "with more rows"),
        (unchanged, "as before"),
        (kept, "left as they were (this log, or its labels, had fewer rows of them)"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let windows = counted((new + unchanged + grown + amended + kept) as u64, "group", "groups");
    format!("{windows} in {}: {}", path.display(), parts.join(", "))
}
