//! A category that is gone.

use super::text::quoted;
use super::{Cause, Explanation, Kind, Label, Subject};
use crate::format::{counted, percent, ratio, real};

/// Rows of the vanished categories that current should have had.
const EXPECTED_ROWS: f64 = 10.0;

/// Categories of the reference that no longer appear. Evidence: at least ten rows of them were to be expected; more
/// sure where the others keep their proportions.
pub(super) struct VanishedCategory;

impl Kind for VanishedCategory {
    fn name(&self) -> &'static str {
        "vanished_category"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        if !subject.has_values() {
            return None;
        }
        let gone: Vec<&Label> = subject.labels.iter().filter(|label| label.rows[1] == 0 && label.rows[0] > 0).collect();
        let share = ratio(gone.iter().map(|label| label.rows[0]).sum(), subject.values(0));
        let largest = gone.iter().max_by_key(|label| label.rows[0])?;
        if share * real(subject.values(1)) < EXPECTED_ROWS {
            return None;
        }
        let kept = super::shares::keep(subject, |label| (label.rows[1] > 0).then_some(label.rows));
        let title = match gone.len() {
            1 => format!("category {} vanished", quoted(&largest.name)),
            more => format!("{} vanished", counted(more as u64, "category", "categories")),
        };
        let rest = if kept { "the others keep their proportions" } else { "the others moved, too" };
        Some(Explanation {
            title,
            evidence: format!("{} had {} of the reference's values; {rest}", quoted(&largest.name), percent(share)),
            confidence: match kept {
                true => 0.9,
                false if super::shares::is_most(subject, share) => 0.61,
                // A rare one among others that moved is not what happened.
                false => 0.55,
            },
            cause: Cause::Unclear,
        })
    }
}
