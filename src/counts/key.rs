//! Keys: unsigned integers in the order of the values that they stand for.

/// An unsigned integer that serves as key: `u32`, `u64` or `u128`.
pub trait Key: Copy + Ord + Default + Send + Sync + std::hash::Hash + std::fmt::Debug + 'static {
    /// Width in bits.
    const BITS: u32;
    /// The key as the widest one.
    fn widen(self) -> u128;
    /// The lowest `BITS` bits of `wide`. Callers hold `wide` within this width.
    fn narrow(wide: u128) -> Self;
    /// `(self - lo) >> shift`, cut to 32 bits. Callers know that the result fits.
    fn offset(self, lo: Self, shift: u32) -> u32;
    /// The keys of a piece; `None` where they have another width.
    fn slice_of(keys: &Keys) -> Option<&[Self]>;
}

macro_rules! key {
    ($($t:ty, $variant:ident;)*) => {$(
        #[expect(clippy::cast_possible_truncation, reason = "the trait's contract: callers hold the value within the width")]
        #[allow(clippy::cast_lossless, trivial_numeric_casts, reason = "one macro for three widths")]
        impl Key for $t {
            const BITS: u32 = <$t>::BITS;
            #[inline(always)]
            fn widen(self) -> u128 {
                self as u128
            }
            #[inline(always)]
            fn narrow(wide: u128) -> Self {
                wide as Self
            }
            #[inline(always)]
            fn offset(self, lo: Self, shift: u32) -> u32 {
                (self.wrapping_sub(lo) >> shift) as u32
            }
            fn slice_of(keys: &Keys) -> Option<&[Self]> {
                match keys {
                    Keys::$variant(keys) => Some(keys),
                    _ => None,
                }
            }
        }
    )*};
}
key! { u32, U32; u64, U64; u128, U128; }

/// The keys of one piece of a column: n keys of one width, in the order of the rows, nulls and NaNs left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// 32-bit values and narrower.
    U32(Vec<u32>),
    /// 64-bit values.
    U64(Vec<u64>),
    /// Wide decimals, and pairs of types that only a wider key holds exactly.
    U128(Vec<u128>),
}

/// Runs `$body` with `$keys` bound to the slice or vector inside, whatever its width.
#[macro_export]
#[doc(hidden)]
macro_rules! with_keys {
    ($value:expr, $keys:ident => $body:expr) => {
        match $value {
            $crate::counts::Keys::U32($keys) => $body,
            $crate::counts::Keys::U64($keys) => $body,
            $crate::counts::Keys::U128($keys) => $body,
        }
    };
}
pub use crate::with_keys;

impl Keys {
    /// No keys, of the width of `bits` (32, 64 or 128).
    #[must_use]
    pub fn empty(bits: u32) -> Self {
        Self::with_capacity(bits, 0)
    }

    /// No keys yet, with room for `capacity`.
    #[must_use]
    pub fn with_capacity(bits: u32, capacity: usize) -> Self {
        match bits {
            0..=32 => Self::U32(Vec::with_capacity(capacity)),
            33..=64 => Self::U64(Vec::with_capacity(capacity)),
            _ => Self::U128(Vec::with_capacity(capacity)),
        }
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        with_keys!(self, k => k.len())
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Width of a key in bits.
    #[must_use]
    pub fn bits(&self) -> u32 {
        match self {
            Self::U32(_) => 32,
            Self::U64(_) => 64,
            Self::U128(_) => 128,
        }
    }

    /// The key at `index`, widened.
    ///
    /// # Panics
    /// When `index` is not below [`Keys::len`].
    #[must_use]
    pub fn get(&self, index: usize) -> u128 {
        with_keys!(self, k => k[index].widen())
    }

    /// Adds the keys of another piece of the same column.
    ///
    /// # Panics
    /// When the widths differ: the pieces are of different columns.
    pub fn append(&mut self, other: &Self) {
        match (self, other) {
            (Self::U32(all), Self::U32(piece)) => all.extend_from_slice(piece),
            (Self::U64(all), Self::U64(piece)) => all.extend_from_slice(piece),
            (Self::U128(all), Self::U128(piece)) => all.extend_from_slice(piece),
            _ => panic!("the pieces of a column have keys of one width"),
        }
    }

    /// Removes all keys and keeps the memory.
    pub fn clear(&mut self) {
        with_keys!(self, k => k.clear());
    }

    /// Bytes that the keys take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.len() * (self.bits() as usize / 8)
    }
}
