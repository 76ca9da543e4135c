//! How keys turn back into numbers.

/// The scale of a feature: which number a key stands for. Monotone, so that cuts made on numbers are cuts on keys.
pub trait Scale: Sync {
    /// The value of `key` as the nearest f64. Never NaN; never falls as the key rises.
    fn value_of(&self, key: u128) -> f64;

    /// Highest key that a value can have.
    fn highest_key(&self) -> u128;

    /// The lowest key whose value is not below `value`, or `None` when every value is below it.
    ///
    /// Counting keys below it counts the rows with `value_of(row) < value`.
    fn first_key_at_least(&self, value: f64) -> Option<u128> {
        let (mut below, mut at_least) = (0, self.highest_key());
        if self.value_of(at_least) < value {
            return None;
        }
        while below < at_least {
            let middle = below + (at_least - below) / 2;
            if self.value_of(middle) < value {
                below = middle + 1;
            } else {
                at_least = middle;
            }
        }
        Some(at_least)
    }
}
