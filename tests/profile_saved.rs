//! The current side of a scan, saved as a profile: the one that is built of the same data, to the byte.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use gpudrift::config::{BackendChoice, FactsChoice, ScanConfig, WindowConfig};
use gpudrift::generate::{GenerateSpec, TYPES, type_named};
use gpudrift::profile::{BuildOptions, Profile, build};
use gpudrift::progress::NoProgress;
use gpudrift::scan::{ScanError, scan, scan_and_save};
use gpudrift::source::{Dataset, OpenOptions};
use support::sides;

/// A store of every type with every kind of drift, in several files and many row groups.
fn store(folder: &Path, dictionary: bool) -> ScanConfig {
    let mut spec = GenerateSpec {
        rows: 3000,
        current_rows: 2500,
        features: 2 * TYPES.len(),
        types: TYPES.map(|(name, _)| type_named(name).unwrap()).to_vec(),
        drifted: 0.5,
        nulls: 0.05,
        nans: 0.02,
        ..GenerateSpec::default()
    };
    spec.format.row_group_rows = 700;
    spec.format.files = 2;
    spec.format.dictionary = dictionary;
    spec.store().unwrap().write(folder, false).unwrap();
    ScanConfig { threads: 2, memory_limit: 1 << 30, ..sides(folder) }
}

fn built(paths: &[String]) -> Vec<u8> {
    let data = Dataset::open(paths, &OpenOptions::default()).unwrap();
    let mut bytes = Vec::new();
    let options = BuildOptions { size: None, memory_limit: 1 << 30, threads: 2 };
    build(&data, &options, &NoProgress, &mut bytes).unwrap();
    bytes
}

fn saved(config: &ScanConfig) -> (Vec<u8>, Vec<String>) {
    let (_, saved) = scan_and_save(config, &NoProgress).unwrap();
    let saved = saved.unwrap();
    let failures = saved.failures().into_iter().map(|(name, reason)| format!("{name}: {reason}")).collect();
    let mut bytes = Vec::new();
    saved.write(&mut bytes).unwrap();
    (bytes, failures)
}

#[test]
fn what_is_saved_is_what_is_built() {
    let folder = tempfile::tempdir().unwrap();
    for dictionary in [true, false] {
        let config = store(&folder.path().join(dictionary.to_string()), dictionary);
        let expected = built(&config.current);
        // With little memory every feature is counted piece by piece, and read once more to be saved.
        for (backend, memory_limit) in
            [(BackendChoice::Cpu, 1 << 30), (BackendChoice::Gpu, 1 << 30), (BackendChoice::Cpu, 1 << 10)]
        {
            let config = ScanConfig { backend, memory_limit, ..config.clone() };
            let (bytes, failures) = saved(&config);
            assert_eq!(failures, Vec::<String>::new());
            assert!(bytes == expected, "{backend:?}, {memory_limit} bytes of memory, dictionary pages: {dictionary}");
        }
    }
}

#[test]
fn a_scan_with_it_is_a_scan_with_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let config = store(folder.path(), true);
    let path = folder.path().join("current.gpd");
    fs::write(&path, saved(&config).0).unwrap();
    let turned = ScanConfig { reference: config.current.clone(), current: config.reference.clone(), ..config.clone() };
    let expected = scan(&turned, &NoProgress).unwrap();
    let found = scan(&ScanConfig { reference: Vec::new(), profile: Some(path), ..turned }, &NoProgress).unwrap();
    let body = |report: &gpudrift::report::Report| serde_json::to_string(&(&report.features, &report.skipped)).unwrap();
    assert!(!found.features.is_empty() && body(&found) == body(&expected));
}

#[test]
fn types_that_changed_and_columns_that_are_new_are_saved_as_they_are() {
    use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringArray};
    use std::sync::Arc;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, columns: Vec<(&str, ArrayRef)>| {
        let batch = arrow::array::RecordBatch::try_from_iter(columns).unwrap();
        let path = folder.path().join(name);
        let file = fs::File::create(&path).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        vec![path.display().to_string()]
    };
    let reference = write(
        "reference.parquet",
        vec![
            ("wider", Arc::new(Int64Array::from_iter_values(0..500))),
            ("text", Arc::new(StringArray::from_iter_values((0..500).map(|i| format!("v{}", i % 7))))),
            ("gone", Arc::new(Int32Array::from_iter_values(0..500))),
        ],
    );
    let current = write(
        "current.parquet",
        vec![
            ("new", Arc::new(Float64Array::from_iter_values((0..400).map(|i| f64::from(i % 40))))),
            ("wider", Arc::new(Int32Array::from_iter_values((0..400).map(|i| i / 3)))),
            ("text", Arc::new(Float64Array::from_iter_values((0..400).map(f64::from)))),
        ],
    );
    let expected = built(&current);
    let config = ScanConfig { reference, current, backend: BackendChoice::Cpu, threads: 2, ..ScanConfig::default() };
    assert!(saved(&config).0 == expected, "the profile has the columns of current, each in its own type");
    let config = ScanConfig { exclude: vec!["new".to_owned()], ..config };
    let path = folder.path().join("current.gpd");
    fs::write(&path, saved(&config).0).unwrap();
    let names: Vec<String> = Profile::open(&path).unwrap().columns().iter().map(|column| column.name.clone()).collect();
    assert_eq!(names, ["wider", "text"], "what is left out of the scan is left out of the profile");
}

#[test]
fn a_window_is_saved_alone() {
    use arrow::array::{ArrayRef, Float64Array, TimestampMicrosecondArray};
    use std::sync::Arc;
    let folder = tempfile::tempdir().unwrap();
    const DAY: i64 = 86_400_000_000;
    let write = |path: &Path, days: std::ops::Range<i64>| {
        let rows: Vec<i64> = (0..days.end * 50).filter(|row| days.contains(&(row / 50))).collect();
        let at = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row / 50 * DAY + row % 50));
        let value =
            Float64Array::from_iter_values(rows.iter().map(|row| f64::from(i32::try_from(row * 7919 % 1013).unwrap())));
        let columns: Vec<(&str, ArrayRef)> = vec![("at", Arc::new(at)), ("value", Arc::new(value))];
        let batch = arrow::array::RecordBatch::try_from_iter(columns).unwrap();
        let file = fs::File::create(path).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    };
    let (all, day) = (folder.path().join("all.parquet"), folder.path().join("day.parquet"));
    write(&all, 0..10);
    write(&day, 9..10);
    let run = |arguments: &[&str]| -> Output {
        let program = env!("CARGO_BIN_EXE_gpudrift");
        Command::new(program).args(arguments).current_dir(folder.path()).output().unwrap()
    };
    let done = run(&[
        "scan",
        "--source",
        "all.parquet",
        "--timestamp",
        "at",
        "--as-of",
        "1970-01-11",
        "--current-window",
        "yesterday",
        "--reference-window",
        "1970-01-01..1970-01-08",
        "--backend",
        "cpu",
        "--save-profile",
        "day.gpd",
    ]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stderr).contains("wrote day.gpd"));
    let shown = |path: &str| String::from_utf8(run(&["profile", "show", path, "--format", "json"]).stdout).unwrap();
    assert!(run(&["profile", "build", "--reference", "day.parquet", "--output", "built.gpd"]).status.success());
    let value = |text: String| -> serde_json::Value {
        let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
        shown["features"].as_array().unwrap().iter().find(|one| one["name"] == "value").unwrap().clone()
    };
    assert_eq!(value(shown("day.gpd")), value(shown("built.gpd")));
}

#[test]
fn less_than_a_profile_holds_is_refused_before_anything_is_read() {
    let config = ScanConfig { facts: FactsChoice::Basic, windows: WindowConfig::default(), ..ScanConfig::default() };
    assert!(matches!(scan_and_save(&config, &NoProgress), Err(ScanError::BasicFacts)));
}
