//! The tables of a configuration file. A section is one file beside this one, and here one field and one line in each
//! of the three functions below.

use std::path::Path;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::checks::Checks;
use super::options::ScanOptions;
use super::settings::{Rule, Settings};
use super::side::{ReferenceConfig, SideConfig};
use super::sink::SinkConfig;
use super::source::SourceConfig;
use crate::alert::AlertsConfig;
use crate::concept::ConceptOptions;
use crate::history::HistoryConfig;
use crate::lineage::LineageConfig;
use crate::model::ModelOptions;
use crate::retrain::RetrainConfig;

/// A table, or an array of tables, of the file.
pub(super) trait Section: Sized {
    /// What a job says, and where it says nothing what all jobs share.
    #[must_use]
    fn over(self, shared: Self) -> Self;

    /// Puts the folder of the file in front of relative paths.
    fn relative_to(&mut self, _folder: &Path) {}

    /// Finds values that cannot be meant.
    fn check(&self, _checks: &mut Checks) {}
}

/// Everything that stands in a file, or in one job of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "gpudrift.toml")]
pub struct Sections {
    /// What is compared with.
    pub reference: ReferenceConfig,
    /// What is looked at.
    pub current: SideConfig,
    /// The data of both, in the place of the two: windows of time tell them apart.
    pub source: SourceConfig,
    /// Any option of `gpudrift scan`, with underscores for dashes.
    pub scan: ScanOptions,
    /// Settings for all features that match a pattern; the most specific rule wins.
    pub rule: Vec<Rule>,
    /// Settings of one feature, by its name; they win over rules.
    pub feature: IndexMap<String, Settings>,
    /// Where runs are kept.
    pub history: HistoryConfig,
    /// Who is told, by name.
    pub alerts: AlertsConfig,
    /// Where events of OpenLineage go.
    pub lineage: LineageConfig,
    /// When a model is to be trained again.
    pub retrain: RetrainConfig,
    /// Any option of `gpudrift concept scan`, with underscores for dashes.
    pub concept: Option<ConceptOptions>,
    /// Models by name: any option of `gpudrift model scan`, with underscores for dashes.
    pub model: IndexMap<String, ModelOptions>,
    /// What a run writes.
    pub sink: Vec<SinkConfig>,
    /// Jobs by name: any of the sections above, over the shared ones.
    pub job: IndexMap<String, Sections>,
}

impl Sections {
    fn has_sides(&self) -> bool {
        self.reference != ReferenceConfig::default() || self.current.paths.is_some()
    }
}

impl Section for Sections {
    /// Rules and features are not merged here: each keeps its place in the file. See [`super::JobConfig`].
    fn over(self, mut shared: Self) -> Self {
        // One source, or two sides: what a job has of either takes the place of the other that all share.
        if self.source.is_given() {
            (shared.reference, shared.current) = (ReferenceConfig::default(), SideConfig::default());
        } else if self.has_sides() {
            shared.source = SourceConfig::default();
        }
        Self {
            reference: self.reference.over(shared.reference),
            current: self.current.over(shared.current),
            source: self.source.over(shared.source),
            scan: self.scan.or(shared.scan),
            rule: Vec::new(),
            feature: IndexMap::new(),
            history: self.history.over(shared.history),
            alerts: self.alerts.over(shared.alerts),
            lineage: self.lineage.over(shared.lineage),
            retrain: self.retrain.over(shared.retrain),
            concept: self.concept.over(shared.concept),
            model: self.model.over(shared.model),
            sink: self.sink.over(shared.sink),
            job: IndexMap::new(),
        }
    }

    fn relative_to(&mut self, folder: &Path) {
        self.reference.relative_to(folder);
        self.current.relative_to(folder);
        self.source.relative_to(folder);
        self.scan.relative_to(folder);
        self.history.relative_to(folder);
        self.alerts.relative_to(folder);
        self.lineage.relative_to(folder);
        self.concept.relative_to(folder);
        self.model.relative_to(folder);
        self.sink.relative_to(folder);
        self.job.values_mut().for_each(|job| job.relative_to(folder));
    }

    fn check(&self, checks: &mut Checks) {
        checks.within("reference", |checks| self.reference.check(checks));
        checks.within("current", |checks| self.current.check(checks));
        checks.within("source", |checks| {
            self.source.check(checks);
            if self.source.is_given() && self.has_sides() {
                let key = if self.source.paths.is_some() { "paths" } else { "feast" };
                checks.wrong(key, "[source] is both sides: leave out [reference] and [current], or [source]");
            }
        });
        checks.within("scan", |checks| self.scan.check(checks));
        checks.within("rule", |checks| self.rule.check(checks));
        checks.within("feature", |checks| self.feature.check(checks));
        checks.within("history", |checks| self.history.check(checks));
        checks.within("alerts", |checks| self.alerts.check(checks));
        checks.within("lineage", |checks| self.lineage.check(checks));
        checks.within("retrain", |checks| self.retrain.check(checks));
        checks.within("concept", |checks| self.concept.check(checks));
        checks.within("model", |checks| self.model.check(checks));
        checks.within("sink", |checks| self.sink.check(checks));
        checks.within("job", |checks| {
            for (name, job) in &self.job {
                checks.within(name, |checks| job.check(checks));
                if !job.job.is_empty() {
                    checks.within(name, |checks| checks.wrong("job", "a job has no jobs of its own"));
                }
                if job.concept.is_some() {
                    let message = "a job is a scan: `gpudrift concept scan` reads [concept] outside of jobs";
                    checks.within(name, |checks| checks.wrong("concept", message));
                }
                if !job.model.is_empty() {
                    let message = "a job is a scan: `gpudrift model scan` reads [model.NAME] outside of jobs";
                    checks.within(name, |checks| checks.wrong("model", message));
                }
                if matches!(name.as_str(), "" | "all") || name.contains(['/', '\\', ',']) {
                    let message = format!("a job cannot be called {name:?}: `all` means every job, and the name may stand in the name of a file");
                    checks.wrong(name, message);
                }
            }
        });
    }
}

impl Section for Vec<Rule> {
    fn over(self, mut shared: Self) -> Self {
        shared.extend(self);
        shared
    }

    fn check(&self, checks: &mut Checks) {
        for (index, rule) in self.iter().enumerate() {
            checks.within(index, |checks| {
                checks.patterns("match", &rule.matches.0);
                if rule.matches.0.is_empty() {
                    checks.wrong("match", "match is empty, but must name a feature or a pattern");
                }
                if rule.settings == Settings::default() {
                    checks.wrong("match", "this rule says nothing about the features that it matches");
                }
                rule.settings.check(checks);
            });
        }
    }
}

impl Section for IndexMap<String, Settings> {
    fn over(self, mut shared: Self) -> Self {
        for (name, settings) in self {
            let under = shared.swap_remove(&name).unwrap_or_default();
            shared.insert(name, settings.or(under));
        }
        shared
    }

    fn check(&self, checks: &mut Checks) {
        for (name, settings) in self {
            checks.within(name, |checks| settings.check(checks));
        }
    }
}

/// `path` as seen from here, when it was written as seen from `folder`.
pub(super) fn beside(folder: &Path, path: &str) -> String {
    if path.contains("://") || Path::new(path).is_absolute() || folder.as_os_str().is_empty() {
        return path.to_owned();
    }
    folder.join(path).to_str().map_or_else(|| path.to_owned(), str::to_owned)
}
