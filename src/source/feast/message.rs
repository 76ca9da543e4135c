//! The part of Feast's registry that a scan needs: a few fields of its protobuf messages, read from the file that
//! `feast apply` writes or from the JSON that `feast registry-dump` prints. What is not named here is skipped, so that
//! a newer Feast can add fields.
//!
//! Feast gives no promise that the messages stay; a test decodes a registry that Feast 0.67 wrote.

use std::collections::HashMap;

use prost::Message;
use serde::{Deserialize, Deserializer};

/// `feast.core.Registry`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Registry {
    #[prost(message, repeated, tag = "6")]
    pub(super) feature_views: Vec<FeatureView>,
    #[prost(message, repeated, tag = "14")]
    pub(super) stream_feature_views: Vec<StreamFeatureView>,
}

/// `feast.core.FeatureView`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FeatureView {
    #[prost(message, optional, tag = "1")]
    pub(super) spec: Option<FeatureViewSpec>,
}

/// `feast.core.FeatureViewSpec`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FeatureViewSpec {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) project: String,
    #[prost(message, repeated, tag = "4")]
    pub(super) features: Vec<FeatureSpec>,
    #[prost(message, optional, tag = "7")]
    pub(super) batch_source: Option<DataSource>,
    #[prost(message, optional, tag = "9")]
    pub(super) stream_source: Option<DataSource>,
    #[prost(message, repeated, tag = "12")]
    pub(super) entity_columns: Vec<FeatureSpec>,
    #[prost(bool, tag = "20")]
    pub(super) disabled: bool,
}

/// `feast.core.StreamFeatureView`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct StreamFeatureView {
    #[prost(message, optional, tag = "1")]
    pub(super) spec: Option<StreamFeatureViewSpec>,
}

/// `feast.core.StreamFeatureViewSpec`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct StreamFeatureViewSpec {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) project: String,
    #[prost(message, repeated, tag = "4")]
    pub(super) features: Vec<FeatureSpec>,
    #[prost(message, repeated, tag = "5")]
    pub(super) entity_columns: Vec<FeatureSpec>,
    #[prost(message, optional, tag = "10")]
    pub(super) batch_source: Option<DataSource>,
    #[prost(message, optional, tag = "11")]
    pub(super) stream_source: Option<DataSource>,
}

impl From<StreamFeatureViewSpec> for FeatureViewSpec {
    fn from(spec: StreamFeatureViewSpec) -> Self {
        let StreamFeatureViewSpec { name, project, features, entity_columns, batch_source, stream_source } = spec;
        Self { name, project, features, batch_source, stream_source, entity_columns, disabled: false }
    }
}

/// `feast.core.FeatureSpecV2`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FeatureSpec {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// `feast.types.ValueType.Enum`.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "value_type")]
    pub(super) value_type: i32,
}

/// `feast.core.DataSource`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DataSource {
    /// `feast.core.DataSource.SourceType`.
    #[prost(int32, tag = "1")]
    #[serde(rename = "type", deserialize_with = "source_type")]
    pub(super) kind: i32,
    /// From the columns of the table to the names of features.
    #[prost(map = "string, string", tag = "2")]
    pub(super) field_mapping: HashMap<String, String>,
    #[prost(string, tag = "3")]
    pub(super) timestamp_field: String,
    #[prost(string, tag = "4")]
    pub(super) date_partition_column: String,
    #[prost(string, tag = "5")]
    pub(super) created_timestamp_column: String,
    #[prost(message, optional, tag = "11")]
    pub(super) file_options: Option<FileOptions>,
    #[prost(string, tag = "20")]
    pub(super) name: String,
    /// Where a push or a stream source keeps its history.
    #[prost(message, optional, boxed, tag = "26")]
    pub(super) batch_source: Option<Box<DataSource>>,
    #[prost(message, optional, tag = "27")]
    pub(super) spark_options: Option<SparkOptions>,
}

/// `feast.core.DataSource.FileOptions`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FileOptions {
    #[prost(message, optional, tag = "1")]
    pub(super) file_format: Option<FileFormat>,
    #[prost(string, tag = "2")]
    pub(super) uri: String,
}

/// `feast.core.FileFormat`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FileFormat {
    #[prost(message, optional, tag = "2")]
    pub(super) delta_format: Option<Empty>,
}

/// A message without fields.
#[derive(Clone, PartialEq, Message, Deserialize)]
pub(super) struct Empty {}

/// `feast.core.DataSource.SparkOptions`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SparkOptions {
    #[prost(string, tag = "1")]
    pub(super) table: String,
    #[prost(string, tag = "2")]
    pub(super) query: String,
    #[prost(string, tag = "3")]
    pub(super) path: String,
    #[prost(string, tag = "4")]
    pub(super) file_format: String,
}

/// `feast.types.ValueType.Enum`: number and name.
const VALUE_TYPES: &[(i32, &str)] = &[
    (0, "INVALID"),
    (1, "BYTES"),
    (2, "STRING"),
    (3, "INT32"),
    (4, "INT64"),
    (5, "DOUBLE"),
    (6, "FLOAT"),
    (7, "BOOL"),
    (8, "UNIX_TIMESTAMP"),
    (11, "BYTES_LIST"),
    (12, "STRING_LIST"),
    (13, "INT32_LIST"),
    (14, "INT64_LIST"),
    (15, "DOUBLE_LIST"),
    (16, "FLOAT_LIST"),
    (17, "BOOL_LIST"),
    (18, "UNIX_TIMESTAMP_LIST"),
    (19, "NULL"),
    (20, "MAP"),
    (21, "MAP_LIST"),
    (22, "BYTES_SET"),
    (23, "STRING_SET"),
    (24, "INT32_SET"),
    (25, "INT64_SET"),
    (26, "DOUBLE_SET"),
    (27, "FLOAT_SET"),
    (28, "BOOL_SET"),
    (29, "UNIX_TIMESTAMP_SET"),
    (30, "UUID"),
    (31, "TIME_UUID"),
    (32, "JSON"),
    (34, "STRUCT"),
    (44, "DECIMAL"),
];

/// `feast.core.DataSource.SourceType`: number, name, and what it is called in a sentence.
const SOURCE_TYPES: &[(i32, &str, &str)] = &[
    (0, "INVALID", "nowhere"),
    (1, "BATCH_FILE", "files"),
    (2, "BATCH_BIGQUERY", "BigQuery"),
    (3, "STREAM_KAFKA", "Kafka"),
    (4, "STREAM_KINESIS", "Kinesis"),
    (5, "BATCH_REDSHIFT", "Redshift"),
    (6, "CUSTOM_SOURCE", "a custom source"),
    (7, "REQUEST_SOURCE", "requests"),
    (8, "BATCH_SNOWFLAKE", "Snowflake"),
    (9, "PUSH_SOURCE", "pushes"),
    (10, "BATCH_TRINO", "Trino"),
    (11, "BATCH_SPARK", "Spark"),
    (12, "BATCH_ATHENA", "Athena"),
    (13, "BATCH_ICEBERG", "Iceberg"),
];

/// [`DataSource::kind`] of files.
pub(super) const BATCH_FILE: i32 = 1;
/// [`DataSource::kind`] of Spark.
pub(super) const BATCH_SPARK: i32 = 11;

/// The name of a value type, as in Feast.
pub(super) fn value_type_name(number: i32) -> String {
    let known = VALUE_TYPES.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| format!("type {number}"), |(_, name)| (*name).to_owned())
}

/// What a type of source is called in a sentence.
pub(super) fn source_type_name(number: i32) -> String {
    let known = SOURCE_TYPES.iter().find(|(known, ..)| *known == number);
    known.map_or_else(|| format!("a source of type {number}"), |(.., name)| (*name).to_owned())
}

/// Enums are numbers in protobuf and names in its JSON; a name that nobody knows is the number −1.
fn value_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    number(deserializer, |name| VALUE_TYPES.iter().find(|(_, known)| *known == name).map(|(number, _)| *number))
}

fn source_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    number(deserializer, |name| SOURCE_TYPES.iter().find(|(_, known, _)| *known == name).map(|(number, ..)| *number))
}

fn number<'de, D: Deserializer<'de>>(deserializer: D, find: impl Fn(&str) -> Option<i32>) -> Result<i32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(i32),
        Name(String),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Number(number) => number,
        Written::Name(name) => find(&name).unwrap_or(-1),
    })
}
