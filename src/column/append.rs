//! From a batch of stored values to keys.

use crate::vector::vectorized;

use super::plain::Plain;

/// Values at a time: they are looked at twice while they are in the first-level cache.
const BLOCK: usize = 2048;

/// Appends the keys of `values` to `keys`, NaNs left out; returns how many these were.
pub(super) fn append_keys<T: Plain>(values: &[T], keys: &mut Vec<T::Key>) -> u64 {
    let mut all_nans = 0;
    for block in values.chunks(BLOCK) {
        let from = keys.len();
        keys.resize(from + block.len(), T::Key::default());
        let nans = convert(block, &mut keys[from..]);
        if nans > 0 {
            keys.truncate(from);
            keys.extend(block.iter().filter(|value| !value.is_nan()).map(|value| value.key()));
            all_nans += nans;
        }
    }
    all_nans
}

vectorized! {
    /// Writes the key of every value; returns how many were NaN.
    fn convert<T: Plain>(values: &[T], keys: &mut [T::Key]) -> u64 {
        let mut nans = 0_u32;
        for (value, key) in values.iter().zip(keys) {
            *key = value.key();
            nans += u32::from(T::FLOAT && value.is_nan());
        }
        nans.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::key::{f32_key, f64_key};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_value_but_nans_has_its_key(
            mut values in prop::collection::vec(any::<f64>(), 0..5000),
            nans in prop::collection::vec(0_usize..5000, 0..4),
        ) {
            for at in nans.into_iter().filter(|&at| at < values.len()).collect::<Vec<_>>() {
                values[at] = f64::NAN;
            }
            let kept: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
            let mut keys = vec![7];
            prop_assert_eq!(append_keys(&values, &mut keys), (values.len() - kept.len()) as u64);
            prop_assert_eq!(&keys[1..], kept.iter().map(|&value| f64_key(value)).collect::<Vec<_>>());

            #[expect(clippy::cast_possible_truncation, reason = "a test makes floats of both widths")]
            let narrow: Vec<f32> = values.iter().map(|&value| value as f32).collect();
            let mut keys = Vec::new();
            append_keys(&narrow, &mut keys);
            let kept: Vec<u32> = narrow.iter().filter(|value| !value.is_nan()).map(|&value| f32_key(value)).collect();
            prop_assert_eq!(keys, kept);
        }
    }
}
