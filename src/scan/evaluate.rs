//! From what was counted to what is reported: metrics, facts, q-values, levels. No reading and no counting.

use super::calibrate::calibrate;
use super::categories::{Categorical, Category};
use super::context::Task;
use super::marks;
use super::ordered::{Bound, Ordered};
use super::subject;
use super::work::Counted;
use crate::change::{self, Subject, swapped};
use crate::column::{Encoding, Facts, Kind};
use crate::compare::QUANTILES;
use crate::config::{Adjust, FactsChoice, KsMethod, ScanConfig};
use crate::counts::Scale;
use crate::format::ratio;
use crate::metric::{Applies, Comparison, METRICS, Metric, Outcome, Settings, Table};
use crate::quality::{self, Declared, Finding, Names, Sides, Violations};
use crate::report::{
    self, Categories, Change, Edge, FeatureReport, MetricValue, Number, PsiBins, SideReport, TopCategory,
};
use crate::stats::{Adjustment, KsChoice, adjust};
use crate::verdict::{CategoryEvidence, Evidence, Level, SideEvidence, Thresholds, judge};
use crate::window::AsOf;
use indexmap::IndexMap;
use jiff::civil::Date;
use std::collections::BTreeMap;

const TOO_MANY: &str = "there are more categories than --max-categories allows";
const INFINITE: &str = "a value is infinite";
const NO_VALUES: &str = "the side has no values";
const ONE_VALUE: &str = "it takes two values";
const NOT_A_NUMBER: &str = "categories are not numbers";

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
        Counted::Ordered(ordered) => of_ordered(task, &ordered, config, thresholds),
        Counted::Categorical(categorical) => of_categories(task, *categorical, config, thresholds),
    };
    evaluated.muted = task.settings.muted_until().map(|until| (until, task.settings.mute_reason.clone()));
    evaluated
}

/// Adds what the features of a run decide together: q-values, the levels that rest on them, and what happened to those
/// that moved. Gives the features, and what the checks found in them.
pub(super) fn conclude(mut features: Vec<Evaluated>, config: &ScanConfig) -> Concluded {
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
    let today = config.windows.as_of.unwrap_or_else(AsOf::now).day();
    features.iter_mut().for_each(|feature| mute(feature, today));
    let mut concluded = Concluded { features: Vec::new(), findings: Vec::new(), frozen };
    for feature in features {
        concluded.features.push(feature.report);
        concluded.findings.extend(feature.findings);
    }
    concluded
}

/// The features of a run, and what the checks found in them.
pub(super) struct Concluded {
    pub(super) features: Vec<FeatureReport>,
    pub(super) findings: Vec<Finding>,
    /// How many features hold exactly what the reference holds.
    pub(super) frozen: usize,
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

fn of_ordered(task: &Task, ordered: &Ordered, config: &ScanConfig, thresholds: Thresholds) -> Evaluated {
    let Ordered { facts, compared, bound, .. } = ordered;
    let encoding = &task.pairing.encoding;
    let boolean = task.pairing.kind == Kind::Boolean;
    let n = [facts[0].values(), facts[1].values()];
    let falses = [facts[0].zeros, facts[1].zeros];
    let table = if boolean {
        Some(Table::of_categories([falses, [n[0] - falses[0], n[1] - falses[1]]]))
    } else {
        compared.bins.as_ref().map(|bins| Table::of_bins(&bins.reference, &bins.current))
    };
    let comparison = Comparison {
        n,
        gap: compared.gap,
        table,
        wasserstein: compared.wasserstein,
        infinite: [facts[0].infinite, facts[1].infinite],
    };
    let (mut report, mut evidence) = begin(task, &comparison, config);
    let reference = comparison.table.iter().flat_map(|table| table.cells().iter().map(|cell| cell.reference));
    let reference: Vec<u64> = if boolean { vec![falses[0], n[0] - falses[0]] } else { reference.collect() };
    let beside = |window: &Vec<u64>| {
        let rest: Vec<u64> = reference.iter().zip(window).map(|(all, own)| all.saturating_sub(*own)).collect();
        Table::of_bins(&rest, window)
    };
    let splits: Vec<Table> = ordered.splits.iter().map(beside).collect();
    let thresholds = calibrated(&mut report, &comparison, &splits, config, thresholds);
    let full = config.facts == FactsChoice::Full;
    for (side, (name, facts)) in ["reference", "current"].into_iter().zip(facts).enumerate() {
        let side_facts = full.then(|| {
            let mut full = numeric_facts(encoding, facts);
            let outliers = compared.outliers.map(|outliers| outliers[side]);
            full.outliers = outliers.map(|outliers| outliers.outer);
            full.extreme_outliers = outliers.map(|outliers| outliers.extreme);
            full.quantiles = compared.quantiles[side].map(quantiles);
            explain(&mut report.undefined, name, facts, &full);
            full
        });
        *side_mut(&mut report, side) = side_report(facts, side_facts);
    }
    if boolean {
        let rows = [falses, [n[0] - falses[0], n[1] - falses[1]]];
        let named = ["false", "true"].into_iter().zip(rows).filter(|(_, rows)| *rows != [0, 0]);
        let all: Vec<Category> = named.map(|(value, rows)| Category { value: value.to_owned(), rows }).collect();
        let one_sided =
            |side: usize| all.iter().filter(|category| category.rows[side] == 0).cloned().collect::<Vec<_>>();
        let (new, missing) = (one_sided(0), one_sided(1));
        report.categories = Some(Categories {
            new_count: new.len() as u64,
            missing_count: missing.len() as u64,
            new: listed(&new, 1, n[1]),
            missing: listed(&missing, 0, n[0]),
            top: all.iter().map(top).collect(),
        });
    } else {
        report.psi_bins = compared.bins.as_ref().map(|bins| PsiBins {
            edges: bins.edges.iter().map(|&edge| Edge(edge)).collect(),
            reference: bins.reference.clone(),
            current: bins.current.clone(),
        });
    }
    if let Some(bound) = bound {
        state_bound(&mut report, *bound, n[0]);
    }
    finish(&mut report, &mut evidence);
    let outliers = compared.outliers.map(|outliers| outliers.map(|outliers| outliers.extreme));
    let subject = subject::of_ordered(task, ordered, &report);
    let (mut violations, beyond) = marks::answers(task, ordered);
    let declared = task.declared.as_deref();
    if let (true, Some(declared)) = (boolean, declared) {
        let mut names = Names::new(declared);
        let rows = [falses, [n[0] - falses[0], n[1] - falses[1]]];
        ["false", "true"].into_iter().zip(rows).for_each(|(name, rows)| names.see(name, rows));
        violations.outside = names.violations().outside;
    }
    evaluated((report, evidence), thresholds, subject, outliers, beyond, (declared, &violations))
}

/// Says by how much D may be off where the reference's profile does not hold every key.
fn state_bound(report: &mut FeatureReport, bound: Bound, n: u64) {
    let error = ratio(bound.rows, n);
    if let Some(at) = report.metrics.get_index_of("ks_statistic") {
        report.metrics.shift_insert(at + 1, "ks_statistic_error".to_owned(), error.into());
    }
    report.notes.push(format!(
        "the reference profile keeps {} values: KS D is off by at most {error:e}, and the level rests on the reported D; \
         quantiles of the reference and the ten default bins are exact unless profiles were merged, other bins, outliers \
         of the reference and Wasserstein are approximate",
        bound.kept
    ));
}

fn of_categories(task: &Task, categorical: Categorical, config: &ScanConfig, thresholds: Thresholds) -> Evaluated {
    let Categorical { facts, mut counted } = categorical;
    let n = [facts[0].values(), facts[1].values()];
    let table = (!counted.too_many).then(|| std::mem::take(&mut counted.table));
    let comparison = Comparison { n, table, ..Comparison::default() };
    let (mut report, mut evidence) = begin(task, &comparison, config);
    let thresholds = calibrated(&mut report, &comparison, &counted.splits, config, thresholds);
    for (side, name) in ["reference", "current"].into_iter().enumerate() {
        let full = (config.facts == FactsChoice::Full).then(|| report::Facts {
            distinct: (!counted.too_many).then_some(counted.distinct[side]),
            ..report::Facts::default()
        });
        if full.is_some() {
            for fact in ["min", "max", "mean", "std", "zeros", "quantiles"] {
                report.undefined.insert(format!("{name}.{fact}"), NOT_A_NUMBER.to_owned());
            }
        }
        *side_mut(&mut report, side) = side_report(&facts[side], full);
    }
    if counted.too_many {
        report
            .undefined
            .values_mut()
            .filter(|reason| reason.contains("not asked for"))
            .for_each(|reason| *reason = TOO_MANY.to_owned());
        report.notes.push(format!("{TOO_MANY}: they were not counted"));
    } else {
        evidence.categories = Some(CategoryEvidence {
            new_categories: counted.new_count,
            new_rows: counted.new_rows,
            reference_once: counted.reference_once,
            missing_categories: counted.missing_count,
            largest_missing: counted.largest_missing,
        });
        report.categories = Some(Categories {
            new: listed(&counted.new, 1, n[1]),
            new_count: counted.new_count,
            missing: listed(&counted.missing, 0, n[0]),
            missing_count: counted.missing_count,
            top: counted.top.iter().take(Categories::TOP).map(top).collect(),
        });
    }
    finish(&mut report, &mut evidence);
    let subject = subject::of_categories(task, &counted, &report);
    let declared = (task.declared.as_deref(), &counted.violations);
    evaluated((report, evidence), thresholds, subject, None, None, declared)
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

fn side_mut(report: &mut FeatureReport, side: usize) -> &mut SideReport {
    if side == 0 { &mut report.reference } else { &mut report.current }
}

fn side_report(facts: &Facts, full: Option<report::Facts>) -> SideReport {
    SideReport { rows: facts.rows, nulls: facts.nulls, nans: facts.nans, infinite: facts.infinite, facts: full }
}

fn numeric_facts(encoding: &Encoding, facts: &Facts) -> report::Facts {
    let (distinct, distinct_estimated) = facts.distinct.count();
    let finite = |key: u128| {
        let number = encoding.integer_of(key).map_or_else(|| Number::Float(encoding.value_of(key)), Number::Integer);
        number.as_f64().is_finite().then_some(number)
    };
    report::Facts {
        distinct: Some(distinct),
        distinct_estimated,
        min: facts.min_key.and_then(finite),
        max: facts.max_key.and_then(finite),
        mean: facts.moments.mean(),
        std: facts.moments.std(),
        zeros: Some(facts.zeros),
        ..report::Facts::default()
    }
}

fn quantiles(values: [f64; 9]) -> IndexMap<String, Option<f64>> {
    let entry = |(level, value): (f64, f64)| (level.to_string(), value.is_finite().then_some(value));
    QUANTILES.into_iter().zip(values).map(entry).collect()
}

/// Says why facts of a side have no value.
fn explain(undefined: &mut BTreeMap<String, String>, side: &str, facts: &Facts, full: &report::Facts) {
    let mut say = |fact: &str, missing: bool, reason: &str| {
        if missing {
            undefined.insert(format!("{side}.{fact}"), reason.to_owned());
        }
    };
    let empty = facts.values() == 0;
    let reason = if empty { NO_VALUES } else { INFINITE };
    say("min", full.min.is_none(), reason);
    say("max", full.max.is_none(), reason);
    say("mean", full.mean.is_none(), reason);
    say("std", full.std.is_none(), if facts.values() == 1 { ONE_VALUE } else { reason });
    say("quantiles", full.quantiles.is_none(), reason);
    say("outliers", full.outliers.is_none(), "the reference has no finite quartiles");
}

fn listed(categories: &[Category], side: usize, values: u64) -> Vec<report::Category> {
    let category = |category: &Category| report::Category {
        value: category.value.clone(),
        count: category.rows[side],
        share: ratio(category.rows[side], values),
    };
    categories.iter().map(category).collect()
}

fn top(category: &Category) -> TopCategory {
    TopCategory { value: category.value.clone(), reference: category.rows[0], current: category.rows[1] }
}

fn adjustment(choice: Adjust) -> Adjustment {
    match choice {
        Adjust::None => Adjustment::None,
        Adjust::Bonferroni => Adjustment::Bonferroni,
        Adjust::Bh => Adjustment::BenjaminiHochberg,
        Adjust::By => Adjustment::BenjaminiYekutieli,
    }
}

fn ks_choice(choice: KsMethod) -> KsChoice {
    match choice {
        KsMethod::Auto => KsChoice::Auto,
        KsMethod::Exact => KsChoice::Exact,
        KsMethod::Asymp => KsChoice::Asymp,
    }
}
