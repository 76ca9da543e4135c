//! Exact sums of values and of their squares, for mean and standard deviation.
//!
//! Running float sums depend on the order of the rows. These do not: integers are summed as integers, and floats as
//! multiples of powers of two. Rounding happens once, at the end.

mod float_sums;
mod int_sums;

use num_bigint::{BigInt, BigUint};
use serde::{Deserialize, Serialize};

use super::exact::{nearest_f64, power_of_ten, root_f64};
use float_sums::FloatSums;
use int_sums::{IntSums, Narrow};

/// Exact sums of a sample. Merging is exact and in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moments {
    count: u64,
    infinite: u64,
    /// Integers stand for themselves times ten to the power of minus this.
    scale: i32,
    ints: IntSums,
    floats: FloatSums,
}

impl Moments {
    /// Nothing summed yet; integers that are added count `10^-scale`.
    pub(super) fn new(scale: i32) -> Self {
        Self { scale, ..Self::default() }
    }

    /// The same sums in the one form that does not depend on how they came together.
    #[must_use]
    pub fn normalized(&self) -> Self {
        Self { ints: self.ints.normalized(), floats: self.floats.normalized(), ..*self }
    }

    /// Number of values, infinite ones too, that were added.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds the sums of another piece of the same column.
    pub fn merge(&mut self, other: &Self) {
        debug_assert!(self.scale == other.scale || self.count == 0 || other.count == 0, "one scale a column");
        if self.count == 0 {
            self.scale = other.scale;
        }
        self.count += other.count;
        self.infinite += other.infinite;
        self.ints.merge(&other.ints);
        self.floats.merge(&other.floats);
    }

    /// Adds f64 values: `values` with `nans` NaNs and `infinite` infinities among them.
    pub(crate) fn add_f64(&mut self, values: &[f64], nans: u64, infinite: u64) {
        self.add_floats(values.len(), nans, infinite);
        self.floats.add_f64(bytemuck::cast_slice(values));
    }

    /// Adds f32 values: `values` with `nans` NaNs and `infinite` infinities among them.
    pub(super) fn add_f32(&mut self, values: &[f32], nans: u64, infinite: u64) {
        self.add_floats(values.len(), nans, infinite);
        self.floats.add_f32(bytemuck::cast_slice(values));
    }

    fn add_floats(&mut self, n: usize, nans: u64, infinite: u64) {
        self.count += n as u64 - nans;
        self.infinite += infinite;
    }

    /// Adds integers of up to 64 bits.
    pub(super) fn add_ints<I: Narrow>(&mut self, values: &[I]) {
        self.count += values.len() as u64;
        self.ints.add_narrow(values);
    }

    /// Adds integers of any width.
    pub(super) fn add_wide(&mut self, values: &[i128]) {
        self.count += values.len() as u64;
        self.ints.add_wide(values);
    }

    /// Adds an integer `n` times to sums of integers; for times that changed their unit.
    pub(crate) fn add_integer(&mut self, value: i128, n: u64) {
        self.add_repeated(value, n);
    }

    /// The same value `n` times.
    pub(super) fn add_repeated(&mut self, value: i128, n: u64) {
        self.count += n;
        self.ints.add_repeated(value, n);
    }

    /// The mean: the exact sum over the count, rounded once. `None` without values, or with an infinite one.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        if self.count == 0 || self.infinite > 0 {
            return None;
        }
        let (sum, _, unit) = self.sums();
        Some(nearest_f64(&sum, &(unit * self.count)))
    }

    /// The standard deviation with `n - 1` degrees of freedom: the root of `(n Σx² - (Σx)²) / (n (n - 1))`, whose
    /// fraction is exact and rounded once. `None` for fewer than two values, or with an infinite one.
    #[must_use]
    pub fn std(&self) -> Option<f64> {
        if self.count < 2 || self.infinite > 0 {
            return None;
        }
        let (sum, squares, unit) = self.sums();
        let spread = squares * self.count - &sum * &sum;
        Some(root_f64(&spread, &(&unit * &unit * self.count * (self.count - 1))))
    }

    /// Sums as integers: of the values in `1 / unit`, of the squares in `1 / unit²`; and the unit.
    fn sums(&self) -> (BigInt, BigInt, BigUint) {
        let (power, mut sum, mut squares) = self.floats.total();
        let mut unit = BigUint::from(1_u32) << power;
        let (mut ints, mut int_squares) = self.ints.total();
        let ten = power_of_ten(self.scale.unsigned_abs());
        if self.scale > 0 {
            let ten = BigInt::from(ten.clone());
            sum *= &ten;
            squares *= &ten * &ten;
            unit *= power_of_ten(self.scale.unsigned_abs());
        } else {
            let ten = BigInt::from(ten);
            ints *= &ten;
            int_squares *= &ten * &ten;
        }
        (sum + (ints << power), squares + (int_squares << (2 * power)), unit)
    }
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "tests make values of every width"
)]
mod tests;
