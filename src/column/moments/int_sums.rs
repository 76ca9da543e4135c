//! Exact sums of integers of up to 128 bits.

use num_bigint::{BigInt, BigUint};

/// Sums in parts, each far from its limit, so that adding two of them is adding the parts.
///
/// A value is `a * 2^64 + b` with b of 64 bits; its magnitude is `c * 2^64 + d`. Products of two 64-bit numbers are
/// summed as their upper and lower 64 bits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct IntSums {
    a: i128,
    b: u128,
    cc: Product,
    cd: Product,
    dd: Product,
}

/// A sum of products: `upper * 2^64 + lower`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Product {
    upper: u128,
    lower: u128,
}

const LOW: u128 = u64::MAX as u128;

impl Product {
    #[inline(always)]
    fn add(&mut self, product: u128) {
        self.upper += product >> 64;
        self.lower += product & LOW;
    }

    fn add_times(&mut self, product: u128, n: u64) {
        self.upper += (product >> 64) * u128::from(n);
        let low = (product & LOW) * u128::from(n);
        self.upper += low >> 64;
        self.lower += low & LOW;
    }

    fn merge(&mut self, other: Self) {
        self.upper += other.upper;
        self.lower += other.lower;
    }

    fn total(self) -> BigUint {
        (BigUint::from(self.upper) << 64) + self.lower
    }
}

impl IntSums {
    /// Adds integers whose magnitude has at most 64 bits.
    pub(super) fn add_narrow<I: Copy + Into<i128>>(&mut self, values: &[I]) {
        // A sum of fewer than 2^62 of them fits; the sum of squares is kept in parts.
        let mut sum = 0_i128;
        let mut squares = Product::default();
        for &value in values {
            let value: i128 = value.into();
            sum += value;
            let magnitude = value.unsigned_abs() & LOW;
            squares.add(magnitude * magnitude);
        }
        self.a += sum >> 64;
        self.b += sum.cast_unsigned() & LOW;
        self.dd.merge(squares);
    }

    /// Adds integers of any width.
    pub(super) fn add_wide(&mut self, values: &[i128]) {
        for &value in values {
            self.add_repeated(value, 1);
        }
    }

    /// Adds the same value `n` times.
    pub(super) fn add_repeated(&mut self, value: i128, n: u64) {
        // Upper parts have 63 bits, so n of them fit 127.
        self.a += (value >> 64) * i128::from(n);
        let b = (value.cast_unsigned() & LOW) * u128::from(n);
        self.a += (b >> 64).cast_signed();
        self.b += b & LOW;
        let (c, d) = (value.unsigned_abs() >> 64, value.unsigned_abs() & LOW);
        self.cc.add_times(c * c, n);
        self.cd.add_times(c * d, n);
        self.dd.add_times(d * d, n);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.a += other.a;
        self.b += other.b;
        self.cc.merge(other.cc);
        self.cd.merge(other.cd);
        self.dd.merge(other.dd);
    }

    /// The sum of the values, and of their squares.
    pub(super) fn total(&self) -> (BigInt, BigInt) {
        let sum = (BigInt::from(self.a) << 64) + self.b;
        let squares: BigUint = (self.cc.total() << 128) + (self.cd.total() << 65) + self.dd.total();
        (sum, BigInt::from(squares))
    }
}
