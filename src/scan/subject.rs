//! What the kinds of change and the checks of data quality look at, from what was counted.

use super::categories::{Category, Counted};
use super::context::Task;
use super::ordered::Ordered;
use crate::change::{Label, Numbers, Subject};
use crate::column::Kind;
use crate::report::{FeatureReport, Number};
use std::collections::BTreeMap;

/// The subject of a number, a time or a boolean.
pub(super) fn of_ordered(task: &Task, ordered: &Ordered, report: &FeatureReport) -> Subject {
    let Ordered { facts, compared, bound, .. } = ordered;
    // A bounded profile joins values, so that neither frequent ones nor equality can be told.
    let whole = bound.is_none();
    let finite = |number: Option<Number>| number.map(Number::as_f64).filter(|value| value.is_finite());
    let numbers = |side: usize| {
        let (min, max) = report_side(report, side)?;
        let (quantiles, order) = (compared.quantiles[side]?, compared.order[side]?);
        let all = quantiles.iter().chain(&order).all(|value| value.is_finite());
        Some(Numbers { quantiles, order, min: finite(min)?, max: finite(max)? }).filter(|_| all)
    };
    let below = compared.bins.as_ref().map(|bins| {
        let mut sums = [0, 0];
        let edge = |(&edge, (&r, &c)): (&f64, (&u64, &u64))| {
            sums = [sums[0] + r, sums[1] + c];
            (edge, sums)
        };
        bins.edges.iter().zip(bins.reference.iter().zip(&bins.current)).map(edge).collect()
    });
    let boolean = task.pairing.kind == Kind::Boolean;
    let n = [facts[0].values(), facts[1].values()];
    let falses = [facts[0].zeros, facts[1].zeros];
    let label = |name: &str, rows: [u64; 2]| Label { name: name.to_owned(), rows };
    let labels = [label("false", falses), label("true", [n[0] - falses[0].min(n[0]), n[1] - falses[1].min(n[1])])];
    let duration = task.pairing.type_name.starts_with("duration");
    Subject {
        // Of booleans the categories say more.
        numbers: numbers(0).zip(numbers(1)).map(Into::into).filter(|_| !boolean),
        ticks_per_day: task.pairing.encoding.ticks_per_day().filter(|_| !duration).map(ticks),
        gap: compared.gap.filter(|_| whole),
        atoms: if whole { compared.atoms.clone() } else { Vec::new() },
        below: below.unwrap_or_default(),
        labels: if boolean { labels.to_vec() } else { Vec::new() },
        labels_complete: boolean,
        ..begin(task, report)
    }
}

/// The subject of categories.
pub(super) fn of_categories(task: &Task, counted: &Counted, report: &FeatureReport) -> Subject {
    let all = counted.top.iter().chain(&counted.new).chain(&counted.missing);
    let by_name: BTreeMap<&str, &Category> = all.map(|category| (category.value.as_str(), category)).collect();
    let shared = counted.distinct[0].saturating_sub(counted.missing_count);
    let distinct = shared + counted.missing_count + counted.new_count;
    let mut labels: Vec<Label> =
        by_name.values().map(|category| Label { name: category.value.clone(), rows: category.rows }).collect();
    labels.sort_by(|a, b| {
        let rows = |label: &Label| label.rows.iter().sum::<u64>();
        rows(b).cmp(&rows(a)).then_with(|| a.name.cmp(&b.name))
    });
    Subject { labels_complete: !counted.too_many && labels.len() as u64 == distinct, labels, ..begin(task, report) }
}

fn begin(task: &Task, report: &FeatureReport) -> Subject {
    let sides = [&report.reference, &report.current];
    Subject {
        name: task.name.clone(),
        kind: task.pairing.kind,
        ticks_per_day: None,
        rows: sides.map(|side| side.rows),
        nulls: sides.map(|side| side.nulls),
        nans: sides.map(|side| side.nans),
        distinct: sides.map(|side| {
            let facts = side.facts.as_ref()?;
            Some((facts.distinct?, facts.distinct_estimated))
        }),
        gap: None,
        numbers: None,
        atoms: Vec::new(),
        below: Vec::new(),
        labels: Vec::new(),
        labels_complete: false,
    }
}

fn report_side(report: &FeatureReport, side: usize) -> Option<(Option<Number>, Option<Number>)> {
    let facts = if side == 0 { &report.reference.facts } else { &report.current.facts };
    facts.as_ref().map(|facts| (facts.min, facts.max))
}

#[expect(clippy::cast_precision_loss, reason = "a day has fewer than 2^53 nanoseconds")]
fn ticks(per_day: i64) -> f64 {
    per_day as f64
}
