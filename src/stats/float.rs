//! Integers as f64: the one place where counts become real numbers.

/// The nearest f64. Exact up to 2^53; beyond that the rounding, 1.1e-16 relative, is below every tolerance of this module.
#[expect(clippy::cast_precision_loss, reason = "rounding to nearest is what this function is for")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}

/// The nearest f64 of a product of two counts.
#[expect(clippy::cast_precision_loss, reason = "rounding to nearest is what this function is for")]
pub(super) fn real_wide(product: u128) -> f64 {
    product as f64
}

/// The whole part of a number that is at least 0; larger than u64 saturates, NaN is 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is the documented behaviour"
)]
pub(super) fn whole(value: f64) -> u64 {
    value as u64
}
