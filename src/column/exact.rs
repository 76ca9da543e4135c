//! From exact fractions to the nearest f64.

use num_bigint::{BigInt, BigUint, Sign};

/// Ten to the power of `exponent`.
pub(super) fn power_of_ten(exponent: u32) -> BigUint {
    BigUint::from(10_u32).pow(exponent)
}

/// `numerator / denominator` as the nearest f64, ties to even; infinite when it is beyond the largest one.
///
/// The denominator is not zero.
pub(super) fn nearest_f64(numerator: &BigInt, denominator: &BigUint) -> f64 {
    if numerator.sign() == Sign::NoSign {
        return 0.0;
    }
    // A quotient of 66 or 67 bits, with everything below it folded into `inexact`.
    let bits = |n: &BigUint| i64::try_from(n.bits()).expect("fewer than 2^63 bits");
    let shift = 66 - (bits(numerator.magnitude()) - bits(denominator));
    let (top, bottom) = (shifted(numerator.magnitude(), shift), shifted(denominator, -shift));
    let quotient = &top / &bottom;
    let mut inexact = top != &quotient * &bottom;
    let quotient = u128::try_from(quotient).expect("a quotient of 67 bits");
    let highest = 127 - i64::from(quotient.leading_zeros());
    // The value is quotient * 2^-shift, its highest bit 2^(highest - shift). 53 bits are kept, fewer below 2^-1022.
    let exponent = highest - shift;
    let kept = (53 + (exponent + 1022).min(0)).max(0);
    let dropped = u32::try_from(highest + 1 - kept).expect("14 to 67 bits are dropped");
    let mut mantissa = quotient >> dropped;
    let rest = quotient & ((1 << dropped) - 1);
    let half = 1_u128 << (dropped - 1);
    inexact |= rest & (half - 1) != 0;
    if rest & half != 0 && (inexact || mantissa & 1 == 1) {
        mantissa += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 53 bits, or a power of two after rounding up")]
    let mantissa = mantissa as f64;
    let power = (i64::from(dropped) - shift).clamp(-5000, 5000);
    let value = libm::scalbn(mantissa, i32::try_from(power).expect("clamped"));
    if numerator.sign() == Sign::Minus { -value } else { value }
}

fn shifted(n: &BigUint, by: i64) -> BigUint {
    if by > 0 { n << by } else { n.clone() }
}

/// The square root of a fraction that is not negative: rounded to f64 once, then its root taken.
///
/// The fraction is brought near 1 by a power of four first, so that neither squares of tiny nor of huge values leave
/// the range of f64 on the way.
pub(super) fn root_f64(numerator: &BigInt, denominator: &BigUint) -> f64 {
    let bits = |n: &BigUint| i64::try_from(n.bits()).expect("fewer than 2^63 bits");
    let half = (bits(numerator.magnitude()) - bits(denominator)).div_euclid(2);
    let fraction = if half >= 0 {
        nearest_f64(numerator, &(denominator << (2 * half)))
    } else {
        nearest_f64(&(numerator << (-2 * half)), denominator)
    };
    libm::scalbn(libm::sqrt(fraction), i32::try_from(half.clamp(-5000, 5000)).expect("clamped"))
}

/// `n / 10^scale` as the nearest f64.
pub(super) fn decimal_f64(n: i128, scale: i32) -> f64 {
    // Both are exact in f64, so one division rounds once.
    const EXACT_POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ];
    if n.unsigned_abs() <= 1 << 53
        && let Some(power) = usize::try_from(scale).ok().and_then(|scale| EXACT_POWERS.get(scale))
    {
        #[expect(clippy::cast_precision_loss, reason = "at most 53 bits")]
        return n as f64 / power;
    }
    let power = power_of_ten(scale.unsigned_abs());
    if scale >= 0 {
        nearest_f64(&BigInt::from(n), &power)
    } else {
        nearest_f64(&(BigInt::from(n) * BigInt::from(power)), &BigUint::from(1_u32))
    }
}

/// Mantissa and power of two of a finite value: `value = mantissa * 2^power`.
pub(super) fn parts_of(value: f64) -> (i64, i32) {
    let bits = value.to_bits();
    let exponent = i32::try_from(bits >> 52 & 0x7ff).expect("11 bits");
    let fraction = (bits & ((1 << 52) - 1)).cast_signed();
    let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
    (if value.is_sign_negative() { -mantissa } else { mantissa }, exponent.max(1) - 1075)
}

/// Largest integer not above `value * 10^scale`, and whether it is equal. `value` is finite.
pub(super) fn floor_scaled(value: f64, scale: i32) -> (BigInt, bool) {
    let (mantissa, power) = parts_of(value);
    let mut numerator = BigInt::from(mantissa);
    let mut denominator = BigInt::from(1);
    let ten = BigInt::from(power_of_ten(scale.unsigned_abs()));
    if scale >= 0 {
        numerator *= ten;
    } else {
        denominator *= ten;
    }
    if power >= 0 {
        numerator <<= power;
    } else {
        denominator <<= -power;
    }
    let mut floor = &numerator / &denominator;
    let exact = &floor * &denominator == numerator;
    if !exact && numerator.sign() == Sign::Minus {
        floor -= 1;
    }
    (floor, exact)
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "tests make values of every width"
)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fraction(value: f64) -> (BigInt, BigUint) {
        let (mantissa, power) = parts_of(value);
        if power >= 0 {
            (BigInt::from(mantissa) << power, BigUint::from(1_u32))
        } else {
            (BigInt::from(mantissa), BigUint::from(1_u32) << -power)
        }
    }

    #[test]
    fn halves_round_to_even_and_ends_are_kept() {
        let one = BigUint::from(1_u32);
        assert_eq!(nearest_f64(&BigInt::from((1_i64 << 53) + 1), &one), 9_007_199_254_740_992.0);
        assert_eq!(nearest_f64(&BigInt::from((1_i64 << 53) + 3), &one), 9_007_199_254_740_996.0);
        assert_eq!(nearest_f64(&(BigInt::from(1) << 1024), &one), f64::INFINITY);
        assert_eq!(nearest_f64(&BigInt::from(1), &(&one << 1074)), 5e-324);
        assert_eq!(nearest_f64(&BigInt::from(1), &(&one << 1075)), 0.0);
        assert_eq!(nearest_f64(&BigInt::from(3), &(&one << 1076)), 5e-324);
        assert_eq!(nearest_f64(&BigInt::from(-1), &(&one << 2000)), 0.0);
    }

    #[test]
    fn roots_of_squares_beyond_the_range_are_right() {
        let one = BigUint::from(1_u32);
        assert_eq!(root_f64(&(BigInt::from(1) << 2000), &one), 2_f64.powi(1000));
        assert_eq!(root_f64(&BigInt::from(1), &(&one << 2000)), 2_f64.powi(-1000));
        assert_eq!(root_f64(&BigInt::from(2), &one), std::f64::consts::SQRT_2);
        assert_eq!(root_f64(&BigInt::from(0), &one), 0.0);
    }

    proptest! {
        #[test]
        fn every_float_comes_back(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let (numerator, denominator) = fraction(value);
            prop_assert_eq!(nearest_f64(&(numerator * 3), &(denominator * 3_u32)), value);
        }

        #[test]
        fn decimals_are_what_rust_parses(n: i128, scale in 0_i32..=38) {
            let text = format!("{n}e-{scale}");
            prop_assert_eq!(decimal_f64(n, scale), text.parse::<f64>().unwrap());
            prop_assert_eq!(decimal_f64(n % 1_000_000, scale), format!("{}e-{scale}", n % 1_000_000).parse::<f64>().unwrap());
            prop_assert_eq!(decimal_f64(n, -scale), format!("{n}e{scale}").parse::<f64>().unwrap());
        }

        #[test]
        fn floors_are_below_and_near(value in -1e20_f64..1e20, scale in -3_i32..20) {
            let (floor, exact) = floor_scaled(value, scale);
            let (numerator, denominator) = fraction(value);
            let (numerator, denominator) = if scale >= 0 {
                (numerator * BigInt::from(power_of_ten(scale.unsigned_abs())), BigInt::from(denominator))
            } else {
                (numerator, BigInt::from(denominator) * BigInt::from(power_of_ten(scale.unsigned_abs())))
            };
            prop_assert!(&floor * &denominator <= numerator);
            prop_assert!((&floor + 1) * &denominator > numerator);
            prop_assert_eq!(exact, &floor * &denominator == numerator);
        }
    }
}
