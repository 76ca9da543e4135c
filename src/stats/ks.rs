//! The p-value of the two-sample Kolmogorov–Smirnov test.

use super::float::{real, real_wide, whole};
use super::kolmogorov::kolmogorov_sf;
use super::ks_exact::exact_tail;

/// SciPy's `MAX_AUTO_N`: up to this many rows on the larger side the p-value is exact.
const LARGEST_EXACT: u64 = 10_000;

/// Which p-value is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KsChoice {
    /// Exact up to 10 000 rows on the larger side, otherwise asymptotic; as SciPy's `method="auto"`.
    #[default]
    Auto,
    /// Exact, unless counting would take too long: see [`ks_two_sample`].
    Exact,
    /// Asymptotic in the number of rows.
    Asymp,
}

/// Which p-value was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KsMethod {
    /// The distribution of D under all orders of the n + m values, ties broken at random.
    Exact,
    /// The distribution of the one-sample statistic for n m / (n + m) values.
    Asymp,
}

/// A p-value and how it was computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KsPValue {
    /// P(D ≥ observed) under the null hypothesis, in [0, 1].
    pub p_value: f64,
    /// The method used; it differs from the one asked for where that is not possible.
    pub method: KsMethod,
}

/// Two-sided p-value of the two-sample Kolmogorov–Smirnov test with D = `gap` / (n m).
///
/// `n` and `m` are the rows of the two sides, `gap` = max |A m − B n| over the values, with A and B the rows of each side that are at
/// most that value. Equals `scipy.stats.ks_2samp(…, method="auto" | "exact" | "asymp").pvalue` to 1e-9 wherever SciPy is that
/// accurate, and the true probability where it is not:
///
/// * Exact: the share of lattice paths that reach the gap (Hodges 1958), as an exact count would give it, from 1 to 1e-300.
///   As in SciPy, sizes with n m / gcd(n, m)² ≥ 2³¹ − 1 get the asymptotic p-value, and so do those that would take longer than a few
///   seconds (unequal, beyond some 200 000 rows); [`KsPValue::method`] tells.
/// * Asymptotic: P(Dₙ ≥ D) of the one-sample statistic for n m / (n + m) rows, computed and rounded half to even in f64 like SciPy,
///   and at least 1. See [`kolmogorov_sf`].
///
/// Returns None when a side is empty: no D, no p-value. A `gap` above n m cannot be observed and has the p-value 0. Symmetric in n and m
/// to the last bit.
///
/// ```
/// use gpudrift::stats::{KsChoice, KsMethod, ks_two_sample};
///
/// // scipy.stats.ks_2samp([1, 2, 3], [4, 5, 6, 7]): D = 1, p = 2 / C(7, 3)
/// let p = ks_two_sample(12, 3, 4, KsChoice::Auto).unwrap();
/// assert!((p.p_value - 2.0 / 35.0).abs() < 1e-15);
/// assert_eq!(p.method, KsMethod::Exact);
/// ```
#[must_use]
pub fn ks_two_sample(gap: u128, n: u64, m: u64, choice: KsChoice) -> Option<KsPValue> {
    if n == 0 || m == 0 {
        return None;
    }
    let exact = match choice {
        KsChoice::Auto => n.max(m) <= LARGEST_EXACT,
        KsChoice::Exact => true,
        KsChoice::Asymp => false,
    };
    if exact && let Some(p_value) = exact_tail(gap, n, m) {
        return Some(KsPValue { p_value, method: KsMethod::Exact });
    }
    let (larger, smaller) = (real(n.max(m)), real(n.min(m)));
    let effective = whole((larger * smaller / (larger + smaller)).round_ties_even()).max(1);
    let d = real_wide(gap) / real_wide(u128::from(n) * u128::from(m));
    Some(KsPValue { p_value: kolmogorov_sf(d, effective), method: KsMethod::Asymp })
}
