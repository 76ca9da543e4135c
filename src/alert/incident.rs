//! What is worth telling about: features whose level is not ok, and what was found about the whole run, as incidents.
//!
//! A feature is an incident of its own, and so is a check that found something about the whole run: a column that is gone,
//! a window without its data. A subject is the same every night, so that a later run knows that it goes on.

use indexmap::IndexMap;

use crate::quality::Finding;
use crate::report::{FeatureReport, Report};
use crate::verdict::Level;

/// Something that went wrong in one run, under one name.
#[derive(Clone, Debug)]
pub(super) struct Incident<'r> {
    /// What it is about, the same in every run: the name of the feature, or the check with [`WHOLE_RUN`] before it.
    pub(super) subject: String,
    /// One line for people.
    pub(super) title: String,
    /// The highest level of its features.
    pub(super) level: Level,
    /// The features, the most severe first; none when it is about the whole run.
    pub(super) features: Vec<&'r FeatureReport>,
}

/// What stands before the name of a check in the subject of an incident about the whole run.
const WHOLE_RUN: &str = "whole run: ";

/// The check, when a subject is one about the whole run.
pub(super) fn check_of(subject: &str) -> Option<&str> {
    subject.strip_prefix(WHOLE_RUN)
}

/// The incidents of a report from `least` on: those about the whole run first, then features, the most severe first.
pub(super) fn incidents(report: &Report, least: Level) -> Vec<Incident<'_>> {
    let features = report.by_severity().into_iter().filter(|feature| feature.level >= least.max(Level::Info));
    let incident = |feature| Incident {
        subject: feature_subject(feature),
        title: title(feature),
        level: feature.level,
        features: vec![feature],
    };
    of_run(report, least).into_iter().chain(features.map(incident)).collect()
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
        }
    };
    checks.into_iter().map(incident).collect()
}

fn feature_subject(feature: &FeatureReport) -> String {
    feature.name.clone()
}

fn title(feature: &FeatureReport) -> String {
    match feature.reasons.first() {
        Some(reason) => format!("{}: {reason}", feature.name),
        None => format!("{} is {}", feature.name, feature.level.name()),
    }
}

/// Whether the run could not see the subject, so that its silence says nothing: it was skipped, or no row came.
pub(super) fn is_unseen(report: &Report, subject: &str) -> bool {
    report.skipped.iter().any(|skipped| skipped.name == subject)
        || report.features.iter().any(|feature| feature.name == subject && feature.current.rows == 0)
}
