//! Performance without labels against NannyML 0.13.1.
//!
//! tests/golden/estimate.json is made by tests/golden/estimate.py.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use gpudrift::model::ModelOptions;
use gpudrift::model::scan::scan;
use parquet::arrow::ArrowWriter;
use serde_json::Value;

/// Rows of a table of (score, prediction, label, rows), with the name of their chunk.
fn write(path: &Path, tables: &[(String, &Value)], with_labels: bool) {
    let (mut chunks, mut scores, mut predictions, mut labels) = (vec![], vec![], vec![], vec![]);
    for (chunk, table) in tables {
        for row in table.as_array().unwrap() {
            for _ in 0..row[3].as_u64().unwrap() {
                chunks.push(chunk.clone());
                scores.push(row[0].as_f64().unwrap());
                predictions.push(row[1].as_i64().unwrap());
                labels.push(row[2].as_i64().unwrap());
            }
        }
    }
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("chunk", Arc::new(StringArray::from(chunks))),
        ("score", Arc::new(Float64Array::from(scores))),
        ("prediction", Arc::new(Int64Array::from(predictions))),
    ];
    if with_labels {
        columns.push(("label", Arc::new(Int64Array::from(labels))));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn options(folder: &Path) -> ModelOptions {
    let path = |name: &str| Some(vec![folder.join(name).display().to_string()]);
    let name = |name: &str| Some(name.to_owned());
    ModelOptions {
        input: path("log.parquet"),
        reference: path("reference.parquet"),
        prediction: name("prediction"),
        score: name("score"),
        label: name("label"),
        version: name("chunk"),
        ..ModelOptions::default()
    }
}

#[test]
fn estimates_and_sampling_errors_are_those_of_nannyml() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/estimate.json");
    let golden: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut compared = 0;
    for (name, case) in golden.as_object().unwrap() {
        let folder = tempfile::tempdir().unwrap();
        let chunks = case["chunks"].as_array().unwrap();
        write(&folder.path().join("reference.parquet"), &[("all".to_owned(), &case["reference"])], true);
        let tables: Vec<(String, &Value)> =
            chunks.iter().enumerate().map(|(at, chunk)| (at.to_string(), &chunk["rows"])).collect();
        for with_labels in [false, true] {
            write(&folder.path().join("log.parquet"), &tables, with_labels);
            let report = scan(&[options(folder.path()).resolve(name).unwrap()], 1 << 20).unwrap();
            assert_eq!(report.models[0].calibrated, case["calibrated"].as_bool(), "{name}");
            assert_eq!(report.groups.len(), chunks.len());
            for (group, chunk) in report.groups.iter().zip(chunks) {
                assert_eq!(group.metrics.is_empty(), !with_labels);
                for (metric, expected) in chunk["expected"].as_object().unwrap() {
                    let ours = group.estimated[metric.as_str()];
                    let [value, error] = [0, 1].map(|at| expected[at].as_f64().unwrap());
                    // NannyML rounds its curves to five decimals of a row.
                    let gap = (ours.value.unwrap() - value).abs();
                    assert!(gap < 1e-7, "{name} {metric}: {:?} is not {value}", ours.value);
                    // Ties of ranks lie there in the order of a sort, and average precision is a bootstrap of 50 samples.
                    let tolerance = match metric.as_str() {
                        "roc_auc" => 0.1,
                        "average_precision" => 0.5,
                        _ => 1e-9,
                    };
                    let of_error = ours.sampling_error.unwrap() / error - 1.0;
                    assert!(of_error.abs() < tolerance, "{name} {metric}: sampling error off by {of_error}");
                    match (ours.error, group.metrics.get(metric.as_str())) {
                        (Some(gap), Some(truth)) => {
                            assert_eq!(gap.to_bits(), (ours.value.unwrap() - truth.value.unwrap()).to_bits());
                        }
                        (gap, _) => assert!(gap.is_none() && !with_labels),
                    }
                    compared += 1;
                }
                let matrix = group.expected_confusion.as_ref().unwrap();
                assert_eq!(matrix.classes, ["0", "1"]);
                for (label, row) in chunk["confusion"].as_array().unwrap().iter().enumerate() {
                    for (prediction, cell) in row.as_array().unwrap().iter().enumerate() {
                        let [value, error] = [0, 1].map(|at| cell[at].as_f64().unwrap());
                        assert!((matrix.counts[label][prediction] / value - 1.0).abs() < 1e-9, "{name}: {matrix:?}");
                        assert!((matrix.sampling_errors[label][prediction] / error - 1.0).abs() < 1e-9, "{name}");
                        compared += 1;
                    }
                }
            }
        }
    }
    assert_eq!(compared, 2 * 7 * (7 + 4));
}

#[test]
fn a_model_that_became_worse_is_expected_to_be_before_any_label() {
    let folder = tempfile::tempdir().unwrap();
    let good = serde_json::json!([[0.1, 0, 0, 900], [0.1, 0, 1, 100], [0.9, 1, 1, 900], [0.9, 1, 0, 100]]);
    let unsure = serde_json::json!([[0.1, 0, 0, 200], [0.5, 1, 0, 400], [0.9, 1, 0, 200]]);
    let reference = serde_json::json!([
        [0.1, 0, 0, 900],
        [0.1, 0, 1, 100],
        [0.5, 1, 0, 40],
        [0.5, 1, 1, 40],
        [0.9, 1, 1, 900],
        [0.9, 1, 0, 100]
    ]);
    write(&folder.path().join("reference.parquet"), &[("all".to_owned(), &reference)], true);
    write(&folder.path().join("log.parquet"), &[("a".to_owned(), &good), ("b".to_owned(), &unsure)], false);
    let report = scan(&[options(folder.path()).resolve("m").unwrap()], 1 << 20).unwrap();
    let levels: Vec<_> = report.groups.iter().map(|group| group.level.name()).collect();
    assert_eq!(levels, ["ok", "critical"]);
    let reasons = &report.groups[1].reasons;
    assert!(reasons.iter().any(|reason| reason.starts_with("expected accuracy fell by")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.starts_with("score drifted: PSI")), "{reasons:?}");
}

#[test]
fn scores_that_do_not_fit_memory_and_weights_give_no_estimate_and_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let table: Vec<Value> =
        (0..70_000).map(|row| serde_json::json!([f64::from(row) / 70_000.0, row / 35_000, row % 2, 1])).collect();
    let table = Value::Array(table);
    write(&folder.path().join("reference.parquet"), &[("all".to_owned(), &table)], true);
    write(&folder.path().join("log.parquet"), &[("a".to_owned(), &table)], true);
    let said = |options: ModelOptions, memory: u64| {
        let report = scan(&[options.resolve("m").unwrap()], memory).unwrap();
        let warnings = report.warnings();
        let group = &report.groups[0];
        assert!(group.metrics["accuracy"].value.is_some(), "the rest is told");
        (group.estimated.is_empty(), warnings.into_iter().find(|one| one.contains("is not estimated without labels")))
    };
    let plain = options(folder.path());
    assert_eq!(said(plain.clone(), 8 << 20), (false, None));
    let (none, reason) = said(plain.clone(), 1 << 20);
    assert!(none && reason.as_ref().unwrap().contains("70,000 distinct scores"), "{reason:?}");
    let (none, reason) = said(ModelOptions { weight: Some("label".to_owned()), ..plain }, 8 << 20);
    assert!(none && reason.as_ref().unwrap().contains("rows have weights"), "{reason:?}");
}
