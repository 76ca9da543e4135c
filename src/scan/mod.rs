//! The whole pipeline: two data sets in, a report out. No arithmetic here.
//!
//! ```text
//!     paths -> Dataset        source    files, row groups, columns of either side
//!           -> Sample         parts     which rows: windows, segments, the last write of an event
//!           -> Task           plan      what is compared with what, and with which keys
//!           -> Counted        work      decoded to keys, counted by the backend, refined on the host
//!           -> FeatureReport  evaluate  metrics, facts, q-values, level
//!           -> Report         pipeline
//! ```

mod calibrate;
mod categories;
mod context;
mod evaluate;
mod freshness;
mod marks;
mod matching;
mod memory;
mod ordered;
mod parts;
mod pieces;
mod pipeline;
mod plan;
mod saving;
mod sorted;
mod splits;
mod streamed;
mod subject;
mod work;

pub use parts::PartsError;
pub use saving::SavedSide;

use crate::backend::{self, Asked, Backend};
use crate::config::{ConfigError, FactsChoice, ScanConfig, select_features};
use crate::progress::Progress;
use crate::report::{Report, Run, SkipCause, Skipped};
use crate::source::{SourceError, WeightsError};
use crate::window::AsOf;
use context::Counting;
use pipeline::{Made, Opened};
use plan::{Night, Sources};
use std::time::Duration;

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
    /// A side is to be saved of which less is counted than a profile holds.
    #[error("--save-profile needs all facts: leave out --facts basic")]
    BasicFacts,
    /// The devices asked for make no sense.
    #[error("devices: {0}")]
    Devices(String),
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
    /// Which rows are meant cannot be told.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// A feature view whose data cannot be read.
    #[error("the feature view {view} cannot be read: {problem}")]
    View {
        /// Its name.
        view: String,
        /// Why not.
        problem: String,
    },
    /// A report could not be handed on.
    #[error("cannot write a report")]
    Output(#[source] std::io::Error),
}

impl ScanError {
    /// Whether what was asked for is wrong, rather than the data.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Rules(_)
                | Self::BasicFacts
                | Self::Devices(_)
                | Self::Backend(backend::OpenError::NoSuchDevice { .. })
                | Self::Parts(PartsError::Column { .. } | PartsError::TooManySegments { .. } | PartsError::Window(_))
        )
    }
}

/// Compares every selected feature of the two data sets that `config` names.
///
/// # Errors
/// When a side cannot be opened or the backend asked for is not there. What is wrong with a single feature stands in
/// the report and costs no other feature.
pub fn scan(config: &ScanConfig, progress: &dyn Progress) -> Result<Report, ScanError> {
    scanned(config, progress, false).map(|(report, _)| report)
}

/// [`scan`] that saves the current side, to stand for a reference later. Nothing is saved of data that cannot be read at
/// all; the report says why.
///
/// # Errors
/// As [`scan`]; when facts are [basic](crate::config::FactsChoice::Basic), which is less than a profile holds; and when
/// temporary files cannot be written.
pub fn scan_and_save(config: &ScanConfig, progress: &dyn Progress) -> Result<(Report, Option<SavedSide>), ScanError> {
    if config.facts != FactsChoice::Full {
        return Err(ScanError::BasicFacts);
    }
    scanned(config, progress, true)
}

fn scanned(config: &ScanConfig, progress: &dyn Progress, save: bool) -> Result<(Report, Option<SavedSide>), ScanError> {
    if let Some(report) = unreadable(config) {
        return Ok((report, None));
    }
    let (night, pool) = (Night::new(config.clone())?, threads(config)?);
    let nights = std::slice::from_ref(&night);
    let (data, backend) = open(config, nights, &pool)?;
    one_night(nights, data, backend.as_ref(), progress, Counting::Cells, save, &pool)
        .map(|(report, made)| (report, made.saved))
}

/// Opens the backend while the footers are read: either may take some tenths of a second.
fn open(
    config: &ScanConfig,
    nights: &[Night],
    pool: &rayon::ThreadPool,
) -> Result<(Opened, Box<dyn Backend>), ScanError> {
    let asked = Asked::of(config).map_err(ScanError::Devices)?;
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| backend::open(&asked));
        let data = pool.install(|| Opened::new(nights));
        let backend = opening.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok((data?, backend))
    })
}

fn threads(config: &ScanConfig) -> Result<rayon::ThreadPool, ScanError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(config.threads).build();
    pool.map_err(|source| ScanError::Threads { threads: config.threads, source })
}

/// [`scan`] with a backend of the caller's.
///
/// # Errors
/// When a side cannot be opened.
pub fn scan_with(config: &ScanConfig, backend: &dyn Backend, progress: &dyn Progress) -> Result<Report, ScanError> {
    counted(config, backend, progress, Counting::Cells).map(|(report, _)| report)
}

/// Makes the reports of many `nights` in one pass over the data, or in as few as the memory limit allows, and hands them on
/// in order: each is the one that [`scan`] makes with that `as_of`, but for `run`.
///
/// # Errors
/// As [`scan`], for the first night that has one; and with what `each` fails with.
pub fn backfill(
    config: &ScanConfig,
    nights: &[AsOf],
    progress: &dyn Progress,
    each: &mut (dyn FnMut(Report) -> std::io::Result<()> + Send),
) -> Result<(), ScanError> {
    let of_night = |&as_of: &AsOf| {
        let mut config = config.clone();
        config.windows.as_of = Some(as_of);
        Night::new(config)
    };
    if let Some(view) = config.view.as_ref()
        && let Some(problem) = &view.problem
    {
        return Err(ScanError::View { view: view.name.clone(), problem: problem.clone() });
    }
    let planned: Vec<Night> = nights.iter().map(of_night).collect::<Result<_, _>>()?;
    if planned.is_empty() {
        return Ok(());
    }
    let pool = threads(config)?;
    let (data, backend) = open(config, &planned, &pool)?;
    let mut each = |report: Report| each(report).map_err(ScanError::Output);
    let run = || pipeline::run(&planned, data, backend.as_ref(), progress, Counting::Cells, false, &mut each);
    pool.install(run).map(|_| ())
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
    counted(config, &backend::cpu::Cpu, &crate::progress::NoProgress, counting)
}

/// The names of the features of both sides, in the order of a report, before any is selected. Reads footers only.
///
/// # Errors
/// When a side cannot be opened.
pub fn feature_names(config: &ScanConfig) -> Result<Vec<String>, ScanError> {
    if let Some(view) = config.view.as_ref().filter(|view| view.problem.is_some()) {
        return Ok(view.features.iter().map(|(name, ..)| name.clone()).collect());
    }
    let sources = Sources::open(&[Night::new(config.clone())?])?;
    let [reference, current] = [sources.data.first(), sources.data.last()];
    let columns = [reference, current].map(|data| data.map_or(&[][..], |data| data.columns()));
    let [reference, current] = columns.map(|columns| matching::of_view(columns, config.view.as_ref()));
    Ok(matching::names([reference.as_slice(), current.as_slice()]))
}

/// The report about a view that cannot be read: its features are skipped, with the reason.
fn unreadable(config: &ScanConfig) -> Option<Report> {
    let view = config.view.as_ref()?;
    let problem = view.problem.as_ref()?;
    let names: Vec<String> = view.features.iter().map(|(name, ..)| name.clone()).collect();
    let asked = select_features(&names, &config.features, &config.exclude, |_| None);
    let skipped = asked.names.iter().map(|name| Skipped {
        name: name.clone(),
        reason: problem.clone(),
        cause: SkipCause::Unsupported,
        named: asked.named.contains(name),
    });
    let mut run = Run::start(config.clone());
    run.warnings.push(format!("the feature view {} is not scanned: {problem}", view.name));
    Some(Report::new(run, Vec::new(), skipped.collect()))
}

fn counted(
    config: &ScanConfig,
    backend: &dyn Backend,
    progress: &dyn Progress,
    counting: Counting,
) -> Result<(Report, Duration), ScanError> {
    let (night, pool) = (Night::new(config.clone())?, threads(config)?);
    let nights = std::slice::from_ref(&night);
    let data = pool.install(|| Opened::new(nights))?;
    one_night(nights, data, backend, progress, counting, false, &pool).map(|(report, made)| (report, made.counted))
}

fn one_night(
    night: &[Night],
    data: Opened,
    backend: &dyn Backend,
    progress: &dyn Progress,
    counting: Counting,
    save: bool,
    pool: &rayon::ThreadPool,
) -> Result<(Report, Made), ScanError> {
    let mut report = None;
    let mut each = |made| {
        report = Some(made);
        Ok(())
    };
    let made = pool.install(|| pipeline::run(night, data, backend, progress, counting, save, &mut each))?;
    Ok((report.expect("one night has one report"), made))
}
