//! Ids that do not fit memory: dealt to parts by their remainder, on disk, joined part by part, and read back in the order of
//! the log.
//!
//! ```text
//!     labels ──► (id, truth) by part ──┐
//!     log    ──► id by part ───────────┴─► a join in memory for each part ──► an answer a row, by part ──► the log again
//! ```
//!
//! So the log is read twice, its ids first, however many parts there are; memory holds one part.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::join::{IdFacts, Join, LabelSink, Truth};
use super::options::Keep;

/// Bytes of a part that are in memory, and written together.
const CHUNK: usize = 1 << 14;
/// Entries that are joined at a time.
const BLOCK: usize = 1 << 12;

/// Entries of several parts in one temporary file, each part in the order in which it came.
struct Spool {
    file: File,
    end: u64,
    parts: Vec<Part>,
}

#[derive(Clone, Default)]
struct Part {
    /// Where its chunks begin, and their bytes.
    chunks: Vec<(u64, usize)>,
    buffer: Vec<u8>,
    /// While reading: the next chunk, and the place in the buffer.
    next: usize,
    at: usize,
}

impl Spool {
    fn new(parts: usize) -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, end: 0, parts: vec![Part::default(); parts] })
    }

    fn push(&mut self, part: usize, entry: &[u8]) -> io::Result<()> {
        self.parts[part].buffer.extend_from_slice(entry);
        if self.parts[part].buffer.len() >= CHUNK { self.flush(part) } else { Ok(()) }
    }

    fn flush(&mut self, part: usize) -> io::Result<()> {
        let Part { chunks, buffer, .. } = &mut self.parts[part];
        if !buffer.is_empty() {
            self.file.seek(SeekFrom::Start(self.end))?;
            self.file.write_all(buffer)?;
            chunks.push((self.end, buffer.len()));
            self.end += buffer.len() as u64;
            buffer.clear();
        }
        Ok(())
    }

    /// Everything is there: from here on parts are read.
    fn finish(mut self) -> io::Result<Self> {
        (0..self.parts.len()).try_for_each(|part| self.flush(part))?;
        Ok(self)
    }

    /// The next entry of a part; `None` after its last one. Entries do not cross chunks.
    fn read<const N: usize>(&mut self, part: usize) -> io::Result<Option<[u8; N]>> {
        let Part { chunks, buffer, next, at } = &mut self.parts[part];
        if *at == buffer.len() {
            let Some(&(offset, bytes)) = chunks.get(*next) else { return Ok(None) };
            buffer.resize(bytes, 0);
            self.file.seek(SeekFrom::Start(offset))?;
            self.file.read_exact(buffer)?;
            (*next, *at) = (*next + 1, 0);
        }
        let mut entry = [0; N];
        entry.copy_from_slice(&buffer[*at..*at + N]);
        *at += N;
        Ok(Some(entry))
    }

    /// The next entries of a part, not many.
    fn block<const N: usize>(&mut self, part: usize) -> io::Result<Vec<[u8; N]>> {
        let mut block = Vec::new();
        while block.len() < BLOCK
            && let Some(entry) = self.read(part)?
        {
            block.push(entry);
        }
        Ok(block)
    }

    fn rewind(&mut self, part: usize) {
        let Part { buffer, next, at, .. } = &mut self.parts[part];
        buffer.clear();
        (*next, *at) = (0, 0);
    }
}

/// Labels and ids on their way into parts.
pub(super) struct Dealt {
    labels: Spool,
    rows: Spool,
    facts: IdFacts,
}

fn part_of(id: u128, parts: usize) -> usize {
    usize::try_from(id % parts as u128).unwrap_or_default()
}

fn id_of(bytes: &[u8]) -> Option<u128> {
    bytes.first_chunk().map(|id| u128::from_le_bytes(*id))
}

impl LabelSink for Dealt {
    fn add_labels(&mut self, ids: &[Option<u128>], truths: impl Iterator<Item = Option<Truth>>) -> io::Result<()> {
        for (id, truth) in ids.iter().zip(truths) {
            match (id, truth) {
                (None, _) => self.facts.labels_without_id += 1,
                (Some(_), None) => self.facts.empty_labels += 1,
                (Some(id), Some(truth)) => {
                    let mut entry = [0; 24];
                    entry[..16].copy_from_slice(&id.to_le_bytes());
                    entry[16..].copy_from_slice(&truth.0.to_le_bytes());
                    self.labels.push(part_of(*id, self.labels.parts.len()), &entry)?;
                }
            }
        }
        Ok(())
    }
}

impl Dealt {
    /// Nothing yet, for so many parts.
    pub(super) fn new(parts: usize) -> io::Result<Self> {
        Ok(Self { labels: Spool::new(parts)?, rows: Spool::new(parts)?, facts: IdFacts::default() })
    }

    /// Takes the ids of the log, in the order of its rows.
    pub(super) fn add_ids(&mut self, ids: &[Option<u128>]) -> io::Result<()> {
        let parts = self.rows.parts.len();
        ids.iter().flatten().try_for_each(|id| self.rows.push(part_of(*id, parts), &id.to_le_bytes()))
    }

    /// Joins every part. `labels` and `rows` are how many there are of either.
    pub(super) fn join(self, keep: Keep, labels: u64, rows: u64) -> io::Result<Answers> {
        let (mut of_labels, mut of_rows, mut facts) = (self.labels.finish()?, self.rows.finish()?, self.facts);
        let parts = of_labels.parts.len();
        let mut answers = Spool::new(parts)?;
        for part in 0..parts {
            let mut join = Join::new(keep).with_room(labels / parts as u64, rows / parts as u64);
            loop {
                let block: Vec<[u8; 24]> = of_labels.block(part)?;
                if block.is_empty() {
                    break;
                }
                let ids: Vec<Option<u128>> = block.iter().map(|entry| id_of(entry)).collect();
                let truth = |entry: &[u8; 24]| entry.last_chunk().map(|truth| Truth(u64::from_le_bytes(*truth)));
                join.add_labels(&ids, block.iter().map(truth))?;
            }
            if keep == Keep::Last {
                each_block(&mut of_rows, part, |ids| {
                    join.add_ids(ids);
                    Ok(())
                })?;
                of_rows.rewind(part);
            }
            each_block(&mut of_rows, part, |ids| {
                let (kept, truths) = join.rows(ids);
                for (kept, truth) in kept.into_iter().zip(truths) {
                    let mut entry = [0; 9];
                    entry[0] = u8::from(kept) + u8::from(truth.is_some());
                    entry[1..].copy_from_slice(&truth.map_or(0, |truth| truth.0).to_le_bytes());
                    answers.push(part, &entry)?;
                }
                Ok(())
            })?;
            facts.merge(join.finish());
        }
        Ok(Answers { answers: answers.finish()?, facts })
    }
}

fn each_block(
    rows: &mut Spool,
    part: usize,
    mut take: impl FnMut(&[Option<u128>]) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        let block: Vec<[u8; 16]> = rows.block(part)?;
        if block.is_empty() {
            return Ok(());
        }
        take(&block.iter().map(|entry| id_of(entry)).collect::<Vec<_>>())?;
    }
}

/// Which rows of the log count, and their labels.
pub(super) struct Answers {
    answers: Spool,
    facts: IdFacts,
}

impl Answers {
    /// Those of the next rows: the same ids in the same order as they were dealt.
    pub(super) fn rows(&mut self, ids: &[Option<u128>]) -> io::Result<(Vec<bool>, Vec<Option<Truth>>)> {
        let parts = self.answers.parts.len();
        let mut row = |id: &Option<u128>| {
            let Some(id) = id else {
                self.facts.predictions_without_id += 1;
                return Ok((true, None));
            };
            let entry = self.answers.read::<9>(part_of(*id, parts))?;
            let Some([state, truth @ ..]) = entry else {
                return Err(io::Error::other("the log has other rows than a moment ago"));
            };
            Ok((state > 0, (state > 1).then(|| Truth(u64::from_le_bytes(truth)))))
        };
        let rows: io::Result<Vec<(bool, Option<Truth>)>> = ids.iter().map(&mut row).collect();
        Ok(rows?.into_iter().unzip())
    }

    /// What was found, once all rows were asked for.
    pub(super) fn finish(self) -> IdFacts {
        self.facts
    }
}
