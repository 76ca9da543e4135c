//! Jensen–Shannon divergence and distance.

use super::{Applies, Card, Comparison, Metric, Needs, Outcome, Settings, of_table};

/// ½ KL(r ‖ m) + ½ KL(c ‖ m) with m = (r + c) / 2, of the unclipped shares, natural logarithm; the distance is its
/// square root (SciPy's `jensenshannon`).
pub(super) struct JensenShannon;

impl Metric for JensenShannon {
    fn card(&self) -> &'static Card {
        &Card {
            name: "js",
            values: &["js_divergence", "js_distance"],
            measures: "how well a row's bin or category tells which side it came from",
            applies: Applies::Both,
            needs: Needs::Table,
            default: true,
            range: "divergence 0 (same) to ln 2 (apart); distance is its square root",
            definition: "scipy.spatial.distance.jensenshannon(r, c) is the distance",
        }
    }

    fn evaluate(&self, comparison: &Comparison, _: &Settings) -> Vec<Outcome> {
        let part = |share: f64, middle: f64| if share > 0.0 { share * libm::log(share / middle) } else { 0.0 };
        let term = |r: f64, c: f64| {
            let middle = (r + c) / 2.0;
            (part(r, middle) + part(c, middle)) / 2.0
        };
        // Rounding may leave a sum of −1e-17 where the shares are the same.
        let divergence = of_table(comparison, |table| table.sum_of_shares(term).max(0.0));
        let distance = match &divergence {
            Outcome::Number(divergence) => Outcome::Number(divergence.sqrt()),
            undefined => undefined.clone(),
        };
        vec![divergence, distance]
    }
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use super::*;

    #[test]
    fn disjoint_sides_have_ln_two() {
        let table = Some(Table::of_bins(&[5, 0], &[0, 9]));
        let found =
            JensenShannon.evaluate(&Comparison { n: [5, 9], table, ..Comparison::default() }, &Settings::default());
        assert_eq!(found[0], Outcome::Number(std::f64::consts::LN_2));
    }
}
