//! L-infinity distance.

use super::{Applies, Card, Comparison, Metric, Needs, Outcome, Settings, of_table};

/// max |r − c| of the unclipped shares.
pub(super) struct LInfinity;

impl Metric for LInfinity {
    fn card(&self) -> &'static Card {
        &Card {
            name: "l_infinity",
            values: &["l_infinity"],
            measures: "the largest change of the share of one bin or category",
            applies: Applies::Both,
            needs: Needs::Table,
            default: false,
            range: "0 (same) to 1 (apart)",
            definition: "max |r − c|",
        }
    }

    fn evaluate(&self, comparison: &Comparison, _: &Settings) -> Vec<Outcome> {
        vec![of_table(comparison, |table| table.largest_of_shares(|r, c| (r - c).abs()))]
    }
}
