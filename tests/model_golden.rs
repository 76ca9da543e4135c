//! Figures of models against scikit-learn 1.9.1 and SciPy 1.17.1.
//!
//! tests/golden/model.json is made by tests/golden/model.py.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use gpudrift::model::scan::scan;
use gpudrift::model::{GroupReport, METRICS, ModelOptions, Task};
use parquet::arrow::ArrowWriter;
use serde_json::Value;

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/model.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn column(values: &Value) -> ArrayRef {
    let values = values.as_array().unwrap();
    if values[0].is_string() {
        return Arc::new(StringArray::from_iter_values(values.iter().map(|value| value.as_str().unwrap())));
    }
    Arc::new(Float64Array::from_iter_values(values.iter().map(|value| value.as_f64().unwrap())))
}

fn measured(case: &Value) -> GroupReport {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.parquet");
    let data = case["data"].as_object().unwrap();
    let batch = RecordBatch::try_from_iter(data.iter().map(|(name, values)| (name, column(values)))).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let task = match case["task"].as_str().unwrap() {
        "binary" => Task::Binary,
        "multiclass" => Task::Multiclass,
        "ranking" => Task::Ranking,
        _ => Task::Regression,
    };
    let name = |name: &str| data.contains_key(name).then(|| name.to_owned());
    let classes = data.keys().filter_map(|name| name.strip_prefix("p_").map(|class| (class.to_owned(), name.clone())));
    let options = ModelOptions {
        input: Some(vec![path.display().to_string()]),
        task: Some(task),
        prediction: name("prediction"),
        label: name("label"),
        score: name("score"),
        weight: name("weight"),
        scores: (task == Task::Multiclass).then(|| classes.collect()),
        ..ModelOptions::default()
    };
    let report = scan(&[options.resolve("golden").unwrap()], 1 << 20).unwrap();
    report.groups.into_iter().next().unwrap()
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * b.abs().max(1e-3)
}

#[test]
fn figures_are_those_of_scikit_learn() {
    let mut compared = std::collections::BTreeSet::new();
    for (name, case) in golden().as_object().unwrap() {
        let group = measured(case);
        // Weights are rounded to multiples of 2^-32.
        let tolerance = if case["data"]["weight"].is_array() { 1e-9 } else { 1e-12 };
        for (metric, expected) in case["expected"].as_object().unwrap() {
            let ours = group.metrics[metric.as_str()].value;
            match (ours, expected.as_f64()) {
                (Some(ours), Some(theirs)) => {
                    assert!(near(ours, theirs, tolerance), "{name} {metric}: {ours} is not {theirs}");
                }
                (None, None) => assert!(group.undefined.contains_key(metric.as_str()), "{name} {metric} has no reason"),
                (ours, theirs) => panic!("{name} {metric}: {ours:?} is not {theirs:?}"),
            }
            compared.insert(metric.clone());
        }
        if let Some(rows) = case["confusion"].as_array() {
            let theirs: Vec<Vec<f64>> = serde_json::from_value(Value::Array(rows.clone())).unwrap();
            let matrix = group.confusion.as_ref().unwrap();
            // Classes that do not occur have no row here.
            let occurring: Vec<usize> = (0..theirs.len())
                .filter(|&at| theirs[at].iter().sum::<f64>() + theirs.iter().map(|row| row[at]).sum::<f64>() > 0.0)
                .collect();
            let pick = |row: &Vec<f64>| occurring.iter().map(|&at| row[at]).collect::<Vec<_>>();
            let picked: Vec<Vec<f64>> = occurring.iter().map(|&at| pick(&theirs[at])).collect();
            assert_eq!(matrix.counts, picked, "{name}");
        }
    }
    for card in METRICS {
        assert!(compared.contains(card.name), "{} was never compared", card.name);
    }
}

#[test]
fn intervals_are_those_of_their_definitions() {
    let mut compared = std::collections::BTreeSet::new();
    for (name, case) in golden().as_object().unwrap() {
        let group = measured(case);
        for (metric, expected) in case["intervals"].as_object().unwrap() {
            let ours = &group.metrics[metric.as_str()];
            let theirs: [f64; 2] = serde_json::from_value(expected.clone()).unwrap();
            let ends = [ours.low.unwrap(), ours.high.unwrap()];
            assert!(
                near(ends[0], theirs[0], 1e-9) && near(ends[1], theirs[1], 1e-9),
                "{name} {metric}: {ends:?} is not {theirs:?}"
            );
            compared.insert(metric.clone());
        }
    }
    assert!(compared.len() >= 10, "{compared:?}");
}
