//! How many distinct values: exact up to 10 000, beyond that an estimate from the smallest hashes.
//!
//! Every key is hashed. As long as no more than [`EXACT`] distinct hashes were seen, all are kept and counted. Beyond
//! that the [`KEPT`] smallest are kept: their density tells the number (Bar-Yossef et al. 2002, "Counting distinct
//! elements in a data stream", algorithm 1; Beyer et al. 2007 for the unbiased (k − 1) / θ). The standard error is
//! 1 / √4094, 1.6 %. What is kept depends on the set of values only, so pieces merge exactly and in any order.

mod table;

use crate::counts::Key;
use table::Table;

/// Up to here the count is exact.
pub(super) const EXACT: usize = 10_000;
/// Hashes that are kept beyond that.
pub(super) const KEPT: usize = 4096;

/// The distinct values of a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distinct {
    /// Ascending: all hashes, or the `KEPT` smallest.
    hashes: Vec<u64>,
    /// Whether there were more than `EXACT`.
    estimated: bool,
}

/// A hash of 64 bits, another one for every key of up to 64 bits.
#[inline(always)]
fn hash<K: Key>(key: K) -> u64 {
    let wide = key.widen();
    let low = low64(wide);
    if K::BITS > 64 { mix(low64(wide >> 64)) ^ mix(low ^ 0x9e37_79b9_7f4a_7c15).rotate_left(32) } else { mix(low) }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the low half is what is asked for")]
fn low64(wide: u128) -> u64 {
    wide as u64
}

/// Multiplications by odd numbers and shifts, each of which can be undone (constants of SplitMix64, Steele 2014).
#[inline(always)]
fn mix(key: u64) -> u64 {
    let key = (key ^ key >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ key >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ key >> 31
}

/// Takes the keys of a piece, batch by batch.
pub(super) struct Distinguisher {
    table: Table,
}

impl Distinguisher {
    /// Nothing seen yet; expects `rows` keys.
    pub(super) fn new(rows: u64) -> Self {
        Self { table: Table::new(usize::try_from(rows).unwrap_or(usize::MAX)) }
    }

    /// Takes a batch.
    pub(super) fn add<K: Key>(&mut self, keys: &[K]) {
        for &key in keys {
            self.table.insert(hash(key));
        }
    }

    /// The distinct values of all batches.
    pub(super) fn finish(self) -> Distinct {
        let (hashes, estimated) = self.table.finish();
        Distinct { hashes, estimated }
    }
}

impl Distinct {
    /// The number of distinct values, and whether it is an estimate.
    #[must_use]
    pub fn count(&self) -> (u64, bool) {
        match self.hashes.last() {
            Some(&largest) if self.estimated => {
                #[expect(clippy::cast_precision_loss, reason = "an estimate of 1.6 %")]
                let share = (largest as f64 + 1.0) / 2_f64.powi(64);
                #[expect(clippy::cast_precision_loss, reason = "4096 is exact")]
                let count = (KEPT - 1) as f64 / share;
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturating")]
                let count = count.round() as u64;
                // More than EXACT were seen, whatever the estimate.
                (count.max(EXACT as u64 + 1), true)
            }
            _ => (self.hashes.len() as u64, false),
        }
    }

    /// Adds the distinct values of another piece of the same column.
    pub fn merge(&mut self, other: &Self) {
        if other.hashes.is_empty() {
            return;
        }
        let mut merged = Vec::with_capacity((self.hashes.len() + other.hashes.len()).min(EXACT + 1));
        let (mut mine, mut theirs) = (self.hashes.as_slice(), other.hashes.as_slice());
        let mut estimated = self.estimated || other.estimated;
        while merged.len() <= EXACT {
            let next = match (mine.first(), theirs.first()) {
                (Some(&a), Some(&b)) => a.min(b),
                (Some(&a), None) | (None, Some(&a)) => a,
                (None, None) => break,
            };
            merged.push(next);
            mine = &mine[usize::from(mine.first() == Some(&next))..];
            theirs = &theirs[usize::from(theirs.first() == Some(&next))..];
        }
        estimated |= merged.len() > EXACT;
        if estimated {
            merged.truncate(KEPT);
        }
        merged.shrink_to_fit();
        *self = Self { hashes: merged, estimated };
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exact_up_to_ten_thousand() {
        for n in [0, 1, 2, 9_999, 10_000] {
            let keys: Vec<u32> = (0..n).chain(0..n).collect();
            assert_eq!(of(&keys).count(), (n.into(), false));
        }
        let (count, estimated) = of(&(0..10_001_u32).collect::<Vec<_>>()).count();
        assert!(estimated && (10_001..10_600).contains(&count), "{count}");
    }

    #[test]
    fn the_estimate_is_within_five_percent() {
        for n in [12_000_u64, 40_000, 300_000, 2_000_000] {
            let patterns: [fn(u64) -> u64; 4] =
                [|i| i, |i| i << 32, |i| (i as f64).to_bits(), |i| i.wrapping_mul(0x1234_5678_9abc_def1)];
            for pattern in patterns {
                let keys: Vec<u64> = (0..n).map(pattern).collect();
                let (count, estimated) = of(&keys).count();
                assert!(estimated && count.abs_diff(n) * 20 < n, "{n} estimated as {count}");
            }
            let keys: Vec<u128> = (0..n).map(|i| u128::from(i) << 64).collect();
            assert!(of(&keys).count().0.abs_diff(n) * 20 < n);
        }
    }

    fn of<K: Key>(keys: &[K]) -> Distinct {
        let mut distinguisher = Distinguisher::new(keys.len() as u64);
        keys.chunks(1000).for_each(|keys| distinguisher.add(keys));
        distinguisher.finish()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn merge_equals_whole_in_any_order(n in 1_u32..40_000, repeat in 1_u32..4, cuts in prop::collection::vec(0.0..1.0, 0..4), seed: u32) {
            let keys: Vec<u32> = (0..n * repeat).map(|i| (i % n).wrapping_mul(2_654_435_761) ^ seed).collect();
            let whole = of(&keys);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| (cut * keys.len() as f64) as usize).collect();
            cuts.sort_unstable();
            let mut merged = Distinct::default();
            let mut end = keys.len();
            for cut in cuts.into_iter().rev().chain([0]) {
                merged.merge(&of(&keys[cut..end]));
                end = cut;
            }
            prop_assert_eq!(&merged, &whole);
        }

        #[test]
        fn small_sets_are_counted(keys: Vec<u8>) {
            let set: std::collections::BTreeSet<u8> = keys.iter().copied().collect();
            let keys: Vec<u64> = keys.iter().map(|&key| key.into()).collect();
            prop_assert_eq!(of(&keys).count(), (set.len() as u64, false));
        }
    }
}
