//! `gpudrift concept` in a process of its own: nights, streams, order, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot start its program fails")]

use std::fs::{self, File};
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray, TimestampMillisecondArray};
use assert_cmd::Command;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::Value;

/// One row of a prediction log.
#[derive(Clone)]
struct Row {
    time: Option<i64>,
    model: Option<&'static str>,
    segment: i32,
    loss: Option<f64>,
    label: &'static str,
}

/// Two models with two segments each; the rate of errors of model b rises halfway.
fn log(rows: i64) -> Vec<Row> {
    let mut state = 7_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX)
    };
    let row = |time: i64| {
        let (model, rate) = if draw() < 0.5 { ("a", 0.1) } else { ("b", if 2 * time < rows { 0.1 } else { 0.5 }) };
        let segment = i32::from(draw() < 0.3);
        let error = draw() < rate;
        // Several rows have the same time.
        Row {
            time: Some(time / 3 * 3),
            model: Some(model),
            segment,
            loss: Some(f64::from(u8::from(error))),
            label: if error { "no" } else { "yes" },
        }
    };
    (0..rows).map(row).collect()
}

fn write(path: &Path, rows: &[Row]) {
    let columns: [(&str, ArrayRef); 6] = [
        ("timestamp", Arc::new(rows.iter().map(|row| row.time).collect::<TimestampMillisecondArray>())),
        ("model", Arc::new(rows.iter().map(|row| row.model).collect::<StringArray>())),
        ("segment", Arc::new(rows.iter().map(|row| row.segment).collect::<Int32Array>())),
        ("loss", Arc::new(rows.iter().map(|row| row.loss).collect::<Float64Array>())),
        ("prediction", Arc::new(rows.iter().map(|_| Some("yes")).collect::<StringArray>())),
        ("label", Arc::new(rows.iter().map(|row| Some(row.label)).collect::<StringArray>())),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(700)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn concept(folder: &Path, args: &[&str]) -> Output {
    Command::cargo_bin("gpudrift").unwrap().current_dir(folder).args(["concept", "scan"]).args(args).output().unwrap()
}

/// The report, without what differs from run to run.
fn report(folder: &Path, args: &[&str]) -> Value {
    let output = concept(folder, &[args, &["--format", "json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["run"].take();
    report
}

fn refused(folder: &Path, args: &[&str], code: i32, words: &[&str]) {
    let output = concept(folder, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{args:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{args:?} does not say {word:?}:\n{said}");
    }
}

fn events(report: &Value) -> Vec<String> {
    report["events"].as_array().unwrap().iter().map(Value::to_string).collect()
}

const EVERY: [&str; 8] =
    ["--value", "loss", "--stream-by", "model,segment", "--order-by", "timestamp", "--detector", "all"];

#[test]
fn nights_with_a_state_find_what_one_run_over_everything_finds() {
    let folder = tempfile::tempdir().unwrap();
    let rows = log(9000);
    write(&folder.path().join("all.parquet"), &rows);
    let whole = report(folder.path(), &[&["--input", "all.parquet"], &EVERY[..]].concat());
    assert!(events(&whole).len() > 20, "{} events", events(&whole).len());
    let mut found = Vec::new();
    let mut last = Value::Null;
    // Some cuts lie between rows of the same time.
    for (night, cut) in [0, 1, 1000, 4501, 4502, 9000].windows(2).enumerate() {
        write(&folder.path().join(format!("night{night}.parquet")), &rows[cut[0]..cut[1]]);
        last = report(folder.path(), &[&["--input", "night*.parquet", "--state", "s"], &EVERY[..]].concat());
        found.extend(events(&last));
    }
    let mut expected = events(&whole);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    for (stream, one_run) in last["streams"].as_array().unwrap().iter().zip(whole["streams"].as_array().unwrap()) {
        assert_eq!(stream["total_values"], one_run["total_values"]);
        for (ours, theirs) in
            stream["detectors"].as_array().unwrap().iter().zip(one_run["detectors"].as_array().unwrap())
        {
            for key in ["detector", "statistics", "total_drifts", "total_warnings"] {
                assert_eq!(ours[key], theirs[key], "{}", ours["detector"]);
            }
        }
    }
    // Everything is in the state: nothing is read again.
    let again = report(folder.path(), &[&["--input", "night*.parquet", "--state", "s"], &EVERY[..]].concat());
    assert_eq!((again["summary"]["rows"]["values"].as_u64(), events(&again).len()), (Some(0), 0));
}

#[test]
fn rows_are_put_in_order_of_their_time_wherever_they_lie() {
    let folder = tempfile::tempdir().unwrap();
    // Times of their own: rows of equal times keep the order of the files, which is another one here.
    let mut rows = log(6000);
    rows.iter_mut().zip(0..).for_each(|(row, time)| row.time = Some(time));
    write(&folder.path().join("all.parquet"), &rows);
    let ordered = report(folder.path(), &[&["--input", "all.parquet"], &EVERY[..]].concat());
    let mut shuffled = rows.clone();
    shuffled.chunks_mut(500).for_each(<[Row]>::reverse);
    shuffled.rotate_left(2000);
    write(&folder.path().join("shuffled1.parquet"), &shuffled[..2500]);
    write(&folder.path().join("shuffled2.parquet"), &shuffled[2500..]);
    let sorted = report(folder.path(), &[&["--input", "shuffled1.parquet", "shuffled2.parquet"], &EVERY[..]].concat());
    assert_eq!(sorted, ordered);
    let one_thread = report(
        folder.path(),
        &[&["--threads", "1", "--input", "shuffled1.parquet", "shuffled2.parquet"], &EVERY[..]].concat(),
    );
    assert_eq!(one_thread, ordered);
}

#[test]
fn drift_is_found_in_the_streams_that_have_it_and_is_a_gate() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("all.parquet"), &log(9000));
    let args = ["--input", "all.parquet", "--value", "loss", "--stream-by", "model", "--order-by", "timestamp"];
    let found = report(folder.path(), &args);
    let levels: Vec<_> = found["streams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stream| (stream["stream"]["model"].as_str().unwrap(), stream["level"].as_str().unwrap()))
        .collect();
    assert_eq!(levels, [("a", "ok"), ("b", "critical")]);
    let event = &found["events"][0];
    assert_eq!((&event["kind"], &event["detector"]), (&Value::from("drift"), &Value::from("adwin")));
    assert!(event["timestamp"].as_str().unwrap().starts_with("1970-01-01T00:00:04."), "{event}");
    let gate = |level: &str| concept(folder.path(), &[&args[..], &["--fail-on", level]].concat()).status.code();
    assert_eq!((gate("critical"), gate("warning"), gate("never")), (Some(1), Some(1), Some(0)));
}

#[test]
fn predictions_against_labels_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("all.parquet"), &log(6000));
    let by_value = report(folder.path(), &["--input", "all.parquet", "--value", "loss", "--detector", "ddm,adwin"]);
    let pair = ["--input", "all.parquet", "--prediction", "prediction", "--label", "label", "--detector", "ddm,adwin"];
    assert_eq!(report(folder.path(), &pair), by_value);
    refused(folder.path(), &[&pair[..], &["--loss", "absolute"]].concat(), 2, &["--prediction", "Utf8"]);
}

#[test]
fn rows_without_a_number_are_counted_and_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = log(50);
    (rows[3].loss, rows[4].loss, rows[5].loss) = (None, Some(f64::NAN), Some(f64::INFINITY));
    (rows[6].time, rows[7].model, rows[8].loss) = (None, None, Some(3.5));
    write(&folder.path().join("a.parquet"), &rows);
    let report = report(folder.path(), &[&["--input", "a.parquet"], &EVERY[..]].concat());
    let counted = &report["summary"]["rows"];
    let of = |key: &str| counted[key].as_u64().unwrap();
    assert_eq!([of("values"), of("nulls"), of("nans"), of("infinite"), of("untimed")], [46, 1, 1, 1, 1]);
    let outside: u64 = report["streams"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|stream| stream["detectors"].as_array().unwrap())
        .map(|watch| watch["outside"].as_u64().unwrap())
        .sum();
    assert_eq!(outside, 4, "the four detectors of errors leave 3.5 out");
    assert_eq!(report["streams"][0]["stream"]["model"], Value::Null);
}

#[test]
fn mistakes_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(&path.join("a.parquet"), &log(100));
    let input = ["--input", "a.parquet"];
    let with = |more: &[&'static str]| [&input[..], more].concat();
    refused(path, &["--value", "loss"], 2, &["--input PATH"]);
    refused(path, &with(&["--prediction", "label"]), 2, &["both --prediction COLUMN and --label COLUMN"]);
    refused(path, &input, 2, &["--value COLUMN", "--prediction COLUMN"]);
    refused(path, &with(&["--value", "los"]), 2, &["--value", "`los`", "did you mean loss?"]);
    refused(path, &with(&["--value", "model"]), 2, &["`model` is Utf8"]);
    refused(path, &with(&["--value", "loss", "--order-by", "model"]), 2, &["--order-by", "ordered by a time"]);
    refused(path, &with(&["--value", "loss", "--detector", "adwim"]), 2, &["did you mean adwin?"]);
    refused(
        path,
        &with(&["--value", "loss", "--detector", "ddm:warmup=3"]),
        2,
        &["no parameter `warmup`", "warm_start"],
    );
    refused(path, &["--input", "no.parquet", "--value", "loss"], 3, &["no.parquet: no such file"]);
    assert!(concept(path, &with(&["--value", "loss", "--state", "s"])).status.success());
    let state = fs::read(path.join("s")).unwrap();
    refused(
        path,
        &with(&["--value", "loss", "--state", "s", "--detector", "ddm"]),
        2,
        &["--detector `adwin`, not `ddm`"],
    );
    refused(path, &with(&["--value", "segment", "--state", "s"]), 2, &["`loss`, not `segment`"]);
    assert_eq!(fs::read(path.join("s")).unwrap(), state);
    fs::write(path.join("s"), &state[..state.len() - 1]).unwrap();
    refused(path, &with(&["--value", "loss", "--state", "s"]), 3, &["checksum", "remove it to begin anew"]);
    fs::write(path.join("broken.parquet"), &fs::read(path.join("a.parquet")).unwrap()[..500]).unwrap();
    refused(path, &["--input", "broken.parquet", "--value", "loss", "--state", "t"], 3, &["broken.parquet"]);
    assert!(!path.join("t").exists());
}

#[test]
fn a_table_of_the_configuration_has_the_keys_of_the_flags_and_flags_win() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("conf")).unwrap();
    write(&path.join("conf/a.parquet"), &log(3000));
    let text = "[scan]\npsi_bins = 5\n[concept]\ninput = ['a.parquet']\nvalue = 'loss'\nstream_by = ['model']\norder_by = 'timestamp'\n\
                detector = ['ddm', 'adwin:delta=0.1']\nstate = 'concept.state'\nfail_on = 'never'\n";
    fs::write(path.join("conf/gpudrift.toml"), text).unwrap();
    let flags = ["--input", "conf/a.parquet", "--stream-by", "model", "--order-by", "timestamp"];
    let adwin = ["--prediction", "prediction", "--label", "label", "--detector", "adwin"];
    let by_flags = report(path, &[&flags[..], &["--value", "loss", "--detector", "ddm,adwin:delta=0.1"]].concat());
    assert_eq!(report(path, &["--config", "conf/gpudrift.toml"]), by_flags);
    assert!(path.join("conf/concept.state").exists(), "paths are relative to the folder of the file");
    fs::remove_file(path.join("conf/concept.state")).unwrap();
    let by_flags = report(path, &[&flags[..], &adwin[..]].concat());
    assert_eq!(report(&path.join("conf"), &adwin), by_flags, "the default file, with flags before it");
    fs::write(path.join("wrong.toml"), "[concept]\ndetectr = ['adwin']\n").unwrap();
    refused(path, &["--config", "wrong.toml"], 2, &["wrong.toml", "unknown key `detectr`", "did you mean detector?"]);
    fs::write(path.join("empty.toml"), "").unwrap();
    refused(path, &["--config", "empty.toml"], 2, &["empty.toml has no table [concept]"]);
}

#[test]
fn the_list_has_every_detector_with_its_parameters() {
    let output = Command::cargo_bin("gpudrift").unwrap().args(["concept", "list"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for card in gpudrift::concept::DETECTORS {
        assert!(text.contains(card.title), "{}", card.title);
        for parameter in card.parameters {
            assert!(text.contains(parameter.about), "{} {}", card.name, parameter.name);
        }
    }
}
