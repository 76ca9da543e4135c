//! One sum for every exponent: floats of any size, one at a time.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::thread::LocalKey;

use super::{FloatSums, Term};
use crate::vector::vectorized;

/// Tables that take turns, so that a value rarely waits for the sum that a value just before it has stored: most values of
/// a column share a few exponents.
const TURNS: usize = 2;

/// The bits of a float that tables sum.
pub(super) trait Tabled: bytemuck::Pod {
    /// Sums of one exponent.
    type Sums: Copy + Default;
    /// So many values and no more may be summed before the tables are drained.
    const MOST: usize;
    /// The exponent of NaN and infinities, the greatest one.
    const NO_NUMBER: usize;
    /// The power of two that an exponent of 0 would stand for.
    const LOWEST_POWER: i32;

    fn exponent(self) -> usize;
    fn add_to(self, sums: &mut Self::Sums);
    fn merge(sums: &mut Self::Sums, other: Self::Sums);
    /// The sums as those of a term.
    fn total(sums: Self::Sums) -> (i128, u128);
    /// Lowest and highest exponent of the normal numbers; the lowest is above the highest where there is none.
    fn exponents(values: &[Self]) -> (usize, usize);
    fn tables() -> &'static LocalKey<RefCell<Tables<Self>>>;

    /// Shows `sum` this thread's tables, which are empty, and to be left so.
    fn with_tables<R>(sum: impl FnOnce(&mut Tables<Self>) -> R) -> R {
        Self::tables().with_borrow_mut(sum)
    }
}

/// For every exponent the sums of the values that have it.
pub(super) struct Tables<B: Tabled> {
    turns: [Box<[B::Sums]>; TURNS],
    /// Normal numbers that were put have exponents in here.
    used: RangeInclusive<usize>,
}

impl<B: Tabled> Tables<B> {
    fn new() -> Self {
        let zeros = || vec![B::Sums::default(); B::NO_NUMBER + 1].into_boxed_slice();
        Self { turns: [zeros(), zeros()], used: Self::none() }
    }

    const fn none() -> RangeInclusive<usize> {
        B::NO_NUMBER..=0
    }

    /// Adds values, of which no more than [`Tabled::MOST`] may be put before they are drained.
    pub(super) fn put(&mut self, values: &[B]) {
        let [even, odd] = &mut self.turns;
        let (pairs, rest) = values.as_chunks::<TURNS>();
        for &[a, b] in pairs {
            a.add_to(&mut even[a.exponent()]);
            b.add_to(&mut odd[b.exponent()]);
        }
        rest.iter().for_each(|value| value.add_to(&mut even[value.exponent()]));
        let (lowest, highest) = B::exponents(values);
        self.used = lowest.min(*self.used.start())..=highest.max(*self.used.end());
    }

    /// Moves all sums to `sums`, but for those of NaN and infinities, which are dropped.
    pub(super) fn drain_to(&mut self, sums: &mut FloatSums) {
        let normal = std::mem::replace(&mut self.used, Self::none());
        // Zeros and subnormals, and what is no number, would make a range of all that lies between.
        for exponent in [0, B::NO_NUMBER].into_iter().chain(normal) {
            let mut of_exponent = B::Sums::default();
            for table in &mut self.turns {
                B::merge(&mut of_exponent, std::mem::take(&mut table[exponent]));
            }
            let (sum, squares) = B::total(of_exponent);
            if squares > 0 && exponent != B::NO_NUMBER {
                let power = B::LOWEST_POWER + i32::try_from(exponent.max(1)).expect("11 bits");
                sums.add(Term { power, sum, squares, squares_high: 0 });
            }
        }
    }
}

macro_rules! tabled {
    ($($bits:ident, $sum:ty, $square:ty, $fraction:literal, $no_number:literal, $lowest:literal, $most:expr;)*) => {$(
        impl Tabled for $bits {
            type Sums = ($sum, $square);
            const MOST: usize = $most;
            const NO_NUMBER: usize = $no_number;
            const LOWEST_POWER: i32 = $lowest;

            #[inline(always)]
            fn exponent(self) -> usize {
                (self >> $fraction) as usize & $no_number
            }

            #[inline(always)]
            fn add_to(self, (sum, squares): &mut Self::Sums) {
                let mantissa = self & ((1 << $fraction) - 1) | $bits::from(self.exponent() != 0) << $fraction;
                let sign = self.cast_signed() >> ($bits::BITS - 1);
                *sum += <$sum>::from((mantissa.cast_signed() ^ sign) - sign);
                *squares += <$square>::from(mantissa) * <$square>::from(mantissa);
            }

            fn merge((sum, squares): &mut Self::Sums, other: Self::Sums) {
                *sum += other.0;
                *squares += other.1;
            }

            fn total((sum, squares): Self::Sums) -> (i128, u128) {
                (sum.into(), squares.into())
            }

            fn exponents(values: &[Self]) -> (usize, usize) {
                vectorized! {
                    fn ends(values: &[$bits]) -> ($bits, $bits) {
                        let (mut lowest, mut highest) = ($no_number, 0);
                        for value in values {
                            let exponent = value >> $fraction & $no_number;
                            let of_normal = exponent != 0 && exponent != $no_number;
                            lowest = lowest.min(if of_normal { exponent } else { $no_number });
                            highest = highest.max(if of_normal { exponent } else { 0 });
                        }
                        (lowest, highest)
                    }
                }
                let (lowest, highest) = ends(values);
                let exponent = |bits| usize::try_from(bits).expect("11 bits");
                (exponent(lowest), exponent(highest))
            }

            fn tables() -> &'static LocalKey<RefCell<Tables<Self>>> {
                thread_local! {
                    // Kept a thread: clearing 128 KiB would cost more than a small column.
                    static TABLES: RefCell<Tables<$bits>> = RefCell::new(Tables::new());
                }
                &TABLES
            }
        }
    )*};
}
tabled! {
    // Squares of 106 bits: 2^22 of them fit 128 bits.
    u64, i128, u128, 52, 2047, -1075, 1 << 20;
    // Squares of 48 bits: 2^16 of them fit 64 bits.
    u32, i64, u64, 23, 255, -150, 1 << 15;
}
