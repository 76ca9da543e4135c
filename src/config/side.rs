//! `[reference]` and `[current]`: where the two sides lie.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::checks::Checks;
use super::sections::{Section, beside};

super::optional::optional! {
/// The current side.
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

super::optional::optional! {
/// The reference: its data, or the profile that stands for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReferenceConfig {
    /// Files, folders, globs, relative to the folder of the configuration file.
    pub paths: Option<Vec<String>>,
    /// A file that `gpudrift profile build` wrote, relative to the folder of the configuration file.
    pub profile: Option<PathBuf>,
}
}

impl Section for ReferenceConfig {
    /// The data of a job replaces a shared profile, and its profile the shared data.
    fn over(self, shared: Self) -> Self {
        if self == Self::default() { shared } else { self }
    }

    fn relative_to(&mut self, folder: &Path) {
        self.paths.iter_mut().flatten().for_each(|path| *path = beside(folder, path));
        self.profile = self.profile.take().map(|profile| folder.join(profile));
    }

    fn check(&self, checks: &mut Checks) {
        if let (Some(profile), Some(paths)) = (&self.profile, &self.paths)
            && !paths.is_empty()
        {
            let profile = profile.display();
            checks
                .wrong("profile", format!("profile is {profile}, but [reference] has paths, too: keep one of the two"));
        }
    }
}
