//! From the keys of one encoding to those of a wider one, and to the words of categories.
//!
//! A saved profile holds the keys of the reference in the encoding of the reference's own types. Compared with another
//! type the feature may need a wider one: the same values, in the same order, with other keys.

use crate::counts::Scale;

use super::class::{Class, Unit};
use super::encoding::{Encoding, Number};
use super::exact::floor_scaled;
use super::words::in_words;

impl Encoding {
    /// The key that the value of `key` has in `wider`, an encoding that holds all values of this one. Rises with `key`.
    ///
    /// # Errors
    /// When the value has no key there; the text says why.
    pub fn translate(&self, key: u128, wider: &Self) -> Result<u128, String> {
        if self == wider {
            return Ok(key);
        }
        let number = match (*self, *wider) {
            (Self::Temporal { unit: own, .. }, Self::Temporal { unit, .. }) => {
                let n = self.integer_of(key).ok_or_else(|| "times are integers".to_owned())?;
                Number::Int(n.saturating_mul(own.factor_to(unit).into()))
            }
            _ => self.number_of(key)?,
        };
        wider.key_of(number)
    }

    fn number_of(&self, key: u128) -> Result<Number, String> {
        if let Some(n) = self.integer_of(key) {
            return Ok(Number::Int(n));
        }
        let above = key & u128::from(u64::MAX);
        // Two-part keys: what lies above the double is an integer of the other type.
        let whole = |below: f64, scale: i32| {
            i128::try_from(floor_scaled(below, scale).0 + above)
                .map_err(|_| "a decimal of more than 128 bits".to_owned())
        };
        match *self {
            Self::Float32 | Self::Float64 => Ok(Number::Float(self.value_of(key))),
            Self::IntFloat | Self::DecimalFloat { .. } if above == 0 => {
                Ok(Number::Float(Self::Float64.value_of(key >> 64)))
            }
            Self::IntFloat => whole(Self::Float64.value_of(key >> 64), 0).map(Number::Int),
            Self::DecimalFloat { scale } => {
                whole(Self::Float64.value_of(key >> 64), scale).map(|n| Number::Scaled(n, scale))
            }
            Self::Decimal { scale, wide } => {
                let integers = if wide { Self::Int128 } else { Self::Int64 };
                integers.integer_of(key).map(|n| Number::Scaled(n, scale)).ok_or_else(|| "no integer".to_owned())
            }
            _ => Err("categories are not numbers".to_owned()),
        }
    }

    /// The category that integers, booleans and dates become where the configuration makes them categories; `None` for
    /// other encodings.
    #[must_use]
    pub fn words_of(&self, key: u128) -> Option<String> {
        let (class, unit): (Class, Option<Unit>) = match *self {
            Self::Boolean => (Class::Boolean, None),
            Self::Temporal { unit, .. } => (Class::Int { signed: true, bits: 64 }, Some(unit)),
            _ => (Class::Int { signed: true, bits: 64 }, None),
        };
        let mut text = String::new();
        in_words(self.integer_of(key)?, class, unit, &mut text);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_keeps_its_identity(n: i32, m: i64, x: f64) {
            prop_assume!(!x.is_nan());
            let decimal = |scale| Encoding::Decimal { scale, wide: true };
            let float = |scale| Encoding::DecimalFloat { scale };
            let (int, long, real) = (Number::Int(n.into()), Number::Int(m.into()), Number::Float(x));
            for (number, from, to) in [
                (int, Encoding::Int32, Encoding::Float64),
                (int, Encoding::Int32, Encoding::Int128),
                (int, Encoding::Int32, decimal(4)),
                (int, Encoding::Int32, float(2)),
                (long, Encoding::Int64, Encoding::IntFloat),
                (long, Encoding::IntFloat, float(3)),
                (real, Encoding::Float64, Encoding::IntFloat),
                (real, Encoding::Float64, float(2)),
                (real, Encoding::IntFloat, float(2)),
                (Number::Scaled(m.into(), 2), Encoding::Decimal { scale: 2, wide: false }, float(5)),
                (Number::Scaled(m.into(), 2), float(2), float(5)),
            ] {
                let key = from.key_of(number).unwrap();
                prop_assert_eq!(from.translate(key, &to), to.key_of(number), "{:?} to {:?}", from, to);
            }
        }
    }

    #[test]
    fn times_go_to_the_finer_unit_and_days_get_names() {
        let days = Encoding::Temporal { unit: Unit::Day, wide: false };
        let key = days.key_of(Number::Int(11_017)).unwrap();
        let fine = Encoding::Temporal { unit: Unit::Millisecond, wide: true };
        let translated = days.translate(key, &fine).unwrap();
        assert_eq!(fine.integer_of(translated), Some(11_017 * 86_400_000));
        assert_eq!(
            (days.words_of(key), fine.words_of(translated)),
            (Some("2000-03-01".into()), Some("2000-03-01".into()))
        );
        assert_eq!(Encoding::Boolean.words_of(1).as_deref(), Some("true"));
        assert_eq!(Encoding::Float64.words_of(1), None);
    }
}
