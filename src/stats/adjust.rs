//! Adjustment of p-values for the number of features tested in one run.

use super::float::real;

/// How p-values become q-values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Adjustment {
    /// No adjustment: q = p.
    None,
    /// Bonferroni: q = k p, the chance of one false finding in the family. Any dependence.
    Bonferroni,
    /// Benjamini and Hochberg (1995): the expected share of false findings, for independent or positively dependent features.
    #[default]
    BenjaminiHochberg,
    /// Benjamini and Yekutieli (2001): the same under any dependence, larger by the factor 1 + 1/2 + … + 1/k.
    BenjaminiYekutieli,
}

/// q-values of one family of p-values, in the order given.
///
/// The family is the k entries that are `Some`. `None` (a feature without a p-value) and NaN are not in it and give `None`.
/// With the p-values sorted p₁ ≤ … ≤ pₖ, Benjamini–Hochberg is qᵢ = min over j ≥ i of k pⱼ / j, at most 1, so q is monotone
/// in p and equal p get equal q. Equals `scipy.stats.false_discovery_control(method="bh" | "by")` and
/// `statsmodels.stats.multitest.multipletests(method="bonferroni" | "fdr_bh" | "fdr_by")`. Costs O(k log k).
///
/// ```
/// use gpudrift::stats::{Adjustment, adjust};
///
/// let q = adjust(&[Some(0.01), None, Some(0.02), Some(0.5)], Adjustment::BenjaminiHochberg);
/// assert_eq!(q, [Some(0.03), None, Some(0.03), Some(0.5)]);
/// ```
#[must_use]
pub fn adjust(p_values: &[Option<f64>], method: Adjustment) -> Vec<Option<f64>> {
    let mut adjusted: Vec<Option<f64>> =
        p_values.iter().map(|p| p.filter(|p| !p.is_nan()).map(|p| p.clamp(0.0, 1.0))).collect();
    let mut family: Vec<(usize, f64)> =
        adjusted.iter().enumerate().filter_map(|(place, p)| p.map(|p| (place, p))).collect();
    let size = real(family.len() as u64);
    let factor = match method {
        Adjustment::None => return adjusted,
        Adjustment::Bonferroni => {
            for (place, p) in family {
                adjusted[place] = Some((p * size).min(1.0));
            }
            return adjusted;
        }
        Adjustment::BenjaminiHochberg => 1.0,
        Adjustment::BenjaminiYekutieli => (1..=family.len() as u64).map(|rank| 1.0 / real(rank)).sum(),
    };
    family.sort_unstable_by(|(_, a), (_, b)| b.total_cmp(a));
    let mut smallest = 1.0_f64;
    for (rank, (place, p)) in (1..=family.len() as u64).rev().zip(family) {
        smallest = smallest.min(p * (size / real(rank)) * factor);
        adjusted[place] = Some(smallest);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Adjustment; 4] =
        [Adjustment::None, Adjustment::Bonferroni, Adjustment::BenjaminiHochberg, Adjustment::BenjaminiYekutieli];

    #[test]
    fn an_empty_family_gives_nothing() {
        for method in ALL {
            assert!(adjust(&[], method).is_empty());
            assert_eq!(adjust(&[None, None, Some(f64::NAN)], method), [None, None, None]);
        }
    }

    #[test]
    fn one_p_value_is_its_own_q_value() {
        for method in ALL {
            assert_eq!(adjust(&[None, Some(0.25)], method), [None, Some(0.25)]);
        }
    }

    #[test]
    fn ties_share_a_q_value() {
        let q = adjust(&[Some(0.02), Some(0.02), Some(0.04), Some(0.02)], Adjustment::BenjaminiHochberg);
        assert_eq!(q[0], q[1]);
        assert_eq!(q[0], q[3]);
        assert_eq!(q[2], Some(0.04));
    }

    #[test]
    fn q_values_are_capped_at_one() {
        for method in ALL {
            assert_eq!(adjust(&[Some(1.0), Some(1.0), Some(0.9)], method)[0], Some(1.0));
        }
    }
}
