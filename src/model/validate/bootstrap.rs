//! The paired bootstrap: rows are drawn with replacement, the same rows for both sides (Efron and Tibshirani 1993, chapters 8
//! and 13, percentile intervals).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::format::real;
use crate::stats::Confidence;

/// Figures of every sample: `evaluate` gets how often each of `n` rows was drawn. The same seed gives the same samples,
/// whatever the number of threads.
pub(super) fn sampled(
    n: usize,
    samples: u32,
    seed: u64,
    evaluate: impl Fn(&[u32]) -> Vec<f64> + Sync,
) -> Vec<Vec<f64>> {
    let sample = |number: u32| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(u64::from(number));
        let mut drawn = vec![0_u32; n];
        (0..n).for_each(|_| drawn[random.random_range(0..n)] += 1);
        evaluate(&drawn)
    };
    if n == 0 { Vec::new() } else { (0..samples).into_par_iter().map(sample).collect() }
}

/// The middle part of the figures of the samples. `None` when some of them are not defined.
pub(super) fn interval(values: impl Iterator<Item = f64>, confidence: Confidence) -> Option<[f64; 2]> {
    let mut sorted: Vec<f64> = values.collect();
    if sorted.is_empty() || sorted.iter().any(|value| !value.is_finite()) {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence.level()) / 2.0;
    let at = |q: f64| {
        let [below, above] = crate::compare::neighbours(q, sorted.len() as u64);
        let value = |rank: u64| usize::try_from(rank).ok().and_then(|rank| sorted.get(rank)).copied();
        Some(crate::compare::quantile_between(q, sorted.len() as u64, value(below)?, value(above)?))
    };
    Some([at(tail)?, at(1.0 - tail)?])
}

/// The mean of the values.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, value| sum + value) / real(values.len() as u64)
}
