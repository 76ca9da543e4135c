//! The file: an Arrow IPC file, read by offset.
//!
//! Reading by offset instead of mapping the file costs a microsecond a slice and no `unsafe`, and a file that is cut
//! off while it is used gives an error instead of a signal that ends the process.

use std::fs::File;
use std::hash::Hasher;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, LargeBinaryArray, RecordBatch, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::root_as_footer;
use arrow::ipc::writer::FileWriter;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::ProfileError;
use super::bytes::{Bytes, hasher};
use crate::source::read_at;

/// The format that this version writes and reads.
pub(super) const FORMAT: u32 = 1;
const KEY: &str = "gpudrift.profile";
const MAGIC: &[u8] = b"ARROW1";

/// Where bytes lie in the file, and what they hash to (XXH3, 64 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slice {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) checksum: u64,
}

/// What the footer says: where the directory is. Everything else is found, and checked, from there.
#[derive(Serialize, Deserialize)]
struct Root {
    format: u32,
    directory: Slice,
}

/// The writer below Arrow's: it counts, and puts what a batch is about where that has a place for it.
struct Counting<W> {
    inner: W,
    written: u64,
    body: Option<Body>,
}

/// The parts of a feature, which may be larger than memory. Arrow gets as many zeros, which the system makes of nothing
/// until they are touched; it hands them on as they lie, and the parts are written in their place.
struct Body {
    /// Where the zeros lie.
    at: *const u8,
    length: usize,
    parts: Vec<Bytes>,
    checksums: Vec<u64>,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(body) = self.body.as_mut().filter(|body| body.at == bytes.as_ptr() && body.length == bytes.len()) {
            for part in std::mem::take(&mut body.parts) {
                body.checksums.push(part.copy(&mut self.inner)?);
            }
            self.written += bytes.len() as u64;
            return Ok(bytes.len());
        }
        let n = self.inner.write(bytes)?;
        self.written += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes slices, one record batch a call.
pub(super) struct Writer<W: Write> {
    inner: FileWriter<Counting<W>>,
    schema: Arc<Schema>,
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ProfileError {
    ProfileError::Write(error.into())
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> Result<Self, ProfileError> {
        let text = |name| Field::new(name, DataType::Utf8, false);
        let schema = Arc::new(Schema::new(vec![
            text("feature"),
            text("part"),
            Field::new("data", DataType::LargeBinary, false),
        ]));
        let inner = FileWriter::try_new(Counting { inner: out, written: 0, body: None }, &schema).map_err(failed)?;
        Ok(Self { inner, schema })
    }

    /// Writes the parts of a feature and says where they are.
    pub(super) fn write(&mut self, feature: &str, parts: Vec<(&str, Bytes)>) -> Result<Vec<Slice>, ProfileError> {
        let (kinds, parts): (Vec<&str>, Vec<Bytes>) = parts.into_iter().unzip();
        let lengths: Vec<u64> = parts.iter().map(Bytes::len).collect();
        let total: u64 = lengths.iter().sum();
        let sizes = lengths.iter().map(|&length| usize::try_from(length)).collect::<Result<Vec<_>, _>>();
        let sizes = sizes.map_err(failed)?;
        let zeros = Buffer::from_vec(vec![0_u8; sizes.iter().sum()]);
        let body = Body { at: zeros.as_ptr(), length: zeros.len(), checksums: Vec::new(), parts };
        let names: ArrayRef = Arc::new(StringArray::from_iter_values(kinds.iter().map(|_| feature)));
        let kinds: ArrayRef = Arc::new(StringArray::from_iter_values(kinds));
        let data = LargeBinaryArray::try_new(OffsetBuffer::from_lengths(sizes), zeros, None).map_err(failed)?;
        let columns: Vec<ArrayRef> = vec![names, kinds, Arc::new(data)];
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(failed)?;
        self.inner.get_mut().body = Some(body);
        self.inner.write(&batch).map_err(failed)?;
        let checksums = self.inner.get_mut().body.take().map(|body| body.checksums).unwrap_or_default();
        if checksums.len() != lengths.len() {
            return Err(failed("the container did not take the data as they are"));
        }
        // The data are the last buffer of the batch, padded to 64 bytes.
        let mut offset = self.inner.get_ref().written - total.next_multiple_of(64);
        let slice = |(length, checksum)| {
            let slice = Slice { offset, length, checksum };
            offset += length;
            slice
        };
        Ok(lengths.into_iter().zip(checksums).map(slice).collect())
    }

    pub(super) fn finish(mut self, directory: &[u8]) -> Result<(), ProfileError> {
        let directory = self.write("", vec![("directory", directory.to_vec().into())])?[0];
        let root = serde_json::to_string(&Root { format: FORMAT, directory }).map_err(failed)?;
        self.inner.write_metadata(KEY, root);
        self.inner.finish().map_err(failed)?;
        self.inner.get_mut().flush().map_err(failed)
    }
}

/// An open profile, and how its bytes are read.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) path: PathBuf,
    file: File,
    length: u64,
}

impl Reader {
    /// Opens a file and reads its directory.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<u8>), ProfileError> {
        let io = |source| ProfileError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let reader = Self { path: path.to_owned(), file, length };
        let foreign = || ProfileError::Foreign { path: path.to_owned() };
        if length < 20 || reader.bytes(0, 6)? != MAGIC {
            return Err(foreign());
        }
        let tail = reader.bytes(length - 10, 10)?;
        if &tail[4..] != MAGIC {
            return Err(reader.damaged("it is cut off"));
        }
        let size = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
        let start = (length - 10).checked_sub(size).ok_or_else(|| reader.damaged("its footer"))?;
        let footer = reader.bytes(start, size)?;
        let footer = root_as_footer(&footer).map_err(|_| reader.damaged("its footer"))?;
        let entry = footer.custom_metadata().and_then(|all| all.iter().find(|entry| entry.key() == Some(KEY)));
        let text = entry.and_then(|entry| entry.value()).ok_or_else(foreign)?;
        let version: serde_json::Value = serde_json::from_str(text).map_err(|_| reader.damaged("its footer"))?;
        let found = version["format"].as_u64().and_then(|format| u32::try_from(format).ok());
        let found = found.ok_or_else(|| reader.damaged("its footer"))?;
        if found != FORMAT {
            return Err(ProfileError::Version { path: path.to_owned(), found, known: FORMAT });
        }
        let root: Root = serde_json::from_value(version).map_err(|_| reader.damaged("its footer"))?;
        let directory = reader.slice(&root.directory, "its directory")?;
        Ok((reader, directory))
    }

    pub(super) fn damaged(&self, what: impl Into<String>) -> ProfileError {
        ProfileError::Damaged { path: self.path.clone(), what: what.into() }
    }

    /// The bytes of a slice, checked.
    pub(super) fn slice(&self, slice: &Slice, what: &str) -> Result<Vec<u8>, ProfileError> {
        let bytes = self.bytes(slice.offset, slice.length)?;
        if XxHash3_64::oneshot(&bytes) == slice.checksum { Ok(bytes) } else { Err(self.damaged(what)) }
    }

    /// Checks a slice, however large it is.
    pub(super) fn check(&self, slice: &Slice, what: &str) -> Result<(), ProfileError> {
        const AT_ONCE: u64 = 1 << 20;
        let (mut hash, mut done) = (hasher(), 0);
        while done < slice.length {
            let some = AT_ONCE.min(slice.length - done);
            hash.write(&self.bytes(slice.offset.saturating_add(done), some)?);
            done += some;
        }
        if hash.finish() == slice.checksum { Ok(()) } else { Err(self.damaged(what)) }
    }

    /// Bytes as they lie; a range beyond the file is an error before any memory is taken.
    pub(super) fn bytes(&self, offset: u64, length: u64) -> Result<Vec<u8>, ProfileError> {
        if offset.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(self.damaged("a part lies beyond its end"));
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| self.damaged("a part is too large"))?];
        read_at(&self.file, &mut bytes, offset)
            .map_err(|source| ProfileError::Io { path: self.path.clone(), source })?;
        Ok(bytes)
    }
}
