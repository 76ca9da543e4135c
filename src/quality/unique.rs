//! Values that must not repeat.

use super::{Card, Check, Found, Sides};
use crate::column::Kind;
use crate::format::{count, real};
use crate::verdict::Level;

/// Values of an identifier that it takes to see that it is one.
const FEWEST: u64 = 100;

/// Identifiers, such as entity keys, that occur twice.
pub(super) struct Unique;

impl Check for Unique {
    fn card(&self) -> &'static Card {
        &Card {
            name: "unique",
            about: "values that were declared unique repeat (entity keys), or identifiers that never repeated in the reference",
            declared: Level::Warning,
            observed: Level::Info,
        }
    }

    fn feature(&self, sides: &Sides<'_>) -> Vec<Found> {
        let subject = sides.subject;
        let Some(distinct) = sides.distinct else { return Vec::new() };
        let repeated = [0, 1].map(|side: usize| subject.values(side).saturating_sub(distinct[side]));
        let identifier = subject.kind == Kind::Categorical && repeated[0] == 0 && subject.values(0) >= FEWEST;
        if repeated[1] == 0 || !(sides.expected.unique || identifier) {
            return Vec::new();
        }
        let message = format!(
            "{} of {} values repeat another one{}",
            count(repeated[1]),
            count(subject.values(1)),
            if repeated[0] == 0 { ", and none did in the reference" } else { "" }
        );
        let found = if sides.expected.unique { Found::declared(message) } else { Found::observed(message) };
        vec![found.with("repeated", real(repeated[1])).with("repeated_reference", real(repeated[0]))]
    }
}
