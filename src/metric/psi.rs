//! Population stability index.

use super::{Applies, Card, Chance, Comparison, Metric, Needs, Outcome, Settings, Table, of_table};
use crate::format::real;

/// PSI = Σ (c − r) · ln(c / r) over the shares r and c of bins or categories, shares clipped below at the floor and
/// not renormalised, natural logarithm.
///
/// `psi_corrected` is PSI less what chance alone gives two samples of these sizes, and `psi_p_value` the chance of a PSI as
/// large without drift: see [`Chance`], with the shares of both sides taken together. Of windows of 200 rows with ten bins,
/// p-values at or below 0.01 and 0.001 are as frequent as that to a tenth; of four or a hundred uneven categories to a half,
/// and with 50 rows half as many again are below 0.01 (`tests/golden/psi.py` measures it). `psi_bins_used` counts the bins
/// that hold a value of either side.
pub(super) struct Psi;

impl Metric for Psi {
    fn card(&self) -> &'static Card {
        &Card {
            name: "psi",
            values: &[
                "psi",
                "psi_corrected",
                "psi_p_value",
                "psi_bins_used",
                "psi_reference_values",
                "psi_current_values",
            ],
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
        let psi = of_table(comparison, |table| table.sum_of_shares(|r, c| psi_term(r, c, floor)));
        let (&Outcome::Number(value), Some(table)) = (&psi, &comparison.table) else {
            return vec![psi; self.card().values.len()];
        };
        let rows = table.rows();
        let chance = Chance::of(rows, pooled(table), floor);
        let bins = table.cells().iter().filter(|cell| cell.reference + cell.current > 0).map(|cell| cell.times).sum();
        let mut outcomes = vec![
            psi,
            Outcome::Number(value - chance.mean),
            Outcome::Number(chance.p_value(value)),
            Outcome::Integer(bins),
        ];
        outcomes.extend(rows.map(Outcome::Integer));
        outcomes
    }
}

/// The shares of both sides taken together.
fn pooled(table: &Table) -> impl Iterator<Item = (f64, u64)> + '_ {
    let all = real(table.rows().iter().sum());
    table.cells().iter().map(move |cell| (real(cell.reference + cell.current) / all, cell.times))
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

    fn values(reference: &[u64], current: &[u64]) -> Vec<Outcome> {
        let n = [reference.iter().sum(), current.iter().sum()];
        let table = Some(Table::of_bins(reference, current));
        Psi.evaluate(&Comparison { n, table, ..Comparison::default() }, &Settings::default())
    }

    fn psi(reference: &[u64], current: &[u64]) -> [Outcome; 1] {
        [values(reference, current).swap_remove(0)]
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
    fn empty_bins_count_for_nothing() {
        let some = values(&[10, 30, 20], &[20, 6, 3]);
        assert_eq!(some, values(&[10, 0, 30, 20, 0], &[20, 0, 6, 3, 0]));
        assert_eq!(some[3..], [3, 60, 29].map(Outcome::Integer));
    }

    #[test]
    fn single_bin_is_no_drift() {
        assert_eq!(values(&[5], &[9])[..3], [0.0, 0.0, 1.0].map(Outcome::Number));
    }

    #[test]
    fn empty_side_has_a_reason() {
        assert!(matches!(psi(&[0, 0], &[1, 2])[..], [Outcome::Undefined(_)]));
    }
}
