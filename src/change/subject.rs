//! What the kinds look at: the exact counts of a feature on both sides.

use super::fit::Ecdf;
use crate::column::Kind;
use crate::compare::{Atom, QUANTILES};
use crate::format::{ratio, real};

/// A category and its rows on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Values in it in the reference and in current.
    pub rows: [u64; 2],
}

/// Where the values of one side lie. All finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// The [`QUANTILES`], by linear interpolation.
    pub quantiles: [f64; 9],
    /// The values just below the quantiles: values that some row has.
    pub order: [f64; 9],
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
}

/// One feature on both sides: index 0 is the reference, 1 is current.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// What it is to the statistics.
    pub kind: Kind,
    /// Ticks a day of dates, times and timestamps; durations are numbers here.
    pub ticks_per_day: Option<f64>,
    /// All rows.
    pub rows: [u64; 2],
    /// Nulls.
    pub nulls: [u64; 2],
    /// NaN.
    pub nans: [u64; 2],
    /// Distinct values, and whether that is an estimate.
    pub distinct: [Option<(u64, bool)>; 2],
    /// max |A·m − B·n| over all values; 0 when both distributions are equal to the row.
    pub gap: Option<u128>,
    /// Where the values lie; absent for categories, without full facts, or when infinite values leave no quantiles.
    pub numbers: Option<[Numbers; 2]>,
    /// Frequent values, ascending.
    pub atoms: Vec<Atom>,
    /// Inner edges of the PSI bins, and how many values of each side lie below each.
    pub below: Vec<(f64, [u64; 2])>,
    /// Categories, the most frequent ones and those of one side only; most frequent first.
    pub labels: Vec<Label>,
    /// Whether `labels` holds every category.
    pub labels_complete: bool,
}

impl Subject {
    /// Values of a side: neither null nor NaN.
    #[must_use]
    pub fn values(&self, side: usize) -> u64 {
        self.rows[side].saturating_sub(self.nulls[side]).saturating_sub(self.nans[side])
    }

    /// Values of both sides.
    #[must_use]
    pub fn n(&self) -> [u64; 2] {
        [self.values(0), self.values(1)]
    }

    /// Whether both sides have values.
    #[must_use]
    pub fn has_values(&self) -> bool {
        self.values(0) > 0 && self.values(1) > 0
    }

    /// Share of the side's values among `rows`.
    #[must_use]
    pub fn share(&self, rows: [u64; 2], side: usize) -> f64 {
        ratio(rows[side], self.values(side))
    }

    /// The distribution of a side, as far as it is known.
    #[must_use]
    pub(super) fn ecdf(&self, side: usize) -> Option<Ecdf> {
        let numbers = &self.numbers.as_ref()?[side];
        let n = self.values(side);
        let quantiles = QUANTILES.into_iter().zip(numbers.quantiles);
        let edges = self.below.iter().map(|&(edge, below)| (ratio(below[side], n), edge));
        let steps = self.atoms.iter().filter(|atom| atom.rows[side] > 0).flat_map(|atom| {
            let (below, rows) = (atom.below[side], atom.rows[side]);
            [(ratio(below, n), atom.value), (ratio(below + rows, n), atom.value)]
        });
        let inside = edges.chain(steps).filter(|(_, value)| (numbers.min..=numbers.max).contains(value));
        Some(Ecdf::new(quantiles.chain(inside).chain([(0.0, numbers.min), (1.0, numbers.max)])))
    }

    /// Standard error of the difference between the two ECDFs where the share below is `p`.
    #[must_use]
    pub fn standard_error(&self, p: f64) -> f64 {
        let [n, m] = self.n();
        (p * (1.0 - p) * (1.0 / real(n.max(1)) + 1.0 / real(m.max(1)))).sqrt()
    }
}
