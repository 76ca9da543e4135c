//! Keys of entities that occur twice.

use super::{Check, Found, RunSides};
use crate::format::{counted, percent, ratio, real};
use crate::verdict::Level;

/// Rows of current have the entity and the time of another one, and nothing says that one was written later.
pub(super) struct Entities;

impl Check for Entities {
    fn name(&self) -> &'static str {
        "entities"
    }

    fn run(&self, sides: &RunSides<'_>) -> Vec<Found> {
        let (repeats, rows) = (sides.repeats, sides.rows[1]);
        let message = || {
            let verb = if repeats == 1 { "has" } else { "have" };
            let share = percent(ratio(repeats, rows));
            format!("{} ({share}) {verb} the entity and time of another one", counted(repeats, "row", "rows"))
        };
        let found = (repeats > 0).then(|| Found::new(message()).at(Level::Warning).with("repeats", real(repeats)));
        found.into_iter().collect()
    }

    fn is_blind(&self, sides: &RunSides<'_>) -> bool {
        sides.rows[1] == 0
    }
}
