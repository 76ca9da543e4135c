//! Why pages could not be made.

use std::path::PathBuf;

use crate::history::HistoryError;

/// An error of the dashboard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DashboardError {
    /// The history could not be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// There is nothing to show.
    #[error("{} has no runs{of}, and no models; store one with gpudrift scan --history {}", path.display(), path.display())]
    NoRuns {
        /// The history.
        path: PathBuf,
        /// ` of job "x"`, where one was asked for.
        of: String,
    },
    /// The folder has a page of somebody else.
    #[error("{} was not written by gpudrift and is not overwritten; name another folder with --output DIR", path.display())]
    Foreign {
        /// The page.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
