//! `gpudrift model scan` in a process of its own: windows, late labels, duplicates, levels, exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot start its program fails")]

#[path = "support/logs.rs"]
mod logs;

use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, TimestampMicrosecondArray};
use assert_cmd::Command;
use serde_json::Value;

use logs::{START, log, write, write_labels, write_log};

fn model(folder: &Path, args: &[&str]) -> Output {
    Command::cargo_bin("gpudrift").unwrap().current_dir(folder).args(["model", "scan"]).args(args).output().unwrap()
}

fn report(folder: &Path, args: &[&str]) -> Value {
    let output = model(folder, &[args, &["--format", "json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["run"].take();
    report
}

/// The groups without the names of files.
fn groups(report: &Value) -> Vec<String> {
    let groups = report["groups"].as_array().unwrap();
    assert!(!groups.is_empty());
    groups.iter().map(Value::to_string).collect()
}

fn refused(folder: &Path, args: &[&str], code: i32, words: &[&str]) {
    let output = model(folder, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{args:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{args:?} does not say {word:?}:\n{said}");
    }
}

const EVERY: [&str; 12] = [
    "--score",
    "score",
    "--label",
    "label",
    "--timestamp",
    "at",
    "--window",
    "week",
    "--version",
    "version",
    "--segments",
    "region",
];

#[test]
fn the_report_does_not_depend_on_how_rows_lie_in_files_nor_on_memory_nor_on_threads() {
    let folder = tempfile::tempdir().unwrap();
    let rows = log(6000);
    write_log(&folder.path().join("whole.parquet"), &rows, true);
    let whole = report(folder.path(), &[&["--input", "whole.parquet"], &EVERY[..]].concat());
    fs::create_dir(folder.path().join("parts")).unwrap();
    for (part, cut) in [0, 1, 700, 4001, 6000].windows(2).enumerate() {
        write_log(&folder.path().join(format!("parts/{part}.parquet")), &rows[cut[0]..cut[1]], true);
    }
    let labels: Vec<_> = rows.iter().rev().map(|row| (row.id, row.label)).collect();
    write_labels(&folder.path().join("labels.parquet"), &labels);
    let parts = [&["--input", "parts"], &EVERY[..]].concat();
    let apart = ["--labels", "labels.parquet", "--id", "id"];
    let variants: [&[&str]; 5] = [
        &["--threads", "1"],
        &["--memory-limit", "20KiB"],
        &["--id", "id", "--memory-limit", "64KiB"],
        &[&apart[..], &["--threads", "3"]].concat(),
        &[&apart[..], &["--memory-limit", "100KiB", "--keep", "last"]].concat(),
    ];
    for variant in variants {
        let found = report(folder.path(), &[&parts, variant].concat());
        assert_eq!(groups(&found), groups(&whole), "{variant:?}");
    }
}

#[test]
fn a_segment_that_became_worse_is_found_in_its_weeks() {
    let folder = tempfile::tempdir().unwrap();
    let rows = log(9000);
    write_log(&folder.path().join("log.parquet"), &rows, true);
    write_log(&folder.path().join("reference.parquet"), &rows[..4000], true);
    let args = [
        "--input",
        "log.parquet",
        "--score",
        "score",
        "--label",
        "label",
        "--timestamp",
        "at",
        "--window",
        "week",
        "--segments",
        "region",
        "--reference",
        "reference.parquet",
    ];
    let found = report(folder.path(), &args);
    let mut critical = Vec::new();
    for group in found["groups"].as_array().unwrap() {
        if group["level"] == "critical" {
            assert!(group["reasons"][0].as_str().unwrap().starts_with("accuracy fell by"), "{group}");
            critical.push((group["window"]["start"].as_str().unwrap(), group["segment"]["value"].as_str()));
        }
        assert!(group["metrics"]["roc_auc"]["baseline"].is_number(), "{group}");
        // Scores that moved are no alarm of their own where labels tell how good they are.
        assert_eq!(group["level"] == "critical", group["metrics"]["accuracy"]["level"] == "critical", "{group}");
    }
    assert!(critical.contains(&("2026-01-26", Some("south"))), "{critical:?}");
    assert!(critical.iter().all(|(week, region)| *week >= "2026-01-19" && *region != Some("north")), "{critical:?}");
    for (level, code) in [("never", 0), ("critical", 1)] {
        let output = model(folder.path(), &[&args[..], &["--fail-on", level]].concat());
        assert_eq!(output.status.code(), Some(code));
        assert!(String::from_utf8_lossy(&output.stdout).contains("CRITICAL"));
    }
}

#[test]
fn labels_that_are_late_missing_or_there_twice_are_counted_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = log(3000);
    rows[10].id = None;
    rows[11].id = rows[12].id;
    rows[13].score = None;
    rows[14].score = Some(f64::NAN);
    rows[15].region = None;
    write_log(&folder.path().join("log.parquet"), &rows, false);
    // Labels of the first half of January; some of them twice, one of nobody, one without an id, one empty.
    let mut labels: Vec<_> = rows[..1500].iter().map(|row| (row.id, row.label)).collect();
    labels.extend([(Some(20), Some(1 - rows[20].label.unwrap())), (Some(21), rows[21].label)]);
    labels.extend([(Some(1_000_000), Some(1)), (None, Some(0)), (Some(2500), None)]);
    write_labels(&folder.path().join("labels.parquet"), &labels);
    let args = [
        "--input",
        "log.parquet",
        "--score",
        "score",
        "--label",
        "label",
        "--labels",
        "labels.parquet",
        "--id",
        "id",
        "--timestamp",
        "at",
        "--window",
        "week",
        "--segments",
        "region",
        "--delay",
        "10days",
    ];
    let found = report(folder.path(), &args);
    let ids = &found["models"][0]["ids"];
    let expected = serde_json::json!({
        "duplicate_predictions": 1, "predictions_without_id": 1,
        // The label of row 11 has the id of row 12; that of row 10 has none.
        "duplicate_labels": 3, "conflicting_labels": ids["conflicting_labels"], "labels_without_id": 2,
        "empty_labels": 1, "labels_without_prediction": 1,
    });
    assert_eq!(*ids, expected);
    let weeks: Vec<&Value> =
        found["groups"].as_array().unwrap().iter().filter(|group| group["segment"].is_null()).collect();
    let told = |week: &Value| (week["coverage"].as_f64().unwrap(), week["labels_pending"].as_bool().unwrap());
    assert!(matches!(told(weeks[0]), (coverage, false) if coverage > 0.99), "{}", weeks[0]);
    assert!(weeks.iter().any(|week| matches!(told(week), (0.0, true))), "{weeks:?}");
    let last = weeks.last().unwrap();
    assert!(last["reasons"][0].as_str().unwrap().contains("too few labels for a level: 0"), "{last}");
    assert_eq!(last["undefined"]["accuracy"], "no row has both a prediction and a label");
    let first = &weeks[0]["rows"];
    assert_eq!(
        [&first["null_scores"], &first["nan_scores"], &first["without_prediction"]]
            .map(|count| count.as_u64().unwrap()),
        [1, 1, 2]
    );
    assert!(
        found["groups"]
            .as_array()
            .unwrap()
            .iter()
            .any(|group| group["segment"]["column"] == "region" && group["segment"]["value"].is_null())
    );
    // The last of two labels, and of two predictions, on request.
    let last = report(folder.path(), &[&args[..], &["--keep", "last"]].concat());
    assert_eq!(last["models"][0]["ids"], expected);
    assert_ne!(groups(&last), groups(&found));
    let output = model(folder.path(), &args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("1 rows of the log have an id that another row has"), "{said}");
}

#[test]
fn models_come_from_the_file_with_levels_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let rows = log(2000);
    fs::create_dir(folder.path().join("store")).unwrap();
    write_log(&folder.path().join("store/log.parquet"), &rows, true);
    let file = "[model.a]\ninput = ['log.parquet']\nscore = 'score'\nlabel = 'label'\nbaseline = { roc_auc = 1.0 }\n\
                levels.roc_auc = { warning = 0.01 }\nvalues = { tp = 10, fp = -4 }\n\
                [model.b]\ninput = ['log.parquet']\ntask = 'regression'\nprediction = 'score'\nlabel = 'label'\n";
    fs::write(folder.path().join("store/gpudrift.toml"), file).unwrap();
    let found = report(folder.path(), &["--config", "store/gpudrift.toml"]);
    let groups = found["groups"].as_array().unwrap();
    assert_eq!((groups[0]["model"].as_str(), groups[0]["level"].as_str()), (Some("a"), Some("warning")));
    let counts = &groups[0]["confusion"]["counts"];
    let [fp, tp] = [&counts[0][1], &counts[1][1]].map(|count| count.as_f64().unwrap());
    assert_eq!(groups[0]["business"]["total"].as_f64(), Some(10.0 * tp - 4.0 * fp));
    assert_eq!((groups[1]["model"].as_str(), groups[1]["metrics"]["rmse"]["value"].is_number()), (Some("b"), true));
    let one = report(folder.path(), &["--config", "store/gpudrift.toml", "--model", "b"]);
    assert_eq!(one["models"].as_array().unwrap().len(), 1);
    refused(folder.path(), &["--config", "store/gpudrift.toml", "--model", "c"], 2, &["no model c", "a, b"]);
}

#[test]
fn mistakes_are_told_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = log(300);
    write_log(&folder.path().join("log.parquet"), &rows, true);
    refused(folder.path(), &[], 2, &["--input"]);
    let input = ["--input", "log.parquet"];
    refused(folder.path(), &[&input[..], &["--label", "label"]].concat(), 2, &["prediction", "score"]);
    refused(
        folder.path(),
        &[&input[..], &["--score", "scor", "--label", "label"]].concat(),
        2,
        &["did you mean score?"],
    );
    refused(
        folder.path(),
        &[&input[..], &["--score", "region", "--label", "label"]].concat(),
        2,
        &["it must be a number"],
    );
    refused(folder.path(), &[&input[..], &["--score", "score", "--window", "day"]].concat(), 2, &["timestamp"]);
    refused(folder.path(), &[&input[..], &["--score", "score", "--delay", "soon"]].concat(), 2, &["30days"]);
    refused(folder.path(), &["--input", "nothing.parquet", "--score", "s"], 3, &["nothing.parquet"]);
    rows[7].label = Some(2);
    write_log(&folder.path().join("log.parquet"), &rows, true);
    refused(
        folder.path(),
        &[&input[..], &["--score", "score", "--label", "label"]].concat(),
        3,
        &["positive", "label"],
    );
    let args = [&input[..], &["--score", "score", "--label", "label", "--positive", "2", "--min-labels", "1"]].concat();
    assert_eq!(report(folder.path(), &args)["groups"][0]["confusion"]["classes"][1], "not 2");
}

#[test]
fn scores_drift_exactly_as_the_feature_scan_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = log(5000);
    rows[3].score = Some(f64::NAN);
    rows[4].score = None;
    rows[4900].score = Some(1.0);
    write_log(&folder.path().join("reference.parquet"), &rows[..3000], true);
    write_log(&folder.path().join("log.parquet"), &rows[3000..], true);
    let args = ["--input", "log.parquet", "--score", "score", "--reference", "reference.parquet", "--label", "label"];
    let found = report(folder.path(), &args);
    let drift = &found["groups"][0]["drift"]["score"];
    let scan = ["scan", "--reference", "reference.parquet", "--current", "log.parquet", "--features", "score"];
    let mut command = Command::cargo_bin("gpudrift").unwrap();
    command.current_dir(folder.path()).args(scan).args(["--backend", "cpu", "--format", "json"]);
    let output = command.output().unwrap();
    let feature: Value = serde_json::from_slice(&output.stdout).unwrap();
    let feature = &feature["features"][0];
    for name in ["psi", "ks_statistic", "ks_p_value", "ks_method", "js_divergence", "js_distance"] {
        assert!(!drift["metrics"][name].is_null());
        assert_eq!(drift["metrics"][name], feature["metrics"][name], "{name}");
    }
    for side in ["reference", "current"] {
        for name in ["nulls", "nans"] {
            assert_eq!(drift[side][name], feature[side][name], "{side} {name}");
        }
        let near = |name: &str| {
            let [a, b] = [&drift[side][name], &feature[side][name]].map(|value| value.as_f64().unwrap());
            assert!((a - b).abs() < 1e-14, "{side} {name}: {a} {b}");
        };
        near("mean");
        near("std");
    }
    let classes = &found["groups"][0]["drift"]["prediction"];
    assert!(classes["metrics"]["chi2_p_value"].as_f64().unwrap() < 1.0);
    assert_eq!(
        classes["reference"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum::<u64>(),
        2998
    );
}

#[test]
fn latencies_and_errors_have_levels_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let numbers =
        |of: &dyn Fn(i32) -> Option<f64>| -> ArrayRef { Arc::new((1..=100).map(of).collect::<Float64Array>()) };
    write(
        &folder.path().join("log.parquet"),
        vec![
            ("score", numbers(&|row| Some(f64::from(row) / 100.0))),
            ("ms", numbers(&|row| (row != 7).then(|| f64::from(row) * 3.0))),
            ("cpu", numbers(&|row| Some(if row == 1 { f64::NAN } else { 0.5 }))),
            (
                "status",
                Arc::new((1..=100).map(|row| Some(if row <= 4 { "timeout" } else { "ok" })).collect::<StringArray>()),
            ),
            ("at", Arc::new((1..=100).map(|row| Some(START + row * 500_000)).collect::<TimestampMicrosecondArray>())),
        ],
    );
    let args = [
        "--input",
        "log.parquet",
        "--score",
        "score",
        "--latency",
        "ms",
        "--error",
        "status",
        "--operations",
        "cpu",
        "--timestamp",
        "at",
    ];
    let found = report(folder.path(), &args);
    let group = &found["groups"][0];
    let operations = &group["operations"];
    // numpy.percentile of 3, 6, ..., 300 without 21.
    let expected = [("p50", 153.0), ("p95", 285.3), ("p99", 297.06), ("max", 300.0)];
    for (name, value) in expected {
        assert!((operations["latency"][name].as_f64().unwrap() - value).abs() < 1e-9, "{name} {operations}");
    }
    assert_eq!((&operations["latency"]["nulls"], &operations["columns"]["cpu"]["nans"]), (&1.into(), &1.into()));
    assert_eq!(operations["errors"]["rate"].as_f64(), Some(0.04));
    assert!((operations["throughput_per_second"].as_f64().unwrap() - 100.0 / 49.5).abs() < 1e-12);
    assert_eq!(group["level"], "warning");
    let reasons = serde_json::json!(["p95 of latency is 285 ms", "4% of the requests failed"]);
    assert_eq!(group["reasons"], reasons);
}
