//! Counts of values: sorted distinct values, each with `N` counters. They add up exactly, in any order.
//!
//! What is asked of scores (ROC AUC, average precision, quantiles, log loss, …) is a walk over these counts, so ties need no
//! care and no row is kept. When they outgrow memory, sorted runs go to a temporary file and are merged while walking.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex};

use crate::column::{f64_key, f64_of};

/// Entries that a run on disk is read by at a time.
const BLOCK: usize = 1 << 12;

/// A value and its counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry<const N: usize> {
    key: u64,
    counts: [u64; N],
}

/// Sorted distinct values with their counters.
#[derive(Clone, Debug)]
pub(super) struct ValueCounts<const N: usize> {
    /// Each sorted by distinct keys, roughly halving in size.
    runs: Vec<Vec<Entry<N>>>,
    spilled: Vec<Spilled>,
    totals: [u64; N],
}

/// A run on disk.
#[derive(Clone, Debug)]
struct Spilled {
    file: Arc<Mutex<File>>,
    offset: u64,
    entries: u64,
}

impl<const N: usize> Default for ValueCounts<N> {
    fn default() -> Self {
        Self { runs: Vec::new(), spilled: Vec::new(), totals: [0; N] }
    }
}

impl<const N: usize> ValueCounts<N> {
    /// Counts rows: their values, none of them NaN, and what each adds to the counters.
    pub(super) fn of(rows: impl IntoIterator<Item = (f64, [u64; N])>) -> Self {
        let mut run: Vec<Entry<N>> =
            rows.into_iter().map(|(value, counts)| Entry { key: f64_key(value), counts }).collect();
        run.sort_unstable_by_key(|entry| entry.key);
        run.dedup_by(|next, kept| {
            let same = next.key == kept.key;
            if same {
                add(&mut kept.counts, &next.counts);
            }
            same
        });
        run.shrink_to_fit();
        let mut totals = [0; N];
        run.iter().for_each(|entry| add(&mut totals, &entry.counts));
        Self { runs: if run.is_empty() { Vec::new() } else { vec![run] }, spilled: Vec::new(), totals }
    }

    /// Adds the counts of other rows.
    pub(super) fn merge(&mut self, other: Self) {
        add(&mut self.totals, &other.totals);
        self.spilled.extend(other.spilled);
        for run in other.runs {
            self.runs.push(run);
            while let [.., before, last] = self.runs.as_slice()
                && before.len() < 2 * last.len()
            {
                self.merge_last_two();
            }
        }
    }

    fn merge_last_two(&mut self) {
        if let (Some(last), Some(before)) = (self.runs.pop(), self.runs.pop()) {
            self.runs.push(merged(&before, &last));
        }
    }

    /// The sums of the counters over all values.
    pub(super) fn totals(&self) -> [u64; N] {
        self.totals
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.len() as u64).sum::<u64>() * size_of::<Entry<N>>() as u64
    }

    /// Moves what is in memory to the end of `file`.
    pub(super) fn spill(&mut self, file: &Arc<Mutex<File>>) -> io::Result<()> {
        while self.runs.len() > 1 {
            self.merge_last_two();
        }
        let Some(run) = self.runs.pop() else { return Ok(()) };
        let mut locked = file.lock().map_err(|_| io::Error::other("another thread failed while writing"))?;
        let offset = locked.seek(SeekFrom::End(0))?;
        let mut out = BufWriter::new(&mut *locked);
        for entry in &run {
            out.write_all(&entry.key.to_le_bytes())?;
            entry.counts.iter().try_for_each(|count| out.write_all(&count.to_le_bytes()))?;
        }
        out.flush()?;
        drop(out);
        drop(locked);
        self.spilled.push(Spilled { file: Arc::clone(file), offset, entries: run.len() as u64 });
        Ok(())
    }

    /// Walks over all distinct values, ascending, with their counters.
    ///
    /// # Errors
    /// When a run on disk cannot be read.
    pub(super) fn walk(&self, mut visit: impl FnMut(f64, [u64; N])) -> io::Result<()> {
        if let ([run], []) = (self.runs.as_slice(), self.spilled.as_slice()) {
            run.iter().for_each(|entry| visit(f64_of(entry.key), entry.counts));
            return Ok(());
        }
        let mut walk = self.walker()?;
        while let Some((value, counts)) = walk.next()? {
            visit(value, counts);
        }
        Ok(())
    }

    /// The same, a value at a time.
    ///
    /// # Errors
    /// When a run on disk cannot be read.
    pub(super) fn walker(&self) -> io::Result<Walk<'_, N>> {
        let memory = self.runs.iter().map(|run| Ok(Cursor::Memory(run)));
        let disk = self.spilled.iter().map(|spilled| {
            let mut cursor = Cursor::Disk { run: spilled.clone(), block: Vec::new(), at: 0 };
            cursor.fill()?;
            Ok(cursor)
        });
        let cursors: Vec<Cursor<'_, N>> = memory.chain(disk).collect::<io::Result<_>>()?;
        let heads = cursors.iter().enumerate();
        let heads = heads.filter_map(|(at, cursor)| cursor.head().map(|entry| Reverse((entry.key, at)))).collect();
        Ok(Walk { cursors, heads })
    }
}

/// A walk over distinct values, ascending, that goes on when it is asked to.
pub(super) struct Walk<'r, const N: usize> {
    cursors: Vec<Cursor<'r, N>>,
    /// The key at each cursor, the lowest first.
    heads: BinaryHeap<Reverse<(u64, usize)>>,
}

impl<const N: usize> Walk<'_, N> {
    /// The next value with its counters; `None` at the end.
    ///
    /// # Errors
    /// When a run on disk cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<(f64, [u64; N])>> {
        let Some(Reverse((key, _))) = self.heads.peek().copied() else { return Ok(None) };
        let mut counts = [0; N];
        while let Some(mut head) = self.heads.peek_mut().filter(|head| head.0.0 == key) {
            let at = head.0.1;
            if let Some(entry) = self.cursors[at].head() {
                add(&mut counts, &entry.counts);
            }
            self.cursors[at].advance()?;
            match self.cursors[at].head() {
                Some(entry) => head.0.0 = entry.key,
                None => drop(PeekMut::pop(head)),
            }
        }
        Ok(Some((f64_of(key), counts)))
    }
}

/// Where a walk stands in a run.
enum Cursor<'r, const N: usize> {
    Memory(&'r [Entry<N>]),
    Disk { run: Spilled, block: Vec<Entry<N>>, at: usize },
}

impl<const N: usize> Cursor<'_, N> {
    fn head(&self) -> Option<Entry<N>> {
        match self {
            Self::Memory(run) => run.first().copied(),
            Self::Disk { block, at, .. } => block.get(*at).copied(),
        }
    }

    fn advance(&mut self) -> io::Result<()> {
        match self {
            Self::Memory(run) => {
                *run = run.get(1..).unwrap_or_default();
                Ok(())
            }
            Self::Disk { at, .. } => {
                *at += 1;
                self.fill()
            }
        }
    }

    /// Reads the next block when the one at hand is used up.
    fn fill(&mut self) -> io::Result<()> {
        let Self::Disk { run, block, at } = self else { return Ok(()) };
        if *at < block.len() {
            return Ok(());
        }
        let entries = usize::try_from(run.entries).unwrap_or(usize::MAX).min(BLOCK);
        let mut bytes = vec![0; entries * size_of::<u64>() * (N + 1)];
        {
            let mut file = run.file.lock().map_err(|_| io::Error::other("another thread failed while reading"))?;
            file.seek(SeekFrom::Start(run.offset))?;
            file.read_exact(&mut bytes)?;
        }
        run.offset += bytes.len() as u64;
        run.entries -= entries as u64;
        *at = 0;
        let mut words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        block.clear();
        while let Some(key) = words.next() {
            block.push(Entry { key, counts: std::array::from_fn(|_| words.next().unwrap_or_default()) });
        }
        Ok(())
    }
}

fn add<const N: usize>(sum: &mut [u64; N], more: &[u64; N]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

fn merged<const N: usize>(a: &[Entry<N>], b: &[Entry<N>]) -> Vec<Entry<N>> {
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    let mut both = Vec::with_capacity(a.len() + b.len());
    loop {
        both.push(match (a.peek(), b.peek()) {
            (Some(left), Some(right)) if left.key == right.key => {
                let mut entry = *left;
                add(&mut entry.counts, &right.counts);
                a.next();
                b.next();
                entry
            }
            (Some(left), Some(right)) if left.key > right.key => {
                let entry = *right;
                b.next();
                entry
            }
            (Some(left), _) => {
                let entry = *left;
                a.next();
                entry
            }
            (None, Some(right)) => {
                let entry = *right;
                b.next();
                entry
            }
            (None, None) => break,
        });
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed<const N: usize>(counts: &ValueCounts<N>) -> Vec<(f64, [u64; N])> {
        let mut all = Vec::new();
        counts.walk(|value, counts| all.push((value, counts))).unwrap();
        all
    }

    proptest! {
        #[test]
        fn parts_merged_in_any_way_are_the_whole(rows in prop::collection::vec((-9_i32..9, 0_u64..4), 0..400), cuts in prop::collection::vec(0_usize..400, 0..6), spill: u8) {
            let rows: Vec<(f64, [u64; 2])> = rows.into_iter().map(|(value, count)| (f64::from(value) / 4.0, [1, count])).collect();
            let whole = ValueCounts::of(rows.iter().copied());
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).chain([0, rows.len()]).collect();
            cuts.sort_unstable();
            let file = Arc::new(Mutex::new(tempfile::tempfile().unwrap()));
            let mut parts = ValueCounts::default();
            for (at, cut) in cuts.windows(2).enumerate().rev() {
                parts.merge(ValueCounts::of(rows[cut[0]..cut[1]].iter().copied()));
                if spill >> at & 1 == 1 {
                    parts.spill(&file).unwrap();
                    prop_assert_eq!(parts.bytes(), 0);
                }
            }
            prop_assert_eq!(listed(&parts), listed(&whole));
            prop_assert_eq!(parts.totals(), whole.totals());
        }
    }

    #[test]
    fn runs_longer_than_a_block_come_back_from_disk() {
        let count = 3 * BLOCK as u64 + 7;
        let value = |row: u64| f64::from(u32::try_from(row).unwrap());
        let mut counts = ValueCounts::of((0..count).map(|row| (value(row), [row])));
        let before = listed(&counts);
        counts.spill(&Arc::new(Mutex::new(tempfile::tempfile().unwrap()))).unwrap();
        assert_eq!((counts.bytes(), listed(&counts)), (0, before));
    }
}
