//! Decimals that got lost.

use super::{Check, Found, Sides};
use crate::change::lost_decimals;
use crate::format::counted;

/// Numbers have fewer decimals than in the reference, or are whole.
pub(super) struct Precision;

impl Check for Precision {
    fn name(&self) -> &'static str {
        "precision"
    }

    fn feature(&self, sides: &Sides<'_>) -> Option<Found> {
        let decimals = lost_decimals(sides.subject)?;
        let message = match decimals {
            0 => "all values are whole numbers now".to_owned(),
            1.. => {
                format!("values have at most {} now", counted(decimals.unsigned_abs().into(), "decimal", "decimals"))
            }
            _ => format!("all values are multiples of {} now", libm::exp10(-f64::from(decimals))),
        };
        Some(Found::new(message).with("decimals", f64::from(decimals)))
    }
}
