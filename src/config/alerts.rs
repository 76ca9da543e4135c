//! `[alerts.NAME]`: who is told about a run.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::sections::Section;

/// All of `[alerts.*]`, by name.
pub type AlertsConfig = IndexMap<String, AlertConfig>;

/// `[alerts.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AlertConfig {}

impl Section for AlertsConfig {
    /// An alert of a job replaces the shared one of its name.
    fn over(self, mut shared: Self) -> Self {
        shared.extend(self);
        shared
    }
}
