//! `gpudrift model compare`: figures and tests against scikit-learn 1.9.1, statsmodels 0.15.0 and SciPy 1.17.1, and what a user sees.
//!
//! tests/golden/compare.json is made by tests/golden/compare.py.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

#[path = "support/logs.rs"]
#[allow(dead_code, reason = "the tests of the scan use the rest")]
mod logs;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, TimestampMicrosecondArray};
use assert_cmd::Command;
use serde_json::Value;

use logs::{log, write, write_log};

fn column(values: &Value) -> ArrayRef {
    let values = values.as_array().unwrap();
    if values[0].is_string() {
        return Arc::new(StringArray::from_iter_values(values.iter().map(|value| value.as_str().unwrap())));
    }
    Arc::new(Float64Array::from_iter_values(values.iter().map(|value| value.as_f64().unwrap())))
}

fn compare(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::cargo_bin("gpudrift").unwrap();
    command.current_dir(folder).args(["model", "compare"]).args(args).output().unwrap()
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let output = compare(folder, &[args, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn figures_and_tests_are_those_of_statsmodels_and_scipy() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/compare.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut compared = BTreeSet::new();
    for (case, golden) in golden.as_object().unwrap() {
        let folder = tempfile::tempdir().unwrap();
        let data = golden["data"].as_object().unwrap();
        let columns = data.iter().map(|(name, values)| (name.as_str(), column(values))).collect();
        write(&folder.path().join("log.parquet"), columns);
        let mut args = vec!["--input", "log.parquet", "--version", "version", "--label", "label"];
        args.extend(["--prediction", "prediction", "--task", golden["task"].as_str().unwrap()]);
        if golden["task"] == "binary" {
            args.extend(["--score", "score", "--latency", "ms", "--error", "failed"]);
        }
        // Weights are rounded to multiples of 2^-32.
        let weighted = data.contains_key("weight");
        if weighted {
            args.extend(["--weight", "weight"]);
        }
        let tolerance = if weighted { 1e-9 } else { 1e-11 };
        let report = json(folder.path(), &args);
        let comparison = &report["comparisons"][0];
        assert_eq!(
            (&comparison["production"]["version"], &comparison["canary"]["version"]),
            (&"prod".into(), &"canary".into())
        );
        for (name, expected) in golden["expected"].as_object().unwrap() {
            let ours = &comparison["figures"][name];
            let near = |ours: &Value, theirs: &Value, tolerance: f64| match (ours.as_f64(), theirs.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() <= tolerance * b.abs().max(1e-12),
                (a, b) => a == b,
            };
            for (side, value) in ["production", "canary"].iter().zip(expected["values"].as_array().unwrap()) {
                assert!(near(&ours[side], value, tolerance), "{case} {name} {side}: {ours} is not {value}");
            }
            for of in ["statistic", "p_value"] {
                assert!(near(&ours[of], &expected[of], 1e-8), "{case} {name} {of}: {ours} is not {expected}");
            }
            compared.insert(name.clone());
        }
    }
    assert!(compared.len() >= 21, "{compared:?}");
}

const ARGS: [&str; 10] =
    ["--input", "log.parquet", "--version", "version", "--label", "label", "--timestamp", "at", "--window", "week"];

#[test]
fn a_canary_that_is_like_production_has_no_level_and_a_worse_one_has() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = log(9000);
    rows.retain(|row| row.region == Some("north"));
    let args = [&ARGS[..], &["--score", "score"]].concat();
    write_log(&folder.path().join("log.parquet"), &rows, true);
    let alike = json(folder.path(), &args);
    let levels: BTreeSet<_> =
        alike["comparisons"].as_array().unwrap().iter().map(|one| one["level"].to_string()).collect();
    assert_eq!(levels.into_iter().collect::<Vec<_>>(), ["\"ok\""], "{alike}");
    // Every third answer of the canary is turned around.
    for row in rows.iter_mut().filter(|row| row.version == "canary" && row.id.unwrap() % 3 == 0) {
        row.score = row.score.map(|score| 1.0 - score);
    }
    write_log(&folder.path().join("log.parquet"), &rows, true);
    let worse = json(folder.path(), &args);
    let worse = worse["comparisons"].as_array().unwrap();
    assert_eq!(worse.len(), 5);
    for comparison in worse.iter().filter(|one| one["canary"]["rows"]["measured"].as_u64().unwrap() >= 100) {
        assert_eq!(comparison["level"], "critical", "{comparison}");
        let traffic = ["production", "canary"].map(|side| comparison[side]["traffic"].as_f64().unwrap());
        assert!((traffic[0] + traffic[1] - 1.0).abs() < 1e-12 && traffic[1] < 0.15, "{traffic:?}");
    }
    let gate = compare(folder.path(), &[&args[..], &["--fail-on", "critical"]].concat());
    let text = String::from_utf8(gate.stdout).unwrap();
    assert_eq!(gate.status.code(), Some(1));
    assert!(text.contains("accuracy of the canary is 0.") && text.contains("two-proportion z"), "{text}");
    let turned = json(folder.path(), &[&args[..], &["--production", "canary"]].concat());
    assert_eq!(turned["comparisons"][1]["canary"]["version"], "prod");
    assert_eq!(turned["comparisons"][1]["level"], "ok", "better is no alarm");
}

#[test]
fn what_cannot_be_compared_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = log(500);
    write_log(&folder.path().join("log.parquet"), &rows, true);
    let said = |args: &[&str]| {
        let output = compare(folder.path(), &[&ARGS[..], &["--score", "score"], args].concat());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = said(&["--canary", "v9"]);
    assert!(
        code == Some(2) && text.contains("canary is v9, but the versions of model model are canary, prod"),
        "{text}"
    );
    let output = compare(folder.path(), &["--input", "log.parquet", "--score", "score"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("takes the column of the `version`"));
    rows.retain(|row| row.version == "prod");
    write_log(&folder.path().join("log.parquet"), &rows, true);
    let (code, text) = said(&[]);
    assert!(code == Some(0) && text.contains("in no window did two versions serve"), "{text}");
}

/// What outgrows memory lies on disk: comparisons, drift and latencies walk over it there.
#[test]
fn nothing_depends_on_memory() {
    let folder = tempfile::tempdir().unwrap();
    let rows = log(6000);
    let ms: ArrayRef = Arc::new((0..6000).map(|row| Some(f64::from(row * 37 % 1009))).collect::<Float64Array>());
    let at: Vec<_> = rows.iter().map(|row| Some(row.time)).collect();
    let columns = |range: std::ops::Range<usize>| {
        let rows = &rows[range.clone()];
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("at", Arc::new(TimestampMicrosecondArray::from(at[range.clone()].to_vec()))),
            ("version", Arc::new(rows.iter().map(|row| Some(row.version)).collect::<StringArray>())),
            ("score", Arc::new(rows.iter().map(|row| row.score).collect::<Float64Array>())),
            (
                "label",
                Arc::new(
                    rows.iter()
                        .map(|row| row.label.map(|label| if label == 1 { 1.0 } else { 0.0 }))
                        .collect::<Float64Array>(),
                ),
            ),
            ("ms", ms.slice(range.start, range.len())),
        ];
        columns
    };
    write(&folder.path().join("log.parquet"), columns(0..6000));
    write(&folder.path().join("reference.parquet"), columns(0..3000));
    let args = [&ARGS[..], &["--score", "score", "--latency", "ms"]].concat();
    for (command, more) in [("compare", &[][..]), ("scan", &["--reference", "reference.parquet"][..])] {
        let found = ["512MiB", "20KiB"].map(|memory| {
            let mut program = Command::cargo_bin("gpudrift").unwrap();
            program.current_dir(folder.path()).args(["model", command, "--format", "json", "--memory-limit", memory]);
            let output = program.args(&args).args(more).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
            report["run"].take();
            report
        });
        assert!(found[0] == found[1], "{command}");
        assert!(found[0].to_string().contains("ks_statistic") || command == "compare");
    }
}
