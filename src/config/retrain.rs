//! `[retrain]`: when a model is to be trained again.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sections::Section;

/// `[retrain]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetrainConfig {}

impl Section for RetrainConfig {
    fn over(self, _shared: Self) -> Self {
        self
    }
}
