//! How many rows came. Against a reference of another length of time only none at all says something.

use super::{Check, Found, RunSides};
use crate::format::{counted, real};
use crate::verdict::Level;

/// No rows at all.
pub(super) struct Rows;

impl Check for Rows {
    fn name(&self) -> &'static str {
        "rows"
    }

    fn run(&self, sides: &RunSides<'_>) -> Vec<Found> {
        let [before, now] = sides.rows;
        let none = now == 0 && before > 0;
        let message = || format!("current has no rows, and the reference has {}", counted(before, "row", "rows"));
        none.then(|| Found::new(message()).at(Level::Critical).with("rows_reference", real(before)))
            .into_iter()
            .collect()
    }
}
