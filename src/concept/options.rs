//! What can be asked for: the same keys as flags of `gpudrift concept scan` and in the table `[concept]` of a file.
//!
//! ```toml
//! [concept]
//! input = ["log/2026-*.parquet"]          # relative to the folder of the file
//! value = "loss"
//! stream_by = ["model", "segment"]
//! order_by = "timestamp"
//! detector = ["adwin", "ddm:drift_threshold=3.5"]
//! state = "concept.state"
//! ```

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::error::ConceptError;
use super::rows::{Loss, ValueSource};
use super::scan::ConceptConfig;
use super::spec::specs;
use crate::config::{FailOn, FileConfig};

/// Everything optional: flags, a file, and what both say together.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct ConceptOptions {
    /// Parquet files, folders or globs
    #[arg(long, short, value_name = "PATH", num_args = 1..)]
    pub input: Option<Vec<String>>,
    /// Column of the values to watch
    #[arg(long, value_name = "COLUMN", conflicts_with_all = ["prediction", "label", "loss"])]
    pub value: Option<String>,
    /// Column of predictions, compared with --label
    #[arg(long, value_name = "COLUMN")]
    pub prediction: Option<String>,
    /// Column of labels
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// How prediction and label are compared [default: zero-one]
    #[arg(long, value_enum, value_name = "LOSS")]
    pub loss: Option<Loss>,
    /// Columns whose values tell streams apart
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub stream_by: Option<Vec<String>>,
    /// Column of the time; rows go in its order instead of that of the files
    #[arg(long, value_name = "COLUMN")]
    pub order_by: Option<String>,
    /// Detectors, with parameters where the defaults do not fit: adwin,ddm:warm_start=50; or all [default: adwin]
    #[arg(long, short, value_name = "NAME[:PARAMETER=VALUE],...")]
    pub detector: Option<Vec<String>>,
    /// Continue from this file, and write it; files that it has seen are not read again
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// End with exit code 1 from this level on [default: never]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<FailOn>,
}

impl ConceptOptions {
    /// These, and where they are silent, the table `[concept]` of the file that applies: the one named, or [`DEFAULT_FILE`](crate::config::DEFAULT_FILE) in this
    /// folder when no input is named.
    ///
    /// # Errors
    /// When a named file cannot be read or has no such table, or the table has keys that nobody knows.
    pub fn with_file(self, named: Option<&Path>) -> Result<Self, ConceptError> {
        if named.is_none() && self.input.is_some() {
            return Ok(self);
        }
        let file = FileConfig::named_or_default(named).map_err(|error| ConceptError::Config(Box::new(error)))?;
        let Some(file) = file else { return Ok(self) };
        let path = file.path();
        match file.sections.concept {
            Some(table) => Ok(self.or(table.beside(path.parent().unwrap_or(Path::new(""))))),
            None if named.is_none() => Ok(self),
            None => Err(ConceptError::NoTable { file: path }),
        }
    }

    /// These, and those of `file` where these are silent. A value that was named here replaces every other way to name one.
    fn or(self, file: Self) -> Self {
        let names_value = self.value.is_some() || self.prediction.is_some() || self.label.is_some();
        let of_file = |column: Option<String>| column.filter(|_| !names_value);
        Self {
            input: self.input.or(file.input),
            value: self.value.or(of_file(file.value)),
            prediction: self.prediction.or(of_file(file.prediction)),
            label: self.label.or(of_file(file.label)),
            loss: self.loss.or(file.loss),
            stream_by: self.stream_by.or(file.stream_by),
            order_by: self.order_by.or(file.order_by),
            detector: self.detector.or(file.detector),
            state: self.state.or(file.state),
            fail_on: self.fail_on.or(file.fail_on),
        }
    }

    /// Paths as seen from here, when they were written as seen from `folder`.
    fn beside(self, folder: &Path) -> Self {
        let input =
            self.input.map(|paths| paths.into_iter().map(|path| folder.join(path).display().to_string()).collect());
        Self { input, state: self.state.map(|state| folder.join(state)), ..self }
    }

    /// Whether its detectors are ones that there are.
    ///
    /// # Errors
    /// When one is not.
    pub(crate) fn check(&self) -> Result<(), ConceptError> {
        self.detector.as_deref().map(specs).transpose()?;
        Ok(())
    }

    /// What they amount to, checked.
    ///
    /// # Errors
    /// When there is no input or no value, or a detector is wrong.
    pub fn resolve(self) -> Result<ConceptConfig, ConceptError> {
        let input = self.input.filter(|paths| !paths.is_empty()).ok_or(ConceptError::NoInput)?;
        let value = match (self.value, self.prediction, self.label) {
            (Some(column), None, None) => ValueSource::Column(column),
            (None, Some(prediction), Some(label)) => {
                ValueSource::Pair { prediction, label, loss: self.loss.unwrap_or_default() }
            }
            _ => return Err(ConceptError::NoValue),
        };
        Ok(ConceptConfig {
            input,
            value,
            stream_by: self.stream_by.unwrap_or_default(),
            order_by: self.order_by,
            specs: specs(&self.detector.unwrap_or_else(|| vec!["adwin".to_owned()]))?,
            state: self.state,
        })
    }
}
