//! Rows that came twice, seen by the values that repeat.

use super::{Check, Found, Sides};
use crate::change::{Subject, lost_decimals};
use crate::column::Kind;
use crate::format::{percent, ratio};
use crate::verdict::Level;

/// Share of distinct values from which the reference counts as one without repeats.
const UNIQUE: f64 = 0.98;
/// Values of current that it takes to say something about repeats.
const FEWEST: u64 = 50;

/// Numbers that hardly ever repeated in the reference repeat: rows were written, or joined, more than once.
pub(super) struct Duplicates;

impl Check for Duplicates {
    fn name(&self) -> &'static str {
        "duplicates"
    }

    fn feature(&self, sides: &Sides<'_>) -> Option<Found> {
        if sides.subject.kind == Kind::Categorical {
            return None;
        }
        let [before, after] = repeats(sides.subject)?;
        let message = format!("values repeat: {} of them are distinct, and {} were", percent(after), percent(before));
        Some(
            Found::new(message)
                .at(Level::Warning)
                .with("distinct_share", after)
                .with("distinct_share_reference", before),
        )
    }
}

/// The shares of distinct values of both sides, where values began to repeat.
fn repeats(subject: &Subject) -> Option<[f64; 2]> {
    let ((before, one), (after, other)) = (subject.distinct[0]?, subject.distinct[1]?);
    let [before, after] =
        [(before, 0), (after, 1)].map(|(distinct, side)| ratio(distinct, subject.values(side)).min(1.0));
    // HyperLogLog's standard error is 1.2 %, so six of them; and a larger side repeats more by itself.
    let least = if one || other { 0.08 } else { 0.02 };
    let comparable = subject.values(1) <= 2 * subject.values(0) && subject.values(1) >= FEWEST;
    // Numbers that lost decimals repeat, and a constant does nothing else.
    let otherwise = lost_decimals(subject).is_some() || after <= 0.1;
    (comparable && !otherwise && before >= UNIQUE && before - after >= least).then_some([before, after])
}
