//! Every row has the same value.

use super::{Cause, Explanation, Kind, Subject};
use crate::format::{count, percent, real, significant};

/// Every row of current has the same value, and those of the reference did not. Evidence: one distinct value in
/// current; chance is the share of the reference's most frequent value, to the power of the rows.
pub(super) struct Constant;

impl Kind for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        let [(before, _), (1, _)] = [subject.distinct[0]?, subject.distinct[1]?] else { return None };
        let m = subject.values(1);
        if before < 2 || m < 2 {
            return None;
        }
        let (value, share) = match subject.numbers.as_ref() {
            Some([_, current]) => {
                let atom = subject.atoms.iter().find(|atom| atom.value == current.min);
                (significant(current.min), atom.map_or(0.02, |atom| subject.share(atom.rows, 0)))
            }
            None => {
                let label = subject.labels.iter().find(|label| label.rows[1] > 0)?;
                (super::text::quoted(&label.name), subject.share(label.rows, 0))
            }
        };
        let chance = if share > 0.0 { libm::exp(real(m) * libm::log(share)) } else { 0.0 };
        Some(Explanation {
            title: "constant".to_owned(),
            evidence: format!(
                "all {} values are {value}; the reference has {} distinct values, {} of them this one",
                count(m),
                count(before),
                percent(share),
            ),
            confidence: 0.99 * (1.0 - chance),
            cause: Cause::Pipeline,
        })
    }
}
