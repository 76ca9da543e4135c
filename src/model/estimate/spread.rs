//! Sampling errors: how far a figure of as many rows lies from the truth by chance, as the reference tells
//! (NannyML: `sampling_error/`).

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson};

use super::SEED;
use super::calibration::Table;
use crate::format::real;
use crate::model::measure::Sum;

/// Samples of the reference from which the sampling error of average precision is taken.
const SAMPLES: usize = 50;

/// Standard deviation of rows that are right or wrong.
pub(super) fn bernoulli(right: f64, rows: f64) -> f64 {
    let share = right / rows;
    libm::sqrt(share * (1.0 - share))
}

/// The standard deviation of how many rows of the commoner class lie below (above) a row of the rarer one; ties count half,
/// where NannyML has them in the order of its sort.
pub(super) fn rank_deviation(table: &Table, [positives, negatives]: [u64; 2]) -> f64 {
    let rare_positives = positives <= negatives;
    let (mut below, mut sum, mut squares) = (0_u64, Sum::default(), Sum::default());
    let common = real(positives.max(negatives));
    for (_, positives, negatives) in table {
        let (rare, other) = if rare_positives { (positives, negatives) } else { (negatives, positives) };
        let placement = (real(below) + real(*other) / 2.0) / common;
        sum.add(real(*rare) * placement);
        squares.add(real(*rare) * placement * placement);
        below += other;
    }
    let n = real(positives.min(negatives));
    let mean = sum.value() / n;
    libm::sqrt((squares.value() / n - mean * mean).max(0.0))
}

/// The standard deviation of average precision over samples of the reference (bootstrap by Poisson counts).
pub(super) fn precision_deviation(table: &Table) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut draw = |rows: u64| match Poisson::new(real(rows)) {
        Ok(poisson) => poisson.sample(&mut random),
        Err(_) => 0.0,
    };
    let found: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            let (mut right, mut wrong, mut sum) = (0.0, 0.0, 0.0);
            for (_, positives, negatives) in table.iter().rev() {
                let here = draw(*positives);
                right += here;
                wrong += draw(*negatives);
                if here > 0.0 {
                    sum += here * right / (right + wrong);
                }
            }
            sum / right
        })
        .filter(|value| value.is_finite())
        .collect();
    let n = real(found.len() as u64);
    let mean = found.iter().sum::<f64>() / n;
    libm::sqrt(found.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n)
}
