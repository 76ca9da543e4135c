//! Why models could not be looked at.

use std::path::PathBuf;

use crate::config::ConfigError;
use crate::source::{ReadError, SourceError};

/// Why models could not be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No input is named.
    #[error(
        "no prediction log is named; type --input PATH, or write a table [model.NAME] with `input = [...]` in gpudrift.toml"
    )]
    NoInput,
    /// A model has no input.
    #[error("model {model} has no log: write `input = [...]` under [model.{model}], or type --input PATH")]
    NoLog {
        /// The model.
        model: String,
    },
    /// A configuration file could not be read, or says something that is not understood.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// A configuration file has no models.
    #[error("{file} has no table [model.NAME]", file = .file.display())]
    NoTable {
        /// The file.
        file: PathBuf,
    },
    /// There is no such model.
    #[error("{file} has no model {name}; its models: {known}", file = .file.display())]
    UnknownModel {
        /// The file.
        file: PathBuf,
        /// What was asked for.
        name: String,
        /// The models there are.
        known: String,
    },
    /// Something that must be named is not.
    #[error("model {model}: {what}")]
    Missing {
        /// The model.
        model: String,
        /// What, and how to name it.
        what: &'static str,
    },
    /// A value cannot be meant.
    #[error("{key} is {value}, but {expected}")]
    Value {
        /// The flag or key, with underscores.
        key: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// The files could not be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A column does not exist.
    #[error("{key}: no column of the {data} is called `{name}`{hint}")]
    UnknownColumn {
        /// The key that names it.
        key: &'static str,
        /// Log, labels or reference.
        data: &'static str,
        /// What was typed.
        name: String,
        /// What may have been meant.
        hint: String,
    },
    /// A column cannot be used for this.
    #[error("{key}: column `{name}` of the {data} {reason}")]
    UnfitColumn {
        /// The key that names it.
        key: &'static str,
        /// Log, labels or reference.
        data: &'static str,
        /// The column.
        name: String,
        /// Why.
        reason: String,
    },
    /// Rows could not be read.
    #[error(transparent)]
    Read(Box<ReadError>),
    /// Counts that outgrew memory could not be kept on disk.
    #[error("cannot keep counts in a temporary file: {0}")]
    Spill(#[from] std::io::Error),
    /// A device failed, and nothing could take its place.
    #[error("scores could not be sorted; leave out --backend: {0}")]
    Device(#[from] crate::backend::DeviceError),
    /// Importances of features could not be read.
    #[error(transparent)]
    Importances(crate::source::WeightsError),
    /// The training data of a challenger could not be compared with the current features.
    #[error("`training` and `current` could not be compared")]
    Training(#[source] Box<crate::scan::ScanError>),
    /// They have no feature in common.
    #[error("`training` and `current` have no feature in common; name them with `features`")]
    NoFeatures,
    /// A policy cannot be used.
    #[error("{file}: {reason}", file = .file.display())]
    Policy {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
}

impl ModelError {
    /// Whether the mistake is in what was asked for.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Training(_) | Self::Source(_) | Self::Read(_) | Self::Spill(_) | Self::Device(_))
    }
}
