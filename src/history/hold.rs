//! Levels that rest on the nights before: `nights` and `hysteresis` of the rules.
//!
//! A level lasts by the raw levels of earlier nights, what their own numbers say, so that what was decided then does not
//! decide again; it is kept by the level that it had. Only runs of the same job and definition that stand for an earlier
//! instant are looked at: a night that runs twice, or after the fact, gives the same levels.

use std::collections::{BTreeMap, HashMap};

use super::{History, HistoryError, RunFilter, RunIdentity, StoredRun};
use crate::config::{RuleSet, Settings};
use crate::format::{counted, significant};
use crate::report::{FeatureReport, Report};
use crate::verdict::{Level, Limits, Thresholds, kept, lasting};

type Key = (String, Option<BTreeMap<String, Option<String>>>);

fn key(feature: &FeatureReport) -> Key {
    (feature.name.clone(), feature.segment.clone())
}

/// The levels of a feature on the nights before, the latest first: raw, and as they were told.
type Before = HashMap<Key, Vec<[Level; 2]>>;

impl History {
    /// Gives the features of `report` whose rules look back the levels that the nights before make of theirs.
    ///
    /// # Errors
    /// When the history cannot be read; then the report is as it was.
    pub fn hold(&self, identity: &RunIdentity, report: &mut Report) -> Result<(), HistoryError> {
        if !report.run.config.rules.0.iter().any(|layer| layer.settings.looks_back()) {
            return Ok(());
        }
        let names: Vec<String> = report.features.iter().map(|feature| feature.name.clone()).collect();
        let rules = report.run.config.rules.clone();
        let rules = RuleSet::new(&rules, &names);
        // Two layers that contradict each other have ended the run already.
        let settings: Vec<Settings> = names.iter().map(|name| rules.of(name).unwrap_or_default().settings).collect();
        let deepest = settings.iter().filter(|settings| settings.looks_back()).map(nights).max().unwrap_or(1);
        let mut before = self.runs(&RunFilter::job(&identity.job))?;
        before.retain(|run| run.definition == identity.definition && run.at < identity.at);
        let latest = before.iter().rev().take(deepest.saturating_sub(1).max(1));
        let before = self.levels_before(latest)?;
        let base = report.run.config.thresholds;
        for (feature, settings) in report.features.iter_mut().zip(&settings) {
            let known = before.get(&key(feature)).map(Vec::as_slice).unwrap_or_default();
            hold(feature, settings, &base, known);
        }
        report.settle();
        Ok(())
    }

    /// A feature that a run does not have was ok then.
    fn levels_before<'r>(&self, runs: impl Iterator<Item = &'r StoredRun>) -> Result<Before, HistoryError> {
        let mut before = Before::new();
        for (night, run) in runs.enumerate() {
            for feature in self.report(run)?.features {
                let levels = before.entry(key(&feature)).or_default();
                levels.resize(night, [Level::Ok; 2]);
                levels.push([feature.raw_level(), feature.level]);
            }
        }
        Ok(before)
    }
}

fn nights(settings: &Settings) -> usize {
    settings.nights.map_or(1, |nights| usize::try_from(nights).unwrap_or(usize::MAX))
}

fn hold(feature: &mut FeatureReport, settings: &Settings, base: &Thresholds, before: &[[Level; 2]]) {
    let (raw, shown) = (feature.raw_level(), feature.level);
    // What is muted stays so.
    if shown < raw {
        return;
    }
    let raws: Vec<Level> = before.iter().map(|night| night[0]).collect();
    let nights = nights(settings);
    let level = lasting(raw, &raws, nights);
    if level < raw {
        let same = 1 + raws.iter().take_while(|&&night| night >= raw).count();
        let reason = format!(
            "{} for {} of the {nights} in a row that it takes",
            raw.name().to_uppercase(),
            counted(same as u64, "night", "nights")
        );
        feature.relevel(level, reason);
    }
    let Some(share) = settings.hysteresis.filter(|share| *share > 0.0) else { return };
    let thresholds = settings.thresholds(base);
    let told = before.first().map_or(Level::Ok, |night| night[1]);
    let effect = [thresholds.effect, crate::verdict::Effect::Psi].into_iter();
    let effect = effect.filter_map(|effect| Some((effect, feature.number(effect.metric())?))).next();
    let (Some((effect, value)), Some(q)) = (effect, feature.test().1) else { return };
    let learned =
        feature.threshold.as_ref().map(|learned| Limits { warning: learned.warning, critical: learned.critical });
    let limits = learned.unwrap_or_else(|| thresholds.limits(effect));
    if q <= thresholds.q
        && let Some(level) = kept(feature.level, told, value, [limits.warning, limits.critical], share)
    {
        let limit = if level == Level::Critical { limits.critical } else { limits.warning };
        let reason = format!(
            "still {}: {} {} is within {}% of {}",
            level.name().to_uppercase(),
            effect.name().to_uppercase(),
            significant(value),
            significant(share * 100.0),
            significant(limit)
        );
        feature.relevel(level, reason);
    }
}
