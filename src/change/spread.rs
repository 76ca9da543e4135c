//! The values lie wider apart, or closer together.

use super::fit::affine;
use super::{Cause, Explanation, Kind, Subject};
use crate::format::significant;

/// The values lie wider apart, or closer together, around a centre that may have moved. Evidence: the distributions
/// agree once location and interquartile range are those of the reference.
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
        let factor = range(&current.quantiles) / range(&reference.quantiles);
        if !factor.is_finite() || factor <= 0.0 {
            return None;
        }
        let by = current.quantiles[4] - factor * reference.quantiles[4];
        let found = affine(subject, factor, by).filter(|found| found.accepted)?;
        let moved = (current.quantiles[4] - reference.quantiles[4]).abs() / range(&reference.quantiles);
        let wider = if factor >= 1.0 { "wider" } else { "narrower" };
        let centre = if moved < 0.1 { "the median stayed" } else { "the median moved, too" };
        Some(Explanation {
            title: format!("spread × {}", significant(factor)),
            evidence: format!(
                "the interquartile range is {} times {wider}; {centre}; undone, the two differ by {} points at most",
                significant(factor.max(1.0 / factor)),
                significant(found.worst * 100.0)
            ),
            // Two free numbers explain more by themselves than one.
            confidence: 0.78 * found.explained,
            cause: Cause::Data,
        })
    }
}
