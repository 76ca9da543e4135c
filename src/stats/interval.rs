//! Confidence intervals: where the true value of a share, of a mean or of a median lies, as far as a sample tells.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};

/// A confidence level: the share of samples whose interval holds the true value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confidence {
    level: f64,
    z: f64,
}

impl Confidence {
    /// Intervals that hold the true value with probability `level`; `None` unless it lies between 0 and 1.
    #[must_use]
    pub fn new(level: f64) -> Option<Self> {
        let open = level > 0.0 && level < 1.0;
        open.then(|| Self { level, z: Normal::standard().inverse_cdf(0.5 + level / 2.0) })
    }

    /// The probability.
    #[must_use]
    pub fn level(self) -> f64 {
        self.level
    }

    /// The quantile of the standard normal distribution that the two-sided interval ends at.
    #[must_use]
    pub fn z(self) -> f64 {
        self.z
    }

    /// Wilson's score interval of a share that was seen as `share` among `n` rows (Wilson 1927; without continuity
    /// correction, as `statsmodels.stats.proportion.proportion_confint(method="wilson")`).
    ///
    /// `n` may be an effective number of rows (Kish 1965) where rows have weights. `None` without rows.
    #[must_use]
    pub fn wilson(self, share: f64, n: f64) -> Option<[f64; 2]> {
        if !(n > 0.0 && (0.0..=1.0).contains(&share)) {
            return None;
        }
        let z2 = self.z * self.z;
        let centre = share + z2 / (2.0 * n);
        let half = self.z * libm::sqrt(share * (1.0 - share) / n + z2 / (4.0 * n * n));
        let scale = 1.0 + z2 / n;
        // At the ends the root equals the other term, but for rounding.
        let low = if share == 0.0 { 0.0 } else { ((centre - half) / scale).max(0.0) };
        let high = if share == 1.0 { 1.0 } else { ((centre + half) / scale).min(1.0) };
        Some([low, high])
    }

    /// The normal interval around `value` with this standard error.
    #[must_use]
    pub fn normal(self, value: f64, standard_error: f64) -> Option<[f64; 2]> {
        let ends = [value - self.z * standard_error, value + self.z * standard_error];
        ends.iter().all(|end| end.is_finite()).then_some(ends)
    }

    /// The normal interval on the scale of log-odds, for a value strictly between 0 and 1 (Boyd, Eng and Page 2013, section
    /// 3.2, give it for average precision with n positives).
    #[must_use]
    pub fn logit(self, value: f64, n: f64) -> Option<[f64; 2]> {
        if !(value > 0.0 && value < 1.0 && n > 0.0) {
            return None;
        }
        let odds = libm::log(value / (1.0 - value));
        let half = self.z / libm::sqrt(n * value * (1.0 - value));
        let back = |odds: f64| 1.0 / (1.0 + libm::exp(-odds));
        Some([back(odds - half), back(odds + half)])
    }

    /// Ranks, from 1, of the order statistics of `n` values that hold the median between them, whatever the distribution
    /// (Conover 1999, section 3.2: quantiles of the binomial distribution with p = 1/2). `None` when `n` is too small.
    #[must_use]
    pub fn median_ranks(self, n: u64) -> Option<[u64; 2]> {
        let (binomial, tail) = (Binomial::new(0.5, n).ok()?, 0.5 - self.level / 2.0);
        // The least k whose probability of at most k reaches the tail; `inverse_cdf` of statrs 0.19 panics in small tails.
        let (mut low, mut high) = (0, n);
        while low < high {
            let middle = low + (high - low) / 2;
            if binomial.cdf(middle) < tail { low = middle + 1 } else { high = middle }
        }
        (low > 0).then(|| [low, n + 1 - low])
    }
}

/// The two-sided p-value of a standard normal statistic: erfc(|z| / √2), where the `sf` of statrs 0.19 has eleven digits.
#[must_use]
pub fn normal_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The two-sided p-value of `k` successes in `n` fair trials (the exact test of McNemar's discordant pairs): twice the smaller
/// tail, at most 1, as SciPy's `binomtest(k, n, 0.5)`.
#[must_use]
pub fn fair_coin_p(k: u64, n: u64) -> f64 {
    let Ok(binomial) = Binomial::new(0.5, n) else { return 1.0 };
    if n == 0 { 1.0 } else { (2.0 * binomial.cdf(k.min(n - k.min(n)))).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SciPy 1.17.1: binomtest(k, n).proportion_ci(method="wilson"), binom.ppf, binomtest(k, n).pvalue.
    #[test]
    fn intervals_and_tests_are_those_of_scipy() {
        let confidence = Confidence::new(0.95).unwrap();
        assert!((confidence.z() - 1.959_963_984_540_054).abs() < 1e-14);
        let wilson = confidence.wilson(0.3, 10.0).unwrap();
        assert!((wilson[0] - 0.107_791_267_406_301_02).abs() < 1e-14, "{wilson:?}");
        assert!((wilson[1] - 0.603_221_852_538_854_6).abs() < 1e-14, "{wilson:?}");
        assert_eq!(confidence.wilson(1.0, 5.0).unwrap()[1], 1.0);
        assert_eq!(confidence.wilson(0.0, 0.0), None);
        assert_eq!(confidence.median_ranks(100), Some([40, 61]));
        assert_eq!(confidence.median_ranks(1_000_000), Some([499_020, 500_981]));
        assert_eq!(confidence.median_ranks(5), None);
        assert!((fair_coin_p(2, 10) - 0.109_375).abs() < 1e-14);
        assert!((fair_coin_p(40, 100) - 0.056_887_933_640_980_8).abs() < 1e-13);
        assert_eq!((fair_coin_p(5, 10), fair_coin_p(0, 0)), (1.0, 1.0));
        assert!((normal_two_sided(-1.3) - 0.193_600_969_171_220_72).abs() < 1e-14);
        assert!(Confidence::new(1.0).is_none() && Confidence::new(0.0).is_none());
    }
}
