//! Every value changed its sign.

use super::fit::affine;
use super::{Card, Cause, Explanation, Kind, Subject};
use crate::format::significant;

/// Current is the reference mirrored at 0.
pub(super) struct SignFlip;

impl Kind for SignFlip {
    fn card(&self) -> &'static Card {
        &Card {
            name: "sign_flip",
            about: "every value changed its sign: debit for credit, from minus to for to minus from",
            evidence: "the distribution mirrored at 0 agrees with the reference",
            tendency: Cause::Pipeline,
        }
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
