//! The `[lineage]` section of `gpudrift.toml`.
//!
//! ```toml
//! [lineage]
//! path = "lineage.jsonl"                                   # one event a line, and
//! endpoint = "https://marquez.example/api/v1/lineage"      # a POST an event
//! token_env = "MARQUEZ_TOKEN"
//! ```

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::alert::Period;
use crate::config::{Refused, Secret, SecretError, public_address};

/// `[lineage]`: where events of OpenLineage go. None are made unless there is a path or an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LineageConfig {
    /// The file that events are added to, one a line.
    pub path: Option<PathBuf>,
    /// The URL that events are sent to: Marquez's `/api/v1/lineage`, for example.
    #[serde(deserialize_with = "public_address")]
    pub endpoint: Option<String>,
    /// Refused: see `token_env`.
    pub token: Refused,
    /// The environment variable that holds a bearer token.
    pub token_env: Option<String>,
    /// The file that holds a bearer token.
    pub token_file: Option<PathBuf>,
    /// The authorities whose certificates are believed, in place of those that this machine trusts: a PEM file.
    pub ca_file: Option<PathBuf>,
    /// Namespace of the jobs; default `gpudrift`.
    pub namespace: Option<String>,
    /// How long one attempt to send may take; default 5 seconds.
    pub timeout: Option<Period>,
}

impl LineageConfig {
    /// Puts the folder of the configuration file in front of relative paths.
    pub(crate) fn beside(&mut self, folder: &Path) {
        for path in [&mut self.path, &mut self.token_file, &mut self.ca_file] {
            *path = path.take().map(|path| folder.join(path));
        }
    }

    /// The same with the target that a flag names: a URL, or else a file.
    #[must_use]
    pub fn at(self, target: &str) -> Self {
        let url = target.contains("://");
        Self { path: (!url).then(|| PathBuf::from(target)), endpoint: url.then(|| target.to_owned()), ..self }
    }

    pub(super) fn token(&self) -> Result<Option<Secret>, SecretError> {
        match (&self.token_env, &self.token_file) {
            (None, None) => Ok(None),
            (env, file) => Secret::read("token", env.as_deref(), file.as_deref()).map(Some),
        }
    }
}
