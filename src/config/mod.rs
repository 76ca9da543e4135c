//! What was meant: defaults, then `gpudrift.toml`, then flags. Unknown keys are errors.
//!
//! The file and the flags share one struct of options ([`ScanOptions`]); [`resolve()`] fills in the defaults, checks
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
//!
//! [[rule]]                        # any setting of a feature, for all that match
//! match = "user:*"
//! psi_critical = 0.3
//!
//! [feature."user:age"]            # wins over rules
//! weight = 10
//! ```
//!
//! | file | what it knows |
//! |---|---|
//! | `sections` | the tables of the file, one file each: `side`, `options` (`[scan]`), `settings` (of a feature), `sink`, `history`, `alerts`, `retrain`, `concept`, `model` |
//! | `file`, `document` | the text, the places of its keys, messages with lines |
//! | `job` | `[job.NAME]` over what jobs share |
//! | `rules` | which settings a feature has, and who says so |
//! | `resolve`, `check` | defaults, file and flags become one configuration |
//! | `secret` | what must not stand in the file |

mod alerts;
mod check;
mod checks;
mod choices;
mod concept;
mod document;
mod error;
mod explain;
mod feast;
mod file;
mod history;
mod job;
mod lineage;
mod machine;
mod model;
mod optional;
mod options;
mod propose;
mod propose_times;
mod resolve;
mod retrain;
mod rules;
mod schema;
mod secret;
mod sections;
mod select;
mod settings;
mod side;
mod sink;
mod source;
mod windows;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use choices::{Adjust, BackendChoice, ColorChoice, FactsChoice, FailOn, KsMethod, ThresholdChoice};
pub use document::{Document, KeyPath, Problem};
pub use error::ConfigError;
pub use explain::{Explained, Explanation, Said, explain};
pub use feast::{View, checked_alone, resolve_all};
pub use file::FileConfig;
pub use job::{ALL_JOBS, JobConfig};
pub(crate) use optional::optional;
pub use options::{Names, ScanOptions};
pub use propose::{Sides, propose};
pub use resolve::{Resolved, resolve};
pub use rules::{Applied, Idle, Layer, Rank, RuleSet, Rules};
pub use schema::schema;
pub(crate) use secret::public_address;
pub use secret::{Refused, Secret, SecretError};
pub use sections::Sections;
pub(crate) use select::did_you_mean;
pub use select::{Patterns, Selection, Unmatched, select_features};
pub use settings::{Rule, Settings};
pub use side::{ReferenceConfig, SideConfig};
pub use sink::SinkConfig;
pub use source::SourceConfig;
pub(crate) use windows::Comparison;
pub use windows::{EpochUnit, WindowConfig};

use crate::verdict::Thresholds;

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
    /// The feature view of a feature store that both sides are windows of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
    /// Names and globs of the features to scan; `all` is every comparable one.
    pub features: Vec<String>,
    /// Names and globs of features to leave out.
    pub exclude: Vec<String>,
    /// Names and globs of integer features to treat as categories.
    pub categorical: Vec<String>,
    /// Names of the metrics, in the order of [`METRICS`](crate::metric::METRICS).
    pub metrics: Vec<String>,
    /// How many facts of the two sides are reported.
    pub facts: FactsChoice,
    /// Who counts.
    pub backend: BackendChoice,
    /// The devices that count: none for the best one, `all`, or numbers and PCI addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Threads to use.
    pub threads: usize,
    /// Bytes of memory to stay below.
    pub memory_limit: u64,
    /// At most so many categories a feature are kept; no bound when `None`.
    pub max_categories: Option<u64>,
    /// A file with the importance of features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// Its column with the weights; `weight` or `importance` when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_column: Option<String>,
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
    /// What is said about single features.
    #[serde(default, skip_serializing_if = "Rules::is_empty")]
    pub rules: Rules,
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
            view: None,
            features: vec!["all".to_owned()],
            exclude: Vec::new(),
            categorical: Vec::new(),
            metrics: resolve::metric_names(|card| card.default),
            facts: FactsChoice::Full,
            backend: BackendChoice::Auto,
            devices: Vec::new(),
            threads: machine::threads(),
            memory_limit: machine::memory_limit(),
            max_categories: None,
            weights: None,
            weights_column: None,
            skip_bad_files: false,
            psi_bins: 10,
            psi_floor: 0.001,
            ks_method: KsMethod::Auto,
            adjust: Adjust::Bh,
            thresholds: Thresholds::default(),
            rules: Rules::default(),
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

    /// Whether limits of some feature are learned from the reference.
    #[must_use]
    pub fn calibrates(&self) -> bool {
        let calibrated = |layer: &Layer| layer.settings.threshold == Some(ThresholdChoice::Calibrated);
        self.thresholds.calibration.calibrated || self.rules.0.iter().any(calibrated)
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
        let today = self.windows.night().day();
        for layer in &self.rules.0 {
            if let Some(until) = layer.settings.muted_until().filter(|until| *until < today) {
                warnings.push(format!("the mute of {layer} ({}) ended on {until}: take it out", layer.origin));
            }
        }
        warnings
    }
}

/// What becomes of a report: nothing here changes a number in it.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputConfig {
    /// What is written, in which format; at most one entry goes to standard output.
    pub sinks: Vec<SinkConfig>,
    /// Where the current side goes as a profile.
    pub save_profile: Option<PathBuf>,
    /// The level from which the run ends with the gate's exit code.
    pub fail_on: FailOn,
    /// Whether to colour.
    pub color: ColorChoice,
    /// Whether to say on stderr how long each stage took.
    pub timings: bool,
    /// No messages but errors.
    pub quiet: bool,
    /// Whether a progress bar may be drawn.
    pub progress: bool,
}

#[cfg(test)]
mod tests;
