//! Mistakes in what was asked for.

use std::fmt::Display;
use std::path::PathBuf;

use super::DEFAULT_FILE;
use super::document::Problem;

/// A mistake in what was asked for, found before any work starts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A side has no path.
    #[error(
        "no {0} data is named, and there is no {DEFAULT_FILE} in this folder\n\n  \
         type: gpudrift scan --reference PATH --current PATH --features all\n  \
         or write a {DEFAULT_FILE} with `[reference] paths = [...]` and `[current] paths = [...]`"
    )]
    NoPaths(&'static str),
    /// The file was read and a side has no path.
    #[error("{file} names no {side} data: add `[{side}] paths = [\"...\"]` to it, or type --{side} PATH")]
    NoPathsInFile {
        /// The file.
        file: PathBuf,
        /// `reference` or `current`.
        side: &'static str,
    },
    /// The configuration file could not be read.
    #[error("cannot read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration file says something that gpudrift does not understand.
    #[error("{}", joined(.0, "\n\n"))]
    Problems(Vec<Problem>),
    /// Rules, or tables of features, that match no feature of the data: where each stands, and what it is.
    #[error("{}", joined(&.0.iter().map(|(origin, message)| format!("{origin}: {message}")).collect::<Vec<_>>(), "\n"))]
    Idle(Vec<(String, String)>),
    /// Two rules that both match a feature, and cannot both hold.
    #[error("feature {feature}: {message}")]
    Conflict {
        /// The feature.
        feature: String,
        /// The two, and what is wrong with them together.
        message: String,
    },
    /// The file has jobs, and none was asked for.
    #[error("{file} has jobs: name one with --job ({known}), or take --job all")]
    JobWanted {
        /// The file.
        file: String,
        /// Its jobs.
        known: String,
    },
    /// There is no such job.
    #[error("{file} has no job {job}; its jobs: {known}{hint}")]
    UnknownJob {
        /// The file.
        file: String,
        /// What was asked for.
        job: String,
        /// The jobs there are.
        known: String,
        /// What may have been meant.
        hint: String,
    },
    /// A job was asked for, and there is no file that could have it.
    #[error("--job {0} needs a configuration file: name it with --config, or leave out --reference and --current")]
    NoFile(String),
    /// A feature repository that cannot be read.
    #[error(transparent)]
    Feast(#[from] crate::source::feast::FeastError),
    /// A window of time that cannot be meant.
    #[error(transparent)]
    Window(crate::window::WindowError),
    /// A value is out of its range.
    #[error("{key} is {value}, but {expected}")]
    Value {
        /// The flag or key, with underscores.
        key: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: String,
    },
}

fn joined(parts: &[impl Display], between: &str) -> String {
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}
