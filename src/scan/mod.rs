//! The whole pipeline: two data sets in, a report out. No arithmetic here.
//!
//! ```text
//!     paths -> Dataset        source    files, row groups, columns of either side
//!           -> Task           column    what is compared with what, and with which keys
//!           -> Counted        work      decoded to keys, counted by the backend, refined on the host
//!           -> FeatureReport  evaluate  metrics, facts, q-values, level
//!           -> Report
//! ```

mod categories;
mod context;
mod evaluate;
mod matching;
mod memory;
mod ordered;
mod sorted;
mod streamed;
mod subject;
mod work;

use crate::backend::{self, Backend};
use crate::column::FactsLevel;
use crate::config::{ConfigError, FactsChoice, ScanConfig};
use crate::metric::{METRICS, Needs};
use crate::profile::{Profile, ProfileError};
use crate::progress::Progress;
use crate::quality::{self, Finding, RunSides};
use crate::report::{Input, Report, Run, SkipCause, Skipped, SkippedFile};
use crate::source::{Dataset, OpenOptions, SourceError, WeightsError, read_weights};
use context::{Clock, Context, Counting, Wanted};
use evaluate::Concluded;
use memory::{Memory, Pool};
use std::time::{Duration, Instant};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// A side could not be opened.
    #[error("cannot open the {side} data")]
    Source {
        /// `reference` or `current`.
        side: &'static str,
        /// What is wrong, where, and what to do.
        source: SourceError,
    },
    /// Rules that match no feature of the data, or contradict each other.
    #[error(transparent)]
    Rules(#[from] ConfigError),
    /// The file with the importance of features could not be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The profile that stands for the reference could not be used.
    #[error("cannot use the reference profile")]
    Profile(#[from] crate::profile::ProfileError),
    /// There is no such backend on this machine.
    #[error(transparent)]
    Backend(#[from] backend::OpenError),
    /// Threads could not be started.
    #[error("cannot start {threads} threads")]
    Threads {
        /// How many were wanted.
        threads: usize,
        /// Why not.
        source: rayon::ThreadPoolBuildError,
    },
}

/// Compares every selected feature of the two data sets that `config` names.
///
/// # Errors
/// When a side cannot be opened or the backend asked for is not there. What is wrong with a single feature stands in
/// the report and costs no other feature.
pub fn scan(config: &ScanConfig, progress: &dyn Progress) -> Result<Report, ScanError> {
    let backend = backend::open(config.backend)?;
    scan_with(config, backend.as_ref(), progress)
}

/// [`scan`] with a backend of the caller's.
///
/// # Errors
/// When a side cannot be opened.
pub fn scan_with(config: &ScanConfig, backend: &dyn Backend, progress: &dyn Progress) -> Result<Report, ScanError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(config.threads).build();
    let pool = pool.map_err(|source| ScanError::Threads { threads: config.threads, source })?;
    pool.install(|| pipeline(config, backend, progress, Counting::Cells)).map(|(report, _)| report)
}

/// Reads and decodes what a scan would read, and counts nothing: what the scan costs beyond it is gpudrift's own.
///
/// # Errors
/// As [`scan`].
pub fn decode_only(config: &ScanConfig) -> Result<Duration, ScanError> {
    measured(config, Counting::Nothing).map(|(_, duration)| duration)
}

/// [`scan`] by radix-sorting both sides of every ordered feature, on the CPU, all keys of a feature in memory: the
/// oracle of the counting, and what it is measured against. Asked for more than KS and the statistics of the PSI bins, it
/// leaves the rest undefined.
///
/// # Errors
/// As [`scan`].
pub fn scan_by_sorting(config: &ScanConfig) -> Result<Report, ScanError> {
    // Features that are too large for the limit would be counted after all.
    let config = ScanConfig { memory_limit: u64::MAX, ..config.clone() };
    measured(&config, Counting::Sorting).map(|(report, _)| report)
}

fn measured(config: &ScanConfig, counting: Counting) -> Result<(Report, Duration), ScanError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(config.threads).build();
    let pool = pool.map_err(|source| ScanError::Threads { threads: config.threads, source })?;
    pool.install(|| pipeline(config, &backend::cpu::Cpu, &crate::progress::NoProgress, counting))
}

/// The names of the features of both sides, in the order of a report, before any is selected. Reads footers only.
///
/// # Errors
/// When a side cannot be opened.
pub fn feature_names(config: &ScanConfig) -> Result<Vec<String>, ScanError> {
    let (_, reference, current) = open(config)?;
    Ok(matching::names(&reference, &current))
}

/// Opens both sides; a profile stands for the reference, whose data set has no files then.
fn open(config: &ScanConfig) -> Result<(Option<Profile>, Dataset, Dataset), ScanError> {
    let options = OpenOptions { skip_bad_files: config.skip_bad_files };
    let open = |side, paths| Dataset::open(paths, &options).map_err(|source| ScanError::Source { side, source });
    let profile = config.profile.as_deref().map(Profile::open).transpose()?;
    let reference = || match &profile {
        Some(profile) => Ok(Dataset::of_columns(profile.columns().to_vec())),
        None => open("reference", &config.reference),
    };
    let (reference, current) = rayon::join(reference, || open("current", &config.current));
    let (reference, current) = (reference?, current?);
    Ok((profile, reference, current))
}

fn pipeline(
    config: &ScanConfig,
    backend: &dyn Backend,
    progress: &dyn Progress,
    counting: Counting,
) -> Result<(Report, Duration), ScanError> {
    let start = Instant::now();
    let mut run = Run::start(config.clone());
    let (profile, reference, current) = open(config)?;
    run.reference = match (&config.profile, &profile) {
        (Some(path), Some(profile)) => {
            Input { paths: vec![path.display().to_string()], files: 1, rows: profile.rows(), skipped_files: Vec::new() }
        }
        _ => input(&config.reference, &reference),
    };
    run.current = input(&config.current, &current);
    let opened = start.elapsed();

    let mut matched = matching::match_features(&reference, &current, config)?;
    if let Some(file) = &config.weights {
        matched.weigh(&read_weights(file)?, file);
    }
    let context = Context {
        data: [&reference, &current],
        profile: profile.as_ref(),
        backend,
        memory: Memory::new(usize::try_from(config.memory_limit).unwrap_or(usize::MAX), config.threads),
        threads: config.threads,
        pool: Pool::default(),
        facts: if config.facts == FactsChoice::Full { FactsLevel::Full } else { FactsLevel::Basic },
        wanted: wanted(config, counting),
        progress,
        clock: Clock::default(),
    };
    progress.start(matched.tasks.len() as u64, context.rows());
    let counting = Instant::now();
    let answers = work::count(&context, &matched.tasks);
    let counted = counting.elapsed();
    // Not a fault of the data: the profile was built so that it cannot answer what is asked.
    let answers = answers.into_iter().map(|answer| match answer {
        Err(context::Failure::Profile(error @ ProfileError::Unanswered { .. })) => Err(ScanError::Profile(error)),
        answer => Ok(answer),
    });
    let answers = answers.collect::<Result<Vec<_>, _>>()?;

    let mut skipped = matched.skipped;
    let mut features = Vec::new();
    for (task, answer) in matched.tasks.iter().zip(answers) {
        match answer {
            Ok(counted) => features.push(evaluate::evaluate(task, counted, config)),
            Err(failure) => skipped.push(Skipped {
                name: task.name.clone(),
                reason: failure.to_string(),
                cause: SkipCause::Unreadable,
                named: matched.named.contains(&task.name),
            }),
        }
    }
    let concluded = evaluate::conclude(features, config);
    let findings = findings(&concluded, &skipped, [&reference, &current]);
    progress.finish();

    run.backend = backend.name().to_owned();
    run.device = backend.device();
    run.warnings = config.warnings().into_iter().chain(matched.warnings).chain(backend.warnings()).collect();
    run.duration_seconds = start.elapsed().as_secs_f64();
    let stages = [
        ("open", opened),
        ("decode", context.clock.decode.spent()),
        ("count", context.clock.count.spent()),
        ("read and count", counted),
        ("evaluate", start.elapsed().saturating_sub(opened + counted)),
    ];
    run.timings = stages.into_iter().map(|(stage, spent)| (stage.to_owned(), spent.as_secs_f64())).collect();
    Ok((Report::new(run, concluded.features, skipped).with_findings(findings), counted))
}

/// What the checks found: about the whole run first.
fn findings(concluded: &Concluded, skipped: &[Skipped], data: [&Dataset; 2]) -> Vec<Finding> {
    let only = |side: usize| {
        let here = |one: &&Skipped| one.cause == SkipCause::OneSided && data[side].column(&one.name).is_some();
        skipped.iter().filter(here).map(|one| one.name.as_str()).collect()
    };
    let sides = RunSides {
        rows: data.map(Dataset::rows),
        one_sided: [only(0), only(1)],
        incomparable: skipped
            .iter()
            .filter(|one| one.cause == SkipCause::Incomparable)
            .map(|one| one.name.as_str())
            .collect(),
        compared: concluded.features.len(),
        frozen: concluded.frozen,
    };
    let mut findings = quality::of_run(&sides);
    findings.extend(concluded.findings.iter().cloned());
    findings
}

fn input(paths: &[String], data: &Dataset) -> Input {
    let skipped = |(path, reason): &(std::path::PathBuf, String)| SkippedFile {
        path: path.display().to_string(),
        reason: reason.clone(),
    };
    Input {
        paths: paths.to_vec(),
        files: data.files().len() as u64,
        rows: data.rows(),
        skipped_files: data.bad_files().iter().map(skipped).collect(),
    }
}

fn wanted(config: &ScanConfig, counting: Counting) -> Wanted {
    let needs =
        |needs: Needs| METRICS.iter().any(|metric| config.wants(metric.card().name) && metric.card().needs == needs);
    Wanted {
        gap: needs(Needs::Gap),
        bins: needs(Needs::Table).then(|| u32::try_from(config.psi_bins).unwrap_or(u32::MAX)),
        quantiles: config.facts == FactsChoice::Full,
        everything: needs(Needs::Everything),
        max_categories: config.max_categories,
        counting,
    }
}
