//! `[history]`: where runs are kept.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sections::Section;

/// `[history]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryConfig {}

impl Section for HistoryConfig {
    fn over(self, _shared: Self) -> Self {
        self
    }
}
