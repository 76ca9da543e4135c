//! How many distinct values: exact up to 10 000, beyond that an estimate.
//!
//! Every key is hashed. As long as no more than [`EXACT`] distinct hashes were seen, all are kept and counted. Beyond
//! that HyperLogLog takes over (Flajolet et al. 2007) with 2^13 registers and the estimator of Ertl 2017 ("New
//! cardinality estimation algorithms for HyperLogLog sketches", algorithm 6), which needs no corrections by range. Its
//! standard error is 1.04 / √8192, 1.2 %. What is kept depends on the set of values only, so pieces merge exactly and in
//! any order. (The smallest hashes would do the same; keeping them costs four times as much time and memory.)

mod registers;
mod table;

use crate::counts::Key;
use crate::vector::vectorized;
use registers::{Mark, Registers};
use table::Table;

/// Up to here the count is exact.
pub(super) const EXACT: usize = 10_000;

/// The distinct values of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distinct(Kept);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    /// All hashes, ascending, at most `EXACT`.
    Hashes(Vec<u64>),
    /// There were more.
    Registers(Registers),
    /// A number that was counted before, of a sample that is not at hand; it does not merge.
    Known(u64, bool),
}

impl Default for Distinct {
    fn default() -> Self {
        Self(Kept::Hashes(Vec::new()))
    }
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

/// Multiplications by odd numbers and shifts, each of which can be undone (constants of SplitMix64, Steele 2014). With
/// one step fewer, keys such as small integers in f64 come out too evenly for the estimate.
#[inline(always)]
fn mix(key: u64) -> u64 {
    let key = (key ^ key >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ key >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ key >> 31
}

/// Keys within so many of each other are marked before they are hashed.
const NARROW: usize = 1 << 16;

vectorized! {
    /// Writes the hash of every key.
    fn hash_all<K: Key>(keys: &[K], hashes: &mut [u64]) {
        for (&key, to) in keys.iter().zip(hashes) {
            *to = hash(key);
        }
    }
}

vectorized! {
    /// Writes what every key does to the registers.
    fn mark_all<K: Key>(keys: &[K], marks: &mut [Mark]) {
        for (&key, to) in keys.iter().zip(marks) {
            *to = Mark::of(hash(key));
        }
    }
}

/// Keys that are hashed together.
const BLOCK: usize = 1024;

/// Takes the keys of a piece, batch by batch.
pub(super) struct Distinguisher {
    /// While the count is exact.
    table: Option<Table>,
    registers: Option<Registers>,
    /// One mark a key of a narrow range, all zero between batches.
    marks: Vec<u8>,
}

impl Distinguisher {
    /// Nothing seen yet; expects `rows` keys.
    pub(super) fn new(rows: u64) -> Self {
        Self { table: Some(Table::new(rows)), registers: None, marks: Vec::new() }
    }

    /// Takes a batch of keys from `least` to `greatest`.
    pub(super) fn add<K: Key>(&mut self, keys: &[K], least: K, greatest: K) {
        let range = greatest.widen() - least.widen();
        match usize::try_from(range) {
            Ok(range) if range < NARROW && range / 4 < keys.len() => self.add_narrow(keys, least, range + 1),
            _ => self.add_any(keys),
        }
    }

    /// Small integers, ages and hours and codes: a mark a value costs less than a look-up.
    fn add_narrow<K: Key>(&mut self, keys: &[K], least: K, range: usize) {
        let mut marks = std::mem::take(&mut self.marks);
        if marks.len() < range {
            marks.resize(range, 0);
        }
        for &key in keys {
            marks[key.offset(least, 0) as usize] = 1;
        }
        let mut marked = Vec::new();
        for (base, marks) in marks[..range].chunks_mut(16).enumerate() {
            if marks.iter().all(|&mark| mark == 0) {
                continue;
            }
            for (index, mark) in marks.iter_mut().enumerate() {
                if std::mem::take(mark) != 0 {
                    marked.push(K::narrow(least.widen() + (16 * base + index) as u128));
                }
            }
        }
        self.marks = marks;
        self.add_any(&marked);
    }

    fn add_any<K: Key>(&mut self, keys: &[K]) {
        if self.table.as_ref().is_some_and(|table| table.len() == 0) && are_many(keys) {
            self.table = None;
        }
        let rest = self.add_to_table(keys);
        if self.table.as_ref().is_some_and(|table| table.len() <= EXACT) {
            return;
        }
        let registers = self.registers.get_or_insert_with(Registers::new);
        if let Some(table) = self.table.take() {
            table.finish().into_iter().for_each(|hash| registers.insert(hash));
        }
        let mut marks = [Mark::default(); BLOCK];
        for keys in rest.chunks(BLOCK) {
            // Marks are made first, which vectors can do, and put into the registers after.
            let marks = &mut marks[..keys.len()];
            mark_all(keys, marks);
            registers.mark(marks);
        }
    }

    /// Adds keys as long as the table counts, and returns those that are left.
    fn add_to_table<'k, K: Key>(&mut self, mut keys: &'k [K]) -> &'k [K] {
        let Some(table) = &mut self.table else { return keys };
        let mut hashes = [0; BLOCK];
        // By pieces that cannot go far beyond the limit, so that no loop over keys need ask.
        while table.len() <= EXACT && !keys.is_empty() {
            let (piece, rest) = keys.split_at(keys.len().min(BLOCK));
            let hashes = &mut hashes[..piece.len()];
            hash_all(piece, hashes);
            table.insert_all(hashes);
            keys = rest;
        }
        keys
    }

    /// The distinct values of all batches.
    pub(super) fn finish(self) -> Distinct {
        Distinct(match (self.registers, self.table) {
            (Some(registers), _) => Kept::Registers(registers),
            (None, table) => Kept::Hashes(table.map(Table::finish).unwrap_or_default()),
        })
    }
}

/// Whether there are more than [`EXACT`] distinct keys for certain. A quick test for columns that hardly repeat a value:
/// as many distinct hashes as bits that they set, at the least.
fn are_many<K: Key>(keys: &[K]) -> bool {
    const WORDS: usize = 1 << 12;
    if keys.len() <= EXACT {
        return false;
    }
    let mut words = [0_u64; WORDS];
    let (mut seen, mut set) = (0, 0);
    let mut hashes = [0; 2048];
    for keys in keys.chunks(2048) {
        let hashes = &mut hashes[..keys.len()];
        hash_all(keys, hashes);
        for &mut hash in hashes {
            let word = &mut words[usize::try_from(hash >> 52).expect("12 bits")];
            set += usize::from(*word >> (hash >> 46 & 63) & 1 == 0);
            *word |= 1 << (hash >> 46 & 63);
        }
        seen += keys.len();
        if set > EXACT {
            return true;
        }
        if set < seen / 8 {
            return false;
        }
    }
    false
}

impl Distinct {
    /// A number that was counted before: [`count`](Self::count) gives it back, merging does not know the values behind it.
    pub(crate) fn known(count: u64, estimated: bool) -> Self {
        Self(Kept::Known(count, estimated))
    }

    /// The distinct values of `keys`.
    pub(crate) fn of<K: Key>(keys: &[K]) -> Self {
        let mut distinct = Distinguisher::new(keys.len() as u64);
        if let (Some(&least), Some(&greatest)) = (keys.iter().min(), keys.iter().max()) {
            distinct.add(keys, least, greatest);
        }
        distinct.finish()
    }

    /// What is kept: hashes up to [`EXACT`] of them, registers beyond; the other list is empty.
    pub(crate) fn parts(&self) -> (&[u64], &[u8]) {
        match &self.0 {
            Kept::Hashes(hashes) => (hashes, &[]),
            Kept::Registers(registers) => (&[], registers.ranks()),
            Kept::Known(..) => (&[], &[]),
        }
    }

    /// What has these [`parts`](Self::parts); `None` where nothing has.
    pub(crate) fn from_parts(hashes: Vec<u64>, registers: &[u8]) -> Option<Self> {
        match registers {
            [] if hashes.len() <= EXACT && hashes.is_sorted_by(|a, b| a < b) => Some(Self(Kept::Hashes(hashes))),
            ranks if hashes.is_empty() => {
                Registers::from_ranks(ranks).map(|registers| Self(Kept::Registers(registers)))
            }
            _ => None,
        }
    }

    /// The number of distinct values, and whether it is an estimate.
    #[must_use]
    pub fn count(&self) -> (u64, bool) {
        match &self.0 {
            Kept::Hashes(hashes) => (hashes.len() as u64, false),
            // More than EXACT were seen, whatever the estimate.
            Kept::Registers(registers) => (registers.estimate().max(EXACT as u64 + 1), true),
            Kept::Known(count, estimated) => (*count, *estimated),
        }
    }

    /// Adds the distinct values of another piece of the same column.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (_, Kept::Hashes(none)) if none.is_empty() => {}
            (mine @ Kept::Hashes(_), theirs @ Kept::Known(..)) if *mine == Kept::Hashes(Vec::new()) => {
                *mine = theirs.clone()
            }
            (Kept::Known(..), _) | (_, Kept::Known(..)) => {
                debug_assert!(false, "numbers of distinct values do not add")
            }
            (Kept::Registers(mine), Kept::Registers(theirs)) => mine.merge(theirs),
            (Kept::Registers(mine), Kept::Hashes(theirs)) => theirs.iter().for_each(|&hash| mine.insert(hash)),
            (Kept::Hashes(mine), Kept::Registers(theirs)) => {
                let mut merged = theirs.clone();
                mine.iter().for_each(|&hash| merged.insert(hash));
                self.0 = Kept::Registers(merged);
            }
            (Kept::Hashes(mine), Kept::Hashes(theirs)) => {
                let merged = union(mine, theirs);
                self.0 = if merged.len() <= EXACT {
                    Kept::Hashes(merged)
                } else {
                    let mut registers = Registers::new();
                    merged.into_iter().for_each(|hash| registers.insert(hash));
                    Kept::Registers(registers)
                };
            }
        }
    }
}

/// The union of two ascending lists.
fn union(mut mine: &[u64], mut theirs: &[u64]) -> Vec<u64> {
    let mut merged = Vec::with_capacity(mine.len().max(theirs.len()));
    loop {
        let next = match (mine.first(), theirs.first()) {
            (Some(&a), Some(&b)) => a.min(b),
            (Some(&a), None) | (None, Some(&a)) => a,
            (None, None) => return merged,
        };
        merged.push(next);
        mine = &mine[usize::from(mine.first() == Some(&next))..];
        theirs = &theirs[usize::from(theirs.first() == Some(&next))..];
    }
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "tests make values of every width"
)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of<K: Key>(keys: &[K]) -> Distinct {
        let mut distinguisher = Distinguisher::new(keys.len() as u64);
        for keys in keys.chunks(32_000) {
            let (least, greatest) = (keys.iter().min().unwrap(), keys.iter().max().unwrap());
            distinguisher.add(keys, *least, *greatest);
        }
        distinguisher.finish()
    }

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
        for n in [10_001_u64, 12_000, 20_000, 40_000, 300_000, 2_000_000] {
            let patterns: [fn(u64) -> u64; 4] =
                [|i| i, |i| i << 40, |i| (i as f64).to_bits(), |i| i.wrapping_mul(0x1234_5678_9abc_def1)];
            for pattern in patterns {
                let keys: Vec<u64> = (0..n).map(pattern).collect();
                let (count, estimated) = of(&keys).count();
                assert!(estimated && count.abs_diff(n) * 20 < n, "{n} estimated as {count}");
            }
            let keys: Vec<u128> = (0..n).map(|i| u128::from(i) << 64).collect();
            assert!(of(&keys).count().0.abs_diff(n) * 20 < n);
        }
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
            prop_assert_eq!(merged, whole);
        }

        #[test]
        fn small_sets_are_counted(keys: Vec<u8>) {
            let set: std::collections::BTreeSet<u8> = keys.iter().copied().collect();
            let keys: Vec<u64> = keys.iter().map(|&key| key.into()).collect();
            prop_assert_eq!(of(&keys).count(), (set.len() as u64, false));
        }
    }
}
