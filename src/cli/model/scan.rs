//! `gpudrift model scan`: the report, and what the history takes from it.

use std::io::Write;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use chrono::Utc;
use clap::{Args, ValueEnum};
use gpudrift::config::{DEFAULT_FILE, FileConfig};
use gpudrift::format::{counted, printable};
use gpudrift::history::{AsOf, History, HistoryConfig, HistoryError, ModelsStored, model_entries};
use gpudrift::model::scan::scan;
use gpudrift::model::{ModelConfig, ModelOptions, ModelReport};

use super::{EXAMPLES, failure};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::Output;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For people: windows, then the worst segments
    #[default]
    Table,
    /// One object, for programs: everything that is known
    Json,
}

/// What `gpudrift model scan` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ModelScanArgs {
    /// Models of the file to look at [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    model: Vec<String>,
    #[command(flatten)]
    options: ModelOptions,
    /// File with tables [model.NAME], which have the same keys [default: ./gpudrift.toml, where no input is named]
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
    /// Memory for counts and labels; what does not fit goes to a temporary file, or takes another pass
    #[arg(long, value_name = "SIZE", default_value = "512MiB")]
    memory_limit: ByteSize,
    /// No messages but errors
    #[arg(long, short)]
    quiet: bool,
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

/// Scans, writes the report, then stores it: nothing that goes wrong there can lose it.
pub(super) fn run(args: ModelScanArgs) -> Result<Exit, Failure> {
    let history = args.kept.open(&args)?;
    let options = args.options.models(args.config.as_deref(), &args.model).map_err(failure)?;
    let fail_on: Vec<_> = options.iter().map(|(_, options)| options.fail_on.unwrap_or_default()).collect();
    let models = options.into_iter().map(|(name, options)| options.resolve(&name));
    let models: Vec<ModelConfig> = models.collect::<Result<_, _>>().map_err(failure)?;
    let destination = Output::open(args.output.as_deref(), false).map_err(Failure::usage)?;
    let threads = args.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::failed)?;
    let report = pool.install(|| scan(&models, args.memory_limit.as_u64())).map_err(failure)?;
    let written = destination.write(|out| match args.format {
        Format::Table => report.write_table(out),
        Format::Json => report.write_json(out),
    });
    written.map_err(Failure::failed)?;
    let mut said: Vec<String> = report.warnings().iter().map(|warning| format!("warning: {warning}")).collect();
    if let Some(mut history) = history {
        said.push(args.kept.store(&mut history, &report)?);
    }
    if !args.quiet {
        for line in said {
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr(), "{}", printable(&line));
        }
    }
    let reached = report.models.iter().zip(fail_on).any(|(model, fail_on)| fail_on.is_reached(model.level));
    Ok(if reached { Exit::Gate } else { Exit::Finished })
}

impl Kept {
    /// The history that flags, or the file that models come from, ask for.
    fn open(&self, args: &ModelScanArgs) -> Result<Option<History>, Failure> {
        if self.no_history {
            return Ok(None);
        }
        let default = Path::new(DEFAULT_FILE);
        // As models are looked for: flags that name an input stand for themselves.
        let alone = args.options.input.is_some() && args.model.is_empty();
        let file = args.config.as_deref().or((!alone && default.exists()).then_some(default));
        let asked = file.filter(|_| self.history.is_none()).map(FileConfig::read).transpose()?;
        let config = asked.map_or_else(HistoryConfig::default, |file| file.sections.history);
        let opened = config.place(self.history.clone()).map(|place| History::open(&place)).transpose();
        let failed =
            |error: HistoryError| if error.is_usage() { Failure::usage(error) } else { Failure::failed(error) };
        opened.map_err(failed)
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
