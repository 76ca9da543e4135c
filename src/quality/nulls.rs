//! The share of nulls against a declared limit. How it moved is part of the feature's level.

use super::{Card, Check, Found, Sides};
use crate::format::{percent, ratio};
use crate::verdict::Level;

/// More nulls than declared.
pub(super) struct Nulls;

impl Check for Nulls {
    fn card(&self) -> &'static Card {
        &Card {
            name: "nulls",
            about: "more nulls than max_null_share allows",
            declared: Level::Warning,
            observed: Level::Info,
        }
    }

    fn feature(&self, sides: &Sides<'_>) -> Vec<Found> {
        let share = ratio(sides.subject.nulls[1], sides.subject.rows[1]);
        let broken = sides.expected.max_null_share.filter(|&limit| share > limit);
        let found = broken.map(|limit| {
            let message = format!("{} are null, and at most {} are allowed", percent(share), percent(limit));
            Found::declared(message).with("null_share", share).with("max_null_share", limit)
        });
        found.into_iter().collect()
    }
}
