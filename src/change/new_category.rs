//! A category that the reference never saw.

use super::text::quoted;
use super::{Cause, Explanation, Kind, Label, Subject};
use crate::format::{counted, percent, ratio};

/// Least share of the values in new categories.
const LEAST: f64 = 0.001;

/// Categories that the reference never saw. Evidence: their share of the values; more sure where the others keep
/// their proportions.
pub(super) struct NewCategory;

impl Kind for NewCategory {
    fn name(&self) -> &'static str {
        "new_category"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        if !subject.has_values() {
            return None;
        }
        let new: Vec<&Label> = subject.labels.iter().filter(|label| label.rows[0] == 0 && label.rows[1] > 0).collect();
        let share = ratio(new.iter().map(|label| label.rows[1]).sum(), subject.values(1));
        let largest = new.iter().max_by_key(|label| label.rows[1]).filter(|_| share >= LEAST)?;
        let kept = super::shares::keep(subject, |label| (label.rows[0] > 0).then_some(label.rows));
        let title = match new.len() {
            1 => format!("new category {}", quoted(&largest.name)),
            more => counted(more as u64, "new category", "new categories"),
        };
        let rest = if kept { "the others keep their proportions" } else { "the others moved, too" };
        Some(Explanation {
            title,
            evidence: format!(
                "{}{} in {} of the values; {rest}",
                quoted(&largest.name),
                if new.len() > 1 { " and the others" } else { "" },
                percent(share)
            ),
            confidence: match kept {
                true => 0.9,
                false if super::shares::is_most(subject, share) => 0.62,
                // A rare one among others that moved is not what happened.
                false => 0.55,
            },
            cause: Cause::Data,
        })
    }
}
