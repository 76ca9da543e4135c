//! `[source]`: what the two sides are windows of: paths, times, entities.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sections::Section;

/// `[source]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SourceConfig {}

impl Section for SourceConfig {
    fn over(self, _shared: Self) -> Self {
        self
    }
}
