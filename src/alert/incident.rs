//! What is worth telling about: features whose level is not ok, as incidents.
//!
//! A feature is an incident of its own. Its subject is the same every night, so that a later run knows that it goes on.

use crate::report::{FeatureReport, Report};
use crate::verdict::Level;

/// Something that went wrong in one run, under one name.
#[derive(Clone, Debug)]
pub(super) struct Incident<'r> {
    /// What it is about, the same in every run: the name of the feature.
    pub(super) subject: String,
    /// One line for people.
    pub(super) title: String,
    /// The highest level of its features.
    pub(super) level: Level,
    /// The features, the most severe first.
    pub(super) features: Vec<&'r FeatureReport>,
}

/// The incidents of a report from `least` on, the most severe first.
pub(super) fn incidents(report: &Report, least: Level) -> Vec<Incident<'_>> {
    let features = report.by_severity().into_iter().filter(|feature| feature.level >= least.max(Level::Info));
    let incident = |feature| Incident {
        subject: feature_subject(feature),
        title: title(feature),
        level: feature.level,
        features: vec![feature],
    };
    features.map(incident).collect()
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
