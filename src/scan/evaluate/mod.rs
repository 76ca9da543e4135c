//! From what was counted to what is reported: metrics, facts, q-values, levels. No reading and no counting.
//!
//! ```text
//!     counted ──> ordered | categories ──> a feature with its metrics ──┐
//!     counted ──> ordered | categories ──> a feature with its metrics ──┴─> conclude ──> levels
//! ```

mod categories;
mod conclude;
mod ordered;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::civil::Date;

use super::calibrate::calibrate;
use super::context::Task;
use super::work::Counted;
use crate::change::Subject;
use crate::column::{Facts, Kind};
use crate::config::{KsMethod, ScanConfig};
use crate::metric::{Applies, Comparison, METRICS, Metric, Outcome, Settings, Table};
use crate::quality::{self, Declared, Finding, Sides, Violations};
use crate::report::{self, Change, FeatureReport, MetricValue, SideReport};
use crate::stats::KsChoice;
use crate::verdict::{Evidence, Level, SideEvidence, Thresholds};

pub(super) use conclude::{Concluded, conclude};

/// Whether `metric` is for features of `kind`.
pub(super) fn applies(metric: &dyn Metric, kind: Kind) -> bool {
    match metric.card().applies {
        Applies::Both => true,
        Applies::Ordered => kind != Kind::Categorical,
        Applies::Categories => matches!(kind, Kind::Categorical | Kind::Boolean),
    }
}

/// One feature with its metrics; q-values and level are still missing.
pub(super) struct Evaluated {
    report: FeatureReport,
    evidence: Evidence,
    thresholds: Thresholds,
    subject: Subject,
    findings: Vec<Finding>,
    frozen: bool,
    /// The last day on which it is muted, and why it is.
    muted: Option<(Date, Option<String>)>,
}

/// Evaluates the metrics of one feature.
pub(super) fn evaluate(task: &Task, counted: Counted, config: &ScanConfig) -> Evaluated {
    let thresholds = task.settings.thresholds(&config.thresholds);
    let mut evaluated = match counted {
        Counted::Ordered(ordered) => ordered::of_ordered(task, &ordered, config, thresholds),
        Counted::Categorical(categorical) => categories::of_categories(task, *categorical, config, thresholds),
    };
    evaluated.muted = task.settings.muted_until().map(|until| (until, task.settings.mute_reason.clone()));
    evaluated
}

/// The report of a feature with its metrics, and what they say to the verdict.
fn begin(task: &Task, comparison: &Comparison, config: &ScanConfig) -> (FeatureReport, Evidence) {
    let pairing = &task.pairing;
    let mut metrics = IndexMap::new();
    let mut undefined = BTreeMap::new();
    let settings = Settings { psi_floor: config.psi_floor, ks_method: ks_choice(config.ks_method) };
    for metric in METRICS.iter().filter(|metric| config.wants(metric.card().name) && applies(**metric, pairing.kind)) {
        for (&name, outcome) in metric.card().values.iter().zip(metric.evaluate(comparison, &settings)) {
            let value = match outcome {
                Outcome::Number(number) => number.into(),
                Outcome::Integer(count) => count.into(),
                Outcome::Word(word) => word.into(),
                Outcome::Undefined(reason) => {
                    undefined.insert(name.to_owned(), reason.to_owned());
                    MetricValue::Null
                }
            };
            metrics.insert(name.to_owned(), value);
        }
    }
    let report = FeatureReport {
        name: task.name.clone(),
        segment: task.segment.clone(),
        data_type: pairing.type_name.clone(),
        current_type: pairing.type_change.as_ref().map(|(_, current)| current.clone()),
        kind: pairing.kind,
        weight: task.settings.weight,
        level: Level::Ok,
        reasons: Vec::new(),
        reference: SideReport::default(),
        current: SideReport::default(),
        change: Change::default(),
        metrics,
        undefined,
        threshold: None,
        psi_bins: None,
        categories: None,
        change_kind: None,
        raw_level: None,
        muted_until: None,
        notes: Vec::new(),
    };
    let evidence = Evidence {
        psi: report.number("psi"),
        ks_statistic: report.number("ks_statistic"),
        js_distance: report.number("js_distance"),
        type_change: pairing.type_change.clone(),
        ..Evidence::default()
    };
    (report, evidence)
}

/// Fills in what follows from both sides.
fn finish(report: &mut FeatureReport, evidence: &mut Evidence) {
    report.change = Change::between(&report.reference, &report.current);
    let side = |side: &SideReport| SideEvidence {
        rows: side.rows,
        nulls: side.nulls,
        nans: side.nans,
        infinite: side.infinite,
        distinct: side.facts.as_ref().and_then(|facts| facts.distinct),
    };
    evidence.reference = side(&report.reference);
    evidence.current = side(&report.current);
}

fn evaluated(
    (report, evidence): (FeatureReport, Evidence),
    thresholds: Thresholds,
    subject: Subject,
    outliers: Option<[u64; 2]>,
    beyond: Option<u64>,
    (declared, violations): (Option<&Declared>, &Violations),
) -> Evaluated {
    let findings = quality::of_feature(&Sides { subject: &subject, outliers, beyond, declared, violations });
    let frozen = quality::is_frozen(&subject);
    Evaluated { report, evidence, thresholds, subject, findings, frozen, muted: None }
}

/// The thresholds of a feature, with limits that are learned from the reference where they are to be; the report says so.
fn calibrated(
    report: &mut FeatureReport,
    comparison: &Comparison,
    splits: &[Table],
    config: &ScanConfig,
    thresholds: Thresholds,
) -> Thresholds {
    match calibrate(comparison.table.as_ref(), splits, &thresholds, config) {
        Some((psi, threshold)) => {
            report.threshold = Some(threshold);
            Thresholds { psi, ..thresholds }
        }
        None => thresholds,
    }
}

fn side_mut(report: &mut FeatureReport, side: usize) -> &mut SideReport {
    if side == 0 { &mut report.reference } else { &mut report.current }
}

fn side_report(facts: &Facts, full: Option<report::Facts>) -> SideReport {
    SideReport { rows: facts.rows, nulls: facts.nulls, nans: facts.nans, infinite: facts.infinite, facts: full }
}

fn ks_choice(choice: KsMethod) -> KsChoice {
    match choice {
        KsMethod::Auto => KsChoice::Auto,
        KsMethod::Exact => KsChoice::Exact,
        KsMethod::Asymp => KsChoice::Asymp,
    }
}
