//! What a scan asks stored runs. Most answers lie in the index: only blocks that it leaves open are read.

use super::ProfileError;
use super::runs::{Runs, corrupt};
use crate::counts::{CellCounts, CellMap, CellSet, Key, Keys, with_keys};

/// First and last key of a range.
type Range = (u128, u128);

impl Runs<'_> {
    /// Keys evenly spaced over the rows, at most about `most`.
    pub(super) fn sample(&self, most: usize) -> Result<Vec<u128>, ProfileError> {
        let blocks = self.firsts.len();
        let step = (self.rows / most.max(1) as u64).max(1);
        // A block that is met once may stand for its first key; in others some keys have more rows than that.
        let exact = blocks < most / 8;
        let (mut sample, mut next) = (Vec::new(), 0);
        for block in 0..blocks {
            let (before, end) = (self.before[block], self.rows_before(block + 1));
            if next + step >= end && !exact {
                if next < end {
                    sample.push(self.translate(self.firsts[block])?);
                    next += step;
                }
                continue;
            }
            let mut seen = before;
            self.blocks(block..block + 1, &mut |keys, counts| {
                for (index, &count) in counts.iter().enumerate() {
                    seen += count;
                    while next < seen {
                        sample.push(keys.get(index));
                        next += step;
                    }
                }
                Ok(())
            })?;
        }
        Ok(sample)
    }

    /// Rows of all keys before a block, or of all keys.
    fn rows_before(&self, block: usize) -> u64 {
        self.before.get(block).copied().unwrap_or(self.rows)
    }

    /// Shows every run, ascending.
    pub(super) fn each(
        &self,
        visit: &mut dyn FnMut(u128, u64) -> Result<(), ProfileError>,
    ) -> Result<(), ProfileError> {
        self.blocks(0..self.firsts.len(), &mut |keys, counts| {
            (0..keys.len()).try_for_each(|index| visit(keys.get(index), counts[index]))
        })
    }

    /// The first key of every block, in the keys wanted.
    fn starts(&self) -> Result<Vec<u128>, ProfileError> {
        self.firsts.iter().map(|&key| self.translate(key)).collect()
    }

    /// Rows by cell.
    pub(super) fn count(&self, map: &CellMap) -> Result<CellCounts, ProfileError> {
        let mut cells = CellCounts::zero(map.n_cells());
        let starts = self.starts()?;
        let mut open = 0..0;
        for block in 0..starts.len() {
            // Keys lie below the first one of the next block, and cells ascend as keys do.
            let cell = map.cell_of(starts[block]);
            let next = starts.get(block + 1);
            if next.is_some_and(|&next| map.cell_of(next.saturating_sub(1)) == cell) {
                self.count_blocks(open, map, &mut cells)?;
                cells.0[cell] += self.rows_before(block + 1) - self.before[block];
                open = block + 1..block + 1;
            } else {
                open.end = block + 1;
            }
        }
        self.count_blocks(open, map, &mut cells)?;
        Ok(cells)
    }

    fn count_blocks(
        &self,
        blocks: std::ops::Range<usize>,
        map: &CellMap,
        cells: &mut CellCounts,
    ) -> Result<(), ProfileError> {
        fn add<K: Key>(keys: &[K], counts: &[u64], map: &CellMap, cells: &mut [u64]) {
            let view = map.view::<K>();
            for (&key, count) in keys.iter().zip(counts) {
                let cell = match &view.pivots {
                    None => view.coarse_cell_of(key),
                    Some(pivots) => view.slot_of(key, pivots),
                };
                cells[cell as usize] += count;
            }
        }
        self.blocks(blocks, &mut |keys, counts| {
            with_keys!(keys, keys => add(keys, counts, map, &mut cells.0));
            Ok(())
        })
    }

    /// The keys in the wanted cells, ascending, as often as they occur.
    pub(super) fn select(&self, map: &CellMap, wanted: &CellSet) -> Result<Keys, ProfileError> {
        let mut found = Keys::empty(self.wanted.key_bits());
        let cells = (0..map.n_cells()).filter(|&cell| wanted.contains(cell));
        let mut ranges: Vec<Range> = Vec::new();
        for (lo, hi) in cells.filter_map(|cell| map.bounds(cell)) {
            match ranges.last_mut().filter(|last| last.1.checked_add(1) == Some(lo)) {
                Some(last) => last.1 = hi,
                None => ranges.push((lo, hi)),
            }
        }
        let starts = self.starts()?;
        let mut done = 0;
        for &(lo, hi) in &ranges {
            let from = starts.partition_point(|&first| first <= lo).saturating_sub(1).max(done);
            let to = starts.partition_point(|&first| first <= hi).max(from);
            // Blocks from `done` on; what a block holds of later ranges is taken with it.
            self.blocks(from..to, &mut |keys, counts| {
                let taken = match (keys, &mut found) {
                    (Keys::U32(keys), Keys::U32(found)) => take(keys, counts, &ranges, found),
                    (Keys::U64(keys), Keys::U64(found)) => take(keys, counts, &ranges, found),
                    (Keys::U128(keys), Keys::U128(found)) => take(keys, counts, &ranges, found),
                    _ => None,
                };
                taken.ok_or_else(|| corrupt(self.feature))
            })?;
            done = to;
        }
        Ok(found)
    }
}

/// Appends the keys that lie in the ranges, as often as they occur; both ascend. `None` where that is too often.
fn take<K: Key>(keys: &[K], counts: &[u64], ranges: &[Range], found: &mut Vec<K>) -> Option<()> {
    let (least, greatest) = (keys.first()?.widen(), keys.last()?.widen());
    let met = ranges.partition_point(|range| range.1 < least);
    for &(lo, hi) in ranges[met..].iter().take_while(|range| range.0 <= greatest) {
        let from = keys.partition_point(|key| key.widen() < lo);
        let to = keys.partition_point(|key| key.widen() <= hi).max(from);
        let (keys, counts) = (&keys[from..to], &counts[from..to]);
        if counts.iter().all(|&count| count == 1) {
            found.extend_from_slice(keys);
            continue;
        }
        for (&key, &count) in keys.iter().zip(counts) {
            found.resize(found.len().checked_add(usize::try_from(count).ok()?)?, key);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::runs::{BLOCK, RunWriter, Source};
    use super::*;
    use crate::column::Encoding;

    fn with_runs(encoding: Encoding, runs: &[(u128, u64)], check: impl FnOnce(&Runs<'_>)) {
        let mut writer = RunWriter::default();
        runs.iter().for_each(|&(key, count)| writer.push(key, count));
        let (stored, data) = writer.finish(encoding.key_bits()).expect("memory takes it");
        check(&Runs::open(&stored, Source::Bytes(&data), "x", encoding, encoding).expect("what was just written"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn answers_are_those_of_every_key(
            gaps in prop::collection::vec(prop_oneof![9 => 1_u32..40, 1 => 1000_u32..90_000], 1..4000),
            heavy in prop::collection::vec((any::<prop::sample::Index>(), 2_u64..9000), 0..6),
            wide: bool,
            ends in 0_u32..9,
            cells in 0_u32..3000,
            tied: bool,
            wanted in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let encoding = if wide { Encoding::UInt64 } else { Encoding::UInt32 };
            let mut last = 0;
            let mut runs: Vec<(u128, u64)> = gaps.iter().map(|&gap| { last += u128::from(gap); (last, 1) }).collect();
            for (at, count) in heavy {
                runs[at.index(gaps.len())].1 = count;
            }
            let range = (last / 10 * u128::from(ends / 3), last / 10 * u128::from(10 - ends / 4));
            with_runs(encoding, &runs, |stored| {
                let sample = stored.sample(2048).unwrap();
                let map = CellMap::new(range.0, range.1.max(range.0), &{
                    let mut sorted = sample.clone();
                    sorted.sort_unstable();
                    sorted
                }, cells, tied);
                let mut rows = vec![0; map.n_cells()];
                runs.iter().for_each(|&(key, count)| rows[map.cell_of(key)] += count);
                assert_eq!(stored.count(&map).unwrap().0, rows);

                let mut set = CellSet::none(map.n_cells());
                wanted.iter().for_each(|cell| set.insert(cell.index(map.n_cells())));
                let found = stored.select(&map, &set).unwrap();
                let of_set = runs.iter().filter(|(key, _)| set.contains(map.cell_of(*key)));
                let all: Vec<u128> = of_set.flat_map(|&(key, count)| (0..count).map(move |_| key)).collect();
                assert_eq!((0..found.len()).map(|index| found.get(index)).collect::<Vec<_>>(), all);

                // Keys of many rows are in the sample as often as they should be.
                let step = (stored.rows / 2048).max(1);
                for &(key, count) in &runs {
                    let n = sample.iter().filter(|&&other| other == key).count() as u64;
                    assert!(n <= count.div_ceil(step) + BLOCK as u64 / step + 1, "{n} of {count}");
                    assert!(n + 1 >= count / step.max(BLOCK as u64), "{n} of {count}, a key in {step}");
                }
            });
        }
    }
}
