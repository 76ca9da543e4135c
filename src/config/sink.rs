//! `[[sink]]`: what a run writes, in which formats.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::checks::Checks;
use super::sections::{Section, beside};
use crate::report::SINKS;

/// One format of the report, and where it goes. A run may write several.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkConfig {
    /// The format, as of `--format`.
    #[schemars(schema_with = "formats")]
    pub format: String,
    /// The file, relative to the folder of the configuration file; standard output without it, or with `-`. `{job}`
    /// stands for the name of the job, `{date}` for the day of `--as-of`, or today (UTC).
    #[serde(default)]
    pub output: Option<PathBuf>,
    /// Show the N most severe features only, in the formats for people.
    #[serde(default)]
    pub top: Option<usize>,
    /// Show every feature, in the formats for people.
    #[serde(default)]
    pub all: Option<bool>,
}

impl SinkConfig {
    /// A format on standard output.
    #[must_use]
    pub fn new(format: &str) -> Self {
        Self { format: format.to_owned(), output: None, top: None, all: None }
    }

    /// Whether the report goes to standard output.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        self.output.as_deref().is_none_or(|output| output == Path::new("-"))
    }
}

impl Section for Vec<SinkConfig> {
    /// The sinks of a job replace the shared ones.
    fn over(self, shared: Self) -> Self {
        if self.is_empty() { shared } else { self }
    }

    fn relative_to(&mut self, folder: &Path) {
        for output in self.iter_mut().filter(|sink| !sink.is_stdout()).filter_map(|sink| sink.output.as_mut()) {
            *output = PathBuf::from(beside(folder, &output.to_string_lossy()));
        }
    }

    fn check(&self, checks: &mut Checks) {
        for (index, sink) in self.iter().enumerate() {
            checks.within(index, |checks| {
                if let Err(expected) = format(&sink.format) {
                    checks.wrong("format", format!("format is {}, but {expected}", sink.format));
                }
            });
            if sink.is_stdout() && self[..index].iter().any(SinkConfig::is_stdout) {
                checks.within(index, |checks| {
                    let message = "a second sink without an output: one report can go to standard output; \
                                   give the others an output";
                    checks.wrong("format", message);
                });
            }
        }
    }
}

/// Whether there is a sink of this name; the others, when there is not.
pub(super) fn format(name: &str) -> Result<(), String> {
    if crate::report::sink(name).is_some() {
        return Ok(());
    }
    let all: Vec<_> = SINKS.iter().map(|sink| sink.name()).collect();
    let hint = super::select::did_you_mean(name, all.iter().copied());
    Err(format!("the formats are {}{hint}", all.join(", ")))
}

fn formats(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let names: Vec<_> = SINKS.iter().map(|sink| sink.name()).collect();
    schemars::json_schema!({ "type": "string", "enum": names })
}
