//! What is wanted of a feature, and what is found.

use super::atoms::Atom;
use crate::counts::Scale;

/// What is wanted of a feature.
#[derive(Clone, Copy)]
pub struct Query<'q> {
    /// Turns keys into numbers.
    pub scale: &'q dyn Scale,
    /// The largest gap between the two ECDFs.
    pub gap: bool,
    /// Number of PSI bins, when PSI or another statistic of its bins is wanted; at least 1.
    pub bins: Option<u32>,
    /// The [`QUANTILES`](super::QUANTILES) of both sides, and the values beyond the reference's fences.
    pub quantiles: bool,
    /// Wasserstein-1, which visits every key of both sides.
    pub wasserstein: bool,
    /// The values that at least one in [`ATOM`](super::ATOM) values of a side has.
    pub atoms: bool,
    /// Values of which it is wanted how many rows lie below; finite.
    pub marks: &'q [f64],
    /// How many distinct values a side has, which visits every key of both sides.
    pub distinct: bool,
}

/// PSI bins: inner edges at the reference's quantiles, and the rows of both sides in each bin.
#[derive(Clone, Debug, PartialEq)]
pub struct PsiBins {
    /// b − 1 inner edges of b bins, ascending; may repeat, may be infinite.
    pub edges: Vec<f64>,
    /// Rows of the reference in each of the b bins. Bins are [a, b), the last one closed.
    pub reference: Vec<u64>,
    /// Rows of current in each of the b bins.
    pub current: Vec<u64>,
}

/// Values of one side outside the reference's fences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outliers {
    /// Beyond 1.5 interquartile ranges from the quartiles.
    pub outer: u64,
    /// Beyond 3 interquartile ranges from the quartiles.
    pub extreme: u64,
}

/// What was found, all of it exact; absent where it was not wanted or a side has no values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    /// max |A·m − B·n| over all values: D of Kolmogorov and Smirnov times n·m.
    pub gap: Option<u128>,
    /// The PSI bins.
    pub bins: Option<PsiBins>,
    /// [`QUANTILES`](super::QUANTILES) of the reference and of current.
    pub quantiles: [Option<[f64; 9]>; 2],
    /// The order statistics just below the [`QUANTILES`](super::QUANTILES): values that some row has.
    pub order: [Option<[f64; 9]>; 2],
    /// Outliers of the reference and of current by the reference's fences.
    pub outliers: Option<[Outliers; 2]>,
    /// The frequent values, ascending.
    pub atoms: Vec<Atom>,
    /// Wasserstein-1; finite unless a value is infinite or the sum overflows.
    pub wasserstein: Option<f64>,
    /// Rows of both sides below each of the marks.
    pub below: Vec<[u64; 2]>,
    /// Distinct values of both sides.
    pub distinct: Option<[u64; 2]>,
}
