//! Declared rules of quality in the program itself: exact counts, the level, the gate, however the data lies.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray, TimestampSecondArray,
};
use assert_cmd::Command;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

const ROWS: usize = 60_000;

/// A number that follows from the row, from 0 to 999.
fn mixed(row: usize) -> usize {
    (row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 1000
}

#[expect(clippy::cast_precision_loss, reason = "numbers of a test are small")]
fn real(number: usize) -> f64 {
    number as f64
}

/// Rows from `first` on: with `faults`, every rule of [`CONFIG`] is broken by a number of rows that is known.
fn batch(first: usize, rows: usize, faults: bool) -> RecordBatch {
    let all = || first..first + rows;
    let bad = |row: usize, every: usize| faults && row.is_multiple_of(every);
    let amount = all().map(|row| match row {
        row if bad(row, 1000) => -1.0,
        row if bad(row, 1500) => 1000.5,
        row => real(mixed(row)) + real(row) / real(ROWS),
    });
    let rate = all().map(|row| if bad(row, 6000) { 0.2_f32 } else { [0.1_f32, 0.3][mixed(row) % 2] });
    let word = all().map(|row| match row {
        row if bad(row, 2000) => "purple".to_owned(),
        row if bad(row, 3000) => "RED ".to_owned(),
        row => ["red", "green", "blue"][mixed(row) % 3].to_owned(),
    });
    let flag = all().map(|row| mixed(row) == 7 && faults);
    let key = all().map(|row| i64::try_from(if bad(row, 10_000) { 5 } else { row + 10 }).unwrap());
    let seen = all().map(|row| (!bad(row, 100)).then(|| i64::try_from(mixed(row)).unwrap()));
    let columns: [(&str, ArrayRef); 6] = [
        ("amount", Arc::new(Float64Array::from_iter_values(amount))),
        ("rate", Arc::new(Float32Array::from_iter_values(rate))),
        ("word", Arc::new(StringArray::from_iter_values(word))),
        ("flag", Arc::new(BooleanArray::from_iter(flag.map(Some)))),
        ("key", Arc::new(Int64Array::from_iter_values(key))),
        ("seen", Arc::new(Int64Array::from_iter(seen))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// Writes a side as `files` files with row groups of `group` rows.
fn write(folder: &Path, faults: bool, files: usize, group: usize) {
    fs::create_dir_all(folder).unwrap();
    let rows = ROWS / files;
    for file in 0..files {
        let batch = batch(file * rows, rows, faults);
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
        let out = File::create(folder.join(format!("{file:02}.parquet"))).unwrap();
        let mut writer = ArrowWriter::try_new(out, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }
}

const CONFIG: &str = r#"
[reference]
paths = ["reference"]
[current]
paths = ["current"]
[scan]
exclude = []

[[rule]]
match = "*"
not_null = true
quality_level = "critical"

[feature.amount]
min = 0
max = 1000
[feature.rate]
allowed = [0.1, 0.3]
[feature.word]
allowed = ["red", "green", "blue"]
pattern = "[a-z]+"
quality_level = "info"
[feature.flag]
allowed = [false]
[feature.key]
unique = true
[feature.seen]
min = 0
max = 999
not_null = false
max_null_share = 0.01
quality_level = "warning"
"#;

fn scan(folder: &Path, args: &[&str]) -> (i32, Value) {
    let mut command = Command::cargo_bin("gpudrift").unwrap();
    command
        .current_dir(folder)
        .args(["scan", "-q", "-f", "json", "--backend", "cpu", "--fail-on", "critical"])
        .args(args);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (
        output.status.code().unwrap(),
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}")),
    )
}

fn declared(report: &Value) -> Vec<Value> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["check"].as_str().unwrap().starts_with("declared_")).cloned().collect()
}

#[test]
fn broken_rules_are_counted_exactly_however_the_data_lies() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gpudrift.toml"), CONFIG).unwrap();
    write(&folder.path().join("reference"), false, 1, ROWS);
    write(&folder.path().join("current"), true, 1, ROWS);
    let (code, report) = scan(folder.path(), &[]);
    assert_eq!(code, 1, "a broken rule reaches the gate");
    let found = declared(&report);
    let of = |check: &str, feature: &str| {
        let found = found.iter().find(|one| one["check"] == check && one["feature"] == feature);
        found.map(|one| (one["level"].as_str().unwrap().to_owned(), one["numbers"]["violations"].as_f64().unwrap()))
    };
    let whole = |every: usize| real(ROWS / every);
    // Rows that 1500 divides and 1000 does not.
    let above = whole(1500) - whole(3000);
    let flags = (0..ROWS).filter(|&row| mixed(row) == 7).count();
    let critical = |n: f64| Some(("critical".to_owned(), n));
    assert_eq!(of("declared_range", "amount"), critical(whole(1000) + above));
    assert_eq!(of("declared_domain", "rate"), critical(whole(6000)));
    let strange = whole(2000) + whole(3000) - whole(6000);
    assert_eq!(of("declared_domain", "word"), Some(("info".to_owned(), strange)));
    assert_eq!(of("declared_pattern", "word"), Some(("info".to_owned(), strange - whole(2000))));
    assert_eq!(of("declared_domain", "flag"), critical(real(flags)));
    assert_eq!(of("declared_unique", "key"), critical(whole(10_000) - 1.0));
    assert_eq!(of("declared_nulls", "seen"), None, "one in a hundred may be null");
    assert_eq!(found.len(), 6, "{found:#?}");
    let levels = report["features"].as_array().unwrap().iter();
    let levels: Vec<&str> = levels.map(|feature| feature["level"].as_str().unwrap()).collect();
    assert_eq!(&levels[..2], ["critical"; 2], "the level of the feature is that of its rule");
    assert_eq!(report["features"][2]["level"], "info");

    for (files, group, args) in [
        (6, 1000, &["--threads", "1"][..]),
        (3, 7000, &["--threads", "3"]),
        (1, 20_000, &["--memory-limit", "1MiB"]),
        (2, ROWS, &["--facts", "basic", "--metrics", "psi"]),
        (2, ROWS, &["--metrics", "all"]),
    ] {
        fs::remove_dir_all(folder.path().join("current")).unwrap();
        write(&folder.path().join("current"), true, files, group);
        let (_, other) = scan(folder.path(), args);
        assert_eq!(declared(&other), found, "{files} files, groups of {group} rows, {args:?}");
    }
}

#[test]
fn nothing_is_found_where_no_rule_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gpudrift.toml"), CONFIG).unwrap();
    write(&folder.path().join("reference"), true, 1, ROWS);
    write(&folder.path().join("current"), false, 2, 9000);
    let (_, report) = scan(folder.path(), &[]);
    assert_eq!(declared(&report), Vec::<Value>::new(), "what only the reference breaks is no finding");
}

#[test]
fn wrong_rules_are_told_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let said = |rule: &str| {
        fs::write(folder.path().join("gpudrift.toml"), format!("[feature.a]\n{rule}\n")).unwrap();
        let mut command = Command::cargo_bin("gpudrift").unwrap();
        let output = command.current_dir(folder.path()).args(["config", "check", "--offline"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    for (rule, expected) in [
        ("min = 3\nmax = 2", "max is 2, but must not be below min, 3"),
        ("allowed = []", "allowed is empty"),
        ("pattern = \"[a\"", "pattern is no regular expression"),
        ("max_null_share = 2", "must be from 0 to 1"),
        ("quality_level = \"ok\"", "must be info, warning or critical"),
        ("min = nan", "must be a finite number"),
        ("not_nul = true", "not_null"),
    ] {
        let text = said(rule);
        assert!(text.contains(expected) && text.contains("gpudrift.toml, line "), "{rule}: {text}");
    }
}

#[test]
fn a_night_with_a_fraction_of_the_rows_stands_out_in_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[reference]\npaths = [\"reference\"]\n[current]\npaths = [\"current\"]\n[history]\npath = \"h.db\"\n";
    fs::write(folder.path().join("gpudrift.toml"), config).unwrap();
    write(&folder.path().join("reference"), false, 1, ROWS);
    write(&folder.path().join("current"), false, 2, ROWS);
    let volume = |report: &Value| -> Vec<Value> {
        let findings = report["findings"].as_array().unwrap().iter();
        findings.filter(|finding| finding["check"] == "volume").cloned().collect()
    };
    for day in 1..7 {
        let (_, report) = scan(folder.path(), &["--as-of", &format!("2026-11-0{day}")]);
        assert_eq!(volume(&report), Vec::<Value>::new(), "day {day}");
    }
    for file in fs::read_dir(folder.path().join("current")).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    write(&folder.path().join("few"), false, 6, ROWS);
    fs::rename(folder.path().join("few/00.parquet"), folder.path().join("current/00.parquet")).unwrap();
    let few = |args: &[&str]| volume(&scan(folder.path(), args).1);
    let found = few(&["--as-of", "2026-11-07"]);
    assert_eq!(found[0]["level"], json!("warning"));
    assert_eq!(found[0]["numbers"], json!({ "rows": 10_000.0, "rows_least": 60_000.0, "rows_most": 60_000.0 }));
    assert_eq!(few(&["--as-of", "2026-11-07"]), found, "the night itself is not its past");
    assert_eq!(few(&["--as-of", "2026-11-03"]), Vec::<Value>::new(), "nor is what came later");
}

#[test]
fn keys_that_occur_twice_in_the_window_are_counted_unless_a_later_write_replaces_them() {
    use arrow::array::TimestampMillisecondArray;
    let folder = tempfile::tempdir().unwrap();
    // 2026-11-01 in milliseconds since 1970; a thousand rows on each of two days, some of them twice.
    let day = |day: i64, twice: i64| (0..1000).chain(0..twice).map(move |row| (day, row));
    let rows: Vec<(i64, i64)> = day(0, 3).chain(day(1, 7)).collect();
    let times = rows.iter().map(|(day, row)| 1_793_491_200_000 + day * 86_400_000 + row / 10 * 60_000);
    let seen = rows.iter().enumerate().map(|(at, _)| i64::try_from(at).unwrap());
    let columns: [(&str, ArrayRef); 5] = [
        ("at", Arc::new(TimestampMillisecondArray::from_iter_values(times))),
        ("id", Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, row)| row % 10)))),
        ("same", Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|_| 5)))),
        ("later", Arc::new(TimestampMillisecondArray::from_iter_values(seen))),
        ("value", Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, row)| row % 97)))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    for group in [100, 700, 5000] {
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
        let out = File::create(folder.path().join("store.parquet")).unwrap();
        let mut writer = ArrowWriter::try_new(out, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let repeats = |created: &[&str]| -> (Value, Option<f64>) {
            let args =
                ["--source", "store.parquet", "--timestamp", "at", "--entity", "id", "--current-window", "2026-11-02"];
            let (_, report) = scan(folder.path(), &[&args[..], created].concat());
            let findings = report["findings"].as_array().unwrap().iter();
            let found = findings
                .filter(|one| one["check"] == "entities")
                .map(|one| one["numbers"]["repeats"].as_f64().unwrap());
            (report["run"]["current"]["rows"].clone(), found.sum::<f64>().into())
        };
        assert_eq!(repeats(&[]), (json!(1007), Some(7.0)), "row groups of {group}");
        assert_eq!(repeats(&["--created", "later"]), (json!(1000), Some(0.0)));
        assert_eq!(repeats(&["--created", "same"]), (json!(1000), Some(7.0)));
    }
}

#[test]
fn a_range_of_times_is_counted_to_the_row_in_every_unit() {
    let folder = tempfile::tempdir().unwrap();
    let day = 86_400_i64;
    // 2026-01-01 to 2026-01-10, an hour apart; in current the last hour before and the first ones after it, too.
    let first = 1_767_225_600_i64;
    let hours = |from: i64, to: i64| (from..to).map(move |hour| first + hour * 3600).collect::<Vec<_>>();
    for (side, seconds) in [("reference", hours(0, 240)), ("current", hours(-1, 243))] {
        fs::create_dir_all(folder.path().join(side)).unwrap();
        let days = seconds.iter().map(|&at| i32::try_from(at.div_euclid(day)).unwrap());
        let columns: [(&str, ArrayRef); 4] = [
            ("s", Arc::new(TimestampSecondArray::from_iter_values(seconds.iter().copied()))),
            (
                "ns",
                Arc::new(
                    TimestampNanosecondArray::from_iter_values(seconds.iter().map(|at| at * 1_000_000_000))
                        .with_timezone("UTC"),
                ),
            ),
            ("day", Arc::new(Date32Array::from_iter_values(days))),
            ("number", Arc::new(Int64Array::from_iter_values(seconds.iter().copied()))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = File::create(folder.path().join(side).join("0.parquet")).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }
    let config = "[reference]\npaths = [\"reference\"]\n[current]\npaths = [\"current\"]\n[[rule]]\nmatch = \"*\"\n\
                  min = \"2026-01-01\"\nmax = \"2026-01-10\"\n";
    fs::write(folder.path().join("gpudrift.toml"), config).unwrap();
    let scan = || {
        let mut command = Command::cargo_bin("gpudrift").unwrap();
        let output = command.current_dir(folder.path()).args(["scan", "--format", "json", "--quiet"]).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let message = |report: &Value, name: &str| {
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|one| one["feature"] == name && one["check"] == "declared_range");
        found.unwrap_or_else(|| panic!("{name}: {findings:?}"))["message"].as_str().unwrap().to_owned()
    };
    let report = scan();
    let expected = "1 of 244 values (0.4%) is below 2026-01-01, and 3 of 244 values (1.2%) are above 2026-01-10";
    for name in ["s", "ns", "day"] {
        assert_eq!(message(&report, name), expected, "{name}");
    }
    assert!(message(&report, "number").contains("was not checked: it is for dates and timestamps"));
    let wrong = config.replace("\"2026-01-10\"", "\"2025-12-31\"");
    fs::write(folder.path().join("gpudrift.toml"), wrong).unwrap();
    let mut command = Command::cargo_bin("gpudrift").unwrap();
    let output = command.current_dir(folder.path()).args(["config", "check"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("max is 2025-12-31, but must not be below min, 2026-01-01"), "{said}");
}
