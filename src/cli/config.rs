//! `gpudrift config`: is the file right, what does it say about a feature, what may stand in it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use gpudrift::config::{
    ALL_JOBS, ConfigError, DEFAULT_FILE, Explained, Explanation, FileConfig, Resolved, RuleSet, Said, ScanOptions,
    checked_alone, explain, resolve_all, schema, select_features,
};
use gpudrift::format::{counted, printable, width};
use gpudrift::scan::{ScanError, feature_names};
use gpudrift::source::read_weights;

use super::exit::{Exit, Failure};
use super::output::print;

const EXAMPLES: &str = "\
Examples:
  gpudrift config check                       ./gpudrift.toml, and the schema of its data
  gpudrift config check night.toml --offline  the file alone
  gpudrift config explain user:age            each setting, and which line gave it
  gpudrift config schema > gpudrift.schema.json";

/// What `gpudrift config` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check a configuration file, and that its rules match features of the data
    Check(CheckArgs),
    /// Show every setting of a feature, and which line of which rule gave it
    Explain(ExplainArgs),
    /// Print a JSON Schema of the file, for editors
    Schema,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The file
    #[arg(value_name = "FILE", default_value = DEFAULT_FILE)]
    file: PathBuf,
    /// Do not look at the data
    ///
    /// Otherwise the footers of the files are read: a rule that matches no feature is an error.
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// The feature, whether or not the data has it
    #[arg(value_name = "FEATURE")]
    feature: String,
    /// The file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_FILE)]
    config: PathBuf,
    /// Jobs: names, or `all` [default: all]
    #[arg(long, value_name = "NAMES")]
    job: Option<String>,
    /// How to print it
    #[arg(long, short, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// An array with one object a job
    Json,
}

/// Runs one of the subcommands.
pub(crate) fn run(args: &ConfigArgs) -> Result<Exit, Failure> {
    match &args.command {
        ConfigCommand::Check(args) => check(args),
        ConfigCommand::Explain(args) => explained(args),
        ConfigCommand::Schema => print(&format!("{:#}\n", schema())).map_err(Failure::failed).map(|()| Exit::Finished),
    }
}

fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let file = FileConfig::read(&args.file)?;
    let jobs = file.select(Some(ALL_JOBS))?;
    // What a feature store says is data.
    let one = |job| match args.offline {
        true => checked_alone(job),
        false => resolve_all(&ScanOptions::default(), Some(job)),
    };
    let jobs = jobs.into_iter().map(one).collect::<Result<Vec<Vec<Resolved>>, _>>()?.concat();
    let mut text = String::new();
    let mut idle: Option<Vec<(String, String)>> = None;
    let mut exit = Exit::Finished;
    for job in &jobs {
        let name = job.job.as_ref().map_or_else(String::new, |job| format!("job {}: ", printable(job)));
        if args.offline {
            continue;
        }
        match with_data(job) {
            Ok(checked) => {
                let _ = writeln!(text, "{name}{}", checked.said);
                // A rule that jobs share must match in one of them.
                let here = checked.shared_idle;
                idle =
                    Some(idle.map_or(here.clone(), |all| all.into_iter().filter(|one| here.contains(one)).collect()));
            }
            Err(failure) => {
                let failure =
                    if name.is_empty() { failure } else { failure.within(name.trim_end_matches(": ").to_owned()) };
                exit = exit.worse(failure.report());
                idle = Some(Vec::new());
            }
        }
    }
    if let Some(idle) = idle.filter(|idle| !idle.is_empty()) {
        exit = exit.worse(Failure::from(ConfigError::Idle(idle)).report());
    }
    if exit == Exit::Finished {
        let jobs = match file.jobs().count() {
            0 => String::new(),
            jobs => format!("{}, ", counted(jobs as u64, "job", "jobs")),
        };
        let offline = if args.offline { "; the data was not looked at" } else { "" };
        let rules = jobs_rules(&file);
        let _ = writeln!(text, "{} is right: {jobs}{rules}{offline}", args.file.display());
    }
    print(&text).map_err(Failure::failed)?;
    Ok(exit)
}

fn jobs_rules(file: &FileConfig) -> String {
    let all = || std::iter::once(&file.sections).chain(file.sections.job.values());
    let rules = all().map(|sections| sections.rule.len() as u64).sum();
    let features = all().map(|sections| sections.feature.len() as u64).sum();
    format!("{}, {}", counted(rules, "rule", "rules"), counted(features, "feature of its own", "features of their own"))
}

/// What the schema of a job's data says about its configuration.
struct Checked {
    said: String,
    shared_idle: Vec<(String, String)>,
}

fn with_data(job: &Resolved) -> Result<Checked, Failure> {
    let features = feature_names(&job.scan).map_err(|error| match error {
        ScanError::Rules(_) => Failure::usage(error),
        _ => Failure::failed(error),
    })?;
    let rules = RuleSet::new(&job.scan.rules, &features);
    rules.check()?;
    let mut excluded = std::collections::HashMap::new();
    let mut ruled = 0;
    for feature in &features {
        let applied = rules.of(feature)?;
        ruled += u64::from(!applied.said.is_empty());
        excluded.insert(feature.as_str(), applied.settings.exclude);
    }
    let selection = select_features(&features, &job.scan.features, &job.scan.exclude, |name| *excluded.get(name)?);
    if let Some(unmatched) = selection.unmatched.first() {
        let message = format!("features names {}, but {}", unmatched.pattern, unmatched.reason);
        return Err(Failure::usage(anyhow::anyhow!(message)));
    }
    let total = counted(features.len() as u64, "feature", "features");
    let mut said = format!("{} of {total} selected, {ruled} with settings of their own", selection.names.len());
    for unmatched in selection.unmatched_exclude {
        let _ = write!(said, "\nwarning: exclude names {}, but {}", unmatched.pattern, unmatched.reason);
    }
    let idle = rules.unmatched().iter();
    let place = |layer: usize| job.scan.rules.0[layer].origin.clone();
    Ok(Checked { said, shared_idle: idle.map(|idle| (place(idle.layer), idle.message.clone())).collect() })
}

fn explained(args: &ExplainArgs) -> Result<Exit, Failure> {
    let file = FileConfig::read(Path::new(&args.config))?;
    let jobs = file.select(Some(args.job.as_deref().unwrap_or(ALL_JOBS)))?;
    let explanations = jobs.iter().map(|job| {
        let scan = &job.sections.scan;
        let read = |file: &Path| read_weights(file, scan.weights_column.as_deref());
        let weights = scan.weights.as_deref().map(read).transpose().map_err(Failure::failed)?;
        let weight = weights.map(|weights| weights.get(&args.feature).copied().unwrap_or(0.0));
        Ok(explain(job, &args.feature, weight)?)
    });
    let explanations = explanations.collect::<Result<Vec<Explanation>, Failure>>()?;
    let text = match args.format {
        Format::Json => serde_json::to_string_pretty(&explanations).map_err(Failure::failed)? + "\n",
        Format::Text => explanations.iter().map(text).collect::<Vec<_>>().join("\n"),
    };
    print(&text).map_err(Failure::failed)?;
    Ok(Exit::Finished)
}

/// One line a setting, and below it the values that it was preferred to.
fn text(explanation: &Explanation) -> String {
    let job = explanation.job.as_ref().map_or_else(String::new, |job| format!("job {}, ", printable(job)));
    let mut text = format!("{job}{}\n", printable(&explanation.feature));
    let rows = explanation.settings.iter().flat_map(|Explained { key, said, over }| {
        std::iter::once((*key, said))
            .chain(over.iter().filter(|said| said.by != "default").map(|said| ("  over", said)))
    });
    let rows: Vec<(&str, String, &Said)> = rows.map(|(key, said)| (key, said.value.to_string(), said)).collect();
    let widest = |of: fn(&(&str, String, &Said)) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (keys, values) = (widest(|(key, ..)| width(key)), widest(|(_, value, _)| width(value)));
    for (key, value, said) in rows {
        let line = format!("  {key:keys$}  {value:values$}  {said}");
        let _ = writeln!(text, "{}", printable(&line));
    }
    text
}
