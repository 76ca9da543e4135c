//! Rows that came twice, seen by the values that repeat.

use super::{Card, Check, Found, Sides};
use crate::change::repeats;
use crate::column::Kind;
use crate::format::percent;
use crate::verdict::Level;

/// Numbers that hardly ever repeated and now do.
pub(super) struct Duplicates;

impl Check for Duplicates {
    fn card(&self) -> &'static Card {
        &Card {
            name: "duplicates",
            about: "numbers that hardly ever repeated in the reference repeat: rows came more than once",
            declared: Level::Warning,
            observed: Level::Info,
        }
    }

    fn feature(&self, sides: &Sides<'_>) -> Vec<Found> {
        if sides.subject.kind == Kind::Categorical || sides.expected.unique {
            return Vec::new();
        }
        let found = repeats(sides.subject).map(|[before, after]| {
            let message =
                format!("values repeat: {} of them are distinct, and {} were", percent(after), percent(before));
            Found::observed(message).with("distinct_share", after).with("distinct_share_reference", before)
        });
        found.into_iter().collect()
    }
}
