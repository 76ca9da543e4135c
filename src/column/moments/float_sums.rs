//! Exact sums of floats: for every power of two the sum of the mantissas and of their squares.

use std::cell::RefCell;

use num_bigint::{BigInt, BigUint};
use serde::{Deserialize, Serialize};

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

/// Two tables that take turns, so that a value rarely waits for the sum that the value before it has just stored.
struct Tables {
    wide: [Vec<Wide>; 2],
    narrow: [Vec<Narrow>; 2],
}

thread_local! {
    // Kept a thread, and all zero between calls: clearing 128 KiB would cost more than a small column.
    static TABLES: RefCell<Tables> = RefCell::new(Tables {
        wide: [vec![Wide::default(); 2048], vec![Wide::default(); 2048]],
        narrow: [vec![Narrow::default(); 256], vec![Narrow::default(); 256]],
    });
}

/// Squares of 106 bits: 2^22 of them fit 128 bits.
const MOST_WIDE: usize = 1 << 20;
/// Squares of 48 bits: 2^16 of them fit 64 bits.
const MOST_NARROW: usize = 1 << 15;
/// From this many values on the whole table is looked through instead of finding which part was used.
const MANY: usize = 1 << 13;

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
    TABLES.with_borrow_mut(|Tables { wide: [even, odd], .. }| {
        let even: &mut [Wide; 2048] = even.as_mut_slice().try_into().expect("2048 entries");
        let odd: &mut [Wide; 2048] = odd.as_mut_slice().try_into().expect("2048 entries");
        for values in values.chunks(MOST_WIDE) {
            let (pairs, rest) = values.as_chunks::<2>();
            for &[a, b] in pairs {
                put_f64(even, a);
                put_f64(odd, b);
            }
            if let &[last] = rest {
                put_f64(even, last);
            }
            let exponents = values.iter().map(|value| (value.to_bits() >> 52 & 0x7ff) as usize);
            for exponent in used(exponents, values.len(), 2048) {
                if even[exponent].squares | odd[exponent].squares == 0 {
                    continue;
                }
                let (a, b) = (std::mem::take(&mut even[exponent]), std::mem::take(&mut odd[exponent]));
                let squares = a.squares + b.squares;
                if exponent != 2047 {
                    let power = i32::try_from(exponent.max(1)).expect("11 bits") - 1075;
                    sums.add(Term { power, sum: a.sum + b.sum, squares, squares_high: 0 });
                }
            }
        }
    });
}

/// Adds `values`; NaN and infinities, which share the highest exponent, are left out.
pub(super) fn add_f32(sums: &mut FloatSums, values: &[f32]) {
    TABLES.with_borrow_mut(|Tables { narrow: [even, odd], .. }| {
        let even: &mut [Narrow; 256] = even.as_mut_slice().try_into().expect("256 entries");
        let odd: &mut [Narrow; 256] = odd.as_mut_slice().try_into().expect("256 entries");
        for values in values.chunks(MOST_NARROW) {
            let (pairs, rest) = values.as_chunks::<2>();
            for &[a, b] in pairs {
                put_f32(even, a);
                put_f32(odd, b);
            }
            if let &[last] = rest {
                put_f32(even, last);
            }
            for exponent in 0..256 {
                let (a, b) = (std::mem::take(&mut even[exponent]), std::mem::take(&mut odd[exponent]));
                let squares = u128::from(a.squares) + u128::from(b.squares);
                if squares > 0 && exponent != 255 {
                    let power = i32::try_from(exponent.max(1)).expect("8 bits") - 150;
                    sums.add(Term { power, sum: i128::from(a.sum) + i128::from(b.sum), squares, squares_high: 0 });
                }
            }
        }
    });
}

/// The exponents that may have been used.
fn used(exponents: impl Iterator<Item = usize>, n: usize, all: usize) -> std::ops::Range<usize> {
    if n >= MANY {
        return 0..all;
    }
    let (low, high) = exponents.fold((all, 0), |(low, high), exponent| (low.min(exponent), high.max(exponent)));
    low.min(high)..if n == 0 { 0 } else { high + 1 }
}
