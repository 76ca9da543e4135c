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

/// Tables that take turns, so that a value rarely waits for the sum that a value just before it has stored: most values of
/// a column share a few exponents.
const TURNS: usize = 2;

struct Tables {
    wide: Box<[[Wide; 2048]; TURNS]>,
    narrow: Box<[[Narrow; 256]; TURNS]>,
}

fn zeroed<T: Copy + Default, const N: usize>() -> Box<[[T; N]; TURNS]> {
    vec![[T::default(); N]; TURNS].into_boxed_slice().try_into().ok().expect("as many as were made")
}

thread_local! {
    // Kept a thread, and all zero between calls: clearing 128 KiB would cost more than a small column.
    static TABLES: RefCell<Tables> = RefCell::new(Tables { wide: zeroed(), narrow: zeroed() });
}

/// Squares of 106 bits: 2^22 of them fit 128 bits.
const MOST_WIDE: usize = 1 << 20;
/// Squares of 48 bits: 2^16 of them fit 64 bits.
const MOST_NARROW: usize = 1 << 15;
#[inline(always)]
fn put_f64(table: &mut [Wide; 2048], value: f64) {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as usize;
    let mantissa = bits & ((1 << 52) - 1) | u64::from(exponent != 0) << 52;
    let sign = bits.cast_signed() >> 63;
    let entry = &mut table[exponent];
    entry.sum += i128::from((mantissa.cast_signed() ^ sign) - sign);
    entry.squares += u128::from(mantissa) * u128::from(mantissa);
}

#[inline(always)]
fn put_f32(table: &mut [Narrow; 256], value: f32) {
    let bits = value.to_bits();
    let exponent = (bits >> 23 & 0xff) as usize;
    let mantissa = bits & ((1 << 23) - 1) | u32::from(exponent != 0) << 23;
    let sign = bits.cast_signed() >> 31;
    let entry = &mut table[exponent];
    entry.sum += i64::from((mantissa.cast_signed() ^ sign) - sign);
    entry.squares += u64::from(mantissa) * u64::from(mantissa);
}

/// Adds `values`; NaN and infinities, which share the highest exponent, are left out.
pub(super) fn add_f64(sums: &mut FloatSums, values: &[f64]) {
    TABLES.with_borrow_mut(|Tables { wide: tables, .. }| {
        for values in values.chunks(MOST_WIDE) {
            let (groups, rest) = values.as_chunks::<TURNS>();
            for group in groups {
                for (table, &value) in tables.iter_mut().zip(group) {
                    put_f64(table, value);
                }
            }
            rest.iter().for_each(|&value| put_f64(&mut tables[0], value));
            let (lowest, highest) = exponents(values);
            // Zeros and subnormals, and what is no number, would make a range of all that lies between.
            for exponent in [0, 2047].into_iter().chain(lowest..highest.saturating_add(1)) {
                if tables.iter().all(|table| table[exponent].squares == 0) {
                    continue;
                }
                let (mut sum, mut squares) = (0, 0);
                for table in tables.iter_mut() {
                    let of_table = std::mem::take(&mut table[exponent]);
                    sum += of_table.sum;
                    squares += of_table.squares;
                }
                if exponent != 2047 {
                    let power = i32::try_from(exponent.max(1)).expect("11 bits") - 1075;
                    sums.add(Term { power, sum, squares, squares_high: 0 });
                }
            }
        }
    });
}

/// Adds `values`; NaN and infinities, which share the highest exponent, are left out.
pub(super) fn add_f32(sums: &mut FloatSums, values: &[f32]) {
    TABLES.with_borrow_mut(|Tables { narrow: tables, .. }| {
        for values in values.chunks(MOST_NARROW) {
            let (groups, rest) = values.as_chunks::<TURNS>();
            for group in groups {
                for (table, &value) in tables.iter_mut().zip(group) {
                    put_f32(table, value);
                }
            }
            rest.iter().for_each(|&value| put_f32(&mut tables[0], value));
            for exponent in 0..256 {
                let (mut sum, mut squares) = (0, 0);
                for table in tables.iter_mut() {
                    let of_table = std::mem::take(&mut table[exponent]);
                    sum += i128::from(of_table.sum);
                    squares += u128::from(of_table.squares);
                }
                if squares > 0 && exponent != 255 {
                    let power = i32::try_from(exponent.max(1)).expect("8 bits") - 150;
                    sums.add(Term { power, sum, squares, squares_high: 0 });
                }
            }
        }
    });
}

vectorized! {
    /// Lowest and highest exponent of the normal numbers; the lowest is above the highest where there is none.
    fn exponents(values: &[f64]) -> (usize, usize) {
        let (mut lowest, mut highest) = (2047, 0);
        for value in values {
            let exponent = value.to_bits() >> 52 & 0x7ff;
            let of_normal = exponent != 0 && exponent != 2047;
            lowest = lowest.min(if of_normal { exponent } else { 2047 });
            highest = highest.max(if of_normal { exponent } else { 0 });
        }
        #[expect(clippy::cast_possible_truncation, reason = "11 bits")]
        return (lowest as usize, highest as usize);
    }
}
