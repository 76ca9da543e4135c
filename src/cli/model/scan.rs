//! `gpudrift model scan`: the report, and what the history takes from it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::Utc;
use clap::Args;
use gpudrift::backend::gpu::Devices;
use gpudrift::backend::{Asked, open};
use gpudrift::config::{BackendChoice, DEFAULT_FILE};
use gpudrift::format::{counted, printable};
use gpudrift::history::{AsOf, History, ModelsStored, model_entries};
use gpudrift::model::ModelReport;
use gpudrift::model::scan::scan_on;

use super::EXAMPLES;
use super::look::{LookArgs, Written};
use crate::cli::exit::{Exit, Failure};
use crate::cli::place::begin;

/// What `gpudrift model scan` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ModelScanArgs {
    #[command(flatten)]
    look: LookArgs,
    /// Who sorts the scores; the report is the same. A GPU gains nothing where the processor waits for the disk
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

/// Scans, writes the report, then stores it: nothing that goes wrong there can lose it.
pub(super) fn run(args: &ModelScanArgs) -> Result<Exit, Failure> {
    let history = args.kept.open(&args.look)?;
    let backend = match args.backend {
        BackendChoice::Cpu => None,
        backend => {
            let threads = args.look.threads.map_or_else(rayon::current_num_threads, usize::from);
            Some(open(&Asked { backend, devices: Devices::Best, threads }).map_err(Failure::failed)?)
        }
    };
    let (report, fail_on) = args.look.run(|models, memory| scan_on(models, memory, backend.as_deref()))?;
    let mut said: Vec<String> = report.warnings().iter().map(|warning| format!("warning: {warning}")).collect();
    if let Some(mut history) = history {
        said.push(args.kept.store(&mut history, &report)?);
    }
    if !args.look.quiet {
        for line in said {
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "{}", printable(&line));
        }
    }
    let reached = report.models.iter().zip(fail_on).any(|(model, (_, fail_on))| fail_on.is_reached(model.level));
    Ok(if reached { Exit::Gate } else { Exit::Finished })
}

impl Kept {
    /// The history that flags, or the file that models come from, ask for.
    fn open(&self, args: &LookArgs) -> Result<Option<History>, Failure> {
        if self.no_history {
            return Ok(None);
        }
        let default = Path::new(DEFAULT_FILE);
        // As models are looked for: flags that name an input stand for themselves.
        let alone = args.options.input.is_some() && args.model.is_empty();
        let file = args.config.as_deref().or((!alone && default.exists()).then_some(default));
        begin(self.history.as_deref(), file)
    }

    /// Stores the report, and says what became of its windows.
    fn store(&self, history: &mut History, report: &ModelReport) -> Result<String, Failure> {
        let entries = model_entries(report, self.job.as_deref(), self.as_of.as_ref(), Utc::now());
        let stored = history.store_models(&entries).map_err(Failure::failed)?;
        Ok(said(&stored, history.path()))
    }
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
