//! Features on their way into a profile, in the order in which they are ready.
//!
//! A scan comes to its features in any order, and a profile lists them in the order of the columns. What is ready goes to
//! a temporary file, so that memory does not grow with the number of features.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use super::ProfileError;
use super::build::{Encoded, write_parts};
use super::bytes::Bytes;
use super::container::Writer;
use super::directory::{Directory, Entry};
use crate::source::SourceColumn;

/// Bytes of keys, categories and summary, one after the other.
#[derive(Debug)]
struct Kept {
    offset: u64,
    lengths: [u64; 3],
}

#[derive(Debug)]
struct Inner {
    file: File,
    end: u64,
    kept: BTreeMap<usize, Kept>,
}

/// Features by the index of their column.
#[derive(Debug)]
pub(crate) struct Spool(Mutex<Inner>);

fn failed(error: std::io::Error) -> ProfileError {
    ProfileError::Write(error.into())
}

impl Spool {
    /// Nothing yet.
    pub(crate) fn new() -> Result<Self, ProfileError> {
        let file = tempfile::tempfile().map_err(failed)?;
        Ok(Self(Mutex::new(Inner { file, end: 0, kept: BTreeMap::new() })))
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the column is there.
    pub(crate) fn has(&self, column: usize) -> bool {
        self.inner().kept.contains_key(&column)
    }

    /// Keeps a column.
    pub(crate) fn put(&self, column: usize, encoded: &Encoded) -> Result<(), ProfileError> {
        let summary = encoded.summary.bytes()?;
        let mut inner = self.inner();
        let offset = inner.end;
        // After a write that failed the end is where it was, and so is the next feature.
        inner.file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        encoded.keys.copy(&mut inner.file).map_err(failed)?;
        for part in [&encoded.categories, &summary] {
            inner.file.write_all(part).map_err(failed)?;
        }
        let lengths = [encoded.keys.len(), encoded.categories.len() as u64, summary.len() as u64];
        inner.end += lengths.iter().sum::<u64>();
        inner.kept.insert(column, Kept { offset, lengths });
        Ok(())
    }

    /// Writes the profile of `rows` rows: of each of the `columns` what is kept under its index, or why it is not there.
    pub(crate) fn write<'c>(
        self,
        columns: impl Iterator<Item = (usize, &'c SourceColumn)>,
        failures: &BTreeMap<usize, String>,
        rows: u64,
        out: impl Write,
    ) -> Result<(), ProfileError> {
        let Inner { file, kept, .. } = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut writer = Writer::new(out)?;
        let mut directory = Directory::new(rows);
        for (index, column) in columns {
            match kept.get(&index) {
                Some(Kept { offset, lengths }) => {
                    let mut start = *offset;
                    let mut part = |length: u64| {
                        let part = file.try_clone().map(|file| Bytes::of_file(file, start, length));
                        start += length;
                        part.map_err(failed)
                    };
                    let parts = [part(lengths[0])?, part(lengths[1])?, part(lengths[2])?];
                    write_parts(&mut writer, &mut directory, column, parts)?;
                }
                None => {
                    let failure = Some(failures.get(&index).map_or("it was not read", String::as_str).to_owned());
                    directory.push(column, Entry { failure, ..Entry::default() });
                }
            }
        }
        writer.finish(&directory.encoded()?)
    }
}
