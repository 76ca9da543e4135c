//! Performance of several classes without labels against NannyML 0.13.1.
//!
//! tests/golden/estimate_multiclass.json is made by tests/golden/estimate_multiclass.py.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use gpudrift::model::scan::scan;
use gpudrift::model::{Calibrate, ModelOptions, ModelReport, Task};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::Value;

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/estimate_multiclass.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Rows of tables of (scores, prediction, label, rows), with the number of their table.
fn write(path: &Path, tables: &[&Value], classes: &[String], with_labels: bool, group: usize) {
    let (mut chunks, mut predictions, mut labels) = (vec![], vec![], vec![]);
    let mut scores = vec![vec![]; classes.len()];
    for (chunk, table) in tables.iter().enumerate() {
        for row in table.as_array().unwrap() {
            let [.., prediction, label, rows] = row.as_array().unwrap().as_slice() else { panic!("a short row") };
            for _ in 0..rows.as_u64().unwrap() {
                chunks.push(chunk.to_string());
                scores.iter_mut().enumerate().for_each(|(class, scores)| scores.push(row[class].as_f64().unwrap()));
                predictions.push(prediction.as_str().unwrap());
                labels.push(label.as_str().unwrap());
            }
        }
    }
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("chunk".to_owned(), Arc::new(StringArray::from(chunks))),
        ("prediction".to_owned(), Arc::new(StringArray::from(predictions))),
    ];
    for (class, scores) in classes.iter().zip(scores) {
        columns.push((format!("p_{class}"), Arc::new(Float64Array::from(scores))));
    }
    if with_labels {
        columns.push(("label".to_owned(), Arc::new(StringArray::from(labels))));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn report(case: &Value, calibrate: Calibrate, with_labels: bool, group: usize, memory: u64) -> ModelReport {
    let folder = tempfile::tempdir().unwrap();
    let classes: Vec<String> = serde_json::from_value(case["classes"].clone()).unwrap();
    let chunks: Vec<&Value> = case["chunks"].as_array().unwrap().iter().map(|chunk| &chunk["rows"]).collect();
    write(&folder.path().join("reference.parquet"), &[&case["reference"]], &classes, true, group);
    write(&folder.path().join("log.parquet"), &chunks, &classes, with_labels, group);
    let path = |name: &str| Some(vec![folder.path().join(name).display().to_string()]);
    let options = ModelOptions {
        input: path("log.parquet"),
        reference: path("reference.parquet"),
        task: Some(Task::Multiclass),
        prediction: Some("prediction".to_owned()),
        scores: Some(classes.iter().map(|class| (class.clone(), format!("p_{class}"))).collect()),
        label: Some("label".to_owned()),
        version: Some("chunk".to_owned()),
        calibrate: Some(calibrate),
        ..ModelOptions::default()
    };
    scan(&[options.resolve("golden").unwrap()], memory).unwrap()
}

/// Our names of NannyML's figures.
fn ours(metric: &str) -> String {
    match metric {
        "accuracy" | "roc_auc" | "average_precision" => metric.to_owned(),
        of_classes => format!("{of_classes}_macro"),
    }
}

#[test]
fn estimates_of_several_classes_are_those_of_nannyml() {
    let mut compared = 0;
    for (name, case) in golden().as_object().unwrap() {
        let chunks = case["chunks"].as_array().unwrap();
        // Where many rows have one score, NannyML's curves depend on the order of its sort.
        let ties = name == "cards";
        // Those scores are nearly probabilities, so random folds decide: NannyML's had it that all are calibrated.
        assert!(case["calibrated"].as_object().unwrap().values().all(|yes| yes == true), "{name}");
        let calibrate = if ties { Calibrate::Always } else { Calibrate::Auto };
        for with_labels in [false, true] {
            let report = report(case, calibrate, with_labels, 1 << 20, 1 << 24);
            assert_eq!(report.models[0].calibrated, Some(true), "{name}");
            for (group, chunk) in report.groups.iter().zip(chunks) {
                for (metric, expected) in chunk["expected"].as_object().unwrap() {
                    let curve = matches!(metric.as_str(), "roc_auc" | "average_precision");
                    let found = group.estimated[ours(metric).as_str()];
                    let [value, error] = [0, 1].map(|at| expected[at].as_f64().unwrap());
                    let gap = (found.value.unwrap() - value).abs();
                    let tolerance = if curve && ties { 1e-3 } else { 1e-7 };
                    assert!(gap < tolerance, "{name} {metric}: {:?} is not {value}", found.value);
                    // Average precision's is a bootstrap of 50 samples there, too.
                    let tolerance = match (metric.as_str(), ties) {
                        ("average_precision", _) => 0.3,
                        ("roc_auc", true) => 0.02,
                        _ => 1e-9,
                    };
                    let of_error = found.sampling_error.unwrap() / error - 1.0;
                    assert!(of_error.abs() < tolerance, "{name} {metric}: sampling error off by {of_error}");
                    let truth = group.metrics.get(ours(metric).as_str()).and_then(|metric| metric.value);
                    assert_eq!(found.error, truth.map(|truth| found.value.unwrap() - truth), "{name} {metric}");
                    assert_eq!(found.error.is_some(), with_labels);
                    compared += 1;
                }
                let matrix = group.expected_confusion.as_ref().unwrap();
                assert_eq!(matrix.classes, serde_json::from_value::<Vec<String>>(case["classes"].clone()).unwrap());
                for (label, row) in chunk["confusion"].as_array().unwrap().iter().enumerate() {
                    for (prediction, cell) in row.as_array().unwrap().iter().enumerate() {
                        let [value, error] = [0, 1].map(|at| cell[at].as_f64().unwrap());
                        assert!((matrix.counts[label][prediction] - value).abs() < 1e-5, "{name} {label} {prediction}");
                        assert!((matrix.sampling_errors[label][prediction] / error - 1.0).abs() < 1e-9, "{name}");
                        compared += 1;
                    }
                }
            }
        }
    }
    assert_eq!(compared, 2 * 2 * 2 * (7 + 9));
}

#[test]
fn the_cut_of_the_rows_and_memory_change_no_estimate() {
    let golden = golden();
    let text = |group, memory| {
        let report = report(&golden["cards"], Calibrate::Auto, true, group, memory);
        serde_json::to_string(&report.groups).unwrap()
    };
    let whole = text(1 << 20, 1 << 24);
    assert_eq!(whole, text(97, 1 << 24));
    assert_eq!(whole, text(500, 1 << 10));
}
