//! Runs of counts in memory and on disk, walked over as one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io::{self, Read, Seek, SeekFrom};

use super::{Entry, Spilled, add};
use crate::column::f64_of;

/// Entries that a run on disk is read by at a time.
pub(super) const BLOCK: usize = 1 << 12;

/// A walk over distinct values, ascending, that goes on when it is asked to.
pub(in crate::model) struct Walk<'r, const N: usize> {
    cursors: Vec<Cursor<'r, N>>,
    /// The key at each cursor, the lowest first.
    heads: BinaryHeap<Reverse<(u64, usize)>>,
}

impl<'r, const N: usize> Walk<'r, N> {
    /// A walk over all runs at once.
    ///
    /// # Errors
    /// When a run on disk cannot be read.
    pub(super) fn over(runs: &'r [Vec<Entry<N>>], spilled: &[Spilled]) -> io::Result<Self> {
        let memory = runs.iter().map(|run| Ok(Cursor::Memory(run)));
        let disk = spilled.iter().map(|spilled| {
            let mut cursor = Cursor::Disk { run: spilled.clone(), block: Vec::new(), at: 0 };
            cursor.fill()?;
            Ok(cursor)
        });
        let cursors: Vec<Cursor<'_, N>> = memory.chain(disk).collect::<io::Result<_>>()?;
        let heads = cursors.iter().enumerate();
        let heads = heads.filter_map(|(at, cursor)| cursor.head().map(|entry| Reverse((entry.key, at)))).collect();
        Ok(Self { cursors, heads })
    }

    /// The next value with its counters; `None` at the end.
    ///
    /// # Errors
    /// When a run on disk cannot be read.
    pub(in crate::model) fn next(&mut self) -> io::Result<Option<(f64, [u64; N])>> {
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
