//! Columns that came, went, or changed their type.

use super::{Check, Found, RunSides};
use crate::format::{counted, printable, real};
use crate::verdict::Level;

/// Names that a message lists.
const LISTED: usize = 5;

/// Columns that are gone, new, or of a type that does not compare any more. A type that changed and still compares is
/// said by the feature's own reasons.
pub(super) struct Schema;

impl Check for Schema {
    fn name(&self) -> &'static str {
        "schema"
    }

    /// One finding for each way in which the columns differ.
    fn run(&self, sides: &RunSides<'_>) -> Vec<Found> {
        let ways = [
            (&sides.one_sided[0], "gone", "gone", Level::Warning),
            (&sides.one_sided[1], "new", "new", Level::Info),
            (&sides.incomparable, "of another type", "retyped", Level::Warning),
        ];
        let found = ways.into_iter().filter(|(names, ..)| !names.is_empty()).map(|(names, what, number, level)| {
            let verb = if names.len() == 1 { "is" } else { "are" };
            let columns = counted(names.len() as u64, "column", "columns");
            Found::new(format!("{columns} {verb} {what}: {}", listed(names)))
                .at(level)
                .with(number, real(names.len() as u64))
        });
        found.collect()
    }

    /// Without rows there may be no file that has the columns.
    fn is_blind(&self, sides: &RunSides<'_>) -> bool {
        sides.rows[1] == 0
    }
}

fn listed(names: &[&str]) -> String {
    let mut list: Vec<String> = names.iter().take(LISTED).map(|name| printable(name)).collect();
    if names.len() > LISTED {
        list.push(format!("and {} more", names.len() - LISTED));
    }
    list.join(", ")
}
