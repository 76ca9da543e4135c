//! Every value was multiplied by one factor.

use super::unit_change::best_factor;
use super::{Cause, Explanation, Kind, Subject};
use crate::format::significant;

/// Every value was multiplied by one factor that is not known to lie between two units. Evidence: the ratios of the
/// quantiles agree, and the distributions do once the factor is undone.
pub(super) struct Scale;

impl Kind for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        if subject.ticks_per_day.is_some() {
            return None;
        }
        let (factor, found) = best_factor(subject).filter(|(_, found)| found.accepted)?;
        Some(Explanation {
            title: format!("scaled × {}", significant(factor)),
            evidence: format!(
                "the quantiles are {} times those of the reference; undone, the two differ by {} points at most",
                significant(factor),
                significant(found.worst * 100.0)
            ),
            confidence: 0.85 * found.explained,
            cause: Cause::Unclear,
        })
    }
}
