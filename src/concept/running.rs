//! Running mean and variance, in River's order of operations (`river.stats.Mean`, `Var`, 0.26).

use serde::{Deserialize, Serialize};

/// A count of rows as a number.
#[expect(clippy::cast_precision_loss, reason = "a stream of 2^53 values takes a century")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}

/// Mean of the values so far; 0 before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Mean {
    /// Number of values.
    pub(super) n: u64,
    /// Their mean.
    pub(super) mean: f64,
}

impl Mean {
    #[inline]
    pub(super) fn update(&mut self, value: f64) {
        self.n += 1;
        self.mean += (1.0 / real(self.n)) * (value - self.mean);
    }
}

/// Mean and sample variance (ddof 1) by Welford's algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Variance {
    /// The mean.
    pub(super) mean: Mean,
    squares: f64,
}

impl Variance {
    #[inline]
    pub(super) fn update(&mut self, value: f64) {
        let before = self.mean.mean;
        self.mean.update(value);
        self.squares += (value - before) * (value - self.mean.mean);
    }

    /// The sample variance; 0 below two values.
    #[inline]
    pub(super) fn get(&self) -> f64 {
        if self.mean.n > 1 { self.squares / real(self.mean.n - 1) } else { 0.0 }
    }
}
