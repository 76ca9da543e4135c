//! Values went missing.

use super::fit::unchanged;
use super::{Cause, Explanation, Kind, Subject};
use crate::format::{percent, ratio, real};

/// Change of the share of the rows that is worth a word.
const LEAST: f64 = 0.01;
/// z-value that the change must reach.
const Z: f64 = 5.0;

/// Values went missing: the share of nulls, or of NaN, rose. Evidence: two-proportion z of at least 5 and at least
/// one percentage point; a bug where the values that are left are distributed as before.
pub(super) struct NullSpike;

impl Kind for NullSpike {
    fn name(&self) -> &'static str {
        "null_spike"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        let (what, before, after) = [("null", subject.nulls), ("NaN", subject.nans)]
            .into_iter()
            .filter_map(|(what, counts)| rise(counts, subject.rows).map(|(before, after)| (what, before, after)))
            .max_by(|a, b| (a.2 - a.1).total_cmp(&(b.2 - b.1)))?;
        let title = format!("{what} spike");
        let moved = format!("{what} share {} → {}", percent(before), percent(after));
        if subject.values(1) == 0 {
            let evidence = format!("{moved}: no value is left");
            return Some(Explanation { title, evidence, confidence: 0.99, cause: Cause::Pipeline });
        }
        let explained = (after - before).clamp(0.0, 1.0);
        Some(match same_rest(subject) {
            Some(true) => Explanation {
                title,
                evidence: format!("{moved}; the values that are left are distributed as before"),
                confidence: 0.97,
                cause: Cause::Pipeline,
            },
            Some(false) => Explanation {
                title,
                evidence: format!("{moved}; the values that are left moved, too"),
                confidence: 0.4 + 0.5 * explained,
                cause: Cause::Unclear,
            },
            None => Explanation { title, evidence: moved, confidence: 0.7, cause: Cause::Unclear },
        })
    }
}

/// The shares, where the second is larger by more than chance.
fn rise(counts: [u64; 2], rows: [u64; 2]) -> Option<(f64, f64)> {
    let [before, after] = [0, 1].map(|side| ratio(counts[side], rows[side]));
    let pooled = ratio(counts[0] + counts[1], rows[0] + rows[1]);
    let variance = pooled * (1.0 - pooled) * (1.0 / real(rows[0].max(1)) + 1.0 / real(rows[1].max(1)));
    let rise = after - before;
    (rise >= LEAST && rise * rise >= Z * Z * variance).then_some((before, after))
}

/// Whether the values that are left are distributed as the reference's; unknown without facts.
fn same_rest(subject: &Subject) -> Option<bool> {
    if subject.numbers.is_some() {
        return unchanged(subject).map(|fit| fit.accepted);
    }
    (!subject.labels.is_empty()).then(|| super::shares::keep(subject, |label| Some(label.rows)))
}
