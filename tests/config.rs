//! The configuration in the program itself: check, explain, init, jobs, sinks, rules.

#![expect(clippy::unwrap_used, reason = "a test that cannot start its program fails")]

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("gpudrift").unwrap();
    command.current_dir(folder).env_remove("NO_COLOR").args(args);
    command
}

/// Runs `gpudrift` in `folder`.
fn gpudrift(folder: &TempDir, args: &[&str]) -> Output {
    command(folder.path(), args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Expects an exit code; gives stdout and stderr.
fn ended(output: &Output, code: i32) -> (String, String) {
    let (out, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "stdout:\n{out}\nstderr:\n{said}");
    assert!(!said.contains("panicked"), "{said}");
    (out, said)
}

/// A folder with a store of twelve features, half of them drifted, in `a/`, and one without drift in `b/`.
fn store() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let generate = |name: &str, drifted: &str| {
        let args = [
            "generate",
            "--output",
            name,
            "--rows",
            "2000",
            "--features",
            "12",
            "--drifted",
            drifted,
            "--types",
            "f32,int,string",
        ];
        ended(&gpudrift(&folder, &args), 0);
    };
    generate("a", "0.5");
    generate("b", "0");
    folder
}

fn config(folder: &TempDir, rest: &str) {
    let sides = "[reference]\npaths = [\"a/reference\"]\n[current]\npaths = [\"a/current\"]\n";
    fs::write(folder.path().join("gpudrift.toml"), format!("{sides}{rest}")).unwrap();
}

fn json(output: &Output, code: i32) -> Value {
    serde_json::from_str(&ended(output, code).0).unwrap()
}

fn scanned(folder: &TempDir, rest: &str) -> Value {
    config(folder, rest);
    json(&gpudrift(folder, &["scan", "-f", "json"]), 0)
}

fn levels(report: &Value) -> Vec<(String, String)> {
    let features = report["features"].as_array().unwrap().iter();
    features.map(|f| (f["name"].as_str().unwrap().to_owned(), f["level"].as_str().unwrap().to_owned())).collect()
}

/// The name of a drifted feature of the store.
fn critical(report: &Value) -> String {
    levels(report).into_iter().find(|(_, level)| level == "critical").expect("half of the features drifted").0
}

#[test]
fn rules_and_features_move_the_thresholds_of_single_features() {
    let folder = store();
    let plain = scanned(&folder, "");
    let name = critical(&plain);
    let quiet = scanned(
        &folder,
        &format!("[feature.\"{name}\"]\npsi_warning = 1000\nks_info = 1\nnull_info = 1\nweight = 3\n"),
    );
    for ((feature, before), (_, after)) in levels(&plain).into_iter().zip(levels(&quiet)) {
        match feature == name {
            true => assert_ne!(after, "critical", "{feature}"),
            false => assert_eq!(before, after, "{feature} has no rule"),
        }
    }
    let feature = quiet["features"].as_array().unwrap().iter().find(|f| f["name"] == name.as_str()).unwrap();
    assert_eq!(feature["weight"], 3.0);
    let rule = &quiet["run"]["config"]["rules"][0];
    assert_eq!((&rule["origin"], &rule["settings"]["weight"]), (&"gpudrift.toml:5".into(), &3.0.into()));
    // A flag wins over everything in the file.
    let typed = json(&gpudrift(&folder, &["scan", "-f", "json", "--psi-warning", "0.1", "--psi-critical", "0.2"]), 0);
    assert_eq!(critical(&typed), name);
    let without = scanned(&folder, "[[rule]]\nmatch = \"*\"\nexclude = true\n");
    assert_eq!(levels(&without), []);
    let one =
        scanned(&folder, &format!("[[rule]]\nmatch = \"*\"\nexclude = true\n[feature.\"{name}\"]\nexclude = false\n"));
    assert_eq!(levels(&one).len(), 1, "a feature wins over a rule");
}

#[test]
fn a_rule_that_matches_nothing_is_an_error_with_its_line() {
    let folder = store();
    let name = levels(&scanned(&folder, ""))[0].0.clone();
    let wrong = format!("{name}x");
    config(&folder, &format!("[[rule]]\nmatch = \"nothing_*\"\nweight = 2\n[feature.\"{wrong}\"]\nweight = 2\n"));
    let (out, said) = ended(&gpudrift(&folder, &["scan"]), 2);
    assert_eq!(out, "");
    assert!(said.contains("gpudrift.toml:5: [[rule]] match = \"nothing_*\" is about nothing"), "{said}");
    assert!(said.contains(&format!("gpudrift.toml:8: [feature.\"{wrong}\"] is about nothing")), "{said}");
    assert!(said.contains(&format!("did you mean {name}")), "{said}");
    ended(&gpudrift(&folder, &["config", "check"]), 2);
    let (out, _) = ended(&gpudrift(&folder, &["config", "check", "--offline"]), 0);
    assert_eq!(out, "gpudrift.toml is right: 1 rule, 1 feature of its own; the data was not looked at\n");
}

#[test]
fn check_says_what_is_selected() {
    let folder = store();
    let name = levels(&scanned(&folder, ""))[0].0.clone();
    config(&folder, &format!("[feature.\"{name}\"]\nweight = 2\n"));
    let (out, said) = ended(&gpudrift(&folder, &["config", "check", "gpudrift.toml"]), 0);
    assert_eq!(
        (out.as_str(), said.as_str()),
        (
            "12 of 12 features selected, 1 with settings of their own\ngpudrift.toml is right: 0 rules, 1 feature of its own\n",
            ""
        )
    );
    config(&folder, "[scan]\nfeatures = [\"nobody\"]\nexclude = [\"no_such\"]");
    assert!(
        ended(&gpudrift(&folder, &["config", "check"]), 2)
            .1
            .contains("features names nobody, but no feature has this name")
    );
    fs::remove_dir_all(folder.path().join("a")).unwrap();
    assert!(ended(&gpudrift(&folder, &["config", "check"]), 3).1.contains("cannot open the reference data"));
    assert!(ended(&gpudrift(&folder, &["config", "check", "none.toml"]), 2).1.contains("cannot read none.toml"));
}

#[test]
fn explain_names_the_line_of_every_value() {
    let folder = tempfile::tempdir().unwrap();
    config(
        &folder,
        "[scan]\nalpha = 0.01\n[[rule]]\nmatch = \"user:*\"\nweight = 2\npsi_critical = 0.3\n[feature.\"user:age\"]\nweight = 10\n",
    );
    let (out, _) = ended(&gpudrift(&folder, &["config", "explain", "user:age"]), 0);
    for line in [
        "user:age",
        "weight 10.0 gpudrift.toml:12 [feature.\"user:age\"]",
        "over 2.0 gpudrift.toml:9 [[rule]] match = \"user:*\"",
        "psi_critical 0.3 gpudrift.toml:10 [[rule]] match = \"user:*\"",
        "alpha 0.01 gpudrift.toml:6 [scan]",
        "psi_warning 0.1 default",
        "threshold \"fixed\" default",
    ] {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(out.lines().any(|found| words(found) == line), "{line:?} is not in\n{out}");
    }
    let said = json(&gpudrift(&folder, &["config", "explain", "user:age", "--format", "json"]), 0);
    let weight = said[0]["settings"].as_array().unwrap().iter().find(|s| s["key"] == "weight").unwrap();
    assert_eq!(
        (&weight["value"], &weight["by"], &weight["origin"]),
        (&10.0.into(), &"feature".into(), &"gpudrift.toml:12".into())
    );
    assert_eq!(weight["over"][0]["value"], 2.0);
    ended(&gpudrift(&folder, &["config", "explain", "x", "--job", "a"]), 2);
}

#[test]
fn the_schema_is_json_and_names_the_sections() {
    let folder = tempfile::tempdir().unwrap();
    let schema = json(&gpudrift(&folder, &["config", "schema"]), 0);
    assert_eq!(schema["title"], "gpudrift.toml");
    for section in ["reference", "current", "scan", "rule", "feature", "sink", "job"] {
        assert!(schema["properties"][section].is_object(), "{section}");
    }
}

#[test]
fn what_init_writes_is_right_and_scans() {
    let folder = store();
    let init = ["init", "--reference", "a/reference", "--current", "a/current"];
    let (out, said) = ended(&gpudrift(&folder, &init), 0);
    assert_eq!((out.as_str(), said.contains("wrote gpudrift.toml")), ("", true));
    ended(&gpudrift(&folder, &["config", "check"]), 0);
    ended(&gpudrift(&folder, &["scan", "--quiet"]), 0);
    let before = fs::read(folder.path().join("gpudrift.toml")).unwrap();
    assert!(ended(&gpudrift(&folder, &init), 2).1.contains("gpudrift.toml is there already; --force writes over it"));
    ended(&gpudrift(&folder, &[&init[..], &["--force"]].concat()), 0);
    assert_eq!(fs::read(folder.path().join("gpudrift.toml")).unwrap(), before);
    fs::create_dir(folder.path().join("conf")).unwrap();
    ended(&gpudrift(&folder, &[&init[..], &["--output", "conf/night.toml"]].concat()), 0);
    ended(&gpudrift(&folder, &["config", "check", "conf/night.toml"]), 0);
    ended(&gpudrift(&folder, &["init", "--reference", "none", "--current", "b/current", "--force"]), 3);
}

#[test]
fn what_init_says_of_one_source_names_its_times_and_scans() {
    use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
    let folder = tempfile::tempdir().unwrap();
    let hour = 3_600_000_000_i64;
    let rows = 0..24_i64 * 60;
    // 2026-01-01 in microseconds since 1970; each hour another reading of five sensors, written an hour later.
    let times = rows.clone().map(|row| 1_767_225_600_000_000 + row * hour);
    let columns: [(&str, ArrayRef); 5] = [
        ("sensor_id", std::sync::Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| row % 5)))),
        ("event_timestamp", std::sync::Arc::new(TimestampMicrosecondArray::from_iter_values(times.clone()))),
        ("created", std::sync::Arc::new(TimestampMicrosecondArray::from_iter_values(times.map(|time| time + hour)))),
        (
            "value",
            std::sync::Arc::new(Float64Array::from_iter_values(
                rows.clone().map(|row| f64::from(i32::try_from(row * 7919 % 1009).unwrap())),
            )),
        ),
        ("row", std::sync::Arc::new(Int64Array::from_iter_values(rows))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    fs::create_dir(folder.path().join("store")).unwrap();
    let file = fs::File::create(folder.path().join("store/readings.parquet")).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();

    ended(&gpudrift(&folder, &["init", "--source", "store"]), 0);
    let proposed = fs::read_to_string(folder.path().join("gpudrift.toml")).unwrap();
    for line in [
        "timestamp = \"event_timestamp\"",
        "created = \"created\"",
        "entity = [\"sensor_id\"]",
        "reference_window = \"2026-01-01..2026-02-22\"",
        "current_window = \"2026-02-23..2026-03-01\"",
    ] {
        assert!(proposed.lines().any(|written| written == line), "{line}\n{proposed}");
    }
    ended(&gpudrift(&folder, &["config", "check"]), 0);
    let (report, _) = ended(&gpudrift(&folder, &["scan", "--quiet", "--format", "json"]), 0);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        (&report["run"]["current"]["rows"], &report["run"]["reference"]["rows"]),
        (&Value::from(168), &Value::from(1272))
    );
    let names: Vec<&str> =
        report["features"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["value"], "the row number is no feature");
    let (_, said) = ended(&gpudrift(&folder, &["init", "--source", "store", "--reference", "a", "--force"]), 2);
    assert!(said.contains("--source"), "{said}");
    fs::remove_dir_all(folder.path().join("store")).unwrap();
    ended(
        &gpudrift(&folder, &["generate", "--output", "untimed", "--rows", "100", "--features", "3", "--types", "f32"]),
        0,
    );
    let (_, said) = ended(&gpudrift(&folder, &["init", "--source", "untimed/reference", "--force"]), 3);
    assert!(said.contains("no column of the source is evidently the time of a row"), "{said}");
}

const JOBS: &str = "\
[[rule]]
match = \"*\"
weight = 2
[job.drifted]
[job.calm.reference]
paths = [\"b/reference\"]
[job.calm.current]
paths = [\"b/current\"]
";

#[test]
fn jobs_run_one_after_another_and_a_failed_one_costs_no_other() {
    let folder = store();
    config(&folder, JOBS);
    assert!(ended(&gpudrift(&folder, &["scan"]), 2).1.contains("has jobs: name one with --job (drifted, calm)"));
    let one = json(&gpudrift(&folder, &["scan", "--job", "calm", "-f", "json"]), 0);
    assert_eq!((&one["run"]["job"], &one["summary"]["critical"]), (&"calm".into(), &0.into()));
    let all = json(&gpudrift(&folder, &["scan", "--job", "all", "-f", "json", "--fail-on", "critical"]), 1);
    let jobs: Vec<&str> = all.as_array().unwrap().iter().map(|report| report["run"]["job"].as_str().unwrap()).collect();
    assert_eq!(jobs, ["drifted", "calm"]);
    let (table, _) = ended(&gpudrift(&folder, &["scan", "--job", "calm,drifted"]), 0);
    assert!(table.starts_with("job calm, gpudrift ") && table.contains("\njob drifted, gpudrift "), "{table}");
    let (lines, _) = ended(&gpudrift(&folder, &["scan", "--job", "all", "-f", "ndjson"]), 0);
    assert_eq!(lines.lines().filter(|line| line.starts_with("{\"schema_version\"")).count(), 2);
    assert!(
        ended(&gpudrift(&folder, &["scan", "--job", "all", "-f", "html"]), 2)
            .1
            .contains("several reports would go to standard output")
    );
    assert!(ended(&gpudrift(&folder, &["scan", "--job", "clam"]), 2).1.contains("did you mean calm?"));
    fs::remove_dir_all(folder.path().join("a")).unwrap();
    let broken = gpudrift(&folder, &["scan", "--job", "all", "-f", "json"]);
    let left = json(&broken, 3);
    assert_eq!(left.as_array().unwrap().len(), 1);
    let said = text(&broken.stderr);
    assert!(said.contains("error: job drifted") && said.contains("cannot open the reference data"), "{said}");
    let (_, said) = ended(&gpudrift(&folder, &["config", "check"]), 3);
    assert!(said.contains("job drifted"), "{said}");
}

#[test]
fn a_shared_rule_need_not_match_in_every_job_but_in_one() {
    let folder = store();
    let name = levels(&scanned(&folder, ""))[0].0.clone();
    config(&folder, &format!("{JOBS}[[rule]]\nmatch = \"nothing_*\"\nweight = 3\n[feature.\"{name}\"]\nweight = 1\n"));
    let (_, said) = ended(&gpudrift(&folder, &["scan", "--job", "all", "-f", "ndjson"]), 0);
    assert!(said.contains("warning: [[rule]] match = \"nothing_*\" is about nothing"), "{said}");
    let (_, said) = ended(&gpudrift(&folder, &["config", "check"]), 2);
    assert!(said.contains("[[rule]] match = \"nothing_*\" is about nothing"), "{said}");
    assert!(!said.contains(&name), "{said}");
}

#[test]
fn a_run_writes_every_sink_of_the_file() {
    let folder = store();
    let sinks = "[[sink]]\nformat = \"json\"\noutput = \"{job}.json\"\n[[sink]]\nformat = \"ndjson\"\noutput = \"all.ndjson\"\n[[sink]]\nformat = \"table\"\n";
    config(&folder, &format!("{JOBS}{sinks}"));
    let (out, said) = ended(&gpudrift(&folder, &["scan", "--job", "all"]), 0);
    assert!(out.contains("job drifted") && out.contains("job calm"), "{out}");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let calm: Value = serde_json::from_str(&read("calm.json")).unwrap();
    assert_eq!(calm["run"]["job"], "calm");
    assert_eq!(read("all.ndjson").lines().filter(|line| line.starts_with("{\"schema_version\"")).count(), 2);
    assert_eq!(said, "wrote drifted.json\nwrote all.ndjson\nwrote calm.json\n");
    config(&folder, &format!("{JOBS}[[sink]]\nformat = \"json\"\noutput = \"{{job}}-{{date}}.json\"\n"));
    let (_, said) = ended(&gpudrift(&folder, &["scan", "--job", "calm", "--as-of", "2026-11-22"]), 0);
    assert!(said.contains("wrote calm-2026-11-22.json"), "the day that the run stands for: {said}");
    config(&folder, &format!("{JOBS}[[sink]]\nformat = \"html\"\noutput = \"report.html\"\n"));
    let (_, said) = ended(&gpudrift(&folder, &["scan", "--job", "all"]), 2);
    assert!(said.contains("several reports would go to report.html (html and html)"), "{said}");
}

#[test]
fn weights_rank_within_a_level() {
    let folder = store();
    let report = scanned(&folder, "");
    let critical: Vec<String> =
        levels(&report).into_iter().filter(|(_, level)| level == "critical").map(|(name, _)| name).collect();
    assert!(critical.len() > 1, "{critical:?}");
    for name in &critical {
        fs::write(folder.path().join("weights.csv"), format!("feature,importance\n{name},0.5\nsomebody_else,1\n"))
            .unwrap();
        let output = gpudrift(&folder, &["scan", "--weights", "weights.csv", "-f", "markdown", "--top", "1"]);
        let (out, said) = ended(&output, 0);
        assert!(out.contains(&format!("| {} |", name.replace('_', "\\_"))), "{name} is not first in\n{out}");
        assert!(said.contains("weights: 1 name of weights.csv are no feature of this scan"), "{said}");
    }
    let (_, said) = ended(&gpudrift(&folder, &["scan", "--weights", "none.csv"]), 3);
    assert!(said.contains("cannot read the weights none.csv"), "{said}");
}

#[test]
fn the_environment_stands_between_the_file_and_what_is_typed() {
    let folder = store();
    config(&folder, "[scan]\nfail_on = \"never\"\nformat = \"ndjson\"");
    let run = |fail_on: &str, args: &[&str]| {
        let args = [&["scan"], args].concat();
        command(folder.path(), &args).env("GPUDRIFT_FAIL_ON", fail_on).output().unwrap()
    };
    ended(&run("critical", &[]), 1);
    ended(&run("critical", &["--fail-on", "never"]), 0);
    assert!(ended(&run("sometimes", &[]), 2).1.contains("sometimes"));
}
