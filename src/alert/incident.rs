//! What is worth telling about: features whose level is not ok, and what was found about the whole run, as incidents.
//!
//! Features that moved together in one night, of one table and in the same way, are one incident; so is a check that found
//! something about the whole run: a column that is gone, a window without its data.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use crate::change::incident::{Moved, group};
use crate::quality::Finding;
use crate::report::{FeatureReport, Report};
use crate::verdict::Level;

/// Something that went wrong in one run, under one name.
#[derive(Clone, Debug)]
pub(super) struct Incident<'r> {
    /// What it is about: the first of its features by name, or the check with [`WHOLE_RUN`] before it.
    pub(super) subject: String,
    /// One line for people.
    pub(super) title: String,
    /// The highest level of its features.
    pub(super) level: Level,
    /// The features, the most severe first; none when it is about the whole run.
    pub(super) features: Vec<&'r FeatureReport>,
    /// What else it consists of: figures and segments of a model.
    pub(super) others: Vec<String>,
}

/// What stands before the name of a check in the subject of an incident about the whole run.
const WHOLE_RUN: &str = "whole run: ";

/// What stands before the name of a model in the subject of an incident about it.
const MODEL: &str = "model: ";
/// What stands before the version there.
const VERSION: &str = ", version ";

/// The subject of incidents about a version of a model.
pub(super) fn subject_of_model(model: &str, version: Option<&str>) -> String {
    let version = version.map(|version| format!("{VERSION}{version}")).unwrap_or_default();
    format!("{MODEL}{model}{version}")
}

/// Whether a subject is one about a model.
pub(super) fn is_about_model(subject: &str) -> bool {
    subject.starts_with(MODEL)
}

/// Whether it is about a version of this model.
pub(super) fn is_of_model(subject: &str, model: &str) -> bool {
    let rest = subject.strip_prefix(MODEL).and_then(|name| name.strip_prefix(model));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(VERSION))
}

/// The check, when a subject is one about the whole run.
pub(super) fn check_of(subject: &str) -> Option<&str> {
    subject.strip_prefix(WHOLE_RUN)
}

/// The incidents of a report from `least` on: those about the whole run first, then features, the most severe first.
pub(super) fn incidents(report: &Report, least: Level) -> Vec<Incident<'_>> {
    let loud = report.by_severity().into_iter();
    let loud: Vec<_> = loud.filter(|feature| is_loud(feature, least)).collect();
    let together = group(&loud.iter().filter_map(|feature| moved(feature)).collect::<Vec<_>>());
    let together: IndexMap<&str, usize> = together
        .iter()
        .enumerate()
        .flat_map(|(index, incident)| incident.features.iter().map(move |name| (name.as_str(), index)))
        .collect();
    // In the order of the worst feature of each; one that nothing is known to have happened to is alone.
    let mut groups: IndexMap<Result<usize, &str>, Vec<&FeatureReport>> = IndexMap::new();
    for feature in loud {
        let key = together.get(feature.name.as_str()).copied().ok_or(feature.name.as_str());
        groups.entry(key).or_default().push(feature);
    }
    of_run(report, least).into_iter().chain(groups.into_values().map(Incident::of)).collect()
}

/// A muted feature asks for nothing, however low the level is that a channel wants to hear of.
fn is_loud(feature: &FeatureReport, least: Level) -> bool {
    feature.level >= least.max(Level::Info) && feature.muted_until.is_none()
}

fn moved(feature: &FeatureReport) -> Option<Moved<'_>> {
    Some(Moved { name: &feature.name, level: feature.level, change: feature.change_kind.as_ref()? })
}

impl<'r> Incident<'r> {
    /// The incident of these features, the most severe first.
    pub(super) fn of(features: Vec<&'r FeatureReport>) -> Self {
        Self {
            subject: features.iter().map(|feature| feature.name.as_str()).min().unwrap_or_default().to_owned(),
            title: title(&features),
            level: features.iter().map(|feature| feature.level).max().unwrap_or_default(),
            features,
            others: Vec::new(),
        }
    }
}

/// One incident a check, with all that it found.
fn of_run(report: &Report, least: Level) -> Vec<Incident<'_>> {
    let mut checks: IndexMap<&str, Vec<&Finding>> = IndexMap::new();
    let of_run = report.findings.iter().filter(|finding| finding.feature.is_none());
    for finding in of_run.filter(|finding| finding.level >= least.max(Level::Warning)) {
        checks.entry(&finding.check).or_default().push(finding);
    }
    let incident = |(check, findings): (&str, Vec<&Finding>)| {
        let more = match findings.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more of this kind"),
        };
        Incident {
            subject: format!("{WHOLE_RUN}{check}"),
            title: format!("{}{more}", findings[0].message),
            level: findings.iter().map(|finding| finding.level).max().unwrap_or_default(),
            features: Vec::new(),
            others: Vec::new(),
        }
    };
    checks.into_iter().map(incident).collect()
}

/// What happened to most of them, in words; of one alone why it has its level.
fn title(features: &[&FeatureReport]) -> String {
    match features {
        [] => String::new(),
        [feature] => match feature.reasons.first() {
            Some(reason) => format!("{}: {reason}", feature.name),
            None => format!("{} is {}", feature.name, feature.level.name()),
        },
        many => {
            let groups = group(&many.iter().filter_map(|feature| moved(feature)).collect::<Vec<_>>());
            match groups.first() {
                Some(first) if first.features.len() == many.len() => first.title.clone(),
                Some(first) => format!("{}, and {} more", first.title, many.len() - first.features.len()),
                None => format!("{} features", many.len()),
            }
        }
    }
}

/// What a run says about a feature that is in an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is worth telling about.
    Loud,
    /// It is not.
    Quiet,
    /// Somebody has muted it, and it would be loud.
    Muted,
    /// The run could not see it, so that its silence says nothing: it was skipped, or no row came.
    Unseen,
    /// The job does not have it any more.
    Gone,
}

/// A report, by the names of its features.
pub(super) struct Sight<'r> {
    least: Level,
    features: HashMap<&'r str, &'r FeatureReport>,
    skipped: HashSet<&'r str>,
}

impl<'r> Sight<'r> {
    /// What there is to see in `report` from `least` on.
    pub(super) fn of(report: &'r Report, least: Level) -> Self {
        let features = report.features.iter().map(|feature| (feature.name.as_str(), feature)).collect();
        Self { least, features, skipped: report.skipped.iter().map(|skipped| skipped.name.as_str()).collect() }
    }

    /// The feature called `name`.
    pub(super) fn feature(&self, name: &str) -> Option<&'r FeatureReport> {
        self.features.get(name).copied()
    }

    /// What the report says about the feature called `name`.
    pub(super) fn seen(&self, name: &str) -> Seen {
        match self.feature(name) {
            Some(feature) if is_loud(feature, self.least) => Seen::Loud,
            Some(feature) if feature.current.rows == 0 => Seen::Unseen,
            Some(feature) if feature.muted_until.is_some() => Seen::Muted,
            Some(_) => Seen::Quiet,
            None if self.skipped.contains(name) => Seen::Unseen,
            None => Seen::Gone,
        }
    }
}

/// Whether the check could tell nothing in this run, so that its silence says nothing.
pub(super) fn is_blind(report: &Report, check: &str) -> bool {
    report.run.blind_checks.iter().any(|blind| blind == check)
}
