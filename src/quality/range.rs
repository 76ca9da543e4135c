//! Values where the reference has none.

use super::{Check, Found, Sides};
use crate::format::{count, percent, ratio, real};

/// Share of the values beyond the reference's that is worth a word.
const LEAST: f64 = 0.001;
/// Largest chance of that many, for two samples of one distribution.
const CHANCE: f64 = 1e-6;

/// Numbers lie below the smallest, or above the largest, of the reference, and more of them than chance gives.
pub(super) struct Range;

impl Check for Range {
    fn name(&self) -> &'static str {
        "range"
    }

    fn feature(&self, sides: &Sides<'_>) -> Option<Found> {
        let beyond = sides.beyond?;
        let [n, m] = sides.subject.n();
        let share = ratio(beyond, m);
        let message = || {
            format!("{} of {} values ({}) lie beyond the reference's range", count(beyond), count(m), percent(share))
        };
        (share >= LEAST && by_chance(beyond, n, m) < CHANCE)
            .then(|| Found::new(message()).with("beyond", real(beyond)).with("share", share))
    }
}

/// About the chance that k of m values lie beyond the extremes of n others of the same distribution.
///
/// All orders of the n + m values are as likely, so a of them above the largest of the n have a chance of at most
/// (m / (n + m))^a (Gumbel and von Schelling 1950: the distribution of the number of exceedances); k are split over the
/// two ends in k + 1 ways.
fn by_chance(k: u64, n: u64, m: u64) -> f64 {
    (real(k) + 1.0) * libm::pow(ratio(m, n + m), real(k))
}
