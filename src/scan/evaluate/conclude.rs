//! What the features of a run decide together.

use indexmap::IndexMap;
use jiff::civil::Date;

use super::Evaluated;
use crate::change::{self, Subject, swapped};
use crate::column::Kind;
use crate::config::{Adjust, ScanConfig};
use crate::quality::{self, Finding};
use crate::report::FeatureReport;
use crate::stats::{Adjustment, adjust};
use crate::verdict::{Level, judge};

/// Adds what the features of a run decide together: q-values, the levels that rest on them, and what happened to those
/// that moved. Gives the features, and what the checks found in them.
pub(in crate::scan) fn conclude(mut features: Vec<Evaluated>, config: &ScanConfig) -> Concluded {
    let p_values: Vec<Option<f64>> = features.iter().map(|feature| feature.report.test().0).collect();
    let q_values = adjust(&p_values, adjustment(config.adjust));
    let psi_p_values: Vec<Option<f64>> = features.iter().map(|feature| feature.report.number("psi_p_value")).collect();
    let psi_q_values = adjust(&psi_p_values, adjustment(config.adjust));
    let frozen = features.iter().filter(|feature| feature.frozen).count();
    // That all features stand still is one finding about the run.
    let all_frozen = quality::is_everything(frozen, features.len());
    for (feature, (q_value, psi_q_value)) in features.iter_mut().zip(q_values.into_iter().zip(psi_q_values)) {
        let Evaluated { report, evidence, thresholds, findings, .. } = feature;
        let ordered = matches!(report.kind, Kind::Numeric | Kind::Temporal);
        let (p_name, q_name) = if ordered { ("ks_p_value", "ks_q_value") } else { ("chi2_p_value", "chi2_q_value") };
        for (p_name, q_name, q_value) in [(p_name, q_name, q_value), ("psi_p_value", "psi_q_value", psi_q_value)] {
            if let Some(at) = report.metrics.get_index_of(p_name) {
                report.metrics.shift_insert(at + 1, q_name.to_owned(), q_value.into());
                if let Some(reason) = report.undefined.get(p_name).cloned() {
                    report.undefined.insert(q_name.to_owned(), reason);
                }
            }
        }
        (evidence.q_value, evidence.psi_q_value) = (q_value, psi_q_value);
        findings.retain(|finding| !(all_frozen && finding.check == "frozen"));
        (report.level, report.reasons) = judge(evidence, thresholds);
    }
    explain_changes(&mut features);
    features.iter_mut().for_each(raise);
    let today = config.windows.night().day();
    features.iter_mut().for_each(|feature| mute(feature, today));
    let mut concluded = Concluded { features: Vec::new(), findings: Vec::new(), frozen };
    for feature in features {
        concluded.features.push(feature.report);
        concluded.findings.extend(feature.findings);
    }
    concluded
}

/// The features of a run, and what the checks found in them.
pub(in crate::scan) struct Concluded {
    pub(in crate::scan) features: Vec<FeatureReport>,
    pub(in crate::scan) findings: Vec<Finding>,
    /// How many features hold exactly what the reference holds.
    pub(in crate::scan) frozen: usize,
}

/// What breaks a declared rule is the level of the feature, too, and stands before its drift.
fn raise(feature: &mut Evaluated) {
    let broken = feature.findings.iter().filter(|finding| quality::raises(finding));
    let broken: Vec<(Level, String)> = broken.map(|finding| (finding.level, finding.message.clone())).collect();
    let report = &mut feature.report;
    report.level = broken.iter().map(|(level, _)| *level).fold(report.level, Level::max);
    report.reasons.splice(0..0, broken.into_iter().map(|(_, message)| message));
}

/// A muted feature is told about, and asks for nothing.
fn mute(feature: &mut Evaluated, today: Date) {
    let Some((until, reason)) = feature.muted.as_ref().filter(|(until, _)| *until >= today) else { return };
    if feature.report.level > Level::Info {
        let level = feature.report.level.name().to_uppercase();
        let why = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        feature.report.relevel(Level::Info, format!("{level}, muted until {until}{why}"));
        feature.report.muted_until = Some(until.to_string());
    }
}

/// Says of every feature that asks for attention what happened to it.
fn explain_changes(features: &mut [Evaluated]) {
    let moved: Vec<usize> = (0..features.len()).filter(|&at| features[at].report.level > Level::Ok).collect();
    // Only what drifted can have changed places, and only within a segment.
    let mut drifted: IndexMap<_, Vec<usize>> = IndexMap::new();
    for &at in moved.iter().filter(|&&at| features[at].report.level >= Level::Warning) {
        drifted.entry(features[at].report.segment.clone()).or_default().push(at);
    }
    for at in moved {
        features[at].report.change_kind = change::explain(&features[at].subject);
    }
    for drifted in drifted.into_values() {
        let subjects: Vec<Subject> = drifted.iter().map(|&at| features[at].subject.clone()).collect();
        for (at, swap) in drifted.into_iter().zip(swapped::pairs(&subjects)) {
            let change = &mut features[at].report.change_kind;
            let better =
                |swap: &change::ChangeKind| change.as_ref().is_none_or(|other| swap.confidence > other.confidence);
            if let Some(swap) = swap.filter(better) {
                *change = Some(swap);
            }
        }
    }
}

fn adjustment(choice: Adjust) -> Adjustment {
    match choice {
        Adjust::None => Adjustment::None,
        Adjust::Bonferroni => Adjustment::Bonferroni,
        Adjust::Bh => Adjustment::BenjaminiHochberg,
        Adjust::By => Adjustment::BenjaminiYekutieli,
    }
}
