//! Feast: a feature repository says which features there are, of which type, in which files, and which columns tell
//! when and about whom a row is.
//!
//! ```text
//!     feature_store.yaml -> registry.db (protobuf) or registry-dump (JSON) -> views -> tables with paths
//! ```
//!
//! Only what `feast apply` knows is read, no value; Python and Feast itself are not needed. A feature is called
//! `view:feature`, as in Feast's feature references.

mod message;
mod repository;

use std::path::{Path, PathBuf};

use arrow::datatypes::DataType;
use prost::Message;
use serde::{Deserialize, Serialize};

use message::{BATCH_FILE, BATCH_SPARK, DataSource, FeatureViewSpec, Registry, source_type_name, value_type_name};
use repository::Repository;

/// Why a feature repository could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeastError {
    /// There is no store file.
    #[error("cannot read {}; --feast takes the folder of a feature repository, which has a feature_store.yaml", file.display())]
    Store {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The store file is not the YAML that was expected.
    #[error("{}: {reason}", file.display())]
    Yaml {
        /// The file.
        file: PathBuf,
        /// What is wrong, with its place.
        reason: String,
    },
    /// The registry is not a local file.
    #[error("{reason}; write it to a file with `feast registry-dump > registry.json`, and name that file with --feast")]
    NoFile {
        /// What it is.
        reason: String,
    },
    /// The registry file could not be read.
    #[error("cannot read the registry {}; `feast apply` writes it", file.display())]
    Registry {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The registry is not what Feast writes.
    #[error("{} is not a registry of Feast: {reason}", file.display())]
    Decode {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Two feature views have the same name.
    #[error(
        "the registry has several feature views called {name}, in projects {projects}; name the project in feature_store.yaml"
    )]
    Ambiguous {
        /// The name.
        name: String,
        /// The projects.
        projects: String,
    },
}

/// A feature view: a table, and the features in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureView {
    /// Name of the view.
    pub name: String,
    /// The files; empty where [`FeatureView::problem`] says why.
    pub paths: Vec<String>,
    /// Column with the time of an event; empty when there is none.
    pub timestamp: String,
    /// Column with the time at which a row was written.
    pub created: Option<String>,
    /// Folder key that follows the time of an event.
    pub date_partition: Option<String>,
    /// Columns that say what a row is about.
    pub entity: Vec<String>,
    /// The features, in the order of the view.
    pub features: Vec<ViewFeature>,
    /// Why none of them can be read: the data is in a warehouse, for example.
    pub problem: Option<String>,
}

/// A feature of a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewFeature {
    /// `view:feature`.
    pub name: String,
    /// The column of the files that has it.
    pub column: String,
    /// Its type in Feast: `FLOAT`, `INT64`, `MAP`, ...
    pub value_type: String,
}

/// Reads the feature views of the repository at `path`: its folder, its store file, or the JSON that
/// `feast registry-dump` printed. Feast keeps views in no order, so they are sorted by name. Disabled ones are left out.
///
/// # Errors
/// When the store file or the registry cannot be read or understood.
pub fn feature_views(path: &Path) -> Result<Vec<FeatureView>, FeastError> {
    let repository = Repository::open(path)?;
    let file = repository.registry.clone().map_err(|reason| FeastError::NoFile { reason })?;
    let bytes = std::fs::read(&file).map_err(|source| FeastError::Registry { file: file.clone(), source })?;
    let is_dump = file.extension().is_some_and(|extension| extension == "json");
    let registry = if is_dump {
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())
    } else {
        Registry::decode(bytes.as_slice()).map_err(|error| error.to_string())
    };
    views(registry.map_err(|reason| FeastError::Decode { file, reason })?, &repository)
}

/// Whether a column of the files can be what the feature store calls `value_type`. Of types that are not known here
/// nothing is said.
#[must_use]
pub fn fits(value_type: &str, data_type: &DataType) -> bool {
    let data_type = match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    let text = matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    match value_type {
        "STRING" | "UUID" | "TIME_UUID" | "JSON" => text || data_type.is_binary(),
        "BYTES" => text || data_type.is_binary() || matches!(data_type, DataType::FixedSizeBinary(_)),
        "INT32" | "INT64" => data_type.is_integer() || *data_type == DataType::Boolean,
        // Feast turns integers and decimals into floating-point numbers.
        "FLOAT" | "DOUBLE" | "DECIMAL" => data_type.is_numeric(),
        "BOOL" => *data_type == DataType::Boolean,
        "UNIX_TIMESTAMP" => data_type.is_temporal() || data_type.is_integer(),
        _ => true,
    }
}

fn views(registry: Registry, repository: &Repository) -> Result<Vec<FeatureView>, FeastError> {
    let plain = registry.feature_views.into_iter().filter_map(|view| view.spec);
    let streams = registry.stream_feature_views.into_iter().filter_map(|view| view.spec.map(Into::into));
    let mut specs: Vec<FeatureViewSpec> = plain.chain(streams).filter(|spec| !spec.disabled).collect();
    if specs.iter().any(|spec| spec.project == repository.project) {
        specs.retain(|spec| spec.project == repository.project);
    }
    specs.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = specs.windows(2).find(|pair| pair[0].name == pair[1].name) {
        let projects = pair.iter().map(|spec| spec.project.as_str()).collect::<Vec<_>>().join(", ");
        return Err(FeastError::Ambiguous { name: pair[0].name.clone(), projects });
    }
    Ok(specs.into_iter().map(|spec| view(spec, &repository.folder)).collect())
}

fn view(spec: FeatureViewSpec, folder: &Path) -> FeatureView {
    let source = stored(spec.batch_source.as_ref()).or_else(|| stored(spec.stream_source.as_ref()));
    let (paths, problem) = match source.map(|source| place(source, folder)) {
        Some(Ok(path)) => (vec![path], None),
        Some(Err(reason)) => (Vec::new(), Some(reason)),
        None => (Vec::new(), Some("the view has no source with a history".to_owned())),
    };
    let mapping = source.map(|source| &source.field_mapping);
    let column = |feature: &str| {
        let mapped = mapping.and_then(|mapping| mapping.iter().filter(|(_, name)| *name == feature).min());
        mapped.map_or_else(|| feature.to_owned(), |(column, _)| column.clone())
    };
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    FeatureView {
        timestamp: source.map(|source| source.timestamp_field.clone()).unwrap_or_default(),
        created: source.and_then(|source| given(&source.created_timestamp_column)),
        date_partition: source.and_then(|source| given(&source.date_partition_column)),
        entity: spec
            .entity_columns
            .iter()
            .map(|entity| column(&entity.name))
            .filter(|name| name != "__dummy_id")
            .collect(),
        features: spec
            .features
            .iter()
            .map(|feature| ViewFeature {
                name: format!("{}:{}", spec.name, feature.name),
                column: column(&feature.name),
                value_type: value_type_name(feature.value_type),
            })
            .collect(),
        name: spec.name,
        paths,
        problem,
    }
}

/// The source that holds history: a push or stream source keeps it in a source of its own.
fn stored(source: Option<&DataSource>) -> Option<&DataSource> {
    let source = source?;
    stored(source.batch_source.as_deref())
        .or_else(|| (source.kind != 0 || source.file_options.is_some()).then_some(source))
}

/// The files of a source, as seen from here.
fn place(source: &DataSource, folder: &Path) -> Result<String, String> {
    let uri = match source.kind {
        BATCH_FILE => {
            let options = source.file_options.clone().unwrap_or_default();
            if options.file_format.is_some_and(|format| format.delta_format.is_some()) {
                return Err("its data is a Delta table, and only Parquet files are read".to_owned());
            }
            options.uri
        }
        BATCH_SPARK => {
            let options = source.spark_options.clone().unwrap_or_default();
            match options.file_format.as_str() {
                "parquet" if !options.path.is_empty() => options.path,
                _ => return Err("its data is a table of Spark, and only Parquet files are read".to_owned()),
            }
        }
        other => return Err(format!("its data is in {}, and only Parquet files are read", source_type_name(other))),
    };
    let local = uri.strip_prefix("file://").unwrap_or(&uri);
    if uri.is_empty() {
        return Err("its source names no file".to_owned());
    }
    if local.contains("://") || Path::new(local).is_absolute() || folder.as_os_str().is_empty() {
        return Ok(local.to_owned());
    }
    Ok(folder.join(local).to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
