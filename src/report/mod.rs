//! Results out: the [`Report`], and the [`SINKS`] that write it.
//!
//! The report is the JSON contract (`schema_version` 1): the serde names of these types are the names in the file.
//! Everything outside [`Run`] is the same whichever backend counted, with however many threads: clocks, warnings and
//! machine facts stand only under `run`. Undefined numbers are null, and the feature's `undefined` says why. No
//! statistic is computed here; the module prints what it is given.

mod bars;
mod feature;
mod happened;
mod html;
mod impact;
mod json;
mod junit;
mod markdown;
mod ndjson;
mod number;
pub(crate) mod parquet;
pub(crate) mod prometheus;
mod rows;
#[cfg(test)]
pub(crate) mod samples;
mod selection;
mod sink;
mod table;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

pub use bars::sparkline;
pub use feature::{
    Categories, Category, Change, FactChange, Facts, FeatureReport, PsiBins, SideReport, Threshold, TopCategory,
};
pub use impact::{FeatureImpact, ModelImpact};
pub use number::{Edge, MetricValue, Number};
pub use prometheus::prometheus_of_jobs;
pub use selection::{ComparisonReport, FreshnessReport, SegmentRows, SegmentsReport, SelectionReport, WindowReport};
pub use sink::{SINKS, Sink, SinkOptions, sink, write_all};

use crate::change::incident::{self, Moved};
pub use crate::change::{Cause, ChangeKind, Incident};
pub use crate::column::Kind;
use crate::config::ScanConfig;
pub use crate::quality::Finding;
use crate::verdict::Level;

/// The version of the JSON contract. Additions keep it; a changed name or meaning raises it.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that a scan found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Who counted, what, how long, and with which configuration.
    pub run: Run,
    /// How many features have which level.
    pub summary: Summary,
    /// One entry a compared feature, in the order of the reference's schema.
    pub features: Vec<FeatureReport>,
    /// What could not be compared, in the order of the schemas.
    pub skipped: Vec<Skipped>,
    /// Features that moved together, the most severe first.
    #[serde(default)]
    pub incidents: Vec<Incident>,
    /// What the checks of data quality and schema found: about the whole run first, then in the order of the features.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// The current window against further references, in the order of `--compare`; the first stands in `features`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<ComparisonReport>,
    /// What the drift means for the models that use the features, the one most at risk first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelImpact>,
}

impl Report {
    /// The report of a finished run; the summary and the incidents follow from the features.
    #[must_use]
    pub fn new(run: Run, features: Vec<FeatureReport>, skipped: Vec<Skipped>) -> Self {
        let summary = Summary::of(&features, &skipped);
        let incidents = incidents(&features);
        let (findings, comparisons, models) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            schema_version: SCHEMA_VERSION,
            run,
            summary,
            features,
            skipped,
            incidents,
            findings,
            comparisons,
            models,
        }
    }

    /// The report with what the checks found.
    #[must_use]
    pub fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self
    }

    /// The report with one finding more about the whole run.
    pub fn add_finding(&mut self, finding: Finding) {
        let at = self.findings.partition_point(|known| known.feature.is_none());
        self.findings.insert(at, finding);
    }

    /// Counts the levels and groups the incidents anew, after levels changed.
    pub fn settle(&mut self) {
        self.summary = Summary::of(&self.features, &self.skipped);
        self.incidents = incidents(&self.features);
    }

    /// The features as people want to see them: by level, then by weight × effect, then by name, the most severe first.
    ///
    /// The effect is the one that levels rest on, PSI by default; a feature without a weight has 1.
    #[must_use]
    pub fn by_severity(&self) -> Vec<&FeatureReport> {
        let mut features: Vec<_> = self.features.iter().collect();
        let effect = self.run.config.thresholds.effect.metric();
        let rank = |feature: &FeatureReport| {
            let effect = feature.number(effect).or_else(|| feature.number("psi"));
            effect.map_or(f64::NEG_INFINITY, |effect| effect * feature.weight.unwrap_or(1.0))
        };
        features.sort_by(|a, b| {
            b.level.cmp(&a.level).then_with(|| rank(b).total_cmp(&rank(a))).then_with(|| a.name.cmp(&b.name))
        });
        features
    }

    /// The highest level of any feature.
    #[must_use]
    pub fn worst(&self) -> Level {
        self.features.iter().map(|feature| feature.level).max().unwrap_or_default()
    }

    /// The highest level of any feature, and of what was found about the whole run: what `--fail-on` goes by.
    #[must_use]
    pub fn gate(&self) -> Level {
        let of_run = self.findings.iter().filter(|finding| finding.feature.is_none()).map(|finding| finding.level);
        of_run.max().unwrap_or_default().max(self.worst())
    }
}

fn incidents(features: &[FeatureReport]) -> Vec<Incident> {
    let moved = features.iter().filter_map(|feature| {
        let change = feature.change_kind.as_ref()?;
        Some(Moved { name: &feature.name, level: feature.level, change })
    });
    incident::group(&moved.collect::<Vec<_>>())
}

/// The circumstances of a run. Two runs over the same data differ here alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Name of the job in the configuration, where that has jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// `cpu` or `gpu`: who counted.
    pub backend: String,
    /// The device in words.
    pub device: String,
    /// Version of gpudrift.
    pub version: String,
    /// What the reference was read from.
    pub reference: Input,
    /// What the current side was read from.
    pub current: Input,
    /// The resolved configuration.
    pub config: ScanConfig,
    /// When the run began, RFC 3339, UTC.
    pub started_at: String,
    /// Wall time in seconds.
    pub duration_seconds: f64,
    /// Seconds a stage, in the order of the stages. Stages overlap, so they need not add up to the duration.
    pub timings: IndexMap<String, f64>,
    /// What went wrong without costing the result: a device that was lost, an exclusion that matched nothing.
    pub warnings: Vec<String>,
    /// Checks of the whole run that could tell nothing: that they found nothing says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blind_checks: Vec<String>,
    /// Which rows were read of the data, one entry a data set; absent without windows and segments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selection: Vec<SelectionReport>,
    /// The segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<SegmentsReport>,
    /// Whether the current window has its data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<FreshnessReport>,
}

impl Run {
    /// A run that begins now, with this version of the program; the rest is for the pipeline to fill.
    #[must_use]
    pub fn start(config: ScanConfig) -> Self {
        let started_at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), config, started_at, ..Self::default() }
    }
}

/// What one side was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Paths as they were given.
    pub paths: Vec<String>,
    /// Number of files behind them, or with rows in the window.
    pub files: u64,
    /// Rows in these files, or in the window.
    pub rows: u64,
    /// The window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowReport>,
    /// Files left out because they could not be read and `--skip-bad-files` allowed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped_files: Vec<SkippedFile>,
}

/// A file that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedFile {
    /// The file.
    pub path: String,
    /// Why it could not be read.
    pub reason: String,
}

/// Numbers of features. `features` is `scanned` + `skipped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// All features of the run.
    pub features: u64,
    /// Those that were compared.
    pub scanned: u64,
    /// Those that were not.
    pub skipped: u64,
    /// Compared features with level `ok`.
    pub ok: u64,
    /// Compared features with level `info`.
    pub info: u64,
    /// Compared features with level `warning`.
    pub warning: u64,
    /// Compared features with level `critical`.
    pub critical: u64,
}

impl Summary {
    /// Counts the levels.
    #[must_use]
    pub fn of(features: &[FeatureReport], skipped: &[Skipped]) -> Self {
        let with = |level| features.iter().filter(|feature| feature.level == level).count() as u64;
        let (scanned, skipped) = (features.len() as u64, skipped.len() as u64);
        Self {
            features: scanned + skipped,
            scanned,
            skipped,
            ok: with(Level::Ok),
            info: with(Level::Info),
            warning: with(Level::Warning),
            critical: with(Level::Critical),
        }
    }

    /// Number of features with `level`.
    #[must_use]
    pub fn of_level(&self, level: Level) -> u64 {
        match level {
            Level::Ok => self.ok,
            Level::Info => self.info,
            Level::Warning => self.warning,
            Level::Critical => self.critical,
        }
    }
}

/// A feature that could not be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Name of the feature, or the pattern that matched none.
    pub name: String,
    /// Why, and what to do about it.
    pub reason: String,
    /// The kind of reason.
    pub cause: SkipCause,
    /// Whether `--features` asked for it by name (or by a pattern that matched nothing).
    pub named: bool,
}

impl Skipped {
    /// Whether the run has failed its user here: a feature asked for by name, or a column that failed to read.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.named || self.cause == SkipCause::Unreadable
    }
}

/// Why a feature could not be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipCause {
    /// It is on one side only.
    OneSided,
    /// Its type cannot be scanned: nested, for example.
    Unsupported,
    /// Its types on the two sides cannot be compared.
    Incomparable,
    /// A file has several columns of this name.
    Duplicate,
    /// Reading or decoding the column failed.
    Unreadable,
    /// No feature has this name, or matches this pattern.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_is_level_then_psi_then_name() {
        let report = samples::report();
        let order: Vec<_> = report.by_severity().iter().map(|f| (f.level, f.number("psi"), f.name.as_str())).collect();
        for pair in order.windows(2) {
            let [(level, psi, name), (next_level, next_psi, next_name)] = [pair[0], pair[1]];
            assert!(
                level > next_level
                    || (level == next_level && (psi > next_psi || (psi == next_psi && name < next_name)))
            );
        }
        assert_eq!(report.worst(), Level::Critical);
    }

    #[test]
    fn the_summary_adds_up() {
        let summary = samples::report().summary;
        assert_eq!(summary.features, summary.scanned + summary.skipped);
        assert_eq!(summary.scanned, Level::ALL.iter().map(|&level| summary.of_level(level)).sum::<u64>());
    }

    #[test]
    fn a_run_starts_at_an_rfc_3339_instant_in_utc() {
        let run = Run::start(ScanConfig::default());
        assert!(chrono::DateTime::parse_from_rfc3339(&run.started_at).is_ok());
        assert!(run.started_at.ends_with('Z'));
    }
}
