//! Every value changed its sign.

use super::fit::affine;
use super::{Cause, Explanation, Kind, Subject};
use crate::format::significant;

/// Every value changed its sign: debit for credit, from minus to for to minus from. Evidence: the distribution
/// mirrored at 0 agrees with the reference.
pub(super) struct SignFlip;

impl Kind for SignFlip {
    fn name(&self) -> &'static str {
        "sign_flip"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        let [reference, current] = subject.numbers.as_ref()?;
        let found = affine(subject, -1.0, 0.0).filter(|found| found.accepted)?;
        Some(Explanation {
            title: "sign flip".to_owned(),
            evidence: format!(
                "the median went from {} to {}; mirrored, the two differ by {} points at most",
                significant(reference.quantiles[4]),
                significant(current.quantiles[4]),
                significant(found.worst * 100.0)
            ),
            confidence: 0.96 * found.explained,
            cause: Cause::Pipeline,
        })
    }
}
