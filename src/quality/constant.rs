//! Features that must vary. That one became constant is part of its level.

use super::{Card, Check, Found, Sides};
use crate::format::{count, real};
use crate::verdict::Level;

/// One value only, where more were declared.
pub(super) struct Constant;

impl Check for Constant {
    fn card(&self) -> &'static Card {
        &Card {
            name: "constant",
            about: "a feature declared not_constant has one value only",
            declared: Level::Warning,
            observed: Level::Info,
        }
    }

    fn feature(&self, sides: &Sides<'_>) -> Vec<Found> {
        let subject = sides.subject;
        let one = subject.distinct[1].is_some_and(|(distinct, _)| distinct == 1) && subject.values(1) > 1;
        let broken = one && sides.expected.not_constant;
        let message = || format!("all {} values are the same", count(subject.values(1)));
        broken.then(|| Found::declared(message()).with("values", real(subject.values(1)))).into_iter().collect()
    }
}
