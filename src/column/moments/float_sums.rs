//! Exact sums of floats: for every power of two the sum of the mantissas and of their squares.

use std::cell::RefCell;

use num_bigint::{BigInt, BigUint};
use serde::{Deserialize, Serialize};

use crate::vector::vectorized;

/// Values of one exponent: `sum * 2^power`, and `(squares_high * 2^128 + squares) * 4^power`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Term {
    power: i32,
    sum: i128,
    squares: u128,
    squares_high: u64,
}

/// The terms that occur, by power.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FloatSums {
    terms: Vec<Term>,
}

impl FloatSums {
    fn add(&mut self, term: Term) {
        match self.terms.binary_search_by_key(&term.power, |known| known.power) {
            Ok(index) => {
                let known = &mut self.terms[index];
                known.sum += term.sum;
                let (squares, carry) = known.squares.overflowing_add(term.squares);
                known.squares = squares;
                known.squares_high += term.squares_high + u64::from(carry);
            }
            Err(index) => self.terms.insert(index, term),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for &term in &other.terms {
            self.add(term);
        }
    }

    /// `(power, sum, squares)`: the sum of the values times `2^power`, and of the squares times `4^power`.
    pub(super) fn total(&self) -> (u32, BigInt, BigInt) {
        let lowest = self.terms.first().map_or(0, |term| term.power).min(0);
        let (mut sum, mut squares) = (BigInt::from(0), BigInt::from(0));
        for term in &self.terms {
            let up = term.power - lowest;
            sum += BigInt::from(term.sum) << up;
            let square = (BigUint::from(term.squares_high) << 128) + term.squares;
            squares += BigInt::from(square) << (2 * up);
        }
        (lowest.unsigned_abs(), sum, squares)
    }
}

/// Sums of one exponent while a piece is read.
#[derive(Clone, Copy, Default)]
struct Wide {
    sum: i128,
    squares: u128,
}

/// The same for f32, whose mantissas have 24 bits.
#[derive(Clone, Copy, Default)]
struct Narrow {
    sum: i64,
    squares: u64,
}

/// Values that take turns, each with a sum of its own: one that has the exponent of the value before it would wait for the
/// sum that was just stored.
const TURNS: usize = 4;

/// Sums by exponent.
struct Tables {
    wide: Vec<[Wide; TURNS]>,
    narrow: Vec<[Narrow; TURNS]>,
}

thread_local! {
    // Kept a thread, and all zero between calls: clearing 256 KiB would cost more than a small column.
    static TABLES: RefCell<Tables> = RefCell::new(Tables {
        wide: vec![[Wide::default(); TURNS]; WIDE],
        narrow: vec![[Narrow::default(); TURNS]; NARROW],
    });
}

/// Exponents of f64 and of f32; the highest are those of NaN and infinities.
const WIDE: usize = 1 << 11;
const NARROW: usize = 1 << 8;

/// Squares of 106 bits: 2^22 of them fit 128 bits.
const MOST_WIDE: usize = 1 << 20;
/// Squares of 48 bits: 2^16 of them fit 64 bits.
const MOST_NARROW: usize = 1 << 15;

#[inline(always)]
fn put_f64(entry: &mut Wide, bits: u64) {
    let mantissa = bits & ((1 << 52) - 1) | u64::from(exponent_of_f64(bits) != 0) << 52;
    let sign = bits.cast_signed() >> 63;
    entry.sum += i128::from((mantissa.cast_signed() ^ sign) - sign);
    entry.squares += u128::from(mantissa) * u128::from(mantissa);
}

#[inline(always)]
fn put_f32(entry: &mut Narrow, bits: u32) {
    let mantissa = bits & ((1 << 23) - 1) | u32::from(exponent_of_f32(bits) != 0) << 23;
    let sign = bits.cast_signed() >> 31;
    entry.sum += i64::from((mantissa.cast_signed() ^ sign) - sign);
    entry.squares += u64::from(mantissa) * u64::from(mantissa);
}

#[inline(always)]
fn exponent_of_f64(bits: u64) -> usize {
    (bits >> 52) as usize % WIDE
}

#[inline(always)]
fn exponent_of_f32(bits: u32) -> usize {
    (bits >> 23) as usize % NARROW
}

/// Adds `values`; NaN and infinities, which share the highest exponent, are left out.
pub(super) fn add_f64(sums: &mut FloatSums, values: &[f64]) {
    TABLES.with_borrow_mut(|Tables { wide, .. }| {
        let wide: &mut [_; WIDE] = wide.as_mut_slice().try_into().expect("one a exponent");
        for values in values.chunks(MOST_WIDE) {
            let used = sum_f64(wide, values);
            for exponent in used {
                let (mut sum, mut squares) = (0, 0);
                for entry in &mut wide[exponent] {
                    let Wide { sum: own, squares: own_squares } = std::mem::take(entry);
                    (sum, squares) = (sum + own, squares + own_squares);
                }
                if squares > 0 && exponent != WIDE - 1 {
                    let power = i32::try_from(exponent.max(1)).expect("11 bits") - 1075;
                    sums.add(Term { power, sum, squares, squares_high: 0 });
                }
            }
        }
    });
}

/// Adds `values`; NaN and infinities, which share the highest exponent, are left out.
pub(super) fn add_f32(sums: &mut FloatSums, values: &[f32]) {
    TABLES.with_borrow_mut(|Tables { narrow, .. }| {
        let narrow: &mut [_; NARROW] = narrow.as_mut_slice().try_into().expect("one a exponent");
        for values in values.chunks(MOST_NARROW) {
            let used = sum_f32(narrow, values);
            for exponent in used {
                let (mut sum, mut squares) = (0, 0);
                for entry in &mut narrow[exponent] {
                    let Narrow { sum: own, squares: own_squares } = std::mem::take(entry);
                    (sum, squares) = (sum + i128::from(own), squares + u128::from(own_squares));
                }
                if squares > 0 && exponent != NARROW - 1 {
                    let power = i32::try_from(exponent.max(1)).expect("8 bits") - 150;
                    sums.add(Term { power, sum, squares, squares_high: 0 });
                }
            }
        }
    });
}

vectorized! {
    /// Adds values to the sums of their exponents, and returns the range of these.
    fn sum_f64(sums: &mut [[Wide; TURNS]; WIDE], values: &[f64]) -> std::ops::Range<usize> {
        let (mut low, mut high) = (u16::MAX, 0);
        for value in values {
            let exponent = exponent_of_f64(value.to_bits()) as u16;
            low = low.min(exponent);
            high = high.max(exponent);
        }
        let (turns, rest) = values.as_chunks::<TURNS>();
        for values in turns {
            for turn in 0..TURNS {
                let bits = values[turn].to_bits();
                put_f64(&mut sums[exponent_of_f64(bits)][turn], bits);
            }
        }
        for value in rest {
            put_f64(&mut sums[exponent_of_f64(value.to_bits())][0], value.to_bits());
        }
        low.min(high) as usize..if values.is_empty() { 0 } else { high as usize + 1 }
    }
}

vectorized! {
    /// Adds values to the sums of their exponents, and returns the range of these.
    fn sum_f32(sums: &mut [[Narrow; TURNS]; NARROW], values: &[f32]) -> std::ops::Range<usize> {
        let (mut low, mut high) = (u16::MAX, 0);
        for value in values {
            let exponent = exponent_of_f32(value.to_bits()) as u16;
            low = low.min(exponent);
            high = high.max(exponent);
        }
        let (turns, rest) = values.as_chunks::<TURNS>();
        for values in turns {
            for turn in 0..TURNS {
                let bits = values[turn].to_bits();
                put_f32(&mut sums[exponent_of_f32(bits)][turn], bits);
            }
        }
        for value in rest {
            put_f32(&mut sums[exponent_of_f32(value.to_bits())][0], value.to_bits());
        }
        low.min(high) as usize..if values.is_empty() { 0 } else { high as usize + 1 }
    }
}
