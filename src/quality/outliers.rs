//! More values far out.

use super::{Check, Found, Sides};
use crate::format::{percent, ratio, real};

/// Change of the share that is worth a word.
const LEAST: f64 = 0.01;
/// z-value that it must reach.
const Z: f64 = 5.0;

/// The share of values beyond three interquartile ranges of the reference's quartiles rose by a point, and not by
/// chance.
pub(super) struct Outliers;

impl Check for Outliers {
    fn name(&self) -> &'static str {
        "outliers"
    }

    fn feature(&self, sides: &Sides<'_>) -> Option<Found> {
        let outliers = sides.outliers?;
        let n = sides.subject.n();
        let [before, after] = [0, 1].map(|side| ratio(outliers[side], n[side]));
        let pooled = ratio(outliers[0] + outliers[1], n[0] + n[1]);
        let variance = pooled * (1.0 - pooled) * (1.0 / real(n[0].max(1)) + 1.0 / real(n[1].max(1)));
        let rise = after - before;
        let message = || format!("far outliers rose from {} to {} of the values", percent(before), percent(after));
        (rise >= LEAST && rise * rise >= Z * Z * variance)
            .then(|| Found::new(message()).with("share", after).with("share_reference", before))
    }
}
