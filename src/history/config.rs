//! The `[history]` section of `gpudrift.toml`.
//!
//! ```toml
//! [history]
//! path = "gpudrift.db"    # relative to the folder of this file
//! format = "sqlite"       # or "parquet": a folder with a file a run
//! keep_days = 400         # runs so much older than the latest are removed when one is stored
//! ```

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// `[history]`: where runs are kept, and how long. Nothing is kept unless there is a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryConfig {
    /// The SQLite file, or the folder of the Parquet dataset.
    pub path: Option<PathBuf>,
    /// How runs are kept; default `sqlite`.
    pub format: Option<HistoryFormat>,
    /// Runs about a time more days than this before the latest are removed when one is stored; default: none are.
    pub keep_days: Option<u32>,
}

impl HistoryConfig {
    /// Puts the folder of the configuration file in front of a relative path.
    pub(crate) fn relative_to(&mut self, folder: &Path) {
        self.path = self.path.take().map(|path| folder.join(path));
    }

    /// The history that is configured, if one is; at `flag` where that is given.
    #[must_use]
    pub fn place(&self, flag: Option<PathBuf>) -> Option<HistoryPlace> {
        let place = match (flag, &self.path) {
            (Some(path), _) => HistoryPlace::at(path),
            (None, Some(path)) => match self.format {
                Some(format) => HistoryPlace { path: path.clone(), format, keep_days: None },
                None => HistoryPlace { format: HistoryFormat::Sqlite, ..HistoryPlace::at(path.clone()) },
            },
            (None, None) => return None,
        };
        Some(HistoryPlace { keep_days: self.keep_days, ..place })
    }
}

/// A history: where it is, how it is kept, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryPlace {
    /// The SQLite file, or the folder of the Parquet dataset.
    pub path: PathBuf,
    /// How runs are kept.
    pub format: HistoryFormat,
    /// Days before the latest run that are kept; all when `None`.
    pub keep_days: Option<u32>,
}

impl HistoryPlace {
    /// A history at `path`: a folder (or a name that ends in `/`) is a Parquet dataset, anything else a SQLite file.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        let folder = path.is_dir() || path.as_os_str().to_string_lossy().ends_with(std::path::MAIN_SEPARATOR);
        let format = if folder { HistoryFormat::Parquet } else { HistoryFormat::Sqlite };
        Self { path, format, keep_days: None }
    }
}

/// How runs are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HistoryFormat {
    /// One SQLite file.
    #[default]
    Sqlite,
    /// A folder with one Parquet file a run, for tools that read such folders.
    Parquet,
}
