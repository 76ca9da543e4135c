//! Population stability index.

use super::{Applies, Card, Comparison, Metric, Needs, Outcome, Settings, of_table};

/// PSI = Σ (c − r) · ln(c / r) over the shares r and c of bins or categories, shares clipped below at the floor and
/// not renormalised, natural logarithm.
pub(super) struct Psi;

impl Metric for Psi {
    fn card(&self) -> &'static Card {
        &Card {
            name: "psi",
            values: &["psi"],
            measures: "how far the shares of the reference's bins (or of the categories) have moved",
            applies: Applies::Both,
            needs: Needs::Table,
            default: true,
            range: "0 (same) and up",
            definition: "Σ (c − r) · ln(c / r), shares clipped below at 0.001; 10 bins at the reference's percentiles",
        }
    }

    fn evaluate(&self, comparison: &Comparison, settings: &Settings) -> Vec<Outcome> {
        let floor = settings.psi_floor;
        vec![of_table(comparison, |table| table.sum_of_shares(|r, c| psi_term(r, c, floor)))]
    }
}

/// What one bin, or one category, adds to PSI: (c − r) · ln(c / r), both shares clipped below at the floor.
#[must_use]
pub fn psi_term(reference: f64, current: f64, floor: f64) -> f64 {
    let (r, c) = (reference.max(floor), current.max(floor));
    (c - r) * libm::log(c / r)
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use super::*;

    fn psi(reference: &[u64], current: &[u64]) -> Vec<Outcome> {
        let n = [reference.iter().sum(), current.iter().sum()];
        let table = Some(Table::of_bins(reference, current));
        Psi.evaluate(&Comparison { n, table, ..Comparison::default() }, &Settings::default())
    }

    #[test]
    fn same_shares_have_none() {
        assert_eq!(psi(&[10, 30], &[20, 60]), [Outcome::Number(0.0)]);
    }

    #[test]
    fn sides_are_interchangeable() {
        assert_eq!(psi(&[10, 30, 0], &[20, 6, 3]), psi(&[20, 6, 3], &[10, 30, 0]));
    }

    #[test]
    fn empty_side_has_a_reason() {
        assert!(matches!(psi(&[0, 0], &[1, 2])[..], [Outcome::Undefined(_)]));
    }
}
