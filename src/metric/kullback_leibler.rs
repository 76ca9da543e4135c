//! Kullback–Leibler divergence.

use super::{Applies, Card, Comparison, Metric, Needs, Outcome, Settings, of_table};

/// Σ r · ln(r / c) of the shares clipped below at the floor of PSI, natural logarithm.
pub(super) struct KullbackLeibler;

impl Metric for KullbackLeibler {
    fn card(&self) -> &'static Card {
        &Card {
            name: "kl",
            values: &["kl_divergence"],
            measures: "how surprising the reference is to somebody who knows current",
            applies: Applies::Both,
            needs: Needs::Table,
            default: false,
            range: "0 (same) and up; clipping may take it slightly below 0",
            definition: "Σ r · ln(r / c), shares clipped below at 0.001",
        }
    }

    fn evaluate(&self, comparison: &Comparison, settings: &Settings) -> Vec<Outcome> {
        let floor = settings.psi_floor;
        let term = |r: f64, c: f64| r.max(floor) * libm::log(r.max(floor) / c.max(floor));
        vec![of_table(comparison, |table| table.sum_of_shares(term))]
    }
}
