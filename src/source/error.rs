//! What can go wrong between a path and a value, each with its place and its remedy.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a side of the comparison could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No path was given.
    #[error("no path was given; name a Parquet file, a folder or a glob")]
    NoPath,
    /// Nothing is at the path.
    #[error("{path}: no such file or folder{}", nearest(.parent.as_deref()))]
    Missing {
        /// The path as it was given.
        path: String,
        /// The nearest folder above it that exists.
        parent: Option<PathBuf>,
    },
    /// A glob that is no pattern.
    #[error("{pattern}: not a valid glob ({reason}); quote the path, and write [*] for a star in a name")]
    BadGlob {
        /// The pattern as it was given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A folder, or a glob, under which there is no Parquet file.
    #[error(
        "{path}: no Parquet file found; looked for {wanted} (names that begin with _ or . are left out){}",
        nearest(.parent.as_deref())
    )]
    Empty {
        /// The path as it was given.
        path: String,
        /// What was looked for.
        wanted: String,
        /// The nearest folder above it that exists, for a glob.
        parent: Option<PathBuf>,
    },
    /// A folder that could not be listed.
    #[error("{path}: cannot list the folder: {source}")]
    List {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that could not be opened as Parquet.
    #[error("{path}: {reason}; repair or remove the file, or leave such files out with --skip-bad-files", path = .path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// With `--skip-bad-files`: no file is left.
    #[error("none of the {files} files could be opened; the first was {path}: {reason}", path = .path.display())]
    AllBad {
        /// How many files there were.
        files: usize,
        /// The first of them.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

fn nearest(parent: Option<&Path>) -> String {
    parent.map_or_else(String::new, |parent| format!("; the nearest folder that exists is {}", parent.display()))
}

/// The place of a value: file, column and row group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Path of the file.
    pub file: PathBuf,
    /// Name of the column.
    pub column: String,
    /// Index of the row group in the file, from 0.
    pub row_group: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column `{}` of {}, row group {}", self.column, self.file.display(), self.row_group)
    }
}

/// Why a column could not be read. Other columns are not affected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system could not read the bytes.
    #[error("{place}: cannot read: {source}")]
    Io {
        /// Where.
        place: Place,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are not what the format says they must be.
    #[error("{place}: corrupt data: {reason}; write the file again, or leave the column out with --exclude {column}", column = .place.column)]
    Corrupt {
        /// Where.
        place: Place,
        /// What is wrong.
        reason: String,
    },
    /// Something of the format that is not supported here.
    #[error("{place}: {reason}; write the file without it, or leave the column out with --exclude {column}", column = .place.column)]
    Unsupported {
        /// Where.
        place: Place,
        /// What is not supported.
        reason: String,
    },
    /// A value that cannot be compared exactly.
    #[error("{place}: {reason}; cast the column, or leave it out with --exclude {column}", column = .place.column)]
    Value {
        /// Where.
        place: Place,
        /// The value, and what it does not fit.
        reason: String,
    },
    /// The categories take more memory than they may. Read again with more partitions.
    #[error(
        "{place}: the distinct values take more than {limit} bytes; allow more with --memory-limit, or bound them with --max-categories"
    )]
    TooManyCategories {
        /// Where the limit was reached.
        place: Place,
        /// The limit in bytes.
        limit: usize,
    },
}

/// A [`ReadError`] before its place is known.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The system could not read the bytes.
    Io(std::io::Error),
    /// The bytes are not what the format says they must be.
    Corrupt(String),
    /// Something of the format that is not supported here.
    Unsupported(String),
    /// A value that cannot be compared exactly.
    Value(String),
    /// The categories take more memory than this.
    TooManyCategories(usize),
}

impl Fault {
    /// A fault of the format, in words.
    pub(crate) fn corrupt(reason: impl Into<String>) -> Self {
        Self::Corrupt(reason.into())
    }

    /// The fault with its place.
    pub(crate) fn at(self, place: Place) -> ReadError {
        match self {
            Self::Io(source) => ReadError::Io { place, source },
            Self::Corrupt(reason) => ReadError::Corrupt { place, reason },
            Self::Unsupported(reason) => ReadError::Unsupported { place, reason },
            Self::Value(reason) => ReadError::Value { place, reason },
            Self::TooManyCategories(limit) => ReadError::TooManyCategories { place, limit },
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<parquet::errors::ParquetError> for Fault {
    fn from(error: parquet::errors::ParquetError) -> Self {
        use parquet::errors::ParquetError;
        match error {
            ParquetError::NYI(reason) => Self::Unsupported(reason),
            ParquetError::General(reason) | ParquetError::EOF(reason) | ParquetError::ArrowError(reason) => {
                Self::Corrupt(reason)
            }
            other => Self::Corrupt(other.to_string()),
        }
    }
}

/// The crate's page reader trait wants its own error type; [`From`] brings it back.
impl From<Fault> for parquet::errors::ParquetError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unsupported(reason) => Self::NYI(reason),
            Fault::Corrupt(reason) | Fault::Value(reason) => Self::General(reason),
            Fault::Io(error) => Self::General(format!("cannot read: {error}")),
            Fault::TooManyCategories(limit) => Self::General(format!("more than {limit} bytes")),
        }
    }
}
