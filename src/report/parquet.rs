//! The report as a Parquet table: one row a feature and metric.
//!
//! | column | type | meaning |
//! |---|---|---|
//! | `column_name` | string | the feature |
//! | `data_type` | string | type of the reference's column |
//! | `kind` | string | numeric, categorical, boolean, temporal |
//! | `level` | string | level of the feature: ok, info, warning, critical |
//! | `drift_type` | string | always `BASELINE`: compared with a reference, not with the window before |
//! | `metric` | string | name of the metric, as in the JSON report |
//! | `value` | double | the metric; null when it is undefined, or a word |
//! | `text` | string | the metric when it is a word (`ks_method`) |
//! | `undefined` | string | why `value` is null |
//!
//! `column_name`, `data_type`, `drift_type` and the delta metrics are named as in the drift metrics table of Databricks' data
//! profiling, where the meaning is the same: `count_delta`, `avg_delta`, `percent_null_delta`, `percent_zeros_delta`
//! and `percent_distinct_delta` are current minus reference; the percentages are of all rows, from 0 to 100.
//! What that table calls `population_stability_index`, `ks_test.statistic`, `ks_test.pvalue`, `wasserstein_distance`,
//! `tv_distance`, `l_infinity_distance`, `chi_squared_test.statistic` and `.pvalue` keeps its name of the JSON report
//! here, since the metrics are values of a column and not columns.
//!
//! `run`, `summary` and `skipped` are JSON in the file's metadata, under `gpudrift.run` and so on. The rows do not
//! depend on clocks. Arrow is used here, besides `source` and `column`, because Parquet is the format.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::{Facts, FeatureReport, MetricValue, Report, Sink, SinkOptions};
use crate::format::{ratio, real};

/// Names and types of the columns; all strings but `value`.
pub(crate) const COLUMNS: [&str; 9] =
    ["column_name", "data_type", "kind", "level", "drift_type", "metric", "value", "text", "undefined"];

/// One row a feature and metric.
pub(super) struct Parquet;

impl Sink for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn about(&self) -> &'static str {
        "one row a feature and metric, for tables and dashboards"
    }

    fn is_binary(&self) -> bool {
        true
    }

    fn write(&self, report: &Report, _: &SinkOptions, out: &mut dyn Write) -> io::Result<()> {
        // A report is small, and the writer wants a sink that can go to another thread.
        let file = encoded(report).map_err(io::Error::other)?;
        out.write_all(&file)
    }
}

fn encoded(report: &Report) -> Result<Vec<u8>, ParquetError> {
    let external = |error: serde_json::Error| ParquetError::External(Box::new(error));
    let metadata = vec![
        KeyValue::new("gpudrift.schema_version".to_owned(), report.schema_version.to_string()),
        KeyValue::new("gpudrift.run".to_owned(), serde_json::to_string(&report.run).map_err(external)?),
        KeyValue::new("gpudrift.summary".to_owned(), serde_json::to_string(&report.summary).map_err(external)?),
        KeyValue::new("gpudrift.skipped".to_owned(), serde_json::to_string(&report.skipped).map_err(external)?),
    ];
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(Some(metadata))
        .build();
    let fields: Vec<Field> = COLUMNS.iter().map(|&name| field(name)).collect();
    let schema = Arc::new(Schema::new(fields));
    let mut rows = Rows::default();
    for feature in &report.features {
        rows.add(feature);
    }
    let batch = RecordBatch::try_new(schema.clone(), rows.finish())?;
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&batch)?;
    writer.into_inner()
}

/// A column of the table.
pub(crate) fn field(name: &str) -> Field {
    match name {
        "value" => Field::new(name, DataType::Float64, true),
        "text" | "undefined" => Field::new(name, DataType::Utf8, true),
        _ => Field::new(name, DataType::Utf8, false),
    }
}

/// One row of the table: a feature and a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MetricRow<'r> {
    /// The first five columns: the feature, its type, kind and level, and what it is compared with.
    pub(crate) feature: [&'r str; 5],
    /// Name of the metric.
    pub(crate) metric: &'r str,
    /// The metric, when it is a number.
    pub(crate) value: Option<f64>,
    /// The metric, when it is a word.
    pub(crate) text: Option<&'r str>,
    /// Why it is neither.
    pub(crate) undefined: Option<&'r str>,
}

/// The rows of a feature: its metrics, then the deltas that have a value.
pub(crate) fn metric_rows(feature: &FeatureReport) -> impl Iterator<Item = MetricRow<'_>> {
    let names = [&feature.name, &feature.data_type, feature.kind.name(), feature.level.name(), "BASELINE"];
    let row = move |metric, value, text, undefined| MetricRow { feature: names, metric, value, text, undefined };
    let metrics = feature.metrics.iter().map(move |(name, value)| {
        let text = if let MetricValue::Text(text) = value { Some(text.as_str()) } else { None };
        row(name.as_str(), value.number(), text, feature.undefined.get(name).map(String::as_str))
    });
    metrics.chain(deltas(feature).into_iter().map(move |(name, value)| row(name, Some(value), None, None)))
}

/// The columns while they grow.
#[derive(Default)]
pub(crate) struct Rows {
    feature: [StringBuilder; 5],
    metric: StringBuilder,
    value: Float64Builder,
    text: StringBuilder,
    undefined: StringBuilder,
}

impl Rows {
    /// Adds the rows of a feature, and says how many.
    pub(crate) fn add(&mut self, feature: &FeatureReport) -> usize {
        metric_rows(feature).map(|row| self.push(row)).count()
    }

    fn push(&mut self, row: MetricRow<'_>) {
        for (builder, text) in self.feature.iter_mut().zip(row.feature) {
            builder.append_value(text);
        }
        self.metric.append_value(row.metric);
        self.value.append_option(row.value);
        self.text.append_option(row.text);
        self.undefined.append_option(row.undefined);
    }

    /// The columns, in the order of [`COLUMNS`].
    pub(crate) fn finish(mut self) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = self.feature.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef).collect();
        columns.push(Arc::new(self.metric.finish()));
        columns.push(Arc::new(self.value.finish()));
        columns.push(Arc::new(self.text.finish()));
        columns.push(Arc::new(self.undefined.finish()));
        columns
    }
}

/// The delta metrics that have a value: current minus reference.
fn deltas(feature: &FeatureReport) -> Vec<(&'static str, f64)> {
    let (reference, current) = (&feature.reference, &feature.current);
    let mut deltas = vec![
        ("count_delta", real(current.rows) - real(reference.rows)),
        ("percent_null_delta", 100.0 * (current.null_share() - reference.null_share())),
    ];
    if let (Some(before), Some(after)) = (&reference.facts, &current.facts) {
        let share = |part: fn(&Facts) -> Option<u64>| {
            Some(100.0 * (ratio(part(after)?, current.rows) - ratio(part(before)?, reference.rows)))
        };
        let mean = after.mean.zip(before.mean).map(|(after, before)| after - before);
        let optional = [
            ("avg_delta", mean.filter(|delta| delta.is_finite())),
            ("percent_zeros_delta", share(|facts| facts.zeros)),
            ("percent_distinct_delta", share(|facts| facts.distinct)),
        ];
        deltas.extend(optional.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))));
    }
    deltas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Summary, samples};
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Float64Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    fn written(report: &Report) -> bytes::Bytes {
        let mut out = Vec::new();
        Parquet.write(report, &SinkOptions::default(), &mut out).unwrap();
        out.into()
    }

    #[test]
    fn every_metric_of_every_feature_reads_back() {
        let report = samples::report();
        let reader = ParquetRecordBatchReaderBuilder::try_new(written(&report)).unwrap();
        let names: Vec<_> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, COLUMNS);
        let mut seen = 0;
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
            let (features, metrics, undefined) = (text("column_name"), text("metric"), text("undefined"));
            let values = batch.column_by_name("value").unwrap().as_primitive::<Float64Type>();
            for row in 0..batch.num_rows() {
                let feature = report.features.iter().find(|feature| feature.name == features.value(row)).unwrap();
                let Some(metric) = feature.metrics.get(metrics.value(row)) else { continue };
                seen += 1;
                let value = values.is_valid(row).then(|| values.value(row));
                assert_eq!(value.map(f64::to_bits), metric.number().map(f64::to_bits));
                let why = undefined.is_valid(row).then(|| undefined.value(row));
                assert_eq!(why, feature.undefined.get(metrics.value(row)).map(String::as_str));
            }
        }
        assert_eq!(seen, report.features.iter().map(|feature| feature.metrics.len()).sum::<usize>());
    }

    #[test]
    fn the_run_is_in_the_metadata() {
        let report = samples::report();
        let reader = ParquetRecordBatchReaderBuilder::try_new(written(&report)).unwrap();
        let metadata = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
        let find = |key: &str| metadata.iter().find(|pair| pair.key == key).unwrap().value.clone().unwrap();
        assert_eq!(serde_json::from_str::<Summary>(&find("gpudrift.summary")).unwrap(), report.summary);
        assert_eq!(serde_json::from_str::<super::super::Run>(&find("gpudrift.run")).unwrap(), report.run);
        assert!(find("gpudrift.skipped").starts_with('['));
    }

    #[test]
    fn an_empty_report_is_a_table_without_rows() {
        let reader = ParquetRecordBatchReaderBuilder::try_new(written(&samples::empty())).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    }
}
