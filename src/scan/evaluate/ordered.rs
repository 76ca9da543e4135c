//! Features whose values have an order, and booleans.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::categories::{listed, top};
use super::{Evaluated, begin, calibrated, evaluated, finish, side_mut, side_report};
use crate::column::{Encoding, Facts, Kind};
use crate::compare::QUANTILES;
use crate::config::{FactsChoice, ScanConfig};
use crate::counts::Scale;
use crate::format::ratio;
use crate::metric::{Comparison, Table};
use crate::quality::Names;
use crate::report::{self, Categories, Edge, FeatureReport, Number, PsiBins};
use crate::scan::categories::Category;
use crate::scan::context::Task;
use crate::scan::ordered::{Bound, Ordered};
use crate::scan::{marks, subject};
use crate::verdict::Thresholds;

const INFINITE: &str = "a value is infinite";
const NO_VALUES: &str = "the side has no values";
const ONE_VALUE: &str = "it takes two values";

pub(super) fn of_ordered(task: &Task, ordered: &Ordered, config: &ScanConfig, thresholds: Thresholds) -> Evaluated {
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
