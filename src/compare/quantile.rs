//! Quantiles by linear interpolation, as NumPy's `percentile` and `quantile` compute them on float64.

/// The quantiles that a report gives of each side.
pub const QUANTILES: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];

/// Where a quantile lies among n sorted values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Position {
    /// Rank, from 0, of the value below.
    pub(super) below: u64,
    /// Rank of the value above; n − 1 at the most.
    pub(super) above: u64,
    /// Place between the two, 0 to 1.
    fraction: f64,
    /// Rank that the definition `inverted_cdf` takes: `below` or `above`.
    pub(super) inverted: u64,
}

impl Position {
    /// The position of quantile `q` among `n` values; `n` is not 0.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "NumPy computes the position in float64; it lies within 0..n"
    )]
    pub(super) fn new(q: f64, n: u64) -> Self {
        let virtual_index = (n - 1) as f64 * q;
        let below = (virtual_index.floor() as u64).min(n - 1);
        let above = (below + 1).min(n - 1);
        let inverted = ((n as f64 * q).ceil() as u64).saturating_sub(1).clamp(below, above);
        Self { below, above, fraction: virtual_index - below as f64, inverted }
    }

    /// The quantile, given the values at ranks `below` and `above`.
    ///
    /// `a + (b − a)·t` for t < 0.5 and `b − (b − a)·(1 − t)` otherwise (NumPy's `_lerp`). Where that is not finite, the
    /// order statistic of `inverted_cdf`.
    pub(super) fn value(&self, below: f64, above: f64) -> f64 {
        let step = above - below;
        let linear =
            if self.fraction < 0.5 { below + step * self.fraction } else { above - step * (1.0 - self.fraction) };
        if linear.is_finite() {
            linear
        } else if self.inverted == self.below {
            below
        } else {
            above
        }
    }
}

/// The ranks, from 0, that the quantile `q` of `n` values (at least one) lies between.
pub(crate) fn neighbours(q: f64, n: u64) -> [u64; 2] {
    let position = Position::new(q, n);
    [position.below, position.above]
}

/// The quantile `q` of `n` values, given those at its [`neighbours`].
pub(crate) fn quantile_between(q: f64, n: u64, below: f64, above: f64) -> f64 {
    Position::new(q, n).value(below, above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_four_lies_halfway() {
        let position = Position::new(0.5, 4);
        assert_eq!((position.below, position.above), (1, 2));
        assert_eq!(position.value(1.0, 2.0), 1.5);
    }

    #[test]
    fn one_value_is_every_quantile() {
        for q in QUANTILES {
            let position = Position::new(q, 1);
            assert_eq!((position.below, position.above, position.value(7.0, 7.0)), (0, 0, 7.0));
        }
    }

    #[test]
    fn infinite_neighbour_gives_the_order_statistic() {
        let position = Position::new(0.5, 4);
        assert_eq!(position.value(1.0, f64::INFINITY), 1.0);
        assert_eq!(position.value(f64::NEG_INFINITY, f64::INFINITY), f64::NEG_INFINITY);
        assert_eq!(position.value(-f64::MAX, f64::MAX), -f64::MAX);
    }
}
