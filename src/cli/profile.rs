//! `gpudrift profile`: references that are saved, looked into and checked.

use std::io::{self, Write};
use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{CellAlignment, Table};
use gpudrift::config::ScanConfig;
use gpudrift::format::{count, printable, shortened};
use gpudrift::profile::{BuildOptions, FeatureOverview, Profile, ProfileError, build, merge};
use gpudrift::progress::{NoProgress, Progress};
use gpudrift::source::{Dataset, OpenOptions};

use super::exit::{Exit, Failure};
use super::output::{Output, print};
use super::progress::Bar;

const EXAMPLES: &str = "\
Examples:
  gpudrift profile build --reference jan/ --output jan.gpd
  gpudrift scan --profile jan.gpd --current feb/
  gpudrift profile merge jan.gpd feb.gpd --output q1.gpd
  gpudrift profile show jan.gpd
  gpudrift profile verify jan.gpd";

/// What `gpudrift profile` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ProfileArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read a reference and write its profile
    #[command(after_help = "Examples:\n  gpudrift profile build --reference jan/ --output jan.gpd\n  \
                            gpudrift profile build --reference jan/ --output jan.gpd --profile-size 65536")]
    Build(BuildArgs),
    /// Make one profile of several: as if it were built from all their data
    #[command(after_help = "Examples:\n  gpudrift profile merge jan.gpd feb.gpd --output q1.gpd")]
    Merge(MergeArgs),
    /// Print what is inside a profile
    #[command(after_help = "Examples:\n  gpudrift profile show jan.gpd\n  gpudrift profile show jan.gpd --format json")]
    Show(ShowArgs),
    /// Read and check every byte that a scan may use
    #[command(after_help = "Examples:\n  gpudrift profile verify jan.gpd")]
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct BuildArgs {
    /// Data to save: files, folders, globs
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    reference: Vec<String>,
    /// Profile to write; it appears complete or not at all
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Keep at most about N values a feature
    ///
    /// Without it every distinct value is kept and a scan is exact. With it, a scan says by how much D may be off.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(100..))]
    profile_size: Option<u64>,
    /// Leave out files that cannot be read
    #[arg(long)]
    skip_bad_files: bool,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: Option<u16>,
    /// Memory to stay near, like 2GiB [default: half of the RAM]
    #[arg(long, value_name = "SIZE")]
    memory_limit: Option<ByteSize>,
    /// No messages but errors
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct MergeArgs {
    /// The profiles
    #[arg(num_args = 1.., required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Profile to write; it appears complete or not at all
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Keep at most about N values a feature
    ///
    /// Without it every distinct value that the profiles hold is kept. By how much D may be off adds up over bounded ones.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(100..))]
    profile_size: Option<u64>,
    /// No messages but errors
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The profile
    file: PathBuf,
    /// How to print it
    #[arg(long, short, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// The profile
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

pub(crate) fn run(args: ProfileArgs) -> Result<Exit, Failure> {
    match args.command {
        Command::Build(args) => build_profile(&args),
        Command::Merge(args) => merge_profiles(&args),
        Command::Show(args) => show(&args),
        Command::Verify(args) => verify(&args),
    }
}

fn build_profile(args: &BuildArgs) -> Result<Exit, Failure> {
    let destination = Output::open(Some(&args.output), true).map_err(Failure::usage)?;
    let defaults = ScanConfig::default();
    let options = BuildOptions {
        size: args.profile_size,
        memory_limit: args.memory_limit.map_or(defaults.memory_limit, |limit| limit.as_u64()),
        threads: args.threads.map_or(defaults.threads, usize::from),
    };
    let open = OpenOptions { skip_bad_files: args.skip_bad_files, ..OpenOptions::default() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build().map_err(Failure::failed)?;
    let bar = Bar::default();
    let progress: &dyn Progress = if !args.quiet && Bar::is_visible() { &bar } else { &NoProgress };
    let data = pool.install(|| Dataset::open(&args.reference, &open)).map_err(Failure::failed)?;
    let mut failures = Vec::new();
    destination
        .write(|out| {
            failures = build(&data, &options, progress, out).map_err(io::Error::other)?;
            Ok(())
        })
        .map_err(Failure::failed)?;
    progress.finish();
    let left_out = data
        .bad_files()
        .iter()
        .map(|(path, reason)| format!("left out {}: {}", printable(&path.display().to_string()), printable(reason)));
    Ok(wrote(&args.output, left_out.collect(), &failures, args.quiet))
}

fn merge_profiles(args: &MergeArgs) -> Result<Exit, Failure> {
    let destination = Output::open(Some(&args.output), true).map_err(Failure::usage)?;
    let profiles: Vec<Profile> =
        args.files.iter().map(|file| Profile::open(file)).collect::<Result<_, _>>().map_err(Failure::failed)?;
    let mut failures = Vec::new();
    destination
        .write(|out| {
            failures = merge(&profiles, args.profile_size, out).map_err(io::Error::other)?;
            Ok(())
        })
        .map_err(Failure::failed)?;
    Ok(wrote(&args.output, Vec::new(), &failures, args.quiet))
}

/// Says what was written, and what is missing in it.
fn wrote(output: &std::path::Path, mut warnings: Vec<String>, failures: &[(String, String)], quiet: bool) -> Exit {
    warnings.extend(
        failures.iter().map(|(name, reason)| format!("{} is not in it: {}", printable(name), printable(reason))),
    );
    let mut text: String = warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    if !quiet {
        text += &format!("wrote {}\n", output.display());
    }
    let _ = io::stderr().write_all(text.as_bytes());
    if warnings.is_empty() { Exit::Finished } else { Exit::Incomplete }
}

fn show(args: &ShowArgs) -> Result<Exit, Failure> {
    let profile = Profile::open(&args.file).map_err(Failure::failed)?;
    let features = profile.overview().map_err(Failure::failed)?;
    let text = match args.format {
        Format::Table => table(&profile, &features),
        Format::Json => {
            let all = serde_json::json!({ "rows": profile.rows(), "features": features });
            serde_json::to_string_pretty(&all).map_err(Failure::failed)? + "\n"
        }
    };
    print(&text).map_err(Failure::failed)?;
    Ok(Exit::Finished)
}

fn table(profile: &Profile, features: &[FeatureOverview]) -> String {
    let mut table = Table::new();
    table.set_header(["feature", "type", "rows", "nulls", "distinct", "kept", "error of D", "bytes"]);
    for feature in features {
        let name = shortened(&printable(&feature.name), 40);
        if let Some(problem) = &feature.problem {
            table.add_row([name, shortened(&printable(problem), 40)]);
            continue;
        }
        let distinct = feature.distinct.map_or_else(String::new, count);
        let error = feature.ks_statistic_error.map_or_else(|| "0".to_owned(), |error| format!("{error:.2e}"));
        let bytes = ByteSize(feature.bytes).to_string();
        let data_type = shortened(&printable(&feature.data_type), 24);
        let numbers = [count(feature.rows), count(feature.nulls), distinct, count(feature.keys), error, bytes];
        table.add_row([vec![name, data_type], numbers.to_vec()].concat());
    }
    for index in 2..8 {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n{} features, {} rows\n", features.len(), count(profile.rows()))
}

fn verify(args: &VerifyArgs) -> Result<Exit, Failure> {
    let checked = Profile::open(&args.file).and_then(|profile| profile.verify().map(|()| profile.columns().len()));
    let columns = checked.map_err(|error: ProfileError| Failure::failed(error))?;
    print(&format!("{}: {columns} features, every checksum fits\n", args.file.display())).map_err(Failure::failed)?;
    Ok(Exit::Finished)
}
