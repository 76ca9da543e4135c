//! Keys in any order become sorted runs: in memory while they fit, through temporary files beyond.
//!
//! What is too much is sorted piece by piece, and each piece kept as the runs that a profile has; merging them is what
//! merging profiles is.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use rdst::RadixSort;

use super::ProfileError;
use super::bytes::Bytes;
use super::runs::{RunWriter, Runs, Source, StoredRuns};
use crate::column::Encoding;
use crate::counts::{Key, Keys, with_keys};

/// Pieces that are merged at a time: each has a file, and some blocks in memory.
const PIECES: usize = 48;
/// Bytes of a piece that stay in memory.
const PIECE_BYTES: usize = 1 << 18;
/// Blocks of a piece that are decoded at a time.
const BLOCKS: usize = 8;

/// Collects the keys of a column.
pub(super) struct Sorter {
    encoding: Encoding,
    keys: Keys,
    /// Keys that may be held.
    most: usize,
    pieces: Vec<(StoredRuns, Bytes)>,
}

impl Sorter {
    /// Nothing yet; `most` keys may be held.
    pub(super) fn new(encoding: Encoding, most: usize) -> Self {
        Self { encoding, keys: Keys::empty(encoding.key_bits()), most: most.max(1), pieces: Vec::new() }
    }

    /// Takes `keys` and leaves none.
    pub(super) fn take(&mut self, keys: &mut Keys) -> Result<(), ProfileError> {
        if self.keys.len() + keys.len() > self.most && !self.keys.is_empty() {
            self.put_away()?;
        }
        if self.keys.is_empty() {
            std::mem::swap(&mut self.keys, keys);
        } else {
            self.keys.append(keys);
        }
        keys.clear();
        Ok(())
    }

    fn put_away(&mut self) -> Result<(), ProfileError> {
        let mut runs = RunWriter::within(PIECE_BYTES);
        push_sorted(&mut self.keys, &mut runs);
        self.keys.clear();
        self.pieces.push(runs.finish(self.encoding.key_bits())?);
        if self.pieces.len() == PIECES {
            let mut one = RunWriter::within(PIECE_BYTES);
            self.merged(&mut one)?;
            self.pieces = vec![one.finish(self.encoding.key_bits())?];
        }
        Ok(())
    }

    fn merged(&self, out: &mut RunWriter) -> Result<(), ProfileError> {
        let open = |(stored, bytes)| Runs::open(stored, Source::Bytes(bytes), "", self.encoding, self.encoding);
        let runs = self.pieces.iter().map(|(stored, bytes)| open((stored, bytes))).collect::<Result<Vec<_>, _>>()?;
        merge(&runs.iter().collect::<Vec<_>>(), out)
    }

    /// All keys, ascending, into `out`.
    pub(super) fn finish(mut self, out: &mut RunWriter) -> Result<(), ProfileError> {
        if self.pieces.is_empty() {
            push_sorted(&mut self.keys, out);
            return Ok(());
        }
        self.put_away()?;
        self.keys = Keys::empty(self.encoding.key_bits());
        self.merged(out)
    }
}

fn push_sorted(keys: &mut Keys, out: &mut RunWriter) {
    with_keys!(keys, keys => {
        keys.radix_sort_unstable();
        keys.chunk_by(|a, b| a == b).for_each(|run| out.push(run[0].widen(), run.len() as u64));
    });
}

/// Runs that each ascend become one ascending run.
pub(super) fn merge(runs: &[&Runs<'_>], out: &mut RunWriter) -> Result<(), ProfileError> {
    let mut cursors: Vec<Cursor<'_>> = runs.iter().map(|runs| Cursor::new(runs)).collect();
    let mut next: BinaryHeap<Reverse<(u128, usize)>> = BinaryHeap::with_capacity(cursors.len());
    for (index, cursor) in cursors.iter_mut().enumerate() {
        next.extend(cursor.key()?.map(|key| Reverse((key, index))));
    }
    let mut open: Option<(u128, u64)> = None;
    while let Some(mut top) = next.peek_mut() {
        let Reverse((key, index)) = *top;
        let count = cursors[index].take();
        match &mut open {
            Some((last, rows)) if *last == key => *rows += count,
            _ => {
                if let Some((key, rows)) = open.replace((key, count)) {
                    out.push(key, rows);
                }
            }
        }
        match cursors[index].key()? {
            Some(key) => *top = Reverse((key, index)),
            None => {
                std::collections::binary_heap::PeekMut::pop(top);
            }
        }
    }
    if let Some((key, rows)) = open {
        out.push(key, rows);
    }
    Ok(())
}

/// A place in runs that are read block by block.
struct Cursor<'r> {
    runs: &'r Runs<'r>,
    blocks: Range<usize>,
    read: Vec<(u128, u64)>,
    at: usize,
}

impl<'r> Cursor<'r> {
    fn new(runs: &'r Runs<'_>) -> Self {
        Self { runs, blocks: 0..runs.firsts.len(), read: Vec::new(), at: 0 }
    }

    /// The key at the place; `None` at the end.
    fn key(&mut self) -> Result<Option<u128>, ProfileError> {
        if self.at == self.read.len() && !self.blocks.is_empty() {
            let end = (self.blocks.start + BLOCKS).min(self.blocks.end);
            self.at = 0;
            self.read.clear();
            self.runs.blocks(self.blocks.start..end, &mut |keys, counts| {
                self.read.extend((0..keys.len()).map(|index| (keys.get(index), counts[index])));
                Ok(())
            })?;
            self.blocks.start = end;
        }
        Ok(self.read.get(self.at).map(|&(key, _)| key))
    }

    /// The rows of the key at the place; the next one is after it.
    fn take(&mut self) -> u64 {
        self.at += 1;
        self.read[self.at - 1].1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However many keys may be held, and however they come, the bytes are the same.
        #[test]
        fn the_pieces_do_not_show(
            keys in prop::collection::vec(any::<u64>(), 0..3000), bits in 1_u32..=64, most in 1_usize..400, window in 1_usize..300,
        ) {
            let keys: Vec<u64> = keys.into_iter().map(|key| key >> (64 - bits)).collect();
            let encoding = Encoding::UInt64;
            let written = |most: usize, window: usize| {
                let mut sorter = Sorter::new(encoding, most);
                keys.chunks(window).for_each(|some| sorter.take(&mut Keys::U64(some.to_vec())).unwrap());
                let mut out = RunWriter::within(if most == usize::MAX { most } else { 100 });
                sorter.finish(&mut out).unwrap();
                let (stored, bytes) = out.finish(64).unwrap();
                let mut data = Vec::new();
                bytes.copy(&mut data).unwrap();
                (format!("{stored:?}"), data)
            };
            prop_assert_eq!(written(usize::MAX, 1 << 20), written(most, window));
        }
    }
}
