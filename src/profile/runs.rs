//! Sorted distinct keys with their counts, in blocks that can be read alone.
//!
//! ```text
//!     data      [ block ][ block ] ...       256 keys each; the last one fewer
//!     block     keys, each less the first    as a sequence
//!               rows up to each key, less one a key: a sequence; absent where every key has one row
//!     index     first key of each block · rows before each block · end of each block in the data (sequences),
//!               then a checksum a block
//! ```

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::ProfileError;
use super::bytes::Bytes;
use super::container::{Reader, Slice};
use super::sequence::{SLACK, decode, encode};
use crate::column::Encoding;
use crate::counts::{Key, Keys, with_keys};

/// Keys in a block: few, because a scan wants a few keys here and there.
pub(super) const BLOCK: usize = 256;

/// Sorted runs as they are stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct StoredRuns {
    /// Width of a key.
    pub(super) bits: u32,
    /// Number of distinct keys.
    pub(super) keys: u64,
    /// Rows of all keys.
    pub(super) rows: u64,
    index: Vec<u8>,
}

/// Encodes runs that come in ascending order.
#[derive(Default)]
pub(super) struct RunWriter {
    data: Bytes,
    /// The block that was encoded last.
    block: Vec<u8>,
    /// The first time that the data could not be written.
    failed: Option<std::io::Error>,
    keys: Vec<u128>,
    counts: Vec<u64>,
    firsts: Vec<u128>,
    before: Vec<u128>,
    ends: Vec<u128>,
    checksums: Vec<u8>,
    n: u64,
    rows: u64,
}

impl RunWriter {
    /// Holds about `most` bytes of data in memory.
    pub(super) fn within(most: usize) -> Self {
        Self { data: Bytes::within(most), ..Self::default() }
    }

    pub(super) fn push(&mut self, key: u128, count: u64) {
        self.keys.push(key);
        self.counts.push(count);
        if self.keys.len() == BLOCK {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let Some(&first) = self.keys.first() else { return };
        self.firsts.push(first);
        self.before.push(self.rows.into());
        self.n += self.keys.len() as u64;
        self.block.clear();
        self.keys.iter_mut().for_each(|key| *key -= first);
        encode(&self.keys, &mut self.block);
        let mut extra = 0_u128;
        let extras: Vec<u128> = self
            .counts
            .iter()
            .map(|&count| {
                extra += u128::from(count) - 1;
                extra
            })
            .collect();
        if extra > 0 {
            encode(&extras, &mut self.block);
        }
        self.rows += self.counts.iter().sum::<u64>();
        if let Err(error) = self.data.append(&self.block) {
            self.failed.get_or_insert(error);
        }
        self.ends.push(self.data.len().into());
        self.checksums.extend(XxHash3_64::oneshot(&self.block).to_le_bytes());
        self.keys.clear();
        self.counts.clear();
    }

    pub(super) fn finish(mut self, bits: u32) -> Result<(StoredRuns, Bytes), ProfileError> {
        self.flush();
        if let Some(error) = self.failed {
            return Err(ProfileError::Write(error.into()));
        }
        let mut index = Vec::new();
        encode(&self.firsts, &mut index);
        encode(&self.before, &mut index);
        encode(&self.ends, &mut index);
        index.extend(self.checksums);
        Ok((StoredRuns { bits, keys: self.n, rows: self.rows, index }, self.data))
    }
}

/// Takes the keys of a block and their counts.
type Visit<'v> = &'v mut dyn FnMut(&Keys, &[u64]) -> Result<(), ProfileError>;

/// Where the blocks are read from.
pub(super) enum Source<'p> {
    File(&'p Reader, Slice),
    Bytes(&'p Bytes),
}

/// Stored runs, ready to be asked, in the keys of any encoding that holds their values.
pub(super) struct Runs<'p> {
    source: Source<'p>,
    pub(super) feature: &'p str,
    own: Encoding,
    pub(super) wanted: Encoding,
    keys: usize,
    bits: u32,
    /// First key of every block, in the stored keys.
    pub(super) firsts: Vec<u128>,
    /// Rows before every block.
    pub(super) before: Vec<u64>,
    ends: Vec<u64>,
    checksums: Vec<u8>,
    pub(super) rows: u64,
}

pub(super) fn corrupt(feature: &str) -> ProfileError {
    ProfileError::Keys { feature: feature.to_owned() }
}

impl<'p> Runs<'p> {
    pub(super) fn open(
        stored: &StoredRuns,
        source: Source<'p>,
        feature: &'p str,
        own: Encoding,
        wanted: Encoding,
    ) -> Result<Self, ProfileError> {
        let bad = || corrupt(feature);
        let keys = usize::try_from(stored.keys).map_err(|_| bad())?;
        let n = keys.div_ceil(BLOCK);
        let mut index = stored.index.clone();
        if n > index.len() || stored.bits != own.key_bits() {
            return Err(bad());
        }
        index.extend([0; SLACK]);
        let (mut firsts, mut before, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        let mut at = decode(&index, n, 0_u128, &mut firsts).ok_or_else(bad)?;
        at += decode(&index[at..], n, 0_u64, &mut before).ok_or_else(bad)?;
        at += decode(&index[at..], n, 0_u64, &mut ends).ok_or_else(bad)?;
        let checksums = index[at..index.len() - SLACK].to_vec();
        if checksums.len() != 8 * n || !ends.is_sorted() || !before.is_sorted() {
            return Err(bad());
        }
        let rows = stored.rows;
        Ok(Self { source, feature, own, wanted, keys, bits: stored.bits, firsts, before, ends, checksums, rows })
    }

    fn start(&self, block: usize) -> u64 {
        if block == 0 { 0 } else { self.ends[block - 1] }
    }

    /// A stored key as one of those wanted; the order of keys stays.
    pub(super) fn translate(&self, key: u128) -> Result<u128, ProfileError> {
        self.own
            .translate(key, &self.wanted)
            .map_err(|reason| ProfileError::Value { feature: self.feature.to_owned(), reason })
    }

    /// Shows the keys and counts of some neighbouring blocks, in the keys wanted.
    pub(super) fn blocks(&self, range: std::ops::Range<usize>, visit: Visit<'_>) -> Result<(), ProfileError> {
        const AT_ONCE: usize = 64;
        for from in range.clone().step_by(AT_ONCE) {
            let to = (from + AT_ONCE).min(range.end);
            let (start, end) = (self.start(from), self.ends[to - 1]);
            let bad = || corrupt(self.feature);
            let mut bytes = match &self.source {
                Source::File(reader, slice) if end <= slice.length => {
                    reader.bytes(slice.offset + start, end - start)?
                }
                Source::Bytes(all) => {
                    let read = all.read(start, end).map_err(|error| ProfileError::Write(error.into()))?;
                    read.ok_or_else(bad)?
                }
                Source::File(..) => return Err(bad()),
            };
            bytes.extend([0; SLACK]);
            for block in from..to {
                let within = |at: u64| usize::try_from(at - start).map_err(|_| bad());
                let (low, high) = (within(self.start(block))?, within(self.ends[block])?);
                let checksum = &self.checksums[8 * block..8 * block + 8];
                if XxHash3_64::oneshot(&bytes[low..high]).to_le_bytes() != checksum {
                    return Err(bad());
                }
                let (keys, counts) = self.decode_block(block, &bytes[low..], high - low).ok_or_else(bad)?;
                let keys = if self.own == self.wanted {
                    keys
                } else {
                    let mut translated = Keys::with_capacity(self.wanted.key_bits(), keys.len());
                    for index in 0..keys.len() {
                        let key = self.translate(keys.get(index))?;
                        with_keys!(&mut translated, all => all.push(Key::narrow(key)));
                    }
                    translated
                };
                visit(&keys, &counts)?;
            }
        }
        Ok(())
    }

    fn decode_block(&self, block: usize, bytes: &[u8], length: usize) -> Option<(Keys, Vec<u64>)> {
        let n = (self.keys - block * BLOCK).min(BLOCK);
        let first = self.firsts[block];
        let mut keys = Keys::with_capacity(self.bits, n);
        let used = with_keys!(&mut keys, all => decode(bytes, n, Key::narrow(first), all))?;
        let next = self.before.get(block + 1).copied().unwrap_or(self.rows);
        let rows = next.checked_sub(self.before[block])?;
        let mut counts = vec![1; n];
        let mut end = used;
        if rows != n as u64 {
            let mut extras = Vec::with_capacity(n);
            end += decode(&bytes[used..], n, 0_u64, &mut extras)?;
            let mut last = 0;
            for (count, extra) in counts.iter_mut().zip(extras) {
                *count += extra - last;
                last = extra;
            }
            if last.checked_add(n as u64)? != rows {
                return None;
            }
        }
        (end == length).then_some((keys, counts))
    }
}
