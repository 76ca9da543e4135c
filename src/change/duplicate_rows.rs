//! Rows came twice.

use super::fit::unchanged;
use super::{Card, Cause, Explanation, Kind, Subject};
use crate::format::{percent, ratio};

/// Share of distinct values from which the reference counts as one without repeats.
const UNIQUE: f64 = 0.98;

/// Values that were nearly all different repeat, and are distributed as before.
pub(super) struct DuplicateRows;

impl Kind for DuplicateRows {
    fn card(&self) -> &'static Card {
        &Card {
            name: "duplicate_rows",
            about: "values that nearly all differed now repeat: rows were written, or joined, more than once",
            evidence: "distinct values per value fell from at least 0.98 by more than the estimate's error, while the \
                       distribution stayed",
            tendency: Cause::Pipeline,
        }
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        let [before, after] = repeats(subject)?;
        let stayed = unchanged(subject).is_none_or(|fit| fit.accepted);
        stayed.then(|| Explanation {
            title: "duplicate rows".to_owned(),
            evidence: format!(
                "distinct values are {} of the values, and were {} in the reference",
                percent(after),
                percent(before)
            ),
            confidence: 0.9,
            cause: Cause::Pipeline,
        })
    }
}

/// The shares of distinct values of both sides, where values began to repeat.
#[must_use]
pub fn repeats(subject: &Subject) -> Option<[f64; 2]> {
    let [before, after] = [0, 1].map(|side| {
        subject.distinct[side].map(|(distinct, estimated)| (ratio(distinct, subject.values(side)).min(1.0), estimated))
    });
    let ((before, one), (after, other)) = (before?, after?);
    // HyperLogLog's standard error is 1.2 %, so six of them; and a larger side repeats more by itself.
    let least = if one || other { 0.08 } else { 0.02 };
    let comparable = subject.values(1) <= 2 * subject.values(0) && subject.values(1) >= 50;
    // Numbers that lost decimals repeat, too.
    let rounded = super::rounding::rounded(subject).is_some();
    (comparable && !rounded && before >= UNIQUE && before - after >= least && after > 0.1).then_some([before, after])
}
