//! Hellinger distance.

use super::{Applies, Card, Comparison, Metric, Needs, Outcome, Settings, of_table};

/// √(½ Σ (√r − √c)²) of the unclipped shares; the same as √(1 − Σ √(r·c)), without its cancellation.
pub(super) struct Hellinger;

impl Metric for Hellinger {
    fn card(&self) -> &'static Card {
        &Card {
            name: "hellinger",
            values: &["hellinger"],
            measures: "how little the shares of bins or categories overlap",
            applies: Applies::Both,
            needs: Needs::Table,
            default: false,
            range: "0 (same) to 1 (apart)",
            definition: "√(1 − Σ √(r · c))",
        }
    }

    fn evaluate(&self, comparison: &Comparison, _: &Settings) -> Vec<Outcome> {
        let term = |r: f64, c: f64| (r.sqrt() - c.sqrt()) * (r.sqrt() - c.sqrt()) / 2.0;
        vec![of_table(comparison, |table| table.sum_of_shares(term).sqrt().min(1.0))]
    }
}
