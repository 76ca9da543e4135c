//! `[source]`: the data of both sides, which windows of time tell apart.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::checks::Checks;
use super::sections::{Section, beside};

/// One data set for both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SourceConfig {
    /// Files, folders, globs, relative to the folder of the configuration file.
    pub paths: Option<Vec<String>>,
    /// A feature repository of Feast, relative to the folder of the configuration file: its folder, or the JSON of its
    /// registry. Files, features, timestamps and entities come from there; each feature view is a scan of its own.
    pub feast: Option<PathBuf>,
}

impl SourceConfig {
    /// Whether it names data.
    pub(super) fn is_given(&self) -> bool {
        self.paths.is_some() || self.feast.is_some()
    }
}

impl Section for SourceConfig {
    /// The paths of a job replace a shared repository, and its repository shared paths.
    fn over(self, shared: Self) -> Self {
        if self.is_given() { self } else { shared }
    }

    fn relative_to(&mut self, folder: &Path) {
        self.paths.iter_mut().flatten().for_each(|path| *path = beside(folder, path));
        self.feast = self.feast.take().map(|feast| folder.join(feast));
    }

    fn check(&self, checks: &mut Checks) {
        if self.paths.is_some() && self.feast.is_some() {
            checks.wrong("feast", "[source] has paths, too: keep one of the two");
        }
    }
}
