//! What is counted of a column while it is read.

use crate::counts::Key;
use crate::vector::vectorized;

use super::distinct::Distinct;
use super::moments::Moments;

/// How much is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FactsLevel {
    /// Rows, nulls, NaNs, infinite values, and the least and greatest key.
    Basic,
    /// Zeros, moments and distinct values, too.
    #[default]
    Full,
}

/// Facts of a piece of a column. They merge exactly, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Rows, with nulls and NaNs.
    pub rows: u64,
    /// Nulls, never NaNs.
    pub nulls: u64,
    /// NaNs, never nulls.
    pub nans: u64,
    /// Infinite values of either sign.
    pub infinite: u64,
    /// Values equal to zero, of either sign (level full).
    pub zeros: u64,
    /// Least key; `None` without values.
    pub min_key: Option<u128>,
    /// Greatest key; `None` without values.
    pub max_key: Option<u128>,
    /// Sums (level full).
    pub moments: Moments,
    /// Distinct values (level full; not for categories, whose table knows).
    pub distinct: Distinct,
}

impl Facts {
    /// Rows that have a key: neither null nor NaN.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.rows - self.nulls - self.nans
    }

    /// Adds the facts of another piece of the same column, read with the same encoding.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.nulls += other.nulls;
        self.nans += other.nans;
        self.infinite += other.infinite;
        self.zeros += other.zeros;
        self.widen(other.min_key, other.max_key);
        self.moments.merge(&other.moments);
        self.distinct.merge(&other.distinct);
    }

    fn widen(&mut self, min_key: Option<u128>, max_key: Option<u128>) {
        self.min_key = match (self.min_key, min_key) {
            (Some(mine), Some(theirs)) => Some(mine.min(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        self.max_key = self.max_key.max(max_key);
    }
}

/// Keys whose occurrences are counted, in the width of the keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Special<K> {
    pub(super) zero: K,
    /// −∞ and +∞.
    pub(super) infinite: Option<(K, K)>,
}

/// What one batch of keys holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends<K> {
    pub(super) least: K,
    pub(super) greatest: K,
    /// Infinite values of either sign.
    pub(super) infinite: u64,
}

impl Facts {
    /// Counts what can be told from the keys of a batch: least, greatest, infinite, zeros.
    pub(super) fn add_keys<K: Key>(&mut self, keys: &[K], special: Special<K>, level: FactsLevel) -> Option<Ends<K>> {
        let (least, greatest) = ends(keys, *keys.first()?);
        let count = |wanted| count(keys, wanted);
        let mut infinite = 0;
        if let Some((negative, positive)) = special.infinite {
            // The infinities are the ends, so batches without them are known from their own ends.
            if least == negative {
                infinite += count(negative);
            }
            if greatest == positive {
                infinite += count(positive);
            }
        }
        if level == FactsLevel::Full && least <= special.zero && special.zero <= greatest {
            self.zeros += count(special.zero);
        }
        self.infinite += infinite;
        self.widen(Some(least.widen()), Some(greatest.widen()));
        Some(Ends { least, greatest, infinite })
    }
}

vectorized! {
    /// The least and the greatest key; `first` is one of them.
    fn ends<K: Key>(keys: &[K], first: K) -> (K, K) {
        // Independent chains, so that no comparison waits for the one before it.
        const LANES: usize = 32;
        let (chunks, rest) = keys.as_chunks::<LANES>();
        let (mut min, mut max) = ([first; LANES], [first; LANES]);
        for chunk in chunks {
            for lane in 0..LANES {
                min[lane] = min[lane].min(chunk[lane]);
                max[lane] = max[lane].max(chunk[lane]);
            }
        }
        let (mut least, mut greatest) = (first, first);
        for &key in min.iter().chain(&max).chain(rest) {
            least = least.min(key);
            greatest = greatest.max(key);
        }
        (least, greatest)
    }
}

vectorized! {
    /// How many keys are `wanted`.
    fn count<K: Key>(keys: &[K], wanted: K) -> u64 {
        let mut n = 0;
        for &key in keys {
            n += u64::from(key == wanted);
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_are_counted_as_they_are(keys in prop::collection::vec(0_u32..9, 0..50), cut in 0_usize..50) {
            let special = Special { zero: 4, infinite: Some((0, 8)) };
            let cut = cut.min(keys.len());
            let (mut whole, mut merged, mut rest) = (Facts::default(), Facts::default(), Facts::default());
            whole.add_keys(&keys, special, FactsLevel::Full);
            merged.add_keys(&keys[cut..], special, FactsLevel::Full);
            rest.add_keys(&keys[..cut], special, FactsLevel::Full);
            merged.merge(&rest);
            prop_assert_eq!(&merged, &whole);
            prop_assert_eq!(whole.min_key, keys.iter().min().map(|&k| k.into()));
            prop_assert_eq!(whole.max_key, keys.iter().max().map(|&k| k.into()));
            prop_assert_eq!(whole.zeros, keys.iter().filter(|&&k| k == 4).count() as u64);
            prop_assert_eq!(whole.infinite, keys.iter().filter(|&&k| k == 0 || k == 8).count() as u64);
        }
    }
}
