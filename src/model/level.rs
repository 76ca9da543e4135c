//! Figures against a baseline: which are worse by how much, and what that amounts to.

use super::config::ModelConfig;
use super::measure::{Better, Measure, metric};
use super::options::Limits;
use super::report::MetricReport;
use crate::format::significant;
use crate::verdict::Level;

/// Changes are compared with limits after this is added: 0.95 − 0.92 is a drop of 0.03, though not in binary.
const ROUNDING: f64 = 1e-9;

impl Limits {
    /// The level of a figure that is bad when it is large.
    pub(super) fn level(&self, amount: f64) -> Level {
        let reached = |limit: Option<f64>| limit.is_some_and(|limit| amount + ROUNDING >= limit);
        match () {
            () if reached(self.critical) => Level::Critical,
            () if reached(self.warning) => Level::Warning,
            () => Level::Ok,
        }
    }
}

/// What a figure amounts to beside its baseline; with the sentence that says why it has a level.
pub(super) fn judge(
    config: &ModelConfig,
    name: &'static str,
    measure: &Measure,
    baseline: Option<f64>,
    enough: bool,
) -> (MetricReport, Option<String>) {
    let worse = match (metric(name).map(|card| card.better), measure.value, baseline) {
        (Some(Better::Higher), Some(value), Some(baseline)) => Some(baseline - value),
        (Some(Better::Lower), Some(value), Some(baseline)) => Some(value - baseline),
        _ => None,
    };
    let limits = config.levels.get(name).filter(|_| enough);
    let level = worse.zip(limits).map_or(Level::Ok, |(worse, limits)| limits.level(worse));
    let report = MetricReport {
        value: measure.value,
        low: measure.interval.map(|ends| ends[0]),
        high: measure.interval.map(|ends| ends[1]),
        baseline,
        worse_by: worse,
        level,
    };
    let reason = match (level, worse, measure.value, baseline) {
        (Level::Warning | Level::Critical, Some(worse), Some(value), Some(baseline)) => {
            let verb = if metric(name).is_some_and(|card| card.better == Better::Higher) { "fell" } else { "rose" };
            let chance = measure.interval.is_some_and(|[low, high]| (low..=high).contains(&baseline));
            let chance = if chance { "; its interval still holds the baseline" } else { "" };
            Some(format!(
                "{} {verb} by {} to {} from {}{chance}",
                name.replace('_', " "),
                significant(worse),
                significant(value),
                significant(baseline),
            ))
        }
        _ => None,
    };
    (report, reason)
}
