//! `feature_store.yaml`: where a feature repository keeps its registry.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::FeastError;

/// The file that makes a folder a feature repository.
const STORE_FILE: &str = "feature_store.yaml";

/// The keys of `feature_store.yaml` that are read.
#[derive(Debug, Deserialize)]
struct Store {
    #[serde(default)]
    project: String,
    registry: Option<RegistryConfig>,
}

/// The registry: a path, or a table with a type.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RegistryConfig {
    Path(String),
    Table {
        #[serde(default)]
        registry_type: Option<String>,
        #[serde(default)]
        path: Option<String>,
    },
}

/// A feature repository.
#[derive(Debug)]
pub(super) struct Repository {
    /// The folder: paths in the registry are relative to it.
    pub(super) folder: PathBuf,
    /// The project; empty when it is not named.
    pub(super) project: String,
    /// The registry file, or why there is none that can be read.
    pub(super) registry: Result<PathBuf, String>,
}

impl Repository {
    /// Reads the store file of the repository at `path`: the folder, or the file itself. A dump of the registry has none. Environment variables in it are
    /// expanded, and unknown ones left as they are, as Feast does.
    pub(super) fn open(path: &Path) -> Result<Self, FeastError> {
        if path.extension().is_some_and(|extension| extension == "json") {
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            return Ok(Self { folder, project: String::new(), registry: Ok(path.to_owned()) });
        }
        let file = if path.is_dir() { path.join(STORE_FILE) } else { path.to_owned() };
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let text = std::fs::read_to_string(&file).map_err(|source| FeastError::Store { file: file.clone(), source })?;
        let text = shellexpand::env_with_context_no_errors(&text, |name| std::env::var(name).ok());
        let store: Store =
            serde_saphyr::from_str(&text).map_err(|error| FeastError::Yaml { file, reason: error.to_string() })?;
        let registry = match store.registry {
            None => Ok("data/registry.db".to_owned()),
            Some(RegistryConfig::Path(path)) => Ok(path),
            Some(RegistryConfig::Table { registry_type, path }) => match (registry_type.as_deref(), path) {
                (None | Some("file"), Some(path)) => Ok(path),
                (None | Some("file"), None) => Ok("data/registry.db".to_owned()),
                (Some(other), _) => Err(format!("the registry is of type {other}, and only files are read")),
            },
        };
        let registry = registry.and_then(|path| match path.split_once("://") {
            Some(("file", path)) => Ok(folder.join(path)),
            Some(_) => Err(format!("the registry lies at {path}, and only local files are read")),
            None => Ok(folder.join(path)),
        });
        Ok(Self { folder, project: store.project, registry })
    }
}
