//! The car loans of examples/monitoring, night by night from that one configuration: labels arrive a month late, and still
//! every night says what it should, and the decision to train follows.
//!
//! tests/golden/car_loan.json is made by tests/golden/car_loan.py: figures of scikit-learn 1.9.1 and NannyML 0.13.1.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

#[path = "support/logs.rs"]
#[allow(dead_code, reason = "the tests of the scan use the rest")]
mod logs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, TimestampMicrosecondArray};
use assert_cmd::Command;
use chrono::{Months, NaiveDate};
use serde_json::Value;

use logs::write;

/// The first month whose predictions are worse: SOURCES of the data have rows drift from 31 March 2019, at 3 o'clock.
const WORSE_FROM: &str = "2019-04";

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Rows as they are logged.
#[derive(Default)]
struct Log {
    ids: Vec<i64>,
    times: Vec<i64>,
    scores: Vec<f64>,
    predictions: Vec<i64>,
    labels: Vec<i64>,
}

impl Log {
    /// Adds the rows of a table of (score, prediction, label, rows), evenly from `from` to `to`.
    fn add(&mut self, table: &Value, from: NaiveDate, to: NaiveDate) {
        let micros = |day: NaiveDate| day.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp_micros();
        let table = table.as_array().unwrap();
        let all: i64 = table.iter().map(|row| row[3].as_i64().unwrap()).sum();
        let mut at = 0;
        for row in table {
            for _ in 0..row[3].as_i64().unwrap() {
                self.ids.push(i64::try_from(self.ids.len()).unwrap());
                self.times.push(micros(from) + (micros(to) - micros(from)) / all * at);
                self.scores.push(row[0].as_f64().unwrap());
                self.predictions.push(row[1].as_i64().unwrap());
                self.labels.push(row[2].as_i64().unwrap());
                at += 1;
            }
        }
    }

    fn write(&self, path: &Path, with_labels: bool) {
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(Int64Array::from(self.ids.clone()))),
            ("timestamp", Arc::new(TimestampMicrosecondArray::from(self.times.clone()))),
            ("y_pred_proba", Arc::new(Float64Array::from(self.scores.clone()))),
            ("y_pred", Arc::new(Int64Array::from(self.predictions.clone()))),
        ];
        if with_labels {
            columns.push(("repaid", Arc::new(Int64Array::from(self.labels.clone()))));
        }
        write(path, columns);
    }

    fn write_labels(&self, path: &Path) {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(Int64Array::from(self.ids.clone()))),
            ("repaid", Arc::new(Int64Array::from(self.labels.clone()))),
        ];
        write(path, columns);
    }
}

/// The program with the configuration of the example, beside a history: its exit code, and its JSON.
fn json(folder: &Path, args: &[&str]) -> (i32, Value) {
    let mut program = Command::cargo_bin("gpudrift").unwrap();
    program.current_dir(folder).args(args).arg("--config").arg(root("examples/monitoring/car-loan.toml"));
    let output = program.args(["--history", "loans.db", "--format", "json"]).output().unwrap();
    let code = output.status.code().unwrap();
    assert!(code < 2, "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    (code, serde_json::from_slice(&output.stdout).unwrap())
}

/// What was said on one night.
struct Night {
    /// Level of the score, by the scan of features.
    feature: Option<String>,
    /// Groups of the model scan, by month.
    groups: BTreeMap<String, Value>,
    retrain: Value,
}

fn near(ours: &Value, theirs: f64, tolerance: f64, what: &str) {
    let ours = ours.as_f64().unwrap_or(f64::NAN);
    assert!((ours - theirs).abs() <= tolerance * theirs.abs().max(1e-3), "{what}: {ours} is not {theirs}");
}

/// Night after night: the log up to the month before, and labels up to the month before that.
fn nights(folder: &Path, golden: &Value) -> BTreeMap<String, Night> {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let mut reference = Log::default();
    reference.add(&golden["reference"], day("2018-01-01"), day("2018-10-30"));
    reference.write(&folder.join("reference.parquet"), true);
    let (mut log, mut nights) = (Log::default(), BTreeMap::new());
    for month in golden["months"].as_array().unwrap() {
        let name = month["month"].as_str().unwrap();
        let first = day(&format!("{name}-01"));
        let night = first.checked_add_months(Months::new(1)).unwrap();
        let labelled = !log.ids.is_empty();
        if labelled {
            log.write_labels(&folder.join("labels.parquet"));
        }
        log.add(&month["rows"], if labelled { first } else { day("2018-10-30") }, night);
        log.write(&folder.join("log.parquet"), false);
        let as_of = night.to_string();
        // The reference ends with October 2018: the scan of features refuses to compare it with itself.
        let sources = ["scan", "--source", "reference.parquet", "log.parquet", "--as-of", &as_of];
        let feature = labelled.then(|| {
            let (_, report) = json(folder, &sources);
            let of_score =
                report["features"].as_array().unwrap().iter().find(|one| one["name"] == "y_pred_proba").cloned();
            of_score.unwrap()["level"].as_str().unwrap().to_owned()
        });
        let mut model = vec!["model", "scan", "--input", "log.parquet", "--reference", "reference.parquet"];
        if labelled {
            model.extend(["--labels", "labels.parquet"]);
        }
        let (_, report) = json(folder, &model);
        let (code, retrain) = json(folder, &["retrain", "check", "--dry-run"]);
        assert_eq!(code == 1, retrain["answer"] == "yes", "{retrain}");
        let groups = report["groups"].as_array().unwrap().iter();
        let groups = groups.map(|one| (one["window"]["start"].as_str().unwrap()[..7].to_owned(), one.clone()));
        nights.insert(name.to_owned(), Night { feature, groups: groups.collect(), retrain });
    }
    nights
}

#[test]
fn the_model_that_became_worse_is_found_on_its_night_without_labels_and_with_them_later() {
    let golden: Value =
        serde_json::from_str(&std::fs::read_to_string(root("tests/golden/car_loan.json")).unwrap()).unwrap();
    let months = golden["months"].as_array().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let nights = nights(folder.path(), &golden);
    assert_eq!(nights.len(), 11);
    for (at, month) in months.iter().enumerate() {
        let name = month["month"].as_str().unwrap();
        let worse = name >= WORSE_FROM;
        // On its own night nobody knows a label of the month.
        let night = &nights[name];
        let before = &night.groups[name];
        assert_eq!(before["rows"]["labelled"], 0, "{name}");
        assert_eq!(before["level"], if worse { "critical" } else { "ok" }, "{name}: {}", before["reasons"]);
        let feature = night.feature.as_deref().unwrap_or("ok");
        assert_eq!(feature, if worse { "critical" } else { "ok" }, "{name}");
        for (metric, expected) in month["estimated"].as_object().unwrap() {
            let ours = &before["estimated"][metric];
            near(&ours["value"], expected[0].as_f64().unwrap(), 1e-7, &format!("{name}, estimated {metric}"));
            // As in tests/model_estimate.rs: NannyML ranks ties by its sort, and draws the error of average precision.
            let tolerance = match metric.as_str() {
                "roc_auc" => 0.1,
                "average_precision" => 0.5,
                _ => 1e-7,
            };
            let error = expected[1].as_f64().unwrap();
            near(&ours["sampling_error"], error, tolerance, &format!("{name}, error of {metric}"));
        }
        near(
            &before["drift"]["score"]["metrics"]["psi"],
            month["psi"].as_f64().unwrap(),
            1e-12,
            &format!("{name}, PSI"),
        );
        // A month later they are there.
        let Some(later) = months.get(at + 1) else { continue };
        let after = &nights[later["month"].as_str().unwrap()].groups[name];
        assert_eq!(after["coverage"], 1.0, "{name}");
        assert_eq!(after["level"], if worse { "warning" } else { "ok" }, "{name}: {}", after["reasons"]);
        for (metric, expected) in month["realized"].as_object().unwrap() {
            near(&after["metrics"][metric]["value"], expected.as_f64().unwrap(), 1e-12, &format!("{name}, {metric}"));
        }
    }
    decisions_follow(&nights);
    both_values_are_kept(folder.path(), months);
}

/// A training is asked for from the first bad night on: by what was to be expected, and from the next one on by what came true.
fn decisions_follow(nights: &BTreeMap<String, Night>) {
    let of = |night: &Night, rule: &str| {
        let reasons = night.retrain["reasons"].as_array().unwrap();
        reasons.iter().find(|reason| reason["rule"] == rule).unwrap().clone()
    };
    for (name, night) in nights {
        let worse = name.as_str() >= WORSE_FROM;
        let answer = &night.retrain["answer"];
        assert_eq!(answer, if worse { "yes" } else { "no" }, "{name}: {}", night.retrain);
        assert_eq!(of(night, "performance")["met"], worse, "{name}: {}", night.retrain);
        assert_eq!(of(night, "drift")["met"], worse, "{name}: {}", night.retrain);
        let performance = &night.retrain["evidence"]["performance"]["of"];
        assert_eq!(performance["estimated"], true, "{name}: the latest month has no labels: {performance}");
    }
}

/// The history has what was said first, without labels, and what came true.
fn both_values_are_kept(folder: &Path, months: &[Value]) {
    let (_, trends) = {
        let mut program = Command::cargo_bin("gpudrift").unwrap();
        program.current_dir(folder).args(["model", "history", "car_loan", "--history", "loans.db", "--format", "json"]);
        let output = program.output().unwrap();
        (output.status.code(), serde_json::from_slice::<Value>(&output.stdout).unwrap())
    };
    let windows = trends[0]["windows"].as_array().unwrap();
    assert_eq!(windows.len(), months.len());
    for (window, month) in windows.iter().zip(&months[..months.len() - 1]) {
        let [first, amended] = [&window["first"], &window["amended"]];
        assert_eq!(first["rows"]["labelled"], 0, "{month}");
        assert!(first["metrics"]["accuracy"]["value"].is_null());
        let realized = month["realized"]["accuracy"].as_f64().unwrap();
        near(&amended["metrics"]["accuracy"]["value"], realized, 1e-12, "amended accuracy");
        let error = month["estimated"]["accuracy"][0].as_f64().unwrap() - realized;
        near(&amended["estimated"]["accuracy"]["error"], error, 1e-6, "how far the estimate was off");
    }
}
