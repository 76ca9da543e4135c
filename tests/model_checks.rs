//! Logs that are not tidy: weights, ties, one class, NaN, missing partners, keys that occur twice. Against pandas and
//! scikit-learn 1.9.1.
//!
//! tests/golden/checks.json is made by tests/golden/checks.py.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

#[path = "support/logs.rs"]
#[allow(dead_code, reason = "the tests of the scan use the rest")]
mod logs;

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use assert_cmd::Command;
use serde_json::Value;

use logs::write;

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checks.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn integers(values: &Value) -> ArrayRef {
    Arc::new(values.as_array().unwrap().iter().map(Value::as_i64).collect::<Int64Array>())
}

/// Numbers; the text `NaN` is one.
fn numbers(values: &Value) -> ArrayRef {
    let number = |value: &Value| if value.is_string() { Some(f64::NAN) } else { value.as_f64() };
    Arc::new(values.as_array().unwrap().iter().map(number).collect::<Float64Array>())
}

fn scan(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::cargo_bin("gpudrift").unwrap();
    let output = command.current_dir(folder).args(["model", "scan", "--format", "json"]).args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A log with its labels apart, joined in the order that `keep` says.
fn joined(folder: &Path, keep: &str, more: &[&str]) -> (Value, String) {
    let golden = golden();
    let (log, labels) = (&golden["log"], &golden["labels"]);
    write(
        &folder.join("log.parquet"),
        vec![("id", integers(&log["id"])), ("score", numbers(&log["score"])), ("weight", numbers(&log["weight"]))],
    );
    write(&folder.join("labels.parquet"), vec![("id", integers(&labels["id"])), ("label", integers(&labels["label"]))]);
    let args =
        ["--input", "log.parquet", "--score", "score", "--labels", "labels.parquet", "--label", "label", "--id", "id"];
    let output = scan(folder, &[&args[..], &["--keep", keep], more].concat());
    (report(&output), String::from_utf8(output.stderr).unwrap())
}

/// A log that has its labels, with a report of it.
fn plain(case: &Value) -> (Value, String) {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("log.parquet"),
        vec![("score", numbers(&case["score"])), ("label", integers(&case["label"]))],
    );
    let output = scan(folder.path(), &["--input", "log.parquet", "--score", "score", "--label", "label"]);
    (report(&output), String::from_utf8(output.stderr).unwrap())
}

fn same(ours: &Value, theirs: &Value, tolerance: f64) {
    let mut compared = 0;
    for (name, expected) in theirs.as_object().unwrap() {
        match (ours["metrics"][name]["value"].as_f64(), expected.as_f64()) {
            (Some(a), Some(b)) => assert!((a - b).abs() <= tolerance * b.abs(), "{name}: {a} is not {b}"),
            (None, None) => assert!(ours["undefined"][name].is_string(), "{name} has no reason"),
            (a, b) => panic!("{name}: {a:?} is not {b:?}"),
        }
        compared += 1;
    }
    assert!(compared >= 6);
}

#[test]
fn weights_count_rows_as_often_as_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let (found, _) = joined(folder.path(), "first", &["--weight", "weight"]);
    same(&found["groups"][0], &golden()["first"]["weighted"], 1e-9);
    assert_eq!(found["groups"][0]["rows"]["rows"], golden()["first"]["rows"], "rows are counted as rows");
}

#[test]
fn tied_scores_count_half() {
    let case = &golden()["tied"];
    same(&plain(case).0["groups"][0], &case["metrics"], 1e-12);
}

#[test]
fn one_class_only_has_figures_where_they_are_defined_and_reasons_where_not() {
    let case = &golden()["one_class"];
    let (found, said) = plain(case);
    same(&found["groups"][0], &case["metrics"], 1e-12);
    assert_eq!(found["groups"][0]["undefined"]["roc_auc"], "all labels are of one class");
    assert!(said.contains("warning: model model: no roc auc in 1 of 1 group: all labels are of one class"), "{said}");
}

#[test]
fn nan_scores_are_counted_told_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (found, said) = joined(folder.path(), "first", &[]);
    let rows = &found["groups"][0]["rows"];
    assert_eq!(rows["nan_scores"], golden()["nan_scores"]);
    assert_eq!(rows["without_prediction"], golden()["nan_scores"], "they say no class");
    assert_eq!(rows["measured"], golden()["first"]["measured"]);
    assert!(said.contains(&format!("{} scores are NaN", golden()["nan_scores"])), "{said}");
}

#[test]
fn labels_and_predictions_without_a_partner_are_counted_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let (found, said) = joined(folder.path(), "first", &[]);
    let expected = &golden()["first"];
    assert_eq!(found["models"][0]["ids"]["labels_without_prediction"], expected["labels_without_prediction"]);
    assert!(said.contains("30 labels have an id that no row of the log has"), "{said}");
    let rows = &found["groups"][0]["rows"];
    assert_eq!((&rows["rows"], &rows["labelled"]), (&expected["rows"], &expected["labelled"]));
    let coverage = found["groups"][0]["coverage"].as_f64().unwrap();
    assert!((coverage - 480.0 / 600.0).abs() < 1e-12, "{coverage}");
    let reasons = found["groups"][0]["reasons"].to_string();
    assert!(reasons.contains("labels have arrived for 80% of the rows"), "{reasons}");
}

#[test]
fn of_a_key_that_occurs_twice_the_first_or_the_last_row_counts_and_both_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut figures = Vec::new();
    for keep in ["first", "last"] {
        // However little memory there is.
        for memory in ["512MiB", "16KiB"] {
            let (found, said) = joined(folder.path(), keep, &["--memory-limit", memory]);
            let expected = &golden()[keep];
            same(&found["groups"][0], &expected["metrics"], 1e-12);
            let ids = &found["models"][0]["ids"];
            for name in ["duplicate_predictions", "duplicate_labels"] {
                assert_eq!(ids[name], expected[name], "{name} {keep}");
            }
            assert_eq!(ids["conflicting_labels"], expected["conflicting"], "{keep}");
            assert!(said.contains("50 rows of the log have an id that another row has"), "{said}");
            assert!(said.contains("40 labels have an id that another label has"), "{said}");
            figures.push(found["groups"][0]["metrics"]["accuracy"]["value"].clone());
        }
    }
    assert_eq!((&figures[0], &figures[2]), (&figures[1], &figures[3]));
    assert_ne!(figures[0], figures[2]);
}
