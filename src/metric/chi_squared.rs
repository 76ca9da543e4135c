//! Pearson's chi-squared test of homogeneity.

use super::{Applies, Card, Comparison, Metric, Needs, Outcome, Settings, Table, of_table};
use crate::stats::chi_squared_sf;

/// χ² of the 2 × k table over the union of categories, no Yates correction; k − 1 degrees of freedom.
///
/// With n and m rows a side, r and c rows of a category, observed minus expected is ±(r·m − c·n) / (n + m), so
/// χ² = Σ (r·m − c·n)² / ((r + c) · n · m): integers up to the one division of each term.
pub(super) struct ChiSquared;

impl Metric for ChiSquared {
    fn card(&self) -> &'static Card {
        &Card {
            name: "chi2",
            values: &["chi2_statistic", "chi2_dof", "chi2_p_value"],
            measures: "whether the two sides can have the same shares of categories",
            applies: Applies::Categories,
            needs: Needs::Table,
            default: true,
            range: "statistic 0 (same) and up; p from 1 to 0",
            definition: "scipy.stats.chi2_contingency(table, correction=False)",
        }
    }

    fn evaluate(&self, comparison: &Comparison, _: &Settings) -> Vec<Outcome> {
        let statistic = of_table(comparison, chi_squared);
        let Outcome::Number(value) = statistic else {
            return vec![statistic.clone(), statistic.clone(), statistic];
        };
        let dof = comparison.table.as_ref().map_or(0, |table| table.len().saturating_sub(1));
        let p_value = if dof == 0 { 1.0 } else { chi_squared_sf(value, dof) };
        vec![statistic, Outcome::Integer(dof), Outcome::Number(p_value)]
    }
}

#[expect(clippy::cast_precision_loss, reason = "products of row counts are rounded once, then divided")]
fn chi_squared(table: &Table) -> f64 {
    let [n, m] = table.rows().map(i128::from);
    let term = |cell: &super::TableCell| {
        let (r, c) = (i128::from(cell.reference), i128::from(cell.current));
        let apart = (r * m - c * n) as f64;
        apart / ((r + c) * n) as f64 * (apart / m as f64) * cell.times as f64
    };
    table.cells().iter().map(term).fold(0.0, |sum, term| sum + term)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chi2(counts: &[[u64; 2]]) -> Vec<Outcome> {
        let table = Table::of_categories(counts.iter().copied());
        ChiSquared.evaluate(
            &Comparison { n: table.rows(), table: Some(table), ..Comparison::default() },
            &Settings::default(),
        )
    }

    #[test]
    fn single_category_is_no_drift() {
        assert_eq!(chi2(&[[5, 9]]), [Outcome::Number(0.0), Outcome::Integer(0), Outcome::Number(1.0)]);
    }

    #[test]
    fn two_by_two_by_hand() {
        // Expected counts are 15 everywhere: 4 · 25 / 15.
        let Outcome::Number(statistic) = chi2(&[[10, 20], [20, 10]])[0] else { panic!("has a value") };
        assert!((statistic - 100.0 / 15.0).abs() < 1e-14);
    }
}
