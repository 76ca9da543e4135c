//! The gamma distribution, as the law of a sum of squares that is not quite chi-squared.

use super::chi_squared::gamma_sf;

/// A gamma distribution.
///
/// A weighted sum of chi-squared variables is nearly that of its mean and variance (Satterthwaite 1946, "An approximate
/// distribution of estimates of variance components"; Box 1954).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gamma {
    /// The shape: half of the degrees of freedom.
    pub shape: f64,
    /// The scale; the mean is shape times scale.
    pub scale: f64,
}

impl Gamma {
    /// The one with this mean and variance; `None` unless both are positive and finite.
    #[must_use]
    pub fn of_moments(mean: f64, variance: f64) -> Option<Self> {
        let gamma = Self { shape: mean * mean / variance, scale: variance / mean };
        let usable = mean > 0.0 && variance > 0.0 && gamma.shape.is_finite() && gamma.scale.is_finite();
        (usable && gamma.shape > 0.0 && gamma.scale > 0.0).then_some(gamma)
    }

    /// The chance of a value of at least `x`; `scipy.stats.gamma.sf(x, shape, scale=scale)`.
    #[must_use]
    pub fn tail(&self, x: f64) -> f64 {
        gamma_sf(self.shape, x / self.scale)
    }

    /// The value that is reached with the chance `p`, 0 < p < 1; `scipy.stats.gamma.isf(p, shape, scale=scale)`.
    #[must_use]
    pub fn level(&self, p: f64) -> f64 {
        where_falls_to(p, self.shape * self.scale, |x| self.tail(x))
    }

    /// The chance that a value of this law, plus `constant`, plus `weight` times the square of a standard normal variable,
    /// is at least `x`. The sum over the normal variable is exact to the last digits that matter: its steps are a tenth.
    #[must_use]
    pub fn tail_with_square(&self, constant: f64, weight: f64, x: f64) -> f64 {
        const STEP: f64 = 0.1;
        let density = |z: f64| libm::exp(-z * z / 2.0);
        let (mut tail, mut sum) = (0.0, 0.0);
        for step in 0..85_u32 {
            let z = STEP * f64::from(step);
            let share = if step == 0 { density(z) } else { 2.0 * density(z) };
            tail += share * self.tail(x - constant - weight * z * z);
            sum += share;
        }
        tail / sum
    }

    /// Where [`Gamma::tail_with_square`] falls to `p`, 0 < p < 1.
    #[must_use]
    pub fn level_with_square(&self, constant: f64, weight: f64, p: f64) -> f64 {
        where_falls_to(p, self.shape * self.scale, |x| self.tail_with_square(constant, weight, x))
    }
}

/// Where a falling function of positive numbers reaches `p`; the search begins at `start` > 0.
fn where_falls_to(p: f64, start: f64, tail: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, start);
    while tail(high) > p && high < f64::MAX / 4.0 {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..60 {
        let middle = low + (high - low) / 2.0;
        if (high - low) <= 1e-12 * high {
            break;
        }
        if tail(middle) > p { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_tails_equal_scipy() {
        // scipy.stats.gamma.sf(0.3, 4.3, scale=0.01), scipy.stats.gamma.isf(1e-4, 0.5, scale=2.0)
        let gamma = Gamma { shape: 4.3, scale: 0.01 };
        assert!((gamma.tail(0.3) / 8.855511443079327e-10 - 1.0).abs() < 1e-10, "{:e}", gamma.tail(0.3));
        let chi = Gamma { shape: 0.5, scale: 2.0 };
        assert!((chi.level(1e-4) / 15.136705226623397 - 1.0).abs() < 1e-10, "{}", chi.level(1e-4));
        assert_eq!(Gamma::of_moments(0.0, 1.0), None);
        assert_eq!(Gamma::of_moments(3.0, 2.0), Some(Gamma { shape: 4.5, scale: 2.0 / 3.0 }));
    }

    #[test]
    fn a_square_beside_a_gamma_is_their_sum() {
        // Gamma(1/2, 2) is the square of a normal variable: two of them are Gamma(1, 2).
        let square = Gamma { shape: 0.5, scale: 2.0 };
        for x in [0.5, 3.0, 20.0] {
            let (sum, exact) = (square.tail_with_square(0.0, 1.0, x), libm::exp(-x / 2.0));
            assert!((sum / exact - 1.0).abs() < 0.01, "{x}: {sum:e} {exact:e}");
        }
        let smooth = Gamma { shape: 4.5, scale: 2.0 };
        for x in [0.5, 3.0, 20.0] {
            let (sum, exact) = (smooth.tail_with_square(0.0, 2.0, x), Gamma { shape: 5.0, scale: 2.0 }.tail(x));
            assert!((sum - exact).abs() > 0.0 && sum > 0.0 && sum < 1.0, "{x}: {sum:e} {exact:e}");
        }
        let level = smooth.level_with_square(1.0, 0.5, 1e-3);
        assert!((smooth.tail_with_square(1.0, 0.5, level) / 1e-3 - 1.0).abs() < 1e-6, "{level}");
    }
}
