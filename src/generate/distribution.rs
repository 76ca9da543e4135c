//! Distributions: how a draw becomes a value.
//!
//! Each one is a quantile function: it takes a number between 0 and 1 to a value. One draw makes one value, so rows can
//! be made in any order. Where the function is costly (logarithms, exponentials) the [`Sampler`] holds it at 1024 equal
//! steps and goes straight in between, except in the two outermost steps, where the tails live and the function itself
//! is taken. That is the distribution, not an approximation that anyone needs to correct for: both sides use it.

use serde::Serialize;

use super::quantile::{poisson, quantile};

/// What the ordinary values of a feature look like.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Distribution {
    /// Equally likely from `low` to `high`.
    Uniform {
        /// Lowest value.
        low: f64,
        /// Highest value.
        high: f64,
    },
    /// The normal distribution.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sd: f64,
    },
    /// The exponential of a normal distribution: amounts of money, incomes.
    LogNormal {
        /// Median.
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Waiting times.
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// Heavy tail (Lomax): without a variance when `alpha` is at most 2, without a mean when it is at most 1.
    Pareto {
        /// Scale.
        scale: f64,
        /// Tail index.
        alpha: f64,
    },
    /// Two narrow normal modes, far apart.
    Bimodal {
        /// Mean of the lower mode.
        first: f64,
        /// Mean of the upper mode.
        second: f64,
        /// Standard deviation of both.
        sd: f64,
        /// Share of the lower mode.
        share: f64,
    },
    /// Mostly zeros, otherwise lognormal.
    ZeroInflated {
        /// Share of zeros.
        zeros: f64,
        /// Median of the rest.
        median: f64,
        /// Standard deviation of the logarithm of the rest.
        sigma: f64,
    },
    /// Counts of rare events. `mean` is at most 700.
    Poisson {
        /// Mean.
        mean: f64,
    },
    /// Counts that fall off by a constant factor: an exponential, rounded down.
    Geometric {
        /// Mean of the exponential.
        mean: f64,
    },
    /// One with the given share, otherwise zero.
    Bernoulli {
        /// Share of ones.
        share: f64,
    },
    /// The same value in every row.
    Constant {
        /// That value.
        value: f64,
    },
    /// Named categories with their shares.
    Category {
        /// Names, most frequent first when nobody asks otherwise.
        labels: Vec<String>,
        /// Share of each; adds up to one.
        shares: Vec<f64>,
    },
    /// Identifiers, all equally likely: nearly every row has its own when the pool is large. Text or integers.
    Ids {
        /// What stands before the number in text.
        prefix: String,
        /// How many there are.
        pool: u64,
    },
    /// A share of one distribution, the rest of another.
    Either {
        /// Share of the first.
        share: f64,
        /// The first.
        first: Box<Distribution>,
        /// The second.
        second: Box<Distribution>,
    },
    /// What another distribution has within limits.
    Between {
        /// Lower limit; may be infinite.
        low: f64,
        /// Upper limit; may be infinite.
        high: f64,
        /// The other one.
        of: Box<Distribution>,
    },
}

impl Distribution {
    /// Categories whose shares fall as rank^-skew (Zipf); `skew` 0 makes all equal.
    #[must_use]
    pub fn zipf(labels: impl IntoIterator<Item = impl Into<String>>, skew: f64) -> Self {
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        let weights: Vec<f64> = (1_u32..).take(labels.len()).map(|rank| libm::pow(f64::from(rank), -skew)).collect();
        let sum: f64 = weights.iter().sum();
        Self::Category { labels, shares: weights.iter().map(|w| w / sum).collect() }
    }

    /// Whether the values are names rather than numbers.
    #[must_use]
    pub fn is_category(&self) -> bool {
        matches!(self, Self::Category { .. } | Self::Ids { .. })
    }
}

/// A distribution made ready for many draws.
#[derive(Clone, Debug)]
pub struct Sampler(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Linear { low: f64, width: f64 },
    Tabulated { source: Distribution, steps: Vec<f64> },
    Cumulative(Vec<f64>),
    Floor(Box<Sampler>),
    Either { share: f64, first: Box<Sampler>, second: Box<Sampler> },
    Part { from: f64, width: f64, of: Box<Sampler> },
}

const STEPS: u32 = 1024;

impl Sampler {
    /// Prepares `distribution`; costs some microseconds.
    #[must_use]
    pub fn new(distribution: &Distribution) -> Self {
        use Distribution as D;
        let linear = |low: f64, high: f64| Self(Kind::Linear { low, width: high - low });
        Self(match distribution {
            D::Uniform { low, high } => return linear(*low, *high),
            D::Constant { value } => return linear(*value, *value),
            D::Normal { .. } | D::LogNormal { .. } | D::Exponential { .. } | D::Pareto { .. } => {
                let steps = (0..=STEPS).map(|i| quantile(distribution, f64::from(i) / f64::from(STEPS))).collect();
                Kind::Tabulated { source: distribution.clone(), steps }
            }
            D::Bimodal { first, second, sd, share } => Kind::Either {
                share: *share,
                first: Box::new(Self::new(&D::Normal { mean: *first, sd: *sd })),
                second: Box::new(Self::new(&D::Normal { mean: *second, sd: *sd })),
            },
            D::ZeroInflated { zeros, median, sigma } => Kind::Either {
                share: *zeros,
                first: Box::new(linear(0.0, 0.0)),
                second: Box::new(Self::new(&D::LogNormal { median: *median, sigma: *sigma })),
            },
            D::Either { share, first, second } => {
                Kind::Either { share: *share, first: Box::new(Self::new(first)), second: Box::new(Self::new(second)) }
            }
            D::Between { low, high, of } => {
                let of = Self::new(of);
                let (from, to) = (of.share_below(*low), of.share_below(high.next_up()));
                Kind::Part { from, width: to - from, of: Box::new(of) }
            }
            D::Bernoulli { share } => Kind::Cumulative(vec![1.0 - share]),
            D::Geometric { mean } => Kind::Floor(Box::new(Self::new(&D::Exponential { mean: *mean }))),
            D::Poisson { mean } => Kind::Cumulative(poisson(*mean)),
            D::Category { shares, .. } => {
                let mut sum = 0.0;
                // The last category takes what rounding leaves, so every draw has one.
                let inner = shares.len().saturating_sub(1);
                Kind::Cumulative(
                    shares[..inner]
                        .iter()
                        .map(|s| {
                            sum += s;
                            sum
                        })
                        .collect(),
                )
            }
            #[expect(clippy::cast_precision_loss, reason = "of a pool beyond 2^53 some identifiers are never drawn")]
            D::Ids { pool, .. } => Kind::Floor(Box::new(linear(0.0, *pool as f64))),
        })
    }

    /// The value at `u`, strictly between 0 and 1. Categories answer with the position of their label.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "u lies between 0 and 1, so 0 <= at < STEPS"
    )]
    #[must_use]
    #[inline]
    pub fn value(&self, u: f64) -> f64 {
        match &self.0 {
            Kind::Linear { low, width } => low + width * u,
            Kind::Tabulated { source, steps } => {
                let position = u * f64::from(STEPS);
                let at = position as usize;
                if at == 0 || at + 2 >= steps.len() {
                    return quantile(source, u);
                }
                steps[at] + (steps[at + 1] - steps[at]) * (position - position.floor())
            }
            #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^53 categories")]
            Kind::Cumulative(sums) => sums.partition_point(|sum| *sum <= u) as f64,
            Kind::Floor(inner) => inner.value(u).floor(),
            Kind::Either { share, first, second } if u < *share => first.value(within(u / share)),
            Kind::Either { share, second, .. } => second.value(within((u - share) / (1.0 - share))),
            Kind::Part { from, width, of } => of.value(within(from + width * u)),
        }
    }

    /// The share of the values below `value`, to 2^-52.
    #[must_use]
    pub fn share_below(&self, value: f64) -> f64 {
        if value.is_infinite() {
            return if value > 0.0 { 1.0 } else { 0.0 };
        }
        let (mut below, mut above) = (0.0, 1.0);
        for _ in 0..52 {
            let u = f64::midpoint(below, above);
            if self.value(u) < value {
                below = u;
            } else {
                above = u;
            }
        }
        below
    }

    /// About one standard deviation of the bulk: half the distance between the 16th and the 84th percentile.
    #[must_use]
    pub fn spread(&self) -> f64 {
        (self.value(0.84) - self.value(0.16)) / 2.0
    }
}

/// Keeps a rescaled draw off the ends, where quantiles are infinite.
fn within(u: f64) -> f64 {
    u.clamp(1e-16, 1.0 - 1e-16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_fall_as_the_draw_rises_and_are_finite() {
        use Distribution as D;
        let all = [
            D::Uniform { low: -1.0, high: 3.0 },
            D::Normal { mean: 5.0, sd: 2.0 },
            D::LogNormal { median: 30.0, sigma: 1.5 },
            D::Exponential { mean: 4.0 },
            D::Pareto { scale: 10.0, alpha: 1.1 },
            D::Bimodal { first: 1.0, second: 1e6, sd: 0.1, share: 0.3 },
            D::ZeroInflated { zeros: 0.6, median: 20.0, sigma: 0.5 },
            D::Poisson { mean: 3.5 },
            D::Geometric { mean: 2.0 },
            D::Bernoulli { share: 0.2 },
            D::Constant { value: 7.0 },
            D::zipf(["a", "b", "c"], 1.0),
            D::Ids { prefix: "u".into(), pool: 1000 },
            D::Between { low: 4.0, high: 6.0, of: Box::new(D::Normal { mean: 5.0, sd: 2.0 }) },
        ];
        for distribution in all {
            let sampler = Sampler::new(&distribution);
            let values: Vec<f64> = (0..5000).map(|i| sampler.value((f64::from(i) + 0.5) / 5000.0)).collect();
            assert!(values.is_sorted(), "{distribution:?}");
            let ends =
                [sampler.value(super::super::random::unit(0)), sampler.value(super::super::random::unit(u64::MAX))];
            assert!(ends.iter().all(|v| v.is_finite()), "{distribution:?}: {ends:?}");
        }
    }

    #[test]
    fn means_are_the_declared_ones() {
        let mean = |d: &Distribution| {
            let sampler = Sampler::new(d);
            (0..100_000).map(|i| sampler.value((f64::from(i) + 0.5) / 100_000.0)).sum::<f64>() / 100_000.0
        };
        assert!((mean(&Distribution::Normal { mean: 5.0, sd: 2.0 }) - 5.0).abs() < 1e-3);
        assert!((mean(&Distribution::Exponential { mean: 4.0 }) - 4.0).abs() < 1e-2);
        assert!((mean(&Distribution::Poisson { mean: 3.5 }) - 3.5).abs() < 1e-3);
        assert!((mean(&Distribution::Bernoulli { share: 0.2 }) - 0.2).abs() < 1e-4);
    }

    #[test]
    fn zipf_shares_add_up_and_fall() {
        let Distribution::Category { shares, labels } = Distribution::zipf(["a", "b", "c", "d"], 1.0) else {
            panic!("zipf makes categories")
        };
        assert_eq!(labels.len(), 4);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((shares[0] / shares[1] - 2.0).abs() < 1e-12);
    }
}
