//! The feature stood still: current is the reference, row for row.

use super::{Card, Cause, Explanation, Kind, Subject};
use crate::format::{count, ratio};

/// Below this chance of two equal samples the equality is no accident.
const CHANCE: f64 = 1e-6;

/// Both sides hold the same values equally often.
pub(super) struct Frozen;

impl Kind for Frozen {
    fn card(&self) -> &'static Card {
        &Card {
            name: "frozen",
            about: "current holds exactly the values of the reference: the job that writes it did not run",
            evidence: "equal rows, nulls and NaN, and D exactly 0 (or equal counts of every category), where chance would \
                       not give that",
            tendency: Cause::Pipeline,
        }
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        is_frozen(subject).then(|| Explanation {
            title: "frozen".to_owned(),
            evidence: format!(
                "all {} values are those of the reference, each exactly as often",
                count(subject.values(1))
            ),
            confidence: 0.99,
            cause: Cause::Pipeline,
        })
    }
}

/// Whether the two sides are equal and two independent samples would not be.
#[must_use]
pub fn is_frozen(subject: &Subject) -> bool {
    let same =
        subject.n()[0] == subject.n()[1] && subject.nulls[0] == subject.nulls[1] && subject.nans[0] == subject.nans[1];
    if !same || !subject.has_values() {
        return false;
    }
    if let Some(gap) = subject.gap {
        // Many values that nobody shares: two samples agree in hardly any.
        return gap == 0
            && subject.distinct[0].is_some_and(|(distinct, _)| distinct > 50 || by_chance(subject) < CHANCE);
    }
    subject.labels_complete
        && subject.labels.iter().all(|label| label.rows[0] == label.rows[1])
        && by_chance(subject) < CHANCE
}

/// About the chance that two samples of one distribution agree in all counts: a product of normal densities at 0,
/// 1 / √(4 π n p (1 − p)), one for each value but the last.
fn by_chance(subject: &Subject) -> f64 {
    let n = subject.values(0);
    let rows: Vec<u64> = match subject.gap {
        Some(_) => subject.atoms.iter().map(|atom| atom.rows[0]).collect(),
        None => subject.labels.iter().map(|label| label.rows[0]).collect(),
    };
    let one = |&rows: &u64| {
        let variance = 4.0 * std::f64::consts::PI * crate::format::real(rows) * (1.0 - ratio(rows, n));
        if variance > 1.0 { 1.0 / variance.sqrt() } else { 1.0 }
    };
    rows.iter().skip(1).map(one).product()
}
