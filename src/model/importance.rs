//! Which features a model uses, and how much each matters to it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::error::ModelError;
use super::options::ModelOptions;
use crate::report::{ModelImpact, Report};
use crate::source::read_weights;

/// Importance of features to a model.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a table of features with numbers, or the path of a .csv, .json or .parquet file"
)]
pub enum Importances {
    /// By name; features that it does not name have none.
    Numbers(IndexMap<String, f64>),
    /// A file that names each with its number.
    File(PathBuf),
}

impl Importances {
    /// The path as seen from here, when it was written as seen from `folder`.
    pub(crate) fn relative_to(&mut self, folder: &Path) {
        if let Self::File(path) = self {
            *path = folder.join(&*path);
        }
    }

    /// Finds numbers that cannot be meant.
    pub(super) fn check(&self, features: Option<&[String]>) -> Result<(), ModelError> {
        let Self::Numbers(numbers) = self else { return Ok(()) };
        if let Some((name, number)) = numbers.iter().find(|(_, number)| !(0.0..=f64::MAX).contains(*number)) {
            let expected = format!("the importance of {name} must be a number from 0");
            return Err(ModelError::Value { key: "importances", value: number.to_string(), expected });
        }
        match numbers.keys().find(|name| features.is_some_and(|features| !features.contains(name))) {
            Some(name) => {
                let expected = "it is none of the model's `features`: name it there, too".to_owned();
                Err(ModelError::Value { key: "importances", value: name.clone(), expected })
            }
            None => Ok(()),
        }
    }
}

/// A model that uses features.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelUse {
    name: String,
    features: Vec<(String, f64)>,
    weighed: bool,
}

impl ModelUse {
    /// Those of the models that say which features they use, by `features` or by `importances`.
    ///
    /// # Errors
    /// When a file of importances cannot be read, or a number cannot be meant.
    pub fn of(models: &IndexMap<String, ModelOptions>) -> Result<Vec<Self>, ModelError> {
        let found = models.iter().map(|(name, options)| Self::of_model(name, options));
        found.filter_map(Result::transpose).collect()
    }

    fn of_model(name: &str, options: &ModelOptions) -> Result<Option<Self>, ModelError> {
        let numbers: Option<IndexMap<String, f64>> = match &options.importances {
            None => None,
            Some(importances) => {
                importances.check(options.features.as_deref())?;
                Some(match importances {
                    Importances::Numbers(numbers) => numbers.clone(),
                    Importances::File(path) => sorted(read_weights(path, None).map_err(ModelError::Importances)?),
                })
            }
        };
        let features = match (&options.features, &numbers) {
            (Some(features), None) => features.iter().map(|name| (name.clone(), 1.0)).collect(),
            (Some(features), Some(numbers)) => {
                features.iter().map(|name| (name.clone(), numbers.get(name).copied().unwrap_or(0.0))).collect()
            }
            (None, Some(numbers)) => numbers.iter().map(|(name, number)| (name.clone(), *number)).collect(),
            (None, None) => Vec::new(),
        };
        let uses = Self { name: name.to_owned(), weighed: numbers.is_some(), features };
        Ok((!uses.features.is_empty()).then_some(uses))
    }

    /// What a report of features means for models, the one most at risk first.
    #[must_use]
    pub fn impacts(models: &[Self], report: &Report) -> Vec<ModelImpact> {
        let of = |model: &Self| ModelImpact::of(&model.name, &model.features, model.weighed, report);
        let mut impacts: Vec<ModelImpact> = models.iter().map(of).collect();
        // Stable: models of one risk keep the order of the file.
        impacts.sort_by(|a, b| b.risk.total_cmp(&a.risk));
        impacts
    }
}

fn sorted(weights: HashMap<String, f64>) -> IndexMap<String, f64> {
    let mut weights: IndexMap<String, f64> = weights.into_iter().collect();
    weights.sort_keys();
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(text: &str) -> Result<Vec<ModelUse>, String> {
        let models: IndexMap<String, ModelOptions> = toml::from_str(text).map_err(|error| error.to_string())?;
        ModelUse::of(&models).map_err(|error| error.to_string())
    }

    #[test]
    fn features_have_their_importances_or_all_the_same() {
        let found = uses("[a]\nfeatures = ['x', 'y']\n[b]\nfeatures = ['x', 'y']\nimportances = { y = 3 }\n[c]\nimportances = { z = 0.5 }\n[d]\n").unwrap();
        let told: Vec<_> = found.iter().map(|model| (model.features.clone(), model.weighed)).collect();
        let named =
            |pairs: &[(&str, f64)]| pairs.iter().map(|(name, of)| ((*name).to_owned(), *of)).collect::<Vec<_>>();
        assert_eq!(told[0], (named(&[("x", 1.0), ("y", 1.0)]), false));
        assert_eq!(told[1], (named(&[("x", 0.0), ("y", 3.0)]), true));
        assert_eq!(told[2], (named(&[("z", 0.5)]), true));
        assert_eq!(told.len(), 3);
    }

    #[test]
    fn importances_that_cannot_be_meant_are_told() {
        let said = |text: &str| uses(text).unwrap_err();
        assert!(said("[a]\nimportances = { x = -1 }").contains("the importance of x must be a number from 0"));
        assert!(said("[a]\nfeatures = ['x']\nimportances = { z = 1 }").contains("importances is z"));
        assert!(said("[a]\nimportances = 'no/such.csv'").contains("no/such.csv"));
        assert!(said("[a]\nimportances = 3").contains("expected a table of features"));
    }
}
