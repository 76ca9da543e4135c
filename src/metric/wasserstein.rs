//! Wasserstein-1, the earth mover's distance.

use super::{Applies, Card, Comparison, Metric, Needs, Outcome, Settings, empty_side};

/// ∫ |F(x) − G(x)| dx, summed over all values in ascending order; in the feature's own unit.
pub(super) struct Wasserstein;

impl Metric for Wasserstein {
    fn card(&self) -> &'static Card {
        &Card {
            name: "wasserstein",
            values: &["wasserstein"],
            measures: "how far the values must move on average to turn one side into the other",
            applies: Applies::Ordered,
            needs: Needs::Everything,
            default: false,
            range: "0 (same) and up, in the feature's unit",
            definition: "scipy.stats.wasserstein_distance(reference, current)",
        }
    }

    fn evaluate(&self, comparison: &Comparison, _: &Settings) -> Vec<Outcome> {
        if let Some(undefined) = empty_side(comparison) {
            return vec![undefined];
        }
        vec![match comparison.wasserstein {
            _ if comparison.infinite != [0, 0] => Outcome::Undefined("a side has infinite values"),
            Some(distance) if distance.is_finite() => Outcome::Number(distance),
            Some(_) => Outcome::Undefined(super::NOT_FINITE),
            None => Outcome::Undefined("its counts were not asked for"),
        }]
    }
}
