//! How the values of a feature become keys, the same way on both sides.

use crate::counts::Scale;

use super::class::Unit;
use super::exact::{decimal_f64, floor_scaled};
use super::key::{f32_key, f32_of, f64_key, f64_of, i32_key, i64_key, i128_key, i128_of};

/// The encoding of a feature: which key a value has. Order-preserving over every type that it serves.
///
/// Chosen by [`pair`](super::pair()) as the smallest one that holds all types of both sides exactly. Where no single type
/// does (64-bit integers against floats, decimals against floats), the key has two parts: the key of the largest double
/// that is not above the value, and below it how far the value is above that double.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Integers that fit i32; 32-bit keys.
    Int32,
    /// Integers that fit u32; 32-bit keys.
    UInt32,
    /// Integers that fit i64; 64-bit keys.
    Int64,
    /// Integers that fit u64; 64-bit keys.
    UInt64,
    /// i64 and u64 together; 128-bit keys.
    Int128,
    /// Floats that fit f32; 32-bit keys.
    Float32,
    /// Floats; 64-bit keys.
    Float64,
    /// 64-bit integers and floats together; 128-bit keys of two parts.
    IntFloat,
    /// Decimals as integers, times ten to the power of minus `scale`; 64-bit keys, or 128-bit ones when `wide`.
    Decimal {
        /// Digits behind the point; may be negative.
        scale: i32,
        /// Whether more than 18 digits can occur.
        wide: bool,
    },
    /// Decimals (and integers) and floats together; 128-bit keys of two parts.
    DecimalFloat {
        /// Digits behind the point of the decimals.
        scale: i32,
    },
    /// Booleans: 0 and 1; 32-bit keys.
    Boolean,
    /// Dates, times, timestamps or durations as integers; 32-bit keys, or 64-bit ones when `wide`.
    Temporal {
        /// What the integers count.
        unit: Unit,
        /// Whether the integers have 64 bits.
        wide: bool,
    },
    /// Categories: codes of a [`CategoryTable`](super::CategoryTable); 32-bit keys.
    Category {
        /// Whether the values are bytes and no text.
        binary: bool,
    },
}

/// A value that is not null and not NaN, in exact form.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    /// An integer.
    Int(i128),
    /// A float, infinite ones too.
    Float(f64),
    /// An integer times ten to the power of minus the second part.
    Scaled(i128, i32),
}

impl Encoding {
    /// How many of a temporal column's integers make a day.
    #[must_use]
    pub fn ticks_per_day(&self) -> Option<i64> {
        match self {
            Self::Temporal { unit, .. } => Some(unit.per_day()),
            _ => None,
        }
    }

    /// Width of a key: 32, 64 or 128 bits.
    #[must_use]
    pub fn key_bits(&self) -> u32 {
        match self {
            Self::Int32 | Self::UInt32 | Self::Float32 | Self::Boolean | Self::Category { .. } => 32,
            Self::Temporal { wide: false, .. } => 32,
            Self::Int64 | Self::UInt64 | Self::Float64 | Self::Temporal { wide: true, .. } => 64,
            Self::Decimal { wide: false, .. } => 64,
            Self::Decimal { wide: true, .. } | Self::Int128 | Self::IntFloat | Self::DecimalFloat { .. } => 128,
        }
    }

    /// Whether the keys are codes of categories, read with [`read_codes`](super::read_codes()).
    #[must_use]
    pub fn is_categorical(&self) -> bool {
        matches!(self, Self::Category { .. })
    }

    /// The integer that a key stands for, where all values are integers (times included).
    #[must_use]
    pub fn integer_of(&self, key: u128) -> Option<i128> {
        let narrow = u64::try_from(key).unwrap_or(u64::MAX);
        match self {
            Self::Int32 | Self::Temporal { wide: false, .. } => Some((low32(key) ^ 1 << 31).cast_signed().into()),
            Self::UInt32 | Self::Boolean => Some(low32(key).into()),
            Self::Int64 | Self::Temporal { wide: true, .. } => Some((narrow ^ 1 << 63).cast_signed().into()),
            Self::UInt64 => Some(narrow.into()),
            Self::Int128 => Some(i128_of(key)),
            _ => None,
        }
    }

    /// Digits behind the point of the integers that moments are taken of; 0 but for decimals.
    pub(super) fn scale(&self) -> i32 {
        match self {
            Self::Decimal { scale, .. } | Self::DecimalFloat { scale } => *scale,
            _ => 0,
        }
    }

    /// The key of `number`, or why it has none: it is out of range of what the types promise.
    pub(super) fn key_of(&self, number: Number) -> Result<u128, String> {
        let beyond = |what: &str| Err(format!("the value {} does not fit {what}", Words(number)));
        match (*self, number) {
            (Self::Int32, Number::Int(n)) => i32::try_from(n).map(|n| i32_key(n).into()).or_else(|_| beyond("32 bits")),
            (Self::UInt32, Number::Int(n)) => u32::try_from(n).map(Into::into).or_else(|_| beyond("32 bits")),
            (Self::Int64, Number::Int(n)) => i64::try_from(n).map(|n| i64_key(n).into()).or_else(|_| beyond("64 bits")),
            (Self::UInt64, Number::Int(n)) => u64::try_from(n).map(Into::into).or_else(|_| beyond("64 bits")),
            (Self::Int128, Number::Int(n)) => Ok(i128_key(n)),
            (Self::Boolean, Number::Int(n)) => Ok(u128::from(n != 0)),
            (Self::Temporal { wide: false, .. }, Number::Int(n)) => Self::Int32.key_of(Number::Int(n)),
            (Self::Temporal { wide: true, unit }, Number::Int(n)) => match i64::try_from(n) {
                Ok(n) => Ok(i64_key(n).into()),
                Err(_) => beyond(&format!("64 bits in the finer unit of the two sides ({unit:?})")),
            },
            #[expect(
                clippy::cast_possible_truncation,
                reason = "only types that f32 holds exactly share this encoding"
            )]
            (Self::Float32, Number::Float(x)) => Ok(f32_key(x as f32).into()),
            (Self::Float64, Number::Float(x)) => Ok(f64_key(x).into()),
            #[expect(clippy::cast_precision_loss, reason = "integers of at most 16 bits share this encoding")]
            (Self::Float32, Number::Int(n)) => Ok(f32_key(n as f32).into()),
            #[expect(clippy::cast_precision_loss, reason = "integers of at most 32 bits share this encoding")]
            (Self::Float64, Number::Int(n)) => Ok(f64_key(n as f64).into()),
            (Self::IntFloat, Number::Int(n)) => Ok(int_float_key(n)),
            (Self::IntFloat | Self::DecimalFloat { .. }, Number::Float(x)) => Ok(u128::from(f64_key(x)) << 64),
            (Self::Decimal { scale, wide }, n) => match n.at_scale(scale) {
                Some(n) if wide => Ok(i128_key(n)),
                Some(n) => i64::try_from(n).map(|n| i64_key(n).into()).or_else(|_| beyond("18 digits")),
                None => beyond(&format!("128 bits with {scale} digits behind the point")),
            },
            (Self::DecimalFloat { scale }, n) => match n.at_scale(scale).map(|n| decimal_float_key(n, scale)) {
                Some(Some(key)) => Ok(key),
                _ => beyond("an exact comparison of decimals with floats"),
            },
            _ => beyond("the type of its column"),
        }
    }

    /// Key of zero, for the count of zeros.
    pub(super) fn zero_key(&self) -> u128 {
        self.key_of(Number::Int(0)).unwrap_or(u128::MAX)
    }

    /// Keys of −∞ and +∞, where there are such values.
    pub(super) fn infinite_keys(&self) -> Option<(u128, u128)> {
        let key = |x: f64| self.key_of(Number::Float(x)).ok();
        match self {
            Self::Float32 | Self::Float64 | Self::IntFloat | Self::DecimalFloat { .. } => {
                key(f64::NEG_INFINITY).zip(key(f64::INFINITY))
            }
            _ => None,
        }
    }
}

impl Number {
    /// The integer that this is at `scale`, if it is one and fits.
    pub(super) fn at_scale(self, scale: i32) -> Option<i128> {
        let (n, own) = match self {
            Self::Int(n) => (n, 0),
            Self::Scaled(n, own) => (n, own),
            Self::Float(_) => return None,
        };
        let up = u32::try_from(scale.checked_sub(own)?).ok()?;
        if n == 0 { Some(0) } else { 10_i128.checked_pow(up)?.checked_mul(n) }
    }
}

/// A number in words, for errors.
struct Words(Number);

impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Number::Int(n) => write!(f, "{n}"),
            Number::Float(x) => write!(f, "{x}"),
            Number::Scaled(n, scale) => write!(f, "{n}e{}", -scale),
        }
    }
}

/// Key of an integer of at most 65 bits: the largest double not above it, and how far it is above that.
fn int_float_key(n: i128) -> u128 {
    #[expect(clippy::cast_precision_loss, reason = "the double is corrected to be not above")]
    let mut below = n as f64;
    if whole(below) > n {
        below = below.next_down();
    }
    u128::from(f64_key(below)) << 64 | (n - whole(below)).unsigned_abs()
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number of fewer than 127 bits")]
fn whole(x: f64) -> i128 {
    x as i128
}

/// Key of `n / 10^scale`, or `None` where its second part needs more than 64 bits (decimals of more than 34 digits).
fn decimal_float_key(n: i128, scale: i32) -> Option<u128> {
    let exact = num_bigint::BigInt::from(n);
    let mut below = decimal_f64(n, scale);
    let (mut floor, is_equal) = floor_scaled(below, scale);
    if floor > exact || (floor == exact && !is_equal) {
        below = below.next_down();
        floor = floor_scaled(below, scale).0;
    }
    let above = u64::try_from(exact - floor).ok()?;
    Some(u128::from(f64_key(below)) << 64 | u128::from(above))
}

fn high(key: u128) -> u64 {
    u64::try_from(key >> 64).expect("half of the bits")
}

fn low64(key: u128) -> u64 {
    u64::try_from(key & u128::from(u64::MAX)).expect("half of the bits")
}

/// The highest key that fits, for keys that are narrower than the widest one.
fn low32(key: u128) -> u32 {
    u32::try_from(key).unwrap_or(u32::MAX)
}

impl Scale for Encoding {
    #[expect(clippy::cast_precision_loss, reason = "the nearest f64 is what is asked for")]
    fn value_of(&self, key: u128) -> f64 {
        let narrow = u64::try_from(key).unwrap_or(u64::MAX);
        match *self {
            Self::Int32 | Self::Temporal { wide: false, .. } => f64::from((low32(key) ^ 1 << 31).cast_signed()),
            Self::UInt32 | Self::Boolean | Self::Category { .. } => f64::from(low32(key)),
            Self::Int64 | Self::Temporal { wide: true, .. } => (narrow ^ 1 << 63).cast_signed() as f64,
            Self::UInt64 => narrow as f64,
            Self::Int128 => i128_of(key) as f64,
            Self::Float32 => f64::from(f32_of(low32(key))),
            Self::Float64 => f64_of(narrow),
            Self::IntFloat | Self::DecimalFloat { .. } => {
                let below = f64_of(high(key));
                let above = low64(key);
                if above == 0 || below.is_infinite() {
                    return below;
                }
                let value = match *self {
                    Self::DecimalFloat { scale } => {
                        let n = floor_scaled(below, scale).0 + above;
                        i128::try_from(n).map_or(f64::INFINITY, |n| decimal_f64(n, scale))
                    }
                    // Doubles between two integers, and those beyond 64 bits, have nothing above them.
                    _ => (whole(below.floor()).saturating_add(above.into())) as f64,
                };
                // Keys that no value has keep the order, too.
                value.clamp(below, below.next_up())
            }
            Self::Decimal { scale, wide: true } => decimal_f64(i128_of(key), scale),
            Self::Decimal { scale, wide: false } => decimal_f64((narrow ^ 1 << 63).cast_signed().into(), scale),
        }
    }

    fn highest_key(&self) -> u128 {
        match self {
            Self::Boolean => 1,
            Self::Float32 => f32_key(f32::INFINITY).into(),
            Self::Float64 => f64_key(f64::INFINITY).into(),
            Self::IntFloat | Self::DecimalFloat { .. } => u128::from(f64_key(f64::INFINITY)) << 64,
            _ => u128::MAX >> (128 - self.key_bits()),
        }
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
