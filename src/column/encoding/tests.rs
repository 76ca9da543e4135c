//! Keys of mixed types against exact comparison of fractions.

use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;
use crate::column::exact::{parts_of, power_of_ten};

/// A number as a fraction, infinities as fractions that nothing else reaches.
fn fraction(number: Number) -> (BigInt, BigInt) {
    match number {
        Number::Int(n) => (n.into(), 1.into()),
        Number::Float(x) if x.is_infinite() => (BigInt::from(if x > 0.0 { 1 } else { -1 }) << 3000, 1.into()),
        Number::Float(x) => {
            let (mantissa, power) = parts_of(x);
            if power >= 0 {
                (BigInt::from(mantissa) << power, 1.into())
            } else {
                (mantissa.into(), BigInt::from(1) << -power)
            }
        }
        Number::Scaled(n, scale) if scale >= 0 => (n.into(), power_of_ten(scale.unsigned_abs()).into()),
        Number::Scaled(n, scale) => (BigInt::from(n) * BigInt::from(power_of_ten(scale.unsigned_abs())), 1.into()),
    }
}

fn exact_order(a: Number, b: Number) -> std::cmp::Ordering {
    let ((a, below_a), (b, below_b)) = (fraction(a), fraction(b));
    (a * below_b).cmp(&(b * below_a))
}

fn check(encoding: Encoding, a: Number, b: Number) -> Result<(), TestCaseError> {
    let (Ok(key_a), Ok(key_b)) = (encoding.key_of(a), encoding.key_of(b)) else {
        return Err(TestCaseError::fail(format!("{a:?} or {b:?} has no key in {encoding:?}")));
    };
    prop_assert_eq!(key_a.cmp(&key_b), exact_order(a, b), "{:?} against {:?}", a, b);
    prop_assert!(key_a <= encoding.highest_key());
    for (number, key) in [(a, key_a), (b, key_b)] {
        let nearest = match number {
            Number::Int(n) => n as f64,
            Number::Float(x) => x,
            Number::Scaled(n, scale) => decimal_f64(n, scale),
        };
        prop_assert_eq!(encoding.value_of(key), nearest, "value of {:?}", number);
    }
    Ok(())
}

/// Floats of all sizes, and many close to integers.
fn floats() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("a number", |x| !x.is_nan()),
        any::<i64>().prop_map(|n| n as f64),
        (-1000_i32..1000).prop_map(|n| f64::from(n) / 4.0),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(-0.0),
    ]
}

fn integers() -> impl Strategy<Value = i128> {
    prop_oneof![
        any::<i64>().prop_map(i128::from),
        any::<u64>().prop_map(i128::from),
        (-300_i128..300),
        (0_u32..63, -2_i128..3).prop_map(|(bit, off)| (1_i128 << bit) + off),
        (0_u32..63, -2_i128..3).prop_map(|(bit, off)| -(1_i128 << bit) + off),
    ]
    .prop_filter("i64 or u64", |&n| n >= i128::from(i64::MIN) && n <= i128::from(u64::MAX))
}

proptest! {
    #[test]
    fn integers_of_both_signs_compare(a in integers(), b in integers()) {
        check(Encoding::Int128, Number::Int(a), Number::Int(b))?;
    }

    #[test]
    fn integers_compare_with_floats(a in integers(), b in floats(), c in integers()) {
        check(Encoding::IntFloat, Number::Int(a), Number::Float(b))?;
        check(Encoding::IntFloat, Number::Int(a), Number::Int(c))?;
        let near = a as f64;
        for float in [near, near.next_up(), near.next_down(), near + 0.5] {
            check(Encoding::IntFloat, Number::Int(a), Number::Float(float))?;
        }
    }

    #[test]
    fn decimals_compare_with_floats(n in -(10_i128.pow(34))..10_i128.pow(34), small in -100_000_i128..100_000, scale in 0_i32..30, b in floats()) {
        let encoding = Encoding::DecimalFloat { scale };
        for n in [n, small] {
            check(encoding, Number::Scaled(n, scale), Number::Float(b))?;
            check(encoding, Number::Scaled(n, scale), Number::Scaled(small, scale))?;
            let near = decimal_f64(n, scale);
            for float in [near, near.next_up(), near.next_down()] {
                check(encoding, Number::Scaled(n, scale), Number::Float(float))?;
            }
        }
    }

    #[test]
    fn decimals_of_two_scales_compare(a in -(10_i128.pow(18))..10_i128.pow(18), b: i32, scale in 0_i32..10, more in 0_i32..10) {
        let encoding = Encoding::Decimal { scale: scale + more, wide: true };
        check(encoding, Number::Scaled(a, scale), Number::Scaled(b.into(), scale + more))?;
        check(encoding, Number::Int(a), Number::Scaled(b.into(), scale + more))?;
        check(Encoding::Decimal { scale, wide: false }, Number::Scaled(a, scale), Number::Scaled(b.into(), scale))?;
    }

    #[test]
    fn plain_types_compare(a: i64, b: i64, x: f32, y: f32) {
        let (small_a, small_b) = (Number::Int((a as i32).into()), Number::Int((b as i32).into()));
        check(Encoding::Int64, Number::Int(a.into()), Number::Int(b.into()))?;
        check(Encoding::UInt64, Number::Int((a as u64).into()), Number::Int((b as u64).into()))?;
        check(Encoding::Int32, small_a, small_b)?;
        check(Encoding::UInt32, Number::Int((a as u32).into()), Number::Int((b as u32).into()))?;
        check(Encoding::Temporal { unit: Unit::Day, wide: false }, small_a, small_b)?;
        check(Encoding::Temporal { unit: Unit::Nanosecond, wide: true }, Number::Int(a.into()), small_b)?;
        if !x.is_nan() && !y.is_nan() {
            check(Encoding::Float32, Number::Float(x.into()), Number::Float(y.into()))?;
            check(Encoding::Float64, Number::Float(x.into()), small_a)?;
        }
    }

    #[test]
    fn values_never_fall_as_keys_rise(a: u128, b: u128, scale in -5_i32..40) {
        let (a, b) = (a.min(b), a.max(b));
        for encoding in [
            Encoding::Int32, Encoding::UInt32, Encoding::Int64, Encoding::UInt64, Encoding::Int128, Encoding::Float32,
            Encoding::Float64, Encoding::IntFloat, Encoding::Boolean, Encoding::DecimalFloat { scale },
            Encoding::Decimal { scale, wide: false }, Encoding::Decimal { scale, wide: true },
        ] {
            let cut = 128 - encoding.key_bits();
            for (a, b) in [(a >> cut, b >> cut), (a >> cut, (a >> cut) + 1)] {
                let (low, high) = (encoding.value_of(a), encoding.value_of(b.min(u128::MAX >> cut)));
                prop_assert!(low <= high, "{encoding:?}: {a} gives {low}, {b} gives {high}");
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_said() {
    let words = Encoding::Int32.key_of(Number::Int(1 << 40)).unwrap_err();
    assert!(words.contains("1099511627776 does not fit 32 bits"), "{words}");
    assert!(Encoding::Decimal { scale: 30, wide: true }.key_of(Number::Int(i128::from(i64::MAX))).is_err());
    assert_eq!(Encoding::Float64.zero_key(), Encoding::Float64.key_of(Number::Float(-0.0)).unwrap());
}
