//! Kolmogorov–Smirnov: the largest gap between two ECDFs.

use super::{Applies, Card, Comparison, Metric, Needs, Outcome, Settings, empty_side};
use crate::stats::{KsMethod, ks_two_sample};

/// D = max |F(x) − G(x)|, two-sided, two-sample, ties included; one division of exact integers. The p-value is that of
/// SciPy's `ks_2samp(method="auto")`.
pub(super) struct KolmogorovSmirnov;

impl Metric for KolmogorovSmirnov {
    fn card(&self) -> &'static Card {
        &Card {
            name: "ks",
            values: &["ks_statistic", "ks_p_value", "ks_method"],
            measures: "the largest gap between the two empirical distribution functions",
            applies: Applies::Ordered,
            needs: Needs::Gap,
            default: true,
            range: "D from 0 (same) to 1 (apart); p from 1 to 0",
            definition: "scipy.stats.ks_2samp(reference, current, method=\"auto\")",
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "the one rounding of D, of exact integers")]
    fn evaluate(&self, comparison: &Comparison, settings: &Settings) -> Vec<Outcome> {
        if let Some(undefined) = empty_side(comparison) {
            return vec![undefined.clone(), undefined.clone(), undefined];
        }
        let Some(gap) = comparison.gap else {
            return vec![Outcome::Undefined("its counts were not asked for"); 3];
        };
        let [n, m] = comparison.n;
        let statistic = gap as f64 / (u128::from(n) * u128::from(m)) as f64;
        let Some(p) = ks_two_sample(gap, n, m, settings.ks_method) else {
            return vec![Outcome::Undefined(super::EMPTY_CURRENT); 3];
        };
        let method = match p.method {
            KsMethod::Exact => "exact",
            KsMethod::Asymp => "asymp",
        };
        vec![Outcome::Number(statistic), Outcome::Number(p.p_value), Outcome::Word(method)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ks(gap: u128, n: u64, m: u64) -> Vec<Outcome> {
        let comparison = Comparison { n: [n, m], gap: Some(gap), ..Comparison::default() };
        KolmogorovSmirnov.evaluate(&comparison, &Settings::default())
    }

    #[test]
    fn same_samples_have_p_one() {
        assert_eq!(ks(0, 10, 20), [Outcome::Number(0.0), Outcome::Number(1.0), Outcome::Word("exact")]);
    }

    #[test]
    fn disjoint_samples_have_d_one() {
        assert_eq!(ks(200, 10, 20)[0], Outcome::Number(1.0));
    }

    #[test]
    fn more_than_ten_thousand_rows_are_asymptotic() {
        assert_eq!(ks(5, 10_001, 3)[2], Outcome::Word("asymp"));
        assert_eq!(ks(5, 10_000, 3)[2], Outcome::Word("exact"));
    }
}
