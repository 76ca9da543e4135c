//! Why a history could not be opened, read or written.

use std::path::PathBuf;

/// An error of the history. The old history is intact in every case: a run is stored in one transaction or not at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The file is there and is something else.
    #[error("{} is not a history of gpudrift; name another file with --history PATH", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later version of gpudrift has written the file.
    #[error(
        "{} was written by a newer gpudrift (layout {found}, this one knows {known}); update gpudrift, or name another \
         file with --history PATH",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: u32,
        /// The last layout that this program knows.
        known: u32,
    },
    /// Another run holds the file, and has for longer than we wait.
    #[error("{} is in use by another run; try again when that has finished", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// No room is left.
    #[error(
        "no space is left for {}: nothing was stored and what it held is intact; make room (gpudrift history prune \
         --keep-days N) and run again",
        path.display()
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Any other error of SQLite.
    #[error("cannot {doing} {}", path.display())]
    Sqlite {
        /// `read`, `write`, `open`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A file or folder of the history could not be read or written.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// `read`, `write`, `open`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A Parquet file of the history could not be read or written.
    #[error("cannot {doing} {}", path.display())]
    Parquet {
        /// `read`, `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// What is stored does not read back.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not read back.
        what: String,
    },
    /// There is no history at this path yet.
    #[error("there is no history at {}; a scan with --history PATH, or with [history] in gpudrift.toml, begins one", path.display())]
    Missing {
        /// The file or folder.
        path: PathBuf,
    },
    /// No run, or several, answer to what was asked for.
    #[error("{asked:?} {problem}; `gpudrift history runs` lists them")]
    NoSuchRun {
        /// What was asked for.
        asked: String,
        /// `names no run`, `names 3 runs: …`.
        problem: String,
    },
}

impl HistoryError {
    /// Sorts an error of SQLite by what a caller can do about it.
    /// Whether what was named is no history that this version can use, rather than that something failed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Foreign { .. } | Self::Newer { .. })
    }

    pub(crate) fn sqlite(doing: &'static str, path: &std::path::Path, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, NotADatabase, SystemIoFailure};
        let path = path.to_owned();
        // SQLite reports a limit on the size of files as a failed write, or a failed growth of its shared memory.
        let no_room = [rusqlite::ffi::SQLITE_IOERR_WRITE, rusqlite::ffi::SQLITE_IOERR_SHMSIZE];
        match source.sqlite_error_code() {
            Some(DiskFull) => Self::Full { path },
            Some(SystemIoFailure)
                if source.sqlite_error().is_some_and(|error| no_room.contains(&error.extended_code)) =>
            {
                Self::Full { path }
            }
            Some(DatabaseBusy | DatabaseLocked) => Self::Busy { path },
            Some(NotADatabase) => Self::Foreign { path },
            _ => Self::Sqlite { doing, path, source },
        }
    }
}
