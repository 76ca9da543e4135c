//! Encoded bytes: in memory while they are few, in a temporary file beyond.

use std::fs::File;
use std::hash::Hasher;
use std::io::{self, Write};

use twox_hash::xxhash3_64::{RawHasher, SecretBuffer};

use crate::source::read_at;

/// Bytes that are copied at a time.
const COPIED: u64 = 1 << 18;

/// Of bytes that come piece by piece: XXH3, 64 bits.
pub(super) fn hasher() -> impl Hasher {
    RawHasher::new(SecretBuffer::default())
}

/// Bytes that are written once and read as often as needed.
#[derive(Debug)]
pub(crate) struct Bytes {
    file: Option<File>,
    /// Where the bytes begin in the file, and how many are there; the others follow in memory.
    start: u64,
    spilled: u64,
    memory: Vec<u8>,
    /// Bytes that may be held in memory.
    most: usize,
}

impl Default for Bytes {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(memory: Vec<u8>) -> Self {
        Self { file: None, start: 0, spilled: 0, memory, most: usize::MAX }
    }
}

impl Bytes {
    /// None yet; at most about `most` of them in memory.
    pub(super) fn within(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// A part of a file.
    pub(super) fn of_file(file: File, start: u64, length: u64) -> Self {
        Self { file: Some(file), start, spilled: length, ..Self::default() }
    }

    pub(super) fn len(&self) -> u64 {
        self.spilled + self.memory.len() as u64
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.memory.extend_from_slice(bytes);
        if self.memory.len() <= self.most {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.write_all(&self.memory)?;
        self.spilled += self.memory.len() as u64;
        self.memory.clear();
        Ok(())
    }

    /// The bytes from `from` to `to`; `None` beyond the end.
    pub(super) fn read(&self, from: u64, to: u64) -> io::Result<Option<Vec<u8>>> {
        if from > to || to > self.len() {
            return Ok(None);
        }
        let length = |bytes: u64| usize::try_from(bytes).map_err(io::Error::other);
        let in_file = to.min(self.spilled).saturating_sub(from);
        let mut bytes = vec![0; length(in_file)?];
        if let Some(file) = self.file.as_ref().filter(|_| in_file > 0) {
            read_at(file, &mut bytes, self.start + from)?;
        }
        let [from, to] = [from, to].map(|at| length(at.saturating_sub(self.spilled)));
        bytes.extend_from_slice(&self.memory[from?..to?]);
        Ok(Some(bytes))
    }

    /// Writes all of them to `out`; what they hash to (XXH3, 64 bits).
    pub(super) fn copy(&self, out: &mut dyn Write) -> io::Result<u64> {
        let mut hash = hasher();
        let mut from = 0;
        while from < self.len() {
            let to = (from + COPIED).min(self.len());
            let bytes = self.read(from, to)?.unwrap_or_default();
            hash.write(&bytes);
            out.write_all(&bytes)?;
            from = to;
        }
        Ok(hash.finish())
    }
}

#[cfg(test)]
mod tests {
    use twox_hash::XxHash3_64;

    use super::*;

    #[test]
    fn a_file_and_memory_read_as_one() {
        let all: Vec<u8> = (0..1000_u32).map(|i| i.to_le_bytes()[0]).collect();
        for most in [0, 7, 100, usize::MAX] {
            let mut bytes = Bytes::within(most);
            all.chunks(13).for_each(|some| bytes.append(some).unwrap());
            assert_eq!(bytes.len(), 1000);
            for range in [0..1000, 0..0, 995..1000, 90..930, 1000..1000_usize] {
                let found = bytes.read(range.start as u64, range.end as u64).unwrap();
                assert_eq!(found.unwrap(), all[range], "{most}");
            }
            assert_eq!(bytes.read(5, 1001).unwrap(), None);
            let mut copied = Vec::new();
            assert_eq!(bytes.copy(&mut copied).unwrap(), XxHash3_64::oneshot(&all));
            assert_eq!(copied, all);
        }
    }
}
