//! What can go wrong while a store is generated.

use std::path::PathBuf;

/// Why a store could not be generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// A share that is no share.
    #[error("{what} is {value}; it is a share and lies between 0 and 1")]
    Share {
        /// Which number.
        what: &'static str,
        /// What it was.
        value: f64,
    },
    /// Shares of special values that leave less than nothing for the ordinary ones.
    #[error("feature `{feature}`: the shares of nulls, NaN and other special values add up to {sum}, more than 1")]
    SpecialShares {
        /// The feature.
        feature: String,
        /// Their sum.
        sum: f64,
    },
    /// A size that no drift has.
    #[error("the size of the drifts is {value}; it lies above 0 and is at most 10")]
    Size {
        /// What it was.
        value: f64,
    },
    /// A number that must be at least one.
    #[error("{what} is 0; at least 1 is needed")]
    Zero {
        /// Which number.
        what: &'static str,
    },
    /// A name that is in none of the lists.
    #[error("unknown {what} `{name}`; known are: {known}")]
    Unknown {
        /// What the name should be: type, drift kind, codec.
        what: &'static str,
        /// The name.
        name: String,
        /// All known names.
        known: String,
    },
    /// More drifted features were asked for than types and drift kinds allow.
    #[error(
        "{wanted} drifted features were asked for, but only {possible} have a type that can drift by {kinds}; \
         add types or drift kinds, or lower the share"
    )]
    TooFewCanDrift {
        /// Features that should drift.
        wanted: usize,
        /// Features that can.
        possible: usize,
        /// The kinds asked for.
        kinds: String,
    },
    /// A feature whose type cannot hold its distribution or take its drift.
    #[error("feature `{feature}`: {problem}")]
    Feature {
        /// The feature.
        feature: String,
        /// What does not fit.
        problem: String,
    },
    /// The output folder has something in it.
    #[error(
        "{} is not empty; name another folder, or pass --force to replace reference/, current/ and truth.json in it",
        .path.display()
    )]
    OutputNotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The file system said no.
    #[error("could not {verb} {}", .path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The Parquet writer said no.
    #[error("could not write {}", .path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: parquet::errors::ParquetError,
    },
}

impl GenerateError {
    /// Whether the caller asked for something impossible (exit code 2), rather than something failing (3).
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Io { .. } | Self::Parquet { .. })
    }
}
