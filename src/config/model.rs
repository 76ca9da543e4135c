//! `[model.NAME]`: the models that `gpudrift model scan` looks at.

use indexmap::IndexMap;

use super::checks::Checks;
use super::sections::Section;
use crate::model::ModelOptions;

/// Paths stay as they are written: [`ModelOptions::models`] reads the tables for its command.
impl Section for IndexMap<String, ModelOptions> {
    fn over(self, mut shared: Self) -> Self {
        shared.extend(self);
        shared
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
