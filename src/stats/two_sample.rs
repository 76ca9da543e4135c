//! Two samples beside each other: shares, means, and where values lie.

use statrs::function::beta::beta_reg;

use super::interval::normal_two_sided;

/// A statistic with its two-sided p-value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoSample {
    /// The statistic; positive when the second sample has more.
    pub statistic: f64,
    /// P(at least as far from 0), if nothing differs.
    pub p_value: f64,
}

/// Count, mean and variance (ddof 1) of a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// Values.
    pub n: f64,
    /// Their mean.
    pub mean: f64,
    /// Their variance.
    pub variance: f64,
}

/// The z-test of two shares with a pooled variance: (hits, of) of each sample. As
/// `statsmodels.stats.proportion.proportions_ztest`; None without rows, or where all rows are hits, or none.
#[must_use]
pub fn two_proportions([first, second]: [(f64, f64); 2]) -> Option<TwoSample> {
    let ((k, n), (l, m)) = (first, second);
    let pooled = (k + l) / (n + m);
    let error = libm::sqrt(pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m));
    let z = (l / m - k / n) / error;
    z.is_finite().then(|| TwoSample { statistic: z, p_value: normal_two_sided(z) })
}

/// Welch's t-test of two means with unequal variances (Welch 1947), as `scipy.stats.ttest_ind(equal_var=False)`. None with
/// fewer than two values, or without any spread.
#[must_use]
pub fn welch([first, second]: [Spread; 2]) -> Option<TwoSample> {
    let of_mean = |sample: Spread| sample.variance / sample.n;
    let (a, b) = (of_mean(first), of_mean(second));
    let t = (second.mean - first.mean) / libm::sqrt(a + b);
    let degrees = (a + b) * (a + b) / (a * a / (first.n - 1.0) + b * b / (second.n - 1.0));
    if !(t.is_finite() && degrees.is_finite() && degrees > 0.0) {
        return None;
    }
    // P(|T| ≥ t) is the regularised incomplete beta function at ν / (ν + t²) (Abramowitz and Stegun 26.5.27).
    let p_value = if t == 0.0 { 1.0 } else { beta_reg(degrees / 2.0, 0.5, degrees / (degrees + t * t)) };
    Some(TwoSample { statistic: t, p_value })
}

/// The Mann–Whitney test by the normal approximation, with the correction for ties and for continuity, as
/// `scipy.stats.mannwhitneyu(method="asymptotic")`. `twice_u` is twice the number of pairs in which the second sample has the
/// larger value, ties once; `ties` is Σ t³ − t over the distinct values of both. None when all values are equal.
#[must_use]
pub fn mann_whitney(twice_u: f64, [n, m]: [f64; 2], ties: f64) -> Option<TwoSample> {
    let all = n + m;
    let deviation = libm::sqrt(n * m / 12.0 * ((all + 1.0) - ties / (all * (all - 1.0))));
    let gap = twice_u / 2.0 - n * m / 2.0;
    let z = (gap.abs() - 0.5) / deviation;
    let p_value = if z > 0.0 { normal_two_sided(z) } else { 1.0 };
    (deviation > 0.0 && z.is_finite()).then(|| TwoSample { statistic: gap / deviation, p_value })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// statsmodels 0.15.0: proportions_ztest([30, 18], [200, 180]); SciPy 1.17.1: ttest_ind_from_stats(equal_var=False).
    #[test]
    fn tests_are_those_of_statsmodels_and_scipy() {
        let z = two_proportions([(18.0, 180.0), (30.0, 200.0)]).unwrap();
        assert!(
            (z.statistic - 1.4649519914827913).abs() < 1e-12 && (z.p_value - 0.1429340164120057).abs() < 1e-12,
            "{z:?}"
        );
        let side = |n, mean, variance| Spread { n, mean, variance };
        let t = welch([side(12.0, 1.5, 0.4), side(30.0, 1.1, 0.9)]).unwrap();
        assert!(
            (t.statistic - (-1.5894388284780523)).abs() < 1e-12 && (t.p_value - 0.1223165886768125).abs() < 1e-12,
            "{t:?}"
        );
    }

    #[test]
    fn without_rows_or_without_any_difference_in_them_there_is_no_test() {
        assert_eq!(two_proportions([(0.0, 0.0), (1.0, 2.0)]), None);
        assert_eq!(two_proportions([(3.0, 3.0), (2.0, 2.0)]), None);
        let same = Spread { n: 5.0, mean: 1.0, variance: 0.0 };
        assert_eq!(welch([same, same]), None);
        assert_eq!(welch([Spread { n: 1.0, ..same }, same]), None);
        assert_eq!(mann_whitney(9.0, [3.0, 3.0], 210.0), None, "all six values are equal");
        assert_eq!(mann_whitney(0.0, [0.0, 3.0], 0.0), None);
        assert_eq!(mann_whitney(9.0, [3.0, 3.0], 0.0).unwrap().p_value, 1.0);
    }
}
