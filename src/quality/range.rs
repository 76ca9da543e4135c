//! Values outside the declared range.

use super::{Card, Check, Found, Sides};
use crate::format::{count, real, significant};
use crate::verdict::Level;

/// Values below `min` or above `max`.
pub(super) struct Range;

impl Check for Range {
    fn card(&self) -> &'static Card {
        &Card {
            name: "range",
            about: "values below the declared min or above the declared max, counted exactly",
            declared: Level::Warning,
            observed: Level::Ok,
        }
    }

    fn feature(&self, sides: &Sides<'_>) -> Vec<Found> {
        let (Some([min, max]), [below_min, up_to_max]) = (sides.expected.range, sides.limits) else {
            return Vec::new();
        };
        let values = sides.subject.values(1);
        let (below, above) = (below_min[1], values.saturating_sub(up_to_max[1]));
        let mut found = Vec::new();
        for (rows, what, limit) in [(below, "below the declared min", min), (above, "above the declared max", max)] {
            if rows > 0 {
                let message = format!("{} of {} values {what} {}", count(rows), count(values), significant(limit));
                found.push(Found::declared(message).with("values", real(rows)).with("limit", limit));
            }
        }
        found
    }
}
