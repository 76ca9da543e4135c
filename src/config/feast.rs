//! A feature repository becomes scans: one a feature view, with the files, columns and times that Feast knows.
//!
//! A view is a job of its own, not a part of one report: views have files, times and entities of their own, and what is
//! wrong with one costs no other.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::resolve::{Resolved, resolve};
use super::rules::RuleSet;
use super::select::{Patterns, select_features};
use super::{ConfigError, JobConfig, Names, ScanOptions};
use crate::source::feast::{FeatureView, feature_views};

/// A feature view, as a scan needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Its name.
    pub name: String,
    /// Its features in their order: name, column of the files, type in the feature store.
    pub features: Vec<(String, String, String)>,
    /// Why none of them can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl View {
    /// The features by the columns that have them.
    #[must_use]
    pub fn names(&self) -> HashMap<String, String> {
        self.features.iter().map(|(name, column, _)| (column.clone(), name.clone())).collect()
    }

    /// Whether it has a feature of this name.
    #[must_use]
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|(name, ..)| name == feature)
    }
}

impl From<&FeatureView> for View {
    fn from(view: &FeatureView) -> Self {
        let features = view.features.iter();
        let features = features.map(|one| (one.name.clone(), one.column.clone(), one.value_type.clone())).collect();
        Self { name: view.name.clone(), features, problem: view.problem.clone() }
    }
}

/// The scans that flags and a job amount to: one, or one for each feature view of a feature repository.
///
/// # Errors
/// As [`resolve()`]; and when the repository cannot be read, or has none of the features that are asked for.
pub fn resolve_all(flags: &ScanOptions, job: Option<JobConfig>) -> Result<Vec<Resolved>, ConfigError> {
    let sides = [&flags.reference, &flags.current, &flags.source].into_iter().any(Option::is_some);
    let sides = sides || flags.profile.is_some();
    let in_file = job.as_ref().and_then(|job| job.sections.source.feast.clone()).filter(|_| !sides);
    let Some(path) = flags.feast.clone().or(in_file) else {
        return Ok(vec![resolve(flags.clone(), job)?]);
    };
    let views = feature_views(&path)?;
    let all: Vec<String> = views.iter().flat_map(|view| &view.features).map(|feature| feature.name.clone()).collect();
    let asked = flags.features.clone().or(job.as_ref().and_then(|job| job.sections.scan.features.clone()));
    let asked = Names::joined(asked).unwrap_or_else(|| vec!["all".to_owned()]);
    let selection = select_features(&all, &asked, &[], |_| None);
    if let Some(unmatched) = selection.unmatched.into_iter().next() {
        let expected = format!("{} in the feature repository {}", unmatched.reason, path.display());
        return Err(ConfigError::Value { key: "features", value: unmatched.pattern, expected });
    }
    if let Some(job) = &job {
        RuleSet::new(&job.rules, &all).check()?;
    }
    let selected = views.iter().filter(|view| view.features.iter().any(|one| selection.names.contains(&one.name)));
    selected.map(|view| of_view(flags, job.as_ref(), &asked, view)).collect()
}

/// What a job says about a scan without looking at its data.
///
/// # Errors
/// As [`resolve()`].
pub fn checked_alone(job: JobConfig) -> Result<Vec<Resolved>, ConfigError> {
    if job.sections.source.feast.is_some() {
        return super::resolve::without_data(&job).map(|_| Vec::new());
    }
    Ok(vec![resolve(ScanOptions::default(), Some(job))?])
}

/// The scan of a view.
fn of_view(
    flags: &ScanOptions,
    job: Option<&JobConfig>,
    asked: &[String],
    view: &FeatureView,
) -> Result<Resolved, ConfigError> {
    let names: Vec<String> = view.features.iter().map(|feature| feature.name.clone()).collect();
    // What is said about other views is said already to match there.
    let here = |patterns: &[String]| -> Vec<String> {
        let about = |pattern: &&String| {
            let one = Patterns::new(std::slice::from_ref(pattern));
            *pattern == "all" || names.iter().any(|name| one.matches(name))
        };
        patterns.iter().filter(about).cloned().collect()
    };
    let only = |given: &mut Option<Vec<Names>>| {
        let kept = Names::joined(given.take()).map(|patterns| here(&patterns)).filter(|kept| !kept.is_empty());
        *given = kept.map(|kept| vec![Names(kept)]);
    };
    let mut flags = flags.clone();
    let mut job = job.cloned();
    if let Some(job) = &mut job {
        for layer in &mut job.rules.0 {
            layer.patterns = here(&layer.patterns);
        }
        job.rules.0.retain(|layer| !layer.patterns.is_empty());
        only(&mut job.sections.scan.exclude);
        only(&mut job.sections.scan.categorical);
        job.name = Some(job.name.as_ref().map_or_else(|| view.name.clone(), |job| format!("{job}.{}", view.name)));
    }
    only(&mut flags.exclude);
    only(&mut flags.categorical);
    flags.features = Some(vec![Names(here(asked))]);
    flags.feast = None;
    // A view that cannot be read has no files, and is no mistake of who asks.
    flags.source = Some(if view.paths.is_empty() { vec![view.name.clone()] } else { view.paths.clone() });
    let said = flags.clone().or(job.as_ref().map(|job| job.sections.scan.clone()).unwrap_or_default());
    let one = |name: &String| vec![Names(vec![name.clone()])];
    if said.timestamp.is_none() && !view.timestamp.is_empty() {
        flags.timestamp = Some(one(&view.timestamp));
    }
    if said.entity.is_none() && !view.entity.is_empty() {
        flags.entity = Some(vec![Names(view.entity.clone())]);
    }
    if said.created.is_none() && !view.entity.is_empty() {
        flags.created.clone_from(&view.created);
    }
    if said.time_folders.is_none() {
        flags.time_folders = view.date_partition.as_ref().map(one);
    }
    let name = job.as_ref().and_then(|job| job.name.clone()).unwrap_or_else(|| view.name.clone());
    let mut resolved = resolve(flags, job)?;
    resolved.job = Some(name);
    resolved.scan.view = Some(view.into());
    Ok(resolved)
}
