//! Every row has the same value, or had.

use super::{Cause, Explanation, Kind, Subject};
use crate::format::{count, percent, real, significant};

/// Every row of current has the same value, and those of the reference did not. Evidence: one distinct value in
/// current; chance is the share of the reference's most frequent value, to the power of the rows. Or the other way round.
pub(super) struct Constant;

impl Kind for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        let side = match (subject.distinct[0]?.0, subject.distinct[1]?.0) {
            (2.., 1) => 1,
            (1, 2..) => 0,
            _ => return None,
        };
        let (n, others) = (subject.values(side), subject.distinct[1 - side]?.0);
        if n < 2 {
            return None;
        }
        let (value, share) = match subject.numbers.as_ref() {
            Some(numbers) => {
                let value = numbers[side].min;
                let atom = subject.atoms.iter().find(|atom| atom.value == value);
                (significant(value), atom.map_or(0.02, |atom| subject.share(atom.rows, 1 - side)))
            }
            None => {
                let label = subject.labels.iter().find(|label| label.rows[side] > 0)?;
                (super::text::quoted(&label.name), subject.share(label.rows, 1 - side))
            }
        };
        let chance = if share > 0.0 { libm::exp(real(n) * libm::log(share)) } else { 0.0 };
        let (n, others, share) = (count(n), count(others), percent(share));
        let (title, evidence, cause) = match side {
            1 => (
                "constant",
                format!(
                    "all {n} values are {value}; the reference has {others} distinct values, {share} of them this one"
                ),
                Cause::Pipeline,
            ),
            _ => (
                "no longer constant",
                format!(
                    "all {n} values of the reference are {value}; now there are {others} distinct values, {share} of them this one"
                ),
                Cause::Unclear,
            ),
        };
        Some(Explanation { title: title.to_owned(), evidence, confidence: 0.99 * (1.0 - chance), cause })
    }
}
