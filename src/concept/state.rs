//! All streams between two runs, in one file: what `gpudrift concept scan --state` continues from.
//!
//! ```text
//!     "gpudrift concept state\n"  version u32  checksum u64 (XXH64 of the rest)  postcard of Saved
//! ```
//!
//! Numbers keep every bit. The file is written beside its place and renamed, so that a run that is cut off leaves the old
//! one. It says with which detectors and columns it was made; a scan that asks for others is refused.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::stream::SavedStream;

const MAGIC: &[u8] = b"gpudrift concept state\n";
const VERSION: u32 = 1;

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateFileError {
    /// The system could not read or write it.
    #[error("state file {file}: {source}", file = .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else, or was damaged.
    #[error("{file} is no state of this gpudrift: {reason}; name another --state, or remove it to begin anew", file = .file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It was made with other detectors or columns.
    #[error("{file} was made with {what} {saved}, not {asked}; name another --state, or remove it to begin anew", file = .file.display())]
    Other {
        /// The file.
        file: PathBuf,
        /// What differs.
        what: &'static str,
        /// As it was.
        saved: String,
        /// As it is asked for.
        asked: String,
    },
}

/// What the streams of a state are: equal for every run that continues it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The detectors with those settings that are not the default.
    pub(super) detectors: String,
    /// What a value is.
    pub(super) value: String,
    /// The columns that tell streams apart.
    pub(super) stream_by: String,
    /// The column of the time, with its type.
    pub(super) order_by: String,
}

/// A file whose rows are in the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeenFile {
    pub(super) path: String,
    pub(super) bytes: u64,
    /// Time of its last change, in nanoseconds since 1970.
    pub(super) modified: i128,
}

/// What a state file holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Saved {
    pub(super) identity: Identity,
    pub(super) files: Vec<SeenFile>,
    pub(super) streams: Vec<SavedStream>,
}

impl Saved {
    /// The state at `path`; none where there is no file.
    pub(super) fn read(path: &Path, identity: &Identity) -> Result<Option<Self>, StateFileError> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| StateFileError::Io { file: path.to_owned(), source })?,
        };
        let saved = decode(&bytes)
            .map_err(|reason| StateFileError::Wrong { file: path.to_owned(), reason: reason.to_owned() })?;
        let of = &saved.identity;
        for (what, saved, asked) in [
            ("--detector", &of.detectors, &identity.detectors),
            ("the value", &of.value, &identity.value),
            ("--stream-by", &of.stream_by, &identity.stream_by),
            ("--order-by", &of.order_by, &identity.order_by),
        ] {
            if saved != asked {
                let quoted = |text: &str| if text.is_empty() { "nothing".to_owned() } else { format!("`{text}`") };
                let (saved, asked) = (quoted(saved), quoted(asked));
                return Err(StateFileError::Other { file: path.to_owned(), what, saved, asked });
            }
        }
        Ok(Some(saved))
    }

    /// Writes the file, all or nothing.
    pub(super) fn write(&self, path: &Path) -> Result<(), StateFileError> {
        write(path, &encode(self)).map_err(|source| StateFileError::Io { file: path.to_owned(), source })
    }
}

fn encode(saved: &Saved) -> Vec<u8> {
    let body = super::pack(saved);
    let checksum = XxHash64::oneshot(0, &body);
    [MAGIC, &VERSION.to_le_bytes(), &checksum.to_le_bytes(), &body].concat()
}

fn decode(bytes: &[u8]) -> Result<Saved, &'static str> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it begins differently")?;
    let (version, rest) = rest.split_first_chunk().ok_or("it is cut off")?;
    if u32::from_le_bytes(*version) != VERSION {
        return Err("it is of another version");
    }
    let (checksum, body) = rest.split_first_chunk().ok_or("it is cut off")?;
    if u64::from_le_bytes(*checksum) != XxHash64::oneshot(0, body) {
        return Err("its checksum does not match: it is cut off or damaged");
    }
    postcard::from_bytes(body).map_err(|_| "its contents do not fit together")
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".gpudrift-").suffix(".tmp").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    // Not every file system can say that a folder is durable.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_refused_wherever_the_damage_is() {
        let identity = Identity { detectors: "adwin".into(), ..Identity::default() };
        let file = SeenFile { path: "a.parquet".into(), bytes: 12, modified: 5 };
        let saved = Saved { identity, files: vec![file], streams: Vec::new() };
        let bytes = encode(&saved);
        assert_eq!(decode(&bytes), Ok(saved));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(decode(&damaged).is_err(), "byte {at}");
            assert!(decode(&bytes[..at]).is_err(), "cut at {at}");
        }
    }
}
