//! Facts that are worth an INFO and no alarm. Each has a guard of its own against chance, so that a small sample, or
//! a column of identifiers, is not INFO in every run.

use super::{CategoryEvidence, Evidence, Level, SideEvidence, Thresholds};
use crate::format::{counted, percent, probability, ratio, real, significant};

/// z-value that a change of a share must reach. Two-sided p = 5.7e-7: less than one false INFO in 500 000 features.
const SHARE_Z: f64 = 5.0;
/// Rows of a vanished category that the current side should have had. Chance of seeing none of ten: e^-10.
const EXPECTED_ROWS: f64 = 10.0;

/// Every minor fact of the feature. `drifted` tells that the sentence about the drift is there already.
pub(super) fn facts(evidence: &Evidence, thresholds: &Thresholds, drifted: bool) -> Vec<(Level, String)> {
    let mut facts = Vec::new();
    let Evidence { reference, current, .. } = evidence;
    facts.extend(emptied(reference, current));
    facts.extend(null_share(reference, current, thresholds));
    for (what, part) in [("NaN", (|s| s.nans) as fn(&SideEvidence) -> u64), ("infinite", |s| s.infinite)] {
        let sides = [(part(reference), reference.rows), (part(current), current.rows)];
        facts.extend(moved(what, sides, thresholds.null_share).map(|(_, reason)| (Level::Info, reason)));
    }
    if let Some(categories) = &evidence.categories {
        facts.extend(new_categories(categories, reference, current));
        facts.extend(vanished_categories(categories, reference, current));
    }
    if let Some((from, to)) = &evidence.type_change {
        facts.push((Level::Info, format!("type changed from {from} to {to}")));
    }
    if evidence.significant(thresholds) {
        facts.extend(constant(reference, current));
        if !drifted {
            facts.extend(unseen_by_psi(evidence, thresholds));
        }
    }
    facts
}

/// One side has values and the other has none.
fn emptied(reference: &SideEvidence, current: &SideEvidence) -> Option<(Level, String)> {
    let side = match (reference.values(), current.values()) {
        (0, 1..) => "the reference",
        (1.., 0) => "the current side",
        _ => return None,
    };
    Some((Level::Info, format!("{side} has no values")))
}

/// The null share moved. The only minor fact that can be raised to a drift level, by options that are off.
fn null_share(reference: &SideEvidence, current: &SideEvidence, thresholds: &Thresholds) -> Option<(Level, String)> {
    let reached = |limit: Option<f64>, change: f64| limit.is_some_and(|limit| change >= limit);
    let lowest = [Some(thresholds.null_share), thresholds.null_share_warning, thresholds.null_share_critical];
    let lowest = lowest.into_iter().flatten().fold(f64::INFINITY, f64::min);
    let (change, reason) = moved("null", [(reference.nulls, reference.rows), (current.nulls, current.rows)], lowest)?;
    let level = match change {
        c if reached(thresholds.null_share_critical, c) => Level::Critical,
        c if reached(thresholds.null_share_warning, c) => Level::Warning,
        _ => Level::Info,
    };
    Some((level, reason))
}

/// The absolute change of a share of the rows, and its sentence, where it is at least `least` and not chance: the
/// two-proportion z-test with the pooled share reaches [`SHARE_Z`].
fn moved(what: &str, [(a, n), (b, m)]: [(u64, u64); 2], least: f64) -> Option<(f64, String)> {
    if n == 0 || m == 0 {
        return None;
    }
    let (before, after) = (ratio(a, n), ratio(b, m));
    let change = (after - before).abs();
    let pooled = (real(a) + real(b)) / (real(n) + real(m));
    let variance = pooled * (1.0 - pooled) * (1.0 / real(n) + 1.0 / real(m));
    let by_chance = change * change < SHARE_Z * SHARE_Z * variance;
    (change > 0.0 && change >= least && !by_chance)
        .then(|| (change, format!("{what} share moved from {} to {}", percent(before), percent(after))))
}

/// Categories that the reference does not have, beyond what its own rare categories let expect.
///
/// The share of rows in unseen categories is estimated by (categories seen once) / rows (Good 1953, with Turing). With
/// e rows expected of the current side, new rows are a fact above e + 3·sqrt(e·(1 + M/N)). Where no
/// category of the reference is seen only once, the first new row is one.
fn new_categories(
    found: &CategoryEvidence,
    reference: &SideEvidence,
    current: &SideEvidence,
) -> Option<(Level, String)> {
    let (n, m) = (reference.values(), current.values());
    if found.new_categories == 0 || n == 0 || m == 0 {
        return None;
    }
    let growth = real(m) / real(n);
    let expected = real(found.reference_once) * growth;
    let bound = expected + 3.0 * (expected * (1.0 + growth)).sqrt();
    (real(found.new_rows) > bound).then(|| {
        let categories = counted(found.new_categories, "new category", "new categories");
        (Level::Info, format!("{categories} in {} of the values", percent(ratio(found.new_rows, m))))
    })
}

/// Categories that are gone, of which at least one should have been seen [`EXPECTED_ROWS`] times.
fn vanished_categories(
    found: &CategoryEvidence,
    reference: &SideEvidence,
    current: &SideEvidence,
) -> Option<(Level, String)> {
    let (n, m) = (reference.values(), current.values());
    if found.missing_categories == 0 || n == 0 || m == 0 {
        return None;
    }
    let share = ratio(found.largest_missing, n);
    (share * real(m) >= EXPECTED_ROWS).then(|| {
        let categories = counted(found.missing_categories, "category", "categories");
        (Level::Info, format!("{categories} vanished, the largest with {} of the reference's values", percent(share)))
    })
}

/// One side has one value only and the other has more; the caller knows that the difference is significant.
fn constant(reference: &SideEvidence, current: &SideEvidence) -> Option<(Level, String)> {
    let reason = match (reference.distinct?, current.distinct?) {
        (2.., 1) => "became constant",
        (1, 2..) => "was constant in the reference",
        _ => return None,
    };
    Some((Level::Info, reason.to_owned()))
}

/// A significant D that the effect size does not show; small ones stay quiet, because with enough rows every
/// difference is significant.
fn unseen_by_psi(evidence: &Evidence, thresholds: &Thresholds) -> Option<(Level, String)> {
    let (d, q) = (evidence.ks_statistic?, evidence.q_value?);
    (d >= thresholds.ks_info).then(|| {
        let psi = evidence.psi.map_or_else(String::new, |psi| format!(", though PSI is {}", significant(psi)));
        (Level::Info, format!("KS D {} with q {}{psi}", significant(d), probability(q)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::judge;

    fn side(rows: u64) -> SideEvidence {
        SideEvidence { rows, ..SideEvidence::default() }
    }

    fn judged(evidence: &Evidence) -> (Level, Vec<String>) {
        judge(evidence, &Thresholds::default())
    }

    #[test]
    fn a_null_share_that_moved_is_info_and_noise_is_not() {
        let evidence = |rows, a, b| Evidence {
            reference: SideEvidence { nulls: a, ..side(rows) },
            current: SideEvidence { nulls: b, ..side(rows) },
            ..Evidence::default()
        };
        assert_eq!(judged(&evidence(100_000, 1000, 3000)).1, ["null share moved from 1% to 3%"]);
        assert_eq!(judged(&evidence(100, 1, 3)).0, Level::Ok, "two rows of a hundred are chance");
        assert_eq!(judged(&evidence(100_000_000, 1_000_000, 1_100_000)).0, Level::Ok, "significant but small");
        assert_eq!(judged(&evidence(1000, 0, 1000)).0, Level::Info);
        assert_eq!(judged(&evidence(1000, 1000, 1000)).0, Level::Ok);
    }

    #[test]
    fn options_raise_a_null_share_to_a_drift_level() {
        let thresholds =
            Thresholds { null_share_warning: Some(0.1), null_share_critical: Some(0.5), ..Thresholds::default() };
        let evidence = |b| Evidence {
            reference: side(1000),
            current: SideEvidence { nulls: b, ..side(1000) },
            ..Evidence::default()
        };
        let level = |b| judge(&evidence(b), &thresholds).0;
        assert_eq!([level(99), level(100), level(500)], [Level::Info, Level::Warning, Level::Critical]);
    }

    #[test]
    fn nan_is_not_null() {
        let evidence = Evidence {
            reference: SideEvidence { nulls: 500, ..side(1000) },
            current: SideEvidence { nulls: 500, nans: 400, ..side(1000) },
            ..Evidence::default()
        };
        assert_eq!(judged(&evidence).1, ["NaN share moved from 0% to 40%"]);
    }

    #[test]
    fn a_new_category_is_a_fact_unless_the_reference_is_full_of_rare_ones() {
        let evidence = |once, new_rows| Evidence {
            reference: side(1000),
            current: side(1000),
            categories: Some(CategoryEvidence {
                new_categories: 1,
                new_rows,
                reference_once: once,
                ..CategoryEvidence::default()
            }),
            ..Evidence::default()
        };
        assert_eq!(judged(&evidence(0, 1)).1, ["1 new category in 0.1% of the values"]);
        assert_eq!(judged(&evidence(1000, 1000)).0, Level::Ok, "identifiers are always new");
        assert_eq!(judged(&evidence(20, 25)).0, Level::Ok);
        assert_eq!(judged(&evidence(20, 60)).0, Level::Info);
    }

    #[test]
    fn a_vanished_category_is_a_fact_when_it_should_have_been_seen() {
        let evidence = |largest, rows| Evidence {
            reference: side(1000),
            current: side(rows),
            categories: Some(CategoryEvidence {
                missing_categories: 2,
                largest_missing: largest,
                ..CategoryEvidence::default()
            }),
            ..Evidence::default()
        };
        assert_eq!(
            judged(&evidence(10, 1000)).1,
            ["2 categories vanished, the largest with 1% of the reference's values"]
        );
        assert_eq!(judged(&evidence(9, 1000)).0, Level::Ok);
        assert_eq!(judged(&evidence(100, 50)).0, Level::Ok, "five expected rows can be missing by chance");
    }

    #[test]
    fn a_side_without_values_is_named() {
        let evidence = Evidence { reference: side(10), ..Evidence::default() };
        assert_eq!(judged(&evidence).1, ["the current side has no values"]);
        assert_eq!(judged(&Evidence::default()).0, Level::Ok, "two empty sides are equal");
    }

    #[test]
    fn becoming_constant_needs_significance() {
        let evidence = |q| Evidence {
            q_value: Some(q),
            reference: SideEvidence { distinct: Some(7), ..side(100) },
            current: SideEvidence { distinct: Some(1), ..side(100) },
            ..Evidence::default()
        };
        assert_eq!(judged(&evidence(0.01)).1, ["became constant"]);
        assert_eq!(judged(&evidence(0.9)).0, Level::Ok);
    }

    #[test]
    fn a_significant_difference_is_quiet_unless_d_is_large() {
        let evidence =
            |d| Evidence { psi: Some(0.02), ks_statistic: Some(d), q_value: Some(1e-30), ..Evidence::default() };
        assert_eq!(judged(&evidence(0.05)).0, Level::Ok);
        assert_eq!(judged(&evidence(0.1)).1, ["KS D 0.1 with q 1e-30, though PSI is 0.02"]);
    }

    #[test]
    fn a_changed_type_is_info() {
        let evidence = Evidence { type_change: Some(("int32".into(), "float64".into())), ..Evidence::default() };
        assert_eq!(judged(&evidence), (Level::Info, vec!["type changed from int32 to float64".to_owned()]));
    }
}
