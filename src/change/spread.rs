//! The values lie wider apart, or closer together.

use super::fit::best_affine;
use super::{Cause, Explanation, Kind, Subject};
use crate::format::significant;

/// The values lie wider apart, or closer together, around a centre that may have moved. Evidence: the distributions
/// agree once two of their quantiles are those of the reference.
pub(super) struct Spread;

impl Kind for Spread {
    fn name(&self) -> &'static str {
        "spread"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        if subject.kind != crate::column::Kind::Numeric {
            return None;
        }
        let [reference, current] = subject.numbers.as_ref()?;
        let range = |quantiles: &[f64; 9]| quantiles[5] - quantiles[3];
        // Any two quantiles tell a spread, and those between which the values lie close tell it best.
        let (before, after) = (&reference.quantiles, &current.quantiles);
        let pairs = (0..before.len()).flat_map(|low| (low + 1..before.len()).map(move |high| (low, high)));
        let ways = pairs.map(|(low, high)| {
            let factor = (after[high] - after[low]) / (before[high] - before[low]);
            (factor, after[low] - factor * before[low])
        });
        let found = best_affine(subject, ways.filter(|(factor, _)| *factor > 0.0));
        let ((factor, _), found) = found.filter(|(_, found)| found.accepted)?;
        let moved = (current.quantiles[4] - reference.quantiles[4]).abs() / range(&reference.quantiles);
        let apart = if factor >= 1.0 { "far apart" } else { "close together" };
        let centre = if moved < 0.1 { "the median stayed" } else { "the median moved, too" };
        Some(Explanation {
            title: format!("spread × {}", significant(factor)),
            evidence: format!(
                "the values lie {} times as {apart}; {centre}; undone, the two differ by {} points at most",
                significant(factor.max(1.0 / factor)),
                significant(found.worst * 100.0)
            ),
            // Two free numbers explain more by themselves than one.
            confidence: 0.78 * found.explained,
            cause: Cause::Data,
        })
    }
}
