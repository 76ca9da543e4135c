//! What the challenger learned from, beside the features that it would meet: a scan of features of the one against the other.

use indexmap::IndexMap;
use serde::Serialize;

use super::figures::Figure;
use super::policy::Policy;
use crate::config::{BackendChoice, ScanConfig};
use crate::format::real;
use crate::model::error::ModelError;
use crate::progress::NoProgress;
use crate::report::FeatureReport;
use crate::scan::scan;
use crate::verdict::Level;

/// A feature of the training data beside the current one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainingDrift {
    /// The feature.
    pub feature: String,
    /// Whether it moved, as `gpudrift scan` judges.
    pub level: Level,
    /// Population stability index.
    pub psi: Option<f64>,
    /// Of Kolmogorov–Smirnov, or of chi-squared, adjusted over all features (Benjamini–Hochberg).
    pub q_value: Option<f64>,
}

impl TrainingDrift {
    fn of(feature: &FeatureReport) -> Self {
        let q_value = feature.number("ks_q_value").or_else(|| feature.number("chi2_q_value"));
        Self { feature: feature.name.clone(), level: feature.level, psi: feature.number("psi"), q_value }
    }
}

/// Scans the features; none where no training data is named.
pub(super) fn drift(policy: &Policy) -> Result<Vec<TrainingDrift>, ModelError> {
    if policy.training.is_empty() {
        return Ok(Vec::new());
    }
    let features = if policy.features.is_empty() { vec!["all".to_owned()] } else { policy.features.clone() };
    let columns = [&policy.id, &policy.label, &policy.timestamp, &policy.prediction, &policy.score];
    let config = ScanConfig {
        reference: policy.training.clone(),
        current: policy.current.clone(),
        features,
        // What is no feature may stand in the same files.
        exclude: columns.into_iter().flatten().cloned().collect(),
        backend: BackendChoice::Cpu,
        threads: rayon::current_num_threads(),
        ..ScanConfig::default()
    };
    let report = scan(&config, &NoProgress).map_err(|error| ModelError::Training(Box::new(error)))?;
    if report.features.is_empty() {
        return Err(ModelError::NoFeatures);
    }
    Ok(report.features.iter().map(TrainingDrift::of).collect())
}

/// How many features are at a level or above, and the PSI of each.
pub(super) fn figures(all: &[TrainingDrift]) -> IndexMap<String, Figure> {
    let mut figures = IndexMap::new();
    if all.is_empty() {
        return figures;
    }
    let figure = |value: Option<f64>| Figure { value, method: "scan of features", ..Figure::default() };
    for level in [Level::Warning, Level::Critical] {
        let count = all.iter().filter(|one| one.level >= level).count();
        figures.insert(format!("training.{}", level.name()), figure(Some(real(count as u64))));
    }
    figures.extend(all.iter().map(|one| (format!("training.psi.{}", one.feature), figure(one.psi))));
    figures
}
