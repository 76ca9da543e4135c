//! Why a concept scan could not be done.

use std::path::PathBuf;

use super::state::StateFileError;
use super::{SpecError, StateError};
use crate::config::ConfigError;
use crate::source::{ReadError, SourceError};

/// Why a concept scan could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConceptError {
    /// A detector that was asked for is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// No detector is named.
    #[error("no detector is named; type --detector adwin, or `gpudrift concept list` to see all of them")]
    NoDetector,
    /// No input is named.
    #[error("no input is named; type --input PATH, or write `input = [...]` under [concept] in gpudrift.toml")]
    NoInput,
    /// A configuration file could not be read, or says something that is not understood.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// A configuration file has no table for this.
    #[error("{file} has no table [concept]", file = .file.display())]
    NoTable {
        /// The file.
        file: PathBuf,
    },
    /// No value is named, or two.
    #[error("name what to watch: --value COLUMN, or both --prediction COLUMN and --label COLUMN")]
    NoValue,
    /// The files could not be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A column does not exist.
    #[error("{flag}: no column is called `{name}`{hint}")]
    UnknownColumn {
        /// The flag that names it.
        flag: &'static str,
        /// What was typed.
        name: String,
        /// What may have been meant.
        hint: String,
    },
    /// A column cannot be used for this.
    #[error("{flag}: column `{name}` {reason}")]
    UnfitColumn {
        /// The flag that names it.
        flag: &'static str,
        /// The column.
        name: String,
        /// Why.
        reason: String,
    },
    /// Rows could not be read. Nothing was written.
    #[error(transparent)]
    Read(Box<ReadError>),
    /// The state file cannot be used.
    #[error(transparent)]
    StateFile(#[from] StateFileError),
    /// A state in the file is none of its detector.
    #[error("the state file is damaged")]
    State(#[from] StateError),
}

impl ConceptError {
    /// Whether the mistake is in what was asked for.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Spec(_)
                | Self::NoDetector
                | Self::NoInput
                | Self::NoValue
                | Self::Config(_)
                | Self::NoTable { .. }
                | Self::UnknownColumn { .. }
                | Self::UnfitColumn { .. }
        ) || matches!(self, Self::StateFile(StateFileError::Other { .. }))
    }
}
