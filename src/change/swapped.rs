//! Two features that changed places: a join, or a list of columns, in another order.
//!
//! Each one's current side is distributed as the other's reference, and not as its own.

use super::fit::{Ecdf, slack};
use super::shares::same;
use super::{Cause, ChangeKind, Explanation, Subject};
use crate::compare::QUANTILES;
use std::collections::HashMap;

/// Its name in the report.
pub const NAME: &str = "swapped";

/// More features than this that moved in one night are no swap of two.
const MOST: usize = 4000;

/// The features that changed places, with whom and what is to be said about it, in the order of `subjects`. All of
/// them moved.
#[must_use]
pub fn pairs(subjects: &[Subject]) -> Vec<Option<ChangeKind>> {
    let mut partners: Vec<Option<usize>> = vec![None; subjects.len()];
    if subjects.len() <= MOST {
        let sides: Vec<Side<'_>> = subjects.iter().map(Side::of).collect();
        let mut matches: Vec<(f64, usize, usize)> = Vec::new();
        for a in 0..subjects.len() {
            for b in a + 1..subjects.len() {
                matches.extend(exchanged(&sides[a], &sides[b]).map(|worst| (worst, a, b)));
            }
        }
        // Each has one partner, the best match first: of several that are distributed alike, any is as good.
        matches.sort_by(|x, y| x.0.total_cmp(&y.0).then((x.1, x.2).cmp(&(y.1, y.2))));
        for (_, a, b) in matches {
            if partners[a].is_none() && partners[b].is_none() {
                (partners[a], partners[b]) = (Some(b), Some(a));
            }
        }
    }
    let explained = |partner: &Option<usize>| {
        partner.map(|other| {
            let other = super::text::quoted(&subjects[other].name);
            let explanation = Explanation {
                title: format!("swapped with {other}"),
                evidence: format!("it is distributed as {other} was in the reference, and {other} as this one was"),
                confidence: 0.97,
                cause: Cause::Pipeline,
            };
            explanation.of(NAME)
        })
    };
    partners.iter().map(explained).collect()
}

/// A feature made ready to be held against many.
struct Side<'s> {
    subject: &'s Subject,
    reference: Option<Ecdf>,
    categories: HashMap<&'s str, [u64; 2]>,
    most: Option<&'s str>,
}

impl<'s> Side<'s> {
    fn of(subject: &'s Subject) -> Self {
        let complete =
            subject.labels_complete && subject.numbers.is_none() && subject.kind == crate::column::Kind::Categorical;
        let labels = if complete { subject.labels.as_slice() } else { &[] };
        Self {
            subject,
            reference: subject.ecdf(0),
            categories: labels.iter().map(|label| (label.name.as_str(), label.rows)).collect(),
            most: labels.iter().max_by_key(|label| label.rows[1]).map(|label| label.name.as_str()),
        }
    }
}

/// The larger error of the two fits, where each current side fits the other's reference.
fn exchanged(a: &Side<'_>, b: &Side<'_>) -> Option<f64> {
    if a.subject.kind != b.subject.kind {
        return None;
    }
    let error = |one: &Side<'_>, other: &Side<'_>| {
        if one.subject.numbers.is_some() { numbers(one, other) } else { categories(one, other) }
    };
    Some(error(a, b)?.max(error(b, a)?))
}

/// How far current of `one` is from the reference of `other`, where that is no farther than two samples are.
fn numbers(one: &Side<'_>, other: &Side<'_>) -> Option<f64> {
    let current = &one.subject.numbers.as_ref()?[1];
    let before = &other.subject.numbers.as_ref()?[0];
    let median = current.quantiles[4];
    // Most pairs end here.
    if median < before.quantiles[3] || median > before.quantiles[5] || current.min == current.max {
        return None;
    }
    let reference = other.reference.as_ref()?;
    let mut worst = 0.0_f64;
    for (p, x) in QUANTILES.into_iter().zip(current.quantiles) {
        let (low, high) = reference.interval(x);
        let off = (low - p).max(p - high).max(0.0);
        if off > 5.0 * one.subject.standard_error(p).max(other.subject.standard_error(p)) + slack(other.subject) {
            return None;
        }
        worst = worst.max(off);
    }
    Some(worst)
}

fn categories(one: &Side<'_>, other: &Side<'_>) -> Option<f64> {
    other.categories.get(one.most?).filter(|rows| rows[0] > 0)?;
    if one.categories.values().filter(|rows| rows[1] > 0).count() < 2 {
        return None;
    }
    let mut table: Vec<[u64; 2]> = one
        .categories
        .iter()
        .map(|(name, rows)| [other.categories.get(name).map_or(0, |rows| rows[0]), rows[1]])
        .collect();
    table.extend(
        other.categories.iter().filter(|(name, _)| !one.categories.contains_key(*name)).map(|(_, rows)| [rows[0], 0]),
    );
    same(&table).then_some(0.0)
}
