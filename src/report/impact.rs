//! Which drift is likely to hurt which model: levels of features, weighed by their importance to a model.
//!
//! ```text
//!     impact of a feature = severity of its level × importance / Σ importances of the model
//!     severity            = 0 ok, 1/3 info, 2/3 warning, 1 critical
//!     risk of a model     = Σ impacts: 0 when all its features are ok, 1 when all are critical
//! ```
//!
//! A feature that can no longer be compared (gone, of another type, unreadable) counts as critical. Without importances every
//! feature of a model has the same. It is a rank and no forecast: how much performance suffers, labels or estimates tell.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::{Report, SkipCause};
use crate::format::{counted, percent, printable};
use crate::verdict::Level;

/// Features of a model that are named in text.
const NAMED: usize = 6;

/// What the drift of this run means for a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelImpact {
    /// Name of the model in the configuration.
    pub model: String,
    /// Sum of the impacts, 0 to 1.
    pub risk: f64,
    /// Whether the configuration has importances; else all features count the same.
    pub weighed: bool,
    /// Features that the model uses.
    pub features: u64,
    /// Those of them with an impact, the highest first.
    pub impacts: Vec<FeatureImpact>,
    /// Those of them that this run has not looked at.
    pub unknown: Vec<String>,
}

/// What the drift of a feature means for a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureImpact {
    /// Name of the feature in this report.
    pub feature: String,
    /// Its level; critical where it cannot be compared.
    pub level: Level,
    /// Its share of the importance of all features of the model.
    pub importance: f64,
    /// Severity of the level times importance.
    pub impact: f64,
    /// Why it cannot be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How much of a feature's importance a level puts at risk.
fn severity(level: Level) -> f64 {
    match level {
        Level::Ok => 0.0,
        Level::Info => 1.0 / 3.0,
        Level::Warning => 2.0 / 3.0,
        Level::Critical => 1.0,
    }
}

impl ModelImpact {
    /// What `report` means for the model that uses these features, each with its importance: not negative, whatever the unit.
    #[must_use]
    pub fn of(model: &str, features: &[(String, f64)], weighed: bool, report: &Report) -> Self {
        let all: f64 = features.iter().map(|(_, importance)| importance).sum();
        let (mut impacts, mut unknown) = (Vec::new(), Vec::new());
        for (name, importance) in features {
            let Some((feature, level, reason)) = found(report, name) else {
                unknown.push(name.clone());
                continue;
            };
            let importance = if all > 0.0 { importance / all } else { 0.0 };
            let impact = severity(level) * importance;
            impacts.push(FeatureImpact { feature, level, importance, impact, reason });
        }
        impacts.retain(|one| one.impact > 0.0);
        impacts.sort_by(|a, b| b.impact.total_cmp(&a.impact).then_with(|| a.feature.cmp(&b.feature)));
        // An empty sum of f64 is −0.
        let risk = impacts.iter().fold(0.0, |risk, one| risk + one.impact);
        Self { model: model.to_owned(), risk, weighed, features: features.len() as u64, impacts, unknown }
    }
}

/// The feature of the report that a model calls `name`: by its whole name, or by the name of its column alone where no other
/// feature has it. Its name, its level, and why it cannot be compared.
fn found(report: &Report, name: &str) -> Option<(String, Level, Option<String>)> {
    let compared = report.features.iter().map(|feature| (feature.name.as_str(), feature.level, None));
    let skipped = report.skipped.iter().filter(|skipped| skipped.cause != SkipCause::Unknown);
    let skipped = skipped.map(|skipped| (skipped.name.as_str(), Level::Critical, Some(skipped.reason.as_str())));
    let all: Vec<_> = compared.chain(skipped).collect();
    let column = |full: &str| full.rsplit_once(':').is_some_and(|(_, column)| column == name);
    let mut by_column = all.iter().filter(|(full, ..)| column(full));
    let chosen = all.iter().find(|(full, ..)| *full == name).or_else(|| {
        let only = by_column.next();
        only.filter(|_| by_column.next().is_none())
    });
    chosen.map(|(name, level, reason)| ((*name).to_owned(), *level, reason.map(str::to_owned)))
}

/// What an impact is called beside its feature: `car_value (critical, 35% of importance)`.
fn told(impact: &FeatureImpact, weighed: bool) -> String {
    let share = if weighed { format!(", {} of importance", percent(impact.importance)) } else { String::new() };
    let level = if impact.reason.is_some() { "not comparable" } else { impact.level.name() };
    printable(&format!("{} ({level}{share})", impact.feature))
}

/// What is at risk, in words: features with an impact, then what was not looked at.
pub(super) fn words(model: &ModelImpact) -> String {
    let mut parts: Vec<String> = model.impacts.iter().take(NAMED).map(|impact| told(impact, model.weighed)).collect();
    if model.impacts.len() > NAMED {
        parts.push(format!("and {} more", model.impacts.len() - NAMED));
    }
    let mut text = if parts.is_empty() { "no drift in its features".to_owned() } else { parts.join(", ") };
    if !model.unknown.is_empty() {
        let named: Vec<String> = model.unknown.iter().take(NAMED).map(|name| printable(name)).collect();
        let more = model.unknown.len() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text += &format!("; not scanned: {}{more}", named.join(", "));
    }
    text
}

/// `0.42 at risk, 3 of 7 features drifting`.
pub(super) fn risk(model: &ModelImpact) -> String {
    let features = counted(model.features, "feature", "features");
    format!("{:.2} at risk, {} of {features} drifting", model.risk, model.impacts.len())
}

/// The models as Markdown, the one most at risk first.
pub(super) fn write_markdown(
    out: &mut dyn Write,
    models: &[ModelImpact],
    escaped: impl Fn(&str) -> String,
) -> io::Result<()> {
    if models.is_empty() {
        return Ok(());
    }
    writeln!(out, "| model | at risk | drift by level × importance |")?;
    writeln!(out, "|---|--:|---|")?;
    for model in models {
        writeln!(out, "| {} | {:.2} | {} |", escaped(&model.model), model.risk, escaped(&words(model)))?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn of(features: &[(&str, f64)]) -> ModelImpact {
        let features: Vec<_> = features.iter().map(|(name, importance)| ((*name).to_owned(), *importance)).collect();
        ModelImpact::of("m", &features, true, &samples::report())
    }

    #[test]
    fn impacts_are_severity_times_share_of_importance() {
        let report = samples::report();
        let named = |level| report.features.iter().find(|feature| feature.level == level).unwrap().name.as_str();
        let (critical, warning, ok) = (named(Level::Critical), named(Level::Warning), named(Level::Ok));
        let model = of(&[(warning, 6.0), (critical, 3.0), (ok, 1.0)]);
        let told: Vec<_> = model.impacts.iter().map(|one| (one.feature.as_str(), one.importance)).collect();
        assert_eq!(told, [(warning, 0.6), (critical, 0.3)]);
        assert!((model.risk - (0.6 * 2.0 / 3.0 + 0.3)).abs() < 1e-12);
        assert_eq!((of(&[(critical, 5.0)]).risk, of(&[(ok, 5.0)]).risk, of(&[(critical, 0.0)]).risk), (1.0, 0.0, 0.0));
    }

    #[test]
    fn a_feature_that_cannot_be_compared_is_critical_and_one_not_looked_at_unknown() {
        let report = samples::report();
        let skipped = report.skipped.iter().find(|skipped| skipped.cause != SkipCause::Unknown).unwrap();
        let model = of(&[(skipped.name.as_str(), 1.0), ("nobody:knows", 1.0)]);
        assert_eq!((model.risk, model.unknown.as_slice()), (0.5, &["nobody:knows".to_owned()][..]));
        assert_eq!(model.impacts[0].reason.as_ref(), Some(&skipped.reason));
        assert!(words(&model).contains("not comparable") && words(&model).ends_with("; not scanned: nobody:knows"));
    }

    #[test]
    fn a_column_is_known_without_its_view_where_it_is_the_only_one() {
        assert_eq!(of(&[("amount_mean_90d", 1.0)]).impacts[0].feature, "customer_stats:amount_mean_90d");
    }
}
