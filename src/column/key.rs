//! Order-preserving keys of floats and integers, and the way back.
//!
//! The keys of floats: the bits of a negative value are inverted, those of others get the sign bit, so unsigned order
//! is numeric order, from −∞ to +∞. −0 is given the key of +0. NaN has no key; the callers sort it out.

/// Key of `value`, which is not NaN.
#[inline(always)]
#[must_use]
pub fn f32_key(value: f32) -> u32 {
    let bits = value.to_bits();
    let bits = if bits == 1 << 31 { 0 } else { bits };
    bits ^ ((bits.cast_signed() >> 31).cast_unsigned() | 1 << 31)
}

/// Key of `value`, which is not NaN.
#[inline(always)]
#[must_use]
pub fn f64_key(value: f64) -> u64 {
    let bits = value.to_bits();
    let bits = if bits == 1 << 63 { 0 } else { bits };
    bits ^ ((bits.cast_signed() >> 63).cast_unsigned() | 1 << 63)
}

/// Key of an integer.
#[inline(always)]
pub(super) fn i32_key(value: i32) -> u32 {
    value.cast_unsigned() ^ 1 << 31
}

/// Key of an integer.
#[inline(always)]
pub(super) fn i64_key(value: i64) -> u64 {
    value.cast_unsigned() ^ 1 << 63
}

/// Key of an integer.
#[inline(always)]
pub(super) fn i128_key(value: i128) -> u128 {
    value.cast_unsigned() ^ 1 << 127
}

/// The value of a key; keys beyond the infinities count as the nearer one.
pub(super) fn f32_of(key: u32) -> f32 {
    let key = key.clamp(f32_key(f32::NEG_INFINITY), f32_key(f32::INFINITY));
    f32::from_bits(if key >> 31 == 1 { key ^ 1 << 31 } else { !key })
}

/// The value of a key; keys beyond the infinities count as the nearer one.
pub(crate) fn f64_of(key: u64) -> f64 {
    let key = key.clamp(f64_key(f64::NEG_INFINITY), f64_key(f64::INFINITY));
    f64::from_bits(if key >> 63 == 1 { key ^ 1 << 63 } else { !key })
}

/// The value of a key.
pub(super) fn i128_of(key: u128) -> i128 {
    (key ^ 1 << 127).cast_signed()
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

    #[test]
    fn zeros_share_a_key_and_infinities_are_the_ends() {
        assert_eq!(f32_key(-0.0), f32_key(0.0));
        assert_eq!(f64_key(-0.0), f64_key(0.0));
        assert_eq!(f64_of(0), f64::NEG_INFINITY);
        assert_eq!(f64_of(u64::MAX), f64::INFINITY);
        assert_eq!(f32_of(0), f32::NEG_INFINITY);
        assert_eq!(f32_of(u32::MAX), f32::INFINITY);
        assert_eq!(f64_of(f64_key(0.0)).to_bits(), 0);
    }

    proptest! {
        #[test]
        fn keys_of_f64_keep_the_order(a: f64, b: f64) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(a.partial_cmp(&b), f64_key(a).partial_cmp(&f64_key(b)));
            prop_assert_eq!(f64_of(f64_key(a)), a);
        }

        #[test]
        fn keys_of_f32_keep_the_order(a: f32, b: f32) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(a.partial_cmp(&b), f32_key(a).partial_cmp(&f32_key(b)));
            prop_assert_eq!(f32_of(f32_key(a)), a);
        }

        #[test]
        fn keys_of_integers_keep_the_order(a: i128, b: i128) {
            prop_assert_eq!(a.cmp(&b), i128_key(a).cmp(&i128_key(b)));
            prop_assert_eq!(i128_of(i128_key(a)), a);
            let (a, b) = (a as i64, b as i64);
            prop_assert_eq!(a.cmp(&b), i64_key(a).cmp(&i64_key(b)));
            let (a, b) = (a as i32, b as i32);
            prop_assert_eq!(a.cmp(&b), i32_key(a).cmp(&i32_key(b)));
        }
    }
}
