//! `[reference]` and `[current]`: where the two sides lie.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use super::sections::{Section, beside};

super::optional::optional! {
/// One side of the comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SideConfig {
    /// Files, folders, globs, relative to the folder of the configuration file.
    pub paths: Option<Vec<String>>,
}
}

impl Section for SideConfig {
    fn over(self, shared: Self) -> Self {
        self.or(shared)
    }

    fn relative_to(&mut self, folder: &Path) {
        self.paths.iter_mut().flatten().for_each(|path| *path = beside(folder, path));
    }
}
