//! Features that stand still.

use super::{Card, Check, Found, RunSides, Sides};
use crate::change::is_frozen;
use crate::format::{count, counted, real};
use crate::verdict::Level;

/// The same distribution to the row.
pub(super) struct Frozen;

impl Check for Frozen {
    fn card(&self) -> &'static Card {
        &Card {
            name: "frozen",
            about: "current holds exactly the values of the reference: the same distribution, to the row",
            declared: Level::Warning,
            observed: Level::Info,
        }
    }

    fn feature(&self, sides: &Sides<'_>) -> Vec<Found> {
        let values = sides.subject.values(1);
        let message = || format!("all {} values are those of the reference, each exactly as often", count(values));
        is_frozen(sides.subject).then(|| Found::observed(message()).with("values", real(values))).into_iter().collect()
    }
}

/// Whether so many features stand still that the two sides must be the same data.
#[must_use]
pub fn is_everything(frozen: usize, compared: usize) -> bool {
    frozen >= 2 && frozen * 10 >= compared * 9
}

/// All features stand still: one finding for all.
pub(super) fn everything(sides: &RunSides<'_>) -> Option<Found> {
    is_everything(sides.frozen, sides.compared).then(|| {
        let features = counted(sides.frozen as u64, "feature holds", "features hold");
        Found::observed(format!("current is the reference: {features} the same values, each exactly as often"))
            .with("frozen", real(sides.frozen as u64))
            .with("compared", real(sides.compared as u64))
    })
}
