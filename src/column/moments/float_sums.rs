//! Exact sums of floats: integers times powers of two, and how values become such.
//!
//! ```text
//!     values ──> windows   those whose exponents lie close together, eight at a time
//!           └──> tables    all others, each added to the sum of its own exponent
//! ```

mod tables;
#[cfg(target_arch = "x86_64")]
mod windows;

use num_bigint::{BigInt, BigUint, Sign};
use serde::{Deserialize, Serialize};

use tables::Tabled;
#[cfg(target_arch = "x86_64")]
use windows::Windowed;

/// Values as multiples of a power of two: `sum * 2^power`, and `(squares_high * 2^128 + squares) * 4^power`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Term {
    power: i32,
    sum: i128,
    squares: u128,
    squares_high: u64,
}

/// Terms, by power. Which ones there are depends on how the values came; what they add up to does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FloatSums {
    terms: Vec<Term>,
}

macro_rules! add {
    ($($add:ident, $bits:ty;)*) => {$(
        /// Adds floats, given as their bits; NaN and infinities are left out.
        pub(super) fn $add(&mut self, values: &[$bits]) {
            <$bits>::with_tables(|tables| {
                for values in values.chunks(<$bits>::MOST) {
                    #[cfg(target_arch = "x86_64")]
                    let windowed = <$bits>::add_window(values, self, tables);
                    #[cfg(not(target_arch = "x86_64"))]
                    let windowed = false;
                    if !windowed {
                        tables.put(values);
                    }
                    tables.drain_to(self);
                }
            });
        }
    )*};
}

impl FloatSums {
    add! { add_f64, u64; add_f32, u32; }

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

    /// The same sums as digits of 64 bits, of squares 128, which depend on the sums alone.
    pub(super) fn normalized(&self) -> Self {
        const DIGIT: u32 = 64;
        let (below, sum, squares) = self.total();
        let up = below.next_multiple_of(DIGIT) - below;
        let is_negative = sum.sign() == Sign::Minus;
        let (sum, squares) = (sum << up, squares << (2 * up));
        let (mut sum, mut squares) = (sum.iter_u64_digits(), squares.iter_u64_digits());
        let mut power = -(below + up).cast_signed();
        let mut terms = Vec::new();
        while sum.len() + squares.len() > 0 {
            let digit = i128::from(sum.next().unwrap_or(0));
            let mut half = || u128::from(squares.next().unwrap_or(0));
            let term = Term {
                power,
                sum: if is_negative { -digit } else { digit },
                squares: half() | half() << 64,
                squares_high: 0,
            };
            if term.sum != 0 || term.squares != 0 {
                terms.push(term);
            }
            power += DIGIT.cast_signed();
        }
        Self { terms }
    }
}
