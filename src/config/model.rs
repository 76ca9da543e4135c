//! `[model.NAME]`: the models that `gpudrift model scan` looks at.

use std::path::Path;

use indexmap::IndexMap;

use super::checks::Checks;
use super::sections::Section;
use crate::model::ModelOptions;

/// Other paths stay as they are written: [`ModelOptions::models`] reads the tables for its command.
impl Section for IndexMap<String, ModelOptions> {
    fn over(self, mut shared: Self) -> Self {
        shared.extend(self);
        shared
    }

    /// Importances are read by `gpudrift scan`, which finds paths here.
    fn relative_to(&mut self, folder: &Path) {
        for importances in self.values_mut().filter_map(|model| model.importances.as_mut()) {
            importances.relative_to(folder);
        }
    }

    fn check(&self, checks: &mut Checks) {
        for (name, model) in self {
            // What a flag may still add is no mistake of the file.
            if model.input.is_some()
                && let Err(error) = model.clone().resolve(name)
            {
                checks.wrong(name, error.to_string());
            }
        }
    }
}
