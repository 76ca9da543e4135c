//! The same amount was added to every value.

use super::fit::{best_affine, median};
use super::text::{signed, span};
use super::{Cause, Explanation, Kind, Subject};
use crate::format::significant;

/// The same amount was added to every value; of a timestamp, time went on. Evidence: the differences of the
/// quantiles agree, and the distributions do once the shift is undone.
pub(super) struct Shift;

impl Kind for Shift {
    fn name(&self) -> &'static str {
        "shift"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        let median = observed_shift(subject)?;
        let [reference, current] = subject.numbers.as_ref()?;
        // Where values lie close together a shift shows best: an outer quantile can know it better than the median.
        let each = reference.quantiles.iter().zip(&current.quantiles).map(|(r, c)| c - r);
        let ways = std::iter::once(median).chain(each).filter(|by| *by != 0.0).map(|by| (1.0, by));
        let ((_, by), found) = best_affine(subject, ways).filter(|(_, found)| found.accepted)?;
        let moved = match subject.ticks_per_day {
            Some(ticks) => format!("{} {}", span(by / ticks), if by < 0.0 { "earlier" } else { "later" }),
            None => signed(by),
        };
        let undone = significant(found.worst * 100.0);
        Some(Explanation {
            title: format!("shifted {moved}"),
            evidence: format!("every quantile lies {moved}; undone, the two differ by {undone} points at most"),
            confidence: 0.86 * found.explained,
            cause: Cause::Data,
        })
    }
}

/// The median distance between the quantiles, where they moved.
pub(super) fn observed_shift(subject: &Subject) -> Option<f64> {
    let [reference, current] = subject.numbers.as_ref()?;
    let differences = reference.quantiles.iter().zip(&current.quantiles).map(|(r, c)| c - r);
    median(differences.collect()).filter(|by| *by != 0.0 && by.is_finite())
}
