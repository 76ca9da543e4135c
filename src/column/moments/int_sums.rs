//! Exact sums of integers of up to 128 bits.

use num_bigint::{BigInt, BigUint};
use serde::{Deserialize, Serialize};

/// Sums in parts, each far from its limit, so that adding two of them is adding the parts.
///
/// A value is `a * 2^64 + b` with b of 64 bits; its magnitude is `c * 2^64 + d`. Products of two 64-bit numbers are
/// summed as their upper and lower 64 bits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IntSums {
    a: i128,
    b: u128,
    cc: Product,
    cd: Product,
    dd: Product,
}

/// A sum of products: `upper * 2^64 + lower`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

    fn normalized(self) -> Self {
        Self { upper: self.upper + (self.lower >> 64), lower: self.lower & LOW }
    }

    fn total(self) -> BigUint {
        (BigUint::from(self.upper) << 64) + self.lower
    }
}

/// An integer of at most 64 bits, which can be summed faster than a wider one.
pub(in crate::column) trait Narrow: Copy {
    /// The sums of at most [`MOST`] values: of the values, and of the upper and the lower half of their squares.
    fn sums(values: &[Self]) -> (i128, u128, u128);
}

/// Values at a time: 2^20 halves of 64-bit squares fit 64 bits.
const MOST: usize = 1 << 20;

macro_rules! narrow {
    ($($t:ty, $sums:ident, $magnitude:expr;)*) => {$(
        impl Narrow for $t {
            fn sums(values: &[Self]) -> (i128, u128, u128) {
                $sums(values, $magnitude)
            }
        }
    )*};
}
narrow! {
    i32, sums_of_32, |value| u64::from(value.unsigned_abs());
    u32, sums_of_32, u64::from;
    i64, sums_of_64, i64::unsigned_abs;
    u64, sums_of_64, std::convert::identity;
}

#[inline(always)]
fn sums_of_32<I: Copy + Into<i64>>(values: &[I], magnitude: impl Fn(I) -> u64) -> (i128, u128, u128) {
    let (mut sum, mut high, mut low) = (0_i64, 0_u64, 0_u64);
    for &value in values {
        sum += value.into();
        let square = magnitude(value) * magnitude(value);
        high += square >> 32;
        low += square & 0xffff_ffff;
    }
    let squares = (u128::from(high) << 32) + u128::from(low);
    (sum.into(), squares >> 64, squares & LOW)
}

#[inline(always)]
fn sums_of_64<I: Copy + Into<i128>>(values: &[I], magnitude: impl Fn(I) -> u64) -> (i128, u128, u128) {
    let mut sum = 0_i128;
    let mut squares = Product::default();
    for &value in values {
        sum += value.into();
        let magnitude = u128::from(magnitude(value));
        squares.add(magnitude * magnitude);
    }
    (sum, squares.upper, squares.lower)
}

impl IntSums {
    /// Adds integers of up to 64 bits.
    pub(super) fn add_narrow<I: Narrow>(&mut self, values: &[I]) {
        for values in values.chunks(MOST) {
            let (sum, upper, lower) = I::sums(values);
            self.a += sum >> 64;
            self.b += sum.cast_unsigned() & LOW;
            self.dd.merge(Product { upper, lower });
        }
    }

    /// Adds integers of any width.
    pub(super) fn add_wide(&mut self, values: &[i128]) {
        for values in values.chunks(MOST) {
            let (mut sum, mut squares) = (0_i128, Product::default());
            for &value in values {
                // Most decimals are small numbers in a wide type.
                if let Ok(value) = i64::try_from(value) {
                    sum += i128::from(value);
                    let magnitude = u128::from(value.unsigned_abs());
                    squares.add(magnitude * magnitude);
                } else {
                    self.add_repeated(value, 1);
                }
            }
            self.a += sum >> 64;
            self.b += sum.cast_unsigned() & LOW;
            self.dd.merge(squares);
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

    /// The same sums with every lower part below 2^64.
    pub(super) fn normalized(&self) -> Self {
        Self {
            a: self.a + (self.b >> 64).cast_signed(),
            b: self.b & LOW,
            cc: self.cc.normalized(),
            cd: self.cd.normalized(),
            dd: self.dd.normalized(),
        }
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
