//! Feature repositories of Feast in the program itself: what is scanned comes from the registry.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use assert_cmd::Command;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

const DAY: i64 = 86_400_000_000;
/// 2026-11-01 in microseconds since 1970.
const NOVEMBER: i64 = 1_793_491_200_000_000;

fn gpudrift(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("gpudrift").unwrap();
    let output = command.current_dir(folder).env("GPUDRIFT_BACKEND", "cpu").args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, said) = (text(&output.stdout), text(&output.stderr));
    assert!(!said.contains("panicked"), "{said}");
    (output.status.code().unwrap(), out, said)
}

fn write(file: &Path, columns: Vec<(&str, ArrayRef)>) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(file).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Ten days of a thousand rows a day: `rate` is ten times as large on the last one, where every row is written twice, the
/// first time without a rate.
fn drivers(file: &Path, rate: &str) {
    let mut rows: Vec<(i64, i64, i64, Option<f32>)> = Vec::new();
    for row in 0..10_000_i64 {
        let (day, entity, time) = (row / 1000, row % 50, NOVEMBER + row / 1000 * DAY + row % 1000 * 60_000_000);
        #[expect(clippy::cast_precision_loss, reason = "numbers of a test are small")]
        let value = (row * 7919 % 1009) as f32 / 1009.0;
        if day == 9 {
            rows.push((entity, time, time + 1, None));
        }
        rows.push((entity, time, time + 2, Some(if day == 9 { value * 10.0 } else { value })));
    }
    write(
        file,
        vec![
            (
                "event_timestamp",
                Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.1)).with_timezone("UTC"))
                    as ArrayRef,
            ),
            ("driver_id", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0)))),
            (rate, Arc::new(Float32Array::from_iter(rows.iter().map(|row| row.3)))),
            ("acc_rate", Arc::new(Float32Array::from_iter(rows.iter().map(|row| row.3.map(|_| 0.5))))),
            (
                "avg_daily_trips",
                Arc::new(StringArray::from_iter_values(rows.iter().map(|row| (row.0 % 9).to_string()))),
            ),
            (
                "created",
                Arc::new(
                    TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.2)).with_timezone("UTC"),
                ),
            ),
            ("internal", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0)))),
        ],
    );
}

/// The repository that Feast 0.67 wrote, with data.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["feature_store.yaml", "registry.db"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/feast/driver_ranking").join(file);
        fs::copy(from, folder.path().join(file)).unwrap();
    }
    drivers(&folder.path().join("data/driver_stats.parquet"), "conv_rate");
    folder
}

const NIGHT: [&str; 6] = ["--as-of", "2026-11-11", "--current-window", "yesterday", "--format", "json"];

#[test]
fn what_is_scanned_comes_from_the_registry() {
    let folder = repository();
    let scan = ["scan", "--feast", ".", "--features", "driver_hourly_stats:*"];
    let (code, out, said) = gpudrift(folder.path(), &[&scan[..], &NIGHT].concat());
    assert_eq!(code, 0, "{said}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["run"]["job"], "driver_hourly_stats");
    assert_eq!(report["run"]["config"]["windows"]["entity"], json!(["driver_id"]));
    assert_eq!(report["run"]["current"]["rows"], 1000, "the last write counts");
    let features = report["features"].as_array().unwrap();
    let names: Vec<&str> = features.iter().map(|one| one["name"].as_str().unwrap()).collect();
    let expected = ["conv_rate", "acc_rate", "avg_daily_trips"].map(|name| format!("driver_hourly_stats:{name}"));
    assert_eq!(names, expected, "and no other column");
    assert_eq!((&features[0]["level"], &features[0]["current"]["nulls"]), (&json!("critical"), &json!(0)));
    assert_eq!(features[0]["change_kind"]["kind"], "unit_change");
    let warnings = report["run"]["warnings"].to_string();
    assert!(
        warnings.contains("driver_hourly_stats:avg_daily_trips is INT64 in the feature store, and string in the files")
            || warnings.contains("Utf8"),
        "{warnings}"
    );
}

#[test]
fn a_file_says_the_same_and_rules_go_by_features() {
    let folder = repository();
    let config = "[source]\nfeast = \".\"\n[scan]\nfeatures = \"driver_hourly_stats:conv_rate\"\ncurrent_window = \"yesterday\"\n\
                  [[rule]]\nmatch = \"driver_hourly_stats:conv*\"\nmax = 1\nquality_level = \"critical\"\n[history]\npath = \"h.db\"\n";
    fs::write(folder.path().join("gpudrift.toml"), config).unwrap();
    let (code, out, said) = gpudrift(folder.path(), &["config", "check"]);
    assert_eq!(code, 0, "{said}");
    assert!(out.contains("1 of 3 features selected"), "{out}");
    let (code, _, said) = gpudrift(folder.path(), &["config", "check", "--offline"]);
    assert_eq!(code, 0, "{said}");
    let (_, out, _) = gpudrift(folder.path(), &["config", "explain", "driver_hourly_stats:conv_rate"]);
    assert!(out.contains("quality_level") && out.contains("gpudrift.toml:9"), "{out}");
    let args = ["scan", "--as-of", "2026-11-11", "--format", "json", "--fail-on", "critical"];
    let (code, out, said) = gpudrift(folder.path(), &args);
    assert_eq!(code, 1, "{said}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let found = report["findings"].as_array().unwrap().iter().find(|one| one["check"] == "declared_range").unwrap();
    assert_eq!(found["feature"], "driver_hourly_stats:conv_rate");
    let (code, out, said) = gpudrift(folder.path(), &["backfill", "--from", "2026-11-03", "--to", "2026-11-11"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(out.lines().filter(|line| line.contains("0 critical")).count(), 8, "{out}");
    assert!(out.contains("there already"), "the night that was scanned is the same run: {out}");
    fs::write(folder.path().join("gpudrift.toml"), config.replace("conv*", "cnv*")).unwrap();
    let (code, _, said) = gpudrift(folder.path(), &["config", "check"]);
    assert!(code == 2 && said.contains("gpudrift.toml:6: ") && said.contains("is about nothing"), "{said}");
}

/// A registry with these views, as `feast registry-dump` prints it.
fn dump(views: &[(&str, &str, Value)]) -> String {
    let views = views.iter().map(|(name, feature, source)| {
        json!({ "spec": { "name": name, "project": "p", "features": [{ "name": feature, "valueType": "FLOAT" }],
            "entityColumns": [{ "name": "driver_id", "valueType": "INT64" }], "batchSource": source } })
    });
    json!({ "featureViews": views.collect::<Vec<_>>() }).to_string()
}

#[test]
fn one_bad_view_never_costs_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let files = |path: &str| {
        json!({ "type": "BATCH_FILE", "timestampField": "event_timestamp", "createdTimestampColumn": "created",
            "fieldMapping": { "raw": "rate" }, "fileOptions": { "uri": path } })
    };
    let views = [
        ("good", "rate", files("data/good.parquet")),
        ("gone", "rate", files("data/gone.parquet")),
        ("warehouse", "rate", json!({ "type": "BATCH_BIGQUERY", "timestampField": "t" })),
        ("other", "lost", files("data/good.parquet")),
    ];
    fs::write(folder.path().join("registry.json"), dump(&views)).unwrap();
    drivers(&folder.path().join("data/good.parquet"), "raw");
    let scan = ["scan", "--feast", "registry.json"];
    let (code, out, said) = gpudrift(folder.path(), &[&scan[..], &NIGHT].concat());
    assert_eq!(code, 3, "a file that is not there is a failure: {said}");
    assert!(said.contains("job gone") && said.contains("gone.parquet"), "{said}");
    let reports: Vec<Value> = serde_json::from_str(&out).unwrap();
    let jobs: Vec<&str> = reports.iter().map(|report| report["run"]["job"].as_str().unwrap()).collect();
    assert_eq!(jobs, ["good", "other", "warehouse"]);
    assert_eq!(reports[0]["features"][0]["name"], "good:rate", "by the mapping of fields");
    assert_eq!(reports[1]["skipped"][0]["reason"], "the feature store knows it, and the files have no column lost");
    assert_eq!(reports[2]["skipped"][0]["name"], "warehouse:rate");
    assert!(reports[2]["skipped"][0]["reason"].as_str().unwrap().contains("BigQuery"));

    let named = |features: &str| {
        let args = [&scan[..], &NIGHT, &["--features", features]].concat();
        gpudrift(folder.path(), &args)
    };
    assert_eq!(named("good:rate").0, 0);
    assert_eq!(named("warehouse:rate").0, 4, "asked for by name");
    assert_eq!(named("warehouse:*,good:*").0, 0);
    let (code, _, said) = named("good:rat");
    assert!(code == 2 && said.contains("did you mean good:rate?"), "{said}");
}

#[test]
fn what_is_no_repository_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let scan = |args: &[&str]| {
        let (code, _, said) = gpudrift(folder.path(), &[&["scan"], args, &NIGHT].concat());
        assert_eq!(code, 2, "{said}");
        said
    };
    assert!(scan(&["--feast", "."]).contains("feature_store.yaml"));
    assert!(scan(&["--feast", ".", "--source", "x"]).contains("--source"));
    fs::write(folder.path().join("feature_store.yaml"), "project: p\nregistry: {registry_type: sql, path: x}\n")
        .unwrap();
    assert!(scan(&["--feast", "."]).contains("feast registry-dump > registry.json"));
    fs::write(folder.path().join("gpudrift.toml"), "[source]\nfeast = \"a\"\npaths = [\"b\"]\n").unwrap();
    assert!(scan(&[]).contains("[source] has paths, too: keep one of the two"));
}
