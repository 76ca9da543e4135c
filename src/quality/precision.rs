//! Decimals that got lost.

use super::{Card, Check, Found, Sides};
use crate::change::lost_decimals;
use crate::verdict::Level;

/// Numbers on a coarser grid than in the reference.
pub(super) struct Precision;

impl Check for Precision {
    fn card(&self) -> &'static Card {
        &Card {
            name: "precision",
            about: "numbers have fewer decimals than in the reference, or are whole",
            declared: Level::Warning,
            observed: Level::Info,
        }
    }

    fn feature(&self, sides: &Sides<'_>) -> Vec<Found> {
        let found = lost_decimals(sides.subject).map(|decimals| {
            let message = match decimals {
                0 => "all values are whole numbers now".to_owned(),
                1.. => format!("values have at most {decimals} decimals now"),
                _ => format!("all values are multiples of {} now", libm::exp10(-f64::from(decimals))),
            };
            Found::observed(message).with("decimals", f64::from(decimals))
        });
        found.into_iter().collect()
    }
}
