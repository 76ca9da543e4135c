//! `gpudrift init`: looks at the data, and writes a configuration to begin with.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use gpudrift::config::{DEFAULT_FILE, FileConfig, ScanConfig, Sides, propose};
use gpudrift::progress::{NoProgress, Progress};
use gpudrift::scan::scan;
use gpudrift::source::{Dataset, OpenOptions, SourceColumn};

use super::exit::{Exit, Failure};
use super::output::Output;
use super::progress::Bar;

const EXAMPLES: &str = "\
Examples:
  gpudrift init --source store/
  gpudrift init --reference jan/ --current feb/
  gpudrift init --reference 'store/2026-01*.parquet' --current store/2026-02-01.parquet --output night.toml";

/// What `gpudrift init` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InitArgs {
    /// Data to compare with: files, folders, globs
    #[arg(long, value_name = "PATH", num_args = 1.., required_unless_present = "source")]
    reference: Vec<String>,
    /// Data to look at
    #[arg(long, value_name = "PATH", num_args = 1.., required_unless_present = "source")]
    current: Vec<String>,
    /// One data set for both, which windows of time are to tell apart
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["reference", "current"])]
    source: Vec<String>,
    /// File to write
    #[arg(long, short, value_name = "FILE", default_value = DEFAULT_FILE)]
    output: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    /// Look at the first and the last files with so many rows
    #[arg(long, value_name = "ROWS", default_value_t = 1_000_000)]
    rows: u64,
}

/// Proposes and writes.
pub(crate) fn run(args: &InitArgs) -> Result<Exit, Failure> {
    if args.output.exists() && !args.force {
        let file = args.output.display();
        return Err(Failure::usage(anyhow::anyhow!("{file} is there already; --force writes over it")));
    }
    let output = Output::open(Some(&args.output), false).map_err(Failure::usage)?;
    let one_source = !args.source.is_empty();
    let [reference, mut partitions, mut time_folders] =
        looked_at(if one_source { &args.source } else { &args.reference }, args.rows)?;
    let [current, more, times] =
        if one_source { [reference.clone(), Vec::new(), Vec::new()] } else { looked_at(&args.current, args.rows)? };
    partitions.extend(more);
    time_folders.extend(times);
    time_folders.sort();
    time_folders.dedup();
    partitions.sort();
    partitions.dedup();
    let config = ScanConfig { reference, current, metrics: Vec::new(), ..ScanConfig::default() };
    let bar = Bar::default();
    let progress: &dyn Progress = if Bar::is_visible() { &bar } else { &NoProgress };
    let report = scan(&config, progress);
    progress.finish();
    let report = report.map_err(Failure::failed)?;
    let sides = Sides {
        reference: from_file(&args.reference, &args.output),
        current: from_file(&args.current, &args.output),
        source: from_file(&args.source, &args.output),
        partitions,
        time_folders,
    };
    let Some(text) = propose(&report, &sides) else {
        let message = "no column of the source is evidently the time of a row, with three days of them at least: name two \
                       sides with --reference and --current, or the column with `gpudrift scan --source PATH --timestamp COLUMN`";
        return Err(Failure::failed(anyhow::anyhow!(message)));
    };
    // What is written here must be right; if it is not, say so rather than leave it to tomorrow's run.
    FileConfig::parse(&text, &args.output)?;
    output.write(|out| out.write_all(text.as_bytes())).map_err(Failure::failed)?;
    let file = args.output.display();
    let said = format!("wrote {file}: look through it, then `gpudrift scan --config {file}`\n");
    let _ = std::io::stderr().write_all(said.as_bytes());
    Ok(Exit::Finished)
}

/// The first and the last files of a side that have `rows` rows together, the columns that are keys of folders, and those of
/// them whose values may be times.
fn looked_at(paths: &[String], rows: u64) -> Result<[Vec<String>; 3], Failure> {
    let data = Dataset::open(paths, &OpenOptions::default()).map_err(Failure::failed)?;
    let mut seen = 0;
    let mut files = Vec::new();
    let mut rest = data.files().iter();
    // Times often follow the names of files: both ends of them are in these.
    while let Some(file) = if files.len() % 2 == 0 { rest.next() } else { rest.next_back() } {
        if seen >= rows && files.len() > 1 {
            break;
        }
        seen += file.rows();
        files.push(file.path().display().to_string());
    }
    let keys = || data.columns().iter().filter(|column| column.partition);
    let time = |column: &&SourceColumn| column.types.iter().all(|one| one.is_integer() || one.is_temporal());
    let names = keys().map(|column| column.name.clone()).collect();
    Ok([files, names, keys().filter(time).map(|column| column.name.clone()).collect()])
}

/// Paths as they are seen from the folder of the configuration file.
fn from_file(paths: &[String], output: &Path) -> Vec<String> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let here =
        fs::canonicalize(folder).ok().zip(fs::canonicalize(".").ok()).is_none_or(|(folder, here)| folder == here);
    let seen = |path: &String| match here || Path::new(path).is_absolute() {
        true => path.clone(),
        false => std::path::absolute(path).map_or_else(|_| path.clone(), |path| path.display().to_string()),
    };
    paths.iter().map(seen).collect()
}
