//! Counts of values: sorted distinct values, each with `N` counters. They add up exactly, in any order.
//!
//! What is asked of scores (ROC AUC, average precision, quantiles, log loss, …) is a walk over these counts, so ties need no
//! care and no row is kept. When they outgrow memory, sorted runs go to a temporary file and are merged while walking.

mod walk;

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex};

use crate::column::{f64_key, f64_of};
pub(in crate::model) use walk::Walk;

/// A value and its counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry<const N: usize> {
    key: u64,
    counts: [u64; N],
}

/// Sorted distinct values with their counters.
#[derive(Clone, Debug)]
pub(in crate::model) struct ValueCounts<const N: usize> {
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
    pub(in crate::model) fn of(rows: impl IntoIterator<Item = (f64, [u64; N])>) -> Self {
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

    /// Counts rows whose keys are sorted, and that all add the same.
    pub(in crate::model) fn of_sorted(keys: &[u64], adds: [u64; N]) -> Self {
        let times = |counts: [u64; N], rows: usize| counts.map(|count| count * rows as u64);
        let run: Vec<Entry<N>> = keys
            .chunk_by(|a, b| a == b)
            .map(|equal| Entry { key: equal[0], counts: times(adds, equal.len()) })
            .collect();
        Self {
            runs: if run.is_empty() { Vec::new() } else { vec![run] },
            spilled: Vec::new(),
            totals: times(adds, keys.len()),
        }
    }

    /// Adds the counts of other rows.
    pub(in crate::model) fn merge(&mut self, other: Self) {
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
    pub(in crate::model) fn totals(&self) -> [u64; N] {
        self.totals
    }

    /// Bytes in memory.
    pub(in crate::model) fn bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.len() as u64).sum::<u64>() * size_of::<Entry<N>>() as u64
    }

    /// Moves what is in memory to the end of `file`.
    pub(in crate::model) fn spill(&mut self, file: &Arc<Mutex<File>>) -> io::Result<()> {
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
    pub(in crate::model) fn walk(&self, mut visit: impl FnMut(f64, [u64; N])) -> io::Result<()> {
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
    pub(in crate::model) fn walker(&self) -> io::Result<Walk<'_, N>> {
        Walk::over(&self.runs, &self.spilled)
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
        let count = 3 * walk::BLOCK as u64 + 7;
        let value = |row: u64| f64::from(u32::try_from(row).unwrap());
        let mut counts = ValueCounts::of((0..count).map(|row| (value(row), [row])));
        let before = listed(&counts);
        counts.spill(&Arc::new(Mutex::new(tempfile::tempfile().unwrap()))).unwrap();
        assert_eq!((counts.bytes(), listed(&counts)), (0, before));
    }
}
