//! What was meant: defaults, then `gpudrift.toml`, then flags. Unknown keys are errors.
//!
//! The file and the flags share one struct of options ([`ScanOptions`]); [`resolve`] fills in the defaults, checks
//! every value before any work starts, and gives the [`ScanConfig`], which is part of the report.
//!
//! ```toml
//! [reference]
//! paths = ["data/reference"]      # relative to the folder of this file; or: profile = "reference.gpd"
//!
//! [current]
//! paths = ["data/current"]
//!
//! # or [source] in the place of both, with timestamp and current_window under [scan]
//!
//! [scan]                          # the same keys as the flags, with underscores
//! exclude = ["*_id"]
//! psi_warning = 0.15
//! ```

mod check;
mod choices;
mod file;
mod machine;
mod options;
mod secret;
mod select;
mod windows;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use choices::{Adjust, BackendChoice, ColorChoice, FactsChoice, FailOn, KsMethod};
pub use file::{FileConfig, ReferenceConfig, SideConfig};
pub use options::{Names, ScanOptions};
pub use secret::{Refused, Secret, SecretError};
pub(crate) use select::did_you_mean;
pub use select::{Patterns, Selection, Unmatched, select_features};
pub(crate) use windows::Comparison;
pub use windows::{EpochUnit, WindowConfig};

use crate::metric::{Card, METRICS};
use crate::report::SINKS;
use crate::verdict::{Limits, Thresholds};

/// The file that is read when the command line does not name both sides.
pub const DEFAULT_FILE: &str = "gpudrift.toml";

/// The resolved configuration of a scan: what decides about its numbers, and what it may use of the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanConfig {
    /// Paths and globs of the reference.
    pub reference: Vec<String>,
    /// A profile that stands for the reference; its paths are empty then.
    #[serde(default)]
    pub profile: Option<PathBuf>,
    /// Paths and globs of the current side.
    pub current: Vec<String>,
    /// Names and globs of the features to scan; `all` is every comparable one.
    pub features: Vec<String>,
    /// Names and globs of features to leave out.
    pub exclude: Vec<String>,
    /// Names and globs of integer features to treat as categories.
    pub categorical: Vec<String>,
    /// Names of the metrics, in the order of [`METRICS`].
    pub metrics: Vec<String>,
    /// How many facts of the two sides are reported.
    pub facts: FactsChoice,
    /// Who counts.
    pub backend: BackendChoice,
    /// Threads to use.
    pub threads: usize,
    /// Bytes of memory to stay below.
    pub memory_limit: u64,
    /// At most so many categories a feature are kept; no bound when `None`.
    pub max_categories: Option<u64>,
    /// Whether files that cannot be read are left out instead of ending the run.
    pub skip_bad_files: bool,
    /// Bins of PSI and Jensen–Shannon.
    pub psi_bins: usize,
    /// Shares below this are raised to it in PSI.
    pub psi_floor: f64,
    /// How p-values of KS are computed.
    pub ks_method: KsMethod,
    /// How p-values become q-values.
    pub adjust: Adjust,
    /// When a feature gets which level.
    pub thresholds: Thresholds,
    /// Which rows are compared.
    #[serde(default, skip_serializing_if = "WindowConfig::is_off")]
    pub windows: WindowConfig,
}

impl Default for ScanConfig {
    /// Every default, and no paths.
    fn default() -> Self {
        Self {
            reference: Vec::new(),
            profile: None,
            current: Vec::new(),
            features: vec!["all".to_owned()],
            exclude: Vec::new(),
            categorical: Vec::new(),
            metrics: metric_names(|card| card.default),
            facts: FactsChoice::Full,
            backend: BackendChoice::Auto,
            threads: machine::threads(),
            memory_limit: machine::memory_limit(),
            max_categories: None,
            skip_bad_files: false,
            psi_bins: 10,
            psi_floor: 0.001,
            ks_method: KsMethod::Auto,
            adjust: Adjust::Bh,
            thresholds: Thresholds::default(),
            windows: WindowConfig::default(),
        }
    }
}

impl ScanConfig {
    /// Whether both sides are the same data, told apart by windows.
    #[must_use]
    pub fn has_one_source(&self) -> bool {
        self.reference == self.current && !self.windows.timestamp.is_empty()
    }

    /// Whether the metric called `name` is to be computed.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.metrics.iter().any(|metric| metric == name)
    }

    /// What the user should know about this configuration, though it is not wrong.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let effect = self.thresholds.effect.name();
        if !self.wants(effect) || !(self.wants("ks") || self.wants("chi2")) {
            warnings.push(format!(
                "no feature can become WARNING or CRITICAL: that takes the metric {effect} and a q-value, from ks or chi2"
            ));
        }
        warnings
    }
}

/// What becomes of a report: nothing here changes a number in it.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputConfig {
    /// Name of the sink.
    pub format: String,
    /// File to write; standard output when `None`.
    pub output: Option<PathBuf>,
    /// The level from which the run ends with the gate's exit code.
    pub fail_on: FailOn,
    /// At most so many features in the formats for people.
    pub top: Option<usize>,
    /// Every feature in the formats for people.
    pub all: bool,
    /// Whether to colour.
    pub color: ColorChoice,
    /// Whether to say on stderr how long each stage took.
    pub timings: bool,
    /// No messages but errors.
    pub quiet: bool,
    /// Whether a progress bar may be drawn.
    pub progress: bool,
}

/// A mistake in what was asked for, found before any work starts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A side has no path.
    #[error(
        "no {0} data is named, and there is no {DEFAULT_FILE} in this folder\n\n  \
         type: gpudrift scan --reference PATH --current PATH --features all\n  \
         or write a {DEFAULT_FILE} with `[reference] paths = [...]` and `[current] paths = [...]`"
    )]
    NoPaths(&'static str),
    /// The file was read and a side has no path.
    #[error("{file} names no {side} data: add `[{side}] paths = [\"...\"]` to it, or type --{side} PATH")]
    NoPathsInFile {
        /// The file.
        file: PathBuf,
        /// `reference` or `current`.
        side: &'static str,
    },
    /// The configuration file could not be read.
    #[error("cannot read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration file says something that gpudrift does not understand.
    #[error("{file}, line {line}: {message}\n\n    {text}\n    {marker}")]
    Parse {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong, and what may have been meant.
        message: String,
        /// The line.
        text: String,
        /// Points at the place.
        marker: String,
    },
    /// A window of time that cannot be meant.
    #[error(transparent)]
    Window(crate::window::WindowError),
    /// A value is out of its range.
    #[error("{key} is {value}, but {expected}")]
    Value {
        /// The flag or key, with underscores.
        key: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: String,
    },
}

/// The configuration that flags and file amount to.
///
/// `file` is what [`FileConfig::read`] gave, with paths that do not depend on the current folder any more.
///
/// # Errors
/// When a side has no path, or a value is out of its range.
pub fn resolve(flags: ScanOptions, file: Option<FileConfig>) -> Result<(ScanConfig, OutputConfig), ConfigError> {
    let defaults = ScanConfig::default();
    let limits = Thresholds::default();
    let (mut options, origin) = match file {
        Some(mut file) => {
            // One source, or two sides: what is typed takes the place of what the file has of either. Data named on the
            // command line wins over the file's profile.
            if flags.source.is_some() {
                (file.options.reference, file.options.profile, file.options.current) = (None, None, None);
            } else if flags.reference.is_some() || flags.profile.is_some() || flags.current.is_some() {
                file.options.source = None;
            }
            file.options.profile = file.options.profile.filter(|_| flags.reference.is_none());
            (flags.or(file.options), Some(file.path))
        }
        None => (flags, None),
    };
    let source = options.source.take().filter(|paths| !paths.is_empty());
    if let Some(source) = &source {
        if options.reference.is_some() || options.profile.is_some() || options.current.is_some() {
            return Err(ConfigError::Value {
                key: "source",
                value: source.join(", "),
                expected: "it is both sides: leave out --reference, --profile and --current".to_owned(),
            });
        }
        (options.reference, options.current) = (Some(source.clone()), Some(source.clone()));
    }
    let windows = windows::resolve(&mut options, source.is_some())?;
    let side = |paths: Option<Vec<String>>, side| match (paths.filter(|paths| !paths.is_empty()), &origin) {
        (Some(paths), _) => Ok(paths),
        (None, Some(file)) => Err(ConfigError::NoPathsInFile { file: file.clone(), side }),
        (None, None) => Err(ConfigError::NoPaths(side)),
    };
    let reference = match &options.profile {
        Some(_) => Vec::new(),
        None => side(options.reference.take(), "reference")?,
    };
    let current = side(options.current.take(), "current")?;
    let thresholds = Thresholds {
        effect: options.effect.unwrap_or(limits.effect),
        psi: pair(options.psi_warning, options.psi_critical, limits.psi),
        ks: pair(options.ks_warning, options.ks_critical, limits.ks),
        js: pair(options.js_warning, options.js_critical, limits.js),
        q: options.alpha.unwrap_or(limits.q),
        null_share: options.null_info.unwrap_or(limits.null_share),
        null_share_warning: options.null_warning,
        null_share_critical: options.null_critical,
        ks_info: options.ks_info.unwrap_or(limits.ks_info),
    };
    let config = ScanConfig {
        reference,
        profile: options.profile,
        current,
        features: Names::joined(options.features).unwrap_or(defaults.features),
        exclude: Names::joined(options.exclude).unwrap_or_default(),
        categorical: Names::joined(options.categorical).unwrap_or_default(),
        metrics: metrics(Names::joined(options.metrics))?,
        facts: options.facts.unwrap_or(defaults.facts),
        backend: options.backend.unwrap_or(defaults.backend),
        threads: options.threads.unwrap_or(defaults.threads),
        memory_limit: options.memory_limit.map_or(defaults.memory_limit, |limit| limit.as_u64()),
        max_categories: options.max_categories,
        skip_bad_files: options.skip_bad_files.unwrap_or(false),
        psi_bins: options.psi_bins.unwrap_or(defaults.psi_bins),
        psi_floor: options.psi_floor.unwrap_or(defaults.psi_floor),
        ks_method: options.ks_method.unwrap_or(defaults.ks_method),
        adjust: options.adjust.unwrap_or(defaults.adjust),
        thresholds,
        windows,
    };
    check::check(&config)?;
    let output = OutputConfig {
        format: format(options.format)?,
        output: options.output.filter(|path| path.as_os_str() != "-"),
        fail_on: options.fail_on.unwrap_or_default(),
        top: options.top,
        all: options.all.unwrap_or(false),
        color: options.color.unwrap_or_default(),
        timings: options.timings.unwrap_or(false),
        quiet: options.quiet.unwrap_or(false),
        progress: !options.no_progress.unwrap_or(false),
    };
    Ok((config, output))
}

/// Two limits; raising only the lower one above the other's default takes that along.
fn pair(warning: Option<f64>, critical: Option<f64>, default: Limits) -> Limits {
    let warning = warning.unwrap_or(critical.map_or(default.warning, |critical| critical.min(default.warning)));
    Limits { warning, critical: critical.unwrap_or(default.critical.max(warning)) }
}

fn metric_names(wanted: impl Fn(&Card) -> bool) -> Vec<String> {
    METRICS.iter().map(|metric| metric.card()).filter(|card| wanted(card)).map(|card| card.name.to_owned()).collect()
}

/// The metrics asked for, in the order of the list; `all` and `default` stand for several.
fn metrics(asked: Option<Vec<String>>) -> Result<Vec<String>, ConfigError> {
    let Some(asked) = asked else { return Ok(metric_names(|card| card.default)) };
    let known = || METRICS.iter().map(|metric| metric.card().name).chain(["all", "default"]);
    if let Some(unknown) = asked.iter().find(|name| !known().any(|known| known == *name)) {
        let all: Vec<_> = known().collect();
        let expected =
            format!("the metrics are {}{}", all.join(", "), select::did_you_mean(unknown, all.iter().copied()));
        return Err(ConfigError::Value { key: "metrics", value: unknown.clone(), expected });
    }
    let asked = |name: &str| asked.iter().any(|one| one == name);
    Ok(metric_names(|card| asked(card.name) || asked("all") || (card.default && asked("default"))))
}

fn format(asked: Option<String>) -> Result<String, ConfigError> {
    let name = asked.unwrap_or_else(|| SINKS[0].name().to_owned());
    if crate::report::sink(&name).is_none() {
        let all: Vec<_> = SINKS.iter().map(|sink| sink.name()).collect();
        return Err(ConfigError::Value {
            key: "format",
            value: name,
            expected: format!("the formats are {}", all.join(", ")),
        });
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
