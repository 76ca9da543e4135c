//! Features that stand still: tonight they hold what they held in the run before, though they used to move.

use std::collections::HashMap;

use super::{History, HistoryError, Numbers, RunFilter, RunIdentity};
use crate::quality::{FROZEN, has_many_values, may_stand_still, still};
use crate::report::{FeatureReport, Report};

/// Runs before that are looked at.
const RUNS: usize = 8;
/// Nights on which a feature moved, at least, and more often than not: a date of birth, or a table that comes once a week,
/// stands still by its nature.
const MOVES: usize = 3;

impl History {
    /// Adds to a report which features hold exactly what they held in the latest run of the same job and definition that
    /// stands for an earlier instant, where they used to move from one run to the next. The reference may be another one by
    /// now, but of features with few values it is part of the evidence.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn check_still(&self, identity: &RunIdentity, report: &mut Report) -> Result<(), HistoryError> {
        let mut before = self.runs(&RunFilter::job(&identity.job))?;
        before.retain(|run| run.definition == identity.definition && run.at < identity.at);
        let window = before.last().map_or_else(String::new, |run| run.window.clone());
        let nights = before.iter().rev().take(RUNS).map(|run| Ok(self.numbers(run)?.into_iter().collect()));
        let nights: Vec<HashMap<String, Numbers>> = nights.collect::<Result<_, HistoryError>>()?;
        let known = |feature: &FeatureReport| {
            let said = |finding: &crate::quality::Finding| {
                finding.check == FROZEN && finding.feature.as_ref().is_none_or(|name| *name == feature.name)
            };
            report.findings.iter().any(said)
        };
        // Of those that move from night to night: do they move tonight?
        let mut frozen: Vec<(&str, u64)> = Vec::new();
        let mut moving = 0;
        for feature in report.features.iter().filter(|feature| !may_stand_still(feature)) {
            let many = has_many_values(feature);
            let past: Vec<&Numbers> = nights.iter().map_while(|night| night.get(&feature.name)).collect();
            let moves = past.windows(2).filter(|two| !is_same(two[0], two[1], many)).count();
            if moves < MOVES || 2 * moves < past.len() {
                continue;
            }
            moving += 1;
            if past.first().is_some_and(|last| is_same(&Numbers::of(feature), last, many)) && !known(feature) {
                frozen.push((feature.name.as_str(), feature.current.values()));
            }
        }
        for finding in still(&frozen, moving, &window) {
            match finding.feature {
                None => report.add_finding(finding),
                Some(_) => report.findings.push(finding),
            }
        }
        Ok(())
    }
}

/// Whether two sides hold the same, as far as their numbers tell.
fn is_same(a: &Numbers, b: &Numbers, many: bool) -> bool {
    let counts = |side: &Numbers| [side.rows, side.nulls, side.nans, side.infinite];
    let moments = |side: &Numbers| (side.mean, side.std, side.quantiles);
    counts(a) == counts(b) && moments(a) == moments(b) && (many || (a.psi, a.ks) == (b.psi, b.ks))
}
