//! Total variation distance.

use super::{Applies, Card, Comparison, Metric, Needs, Outcome, Settings, of_table};

/// ½ Σ |r − c| of the unclipped shares.
pub(super) struct TotalVariation;

impl Metric for TotalVariation {
    fn card(&self) -> &'static Card {
        &Card {
            name: "total_variation",
            values: &["total_variation"],
            measures: "the share of rows that would have to change bin or category",
            applies: Applies::Both,
            needs: Needs::Table,
            default: false,
            range: "0 (same) to 1 (apart)",
            definition: "½ Σ |r − c|",
        }
    }

    fn evaluate(&self, comparison: &Comparison, _: &Settings) -> Vec<Outcome> {
        vec![of_table(comparison, |table| table.sum_of_shares(|r, c| (r - c).abs() / 2.0).min(1.0))]
    }
}
