//! The history in a process of its own: kept whole through kill -9, a full disk and company; shown, compared, exported.

#![expect(clippy::unwrap_used, reason = "a test that cannot start its program fails")]

#[path = "support/nights.rs"]
mod nights;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use gpudrift::history::{History, HistoryFormat, HistoryPlace, RunFilter, Step, Stored};
use serde_json::Value;

use nights::{die, night, report};

fn gpudrift(folder: &Path, args: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin("gpudrift")).current_dir(folder).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn side(side: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(side).display().to_string()
}

/// Scans the demo store in `folder`, with more arguments.
fn scan(folder: &Path, more: &[&str]) -> Output {
    let (reference, current) = (side("reference"), side("current"));
    let args = ["scan", "--backend", "cpu", "--reference", &reference, "--current", &current];
    gpudrift(folder, &[&args[..], more].concat())
}

fn runs(folder: &Path, history: &str) -> Vec<Value> {
    let output = gpudrift(folder, &["history", "runs", "--history", history, "-f", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_scan_by_hand_leaves_no_files_behind() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(scan(folder.path(), &["--quiet"]).status.code(), Some(0));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_night_twice_changes_nothing_and_needs_no_label() {
    let folder = tempfile::tempdir().unwrap();
    for history in ["drift.db", "drift/"] {
        let first = scan(folder.path(), &["--history", history, "--threads", "1"]);
        assert!(text(&first.stderr).contains("stored in"), "{}", text(&first.stderr));
        let before = runs(folder.path(), history);
        let second = scan(folder.path(), &["--history", history, "--threads", "2"]);
        assert!(text(&second.stderr).contains("says the same"), "{}", text(&second.stderr));
        assert_eq!(
            text(&first.stdout).lines().skip(1).collect::<Vec<_>>().len(),
            text(&second.stdout).lines().count() - 1
        );
        assert_eq!(runs(folder.path(), history), before);
        assert_eq!(before.len(), 1);
        assert!(before[0]["window"].as_str().unwrap().starts_with("data:"));
        let other = scan(folder.path(), &["--history", history, "--psi-bins", "20"]);
        assert_eq!(other.status.code(), Some(0));
        assert_eq!(runs(folder.path(), history).len(), 2, "another definition is another run");
    }
}

#[test]
fn a_night_with_other_data_takes_its_place_and_notes_the_revision() {
    let folder = tempfile::tempdir().unwrap();
    let night = ["--history", "drift.db", "--as-of", "2026-11-22"];
    assert_eq!(scan(folder.path(), &night).status.code(), Some(0));
    let current = folder.path().join("current");
    fs::create_dir(&current).unwrap();
    fs::copy(Path::new(&side("current")).join("part-000.parquet"), current.join("part-000.parquet")).unwrap();
    let reference = side("reference");
    let args = ["scan", "--backend", "cpu", "--reference", &reference, "--current", "current"];
    let output = gpudrift(folder.path(), &[&args[..], &night].concat());
    assert!(text(&output.stderr).contains("revision 2"), "{}", text(&output.stderr));
    let runs = runs(folder.path(), "drift.db");
    assert_eq!((runs.len(), &runs[0]["revision"], &runs[0]["window"]), (1, &2.into(), &"2026-11-22".into()));
}

/// The steps at which a process is killed.
const STEPS: [Step; 5] = [Step::Begun, Step::RunWritten, Step::HalfWritten, Step::BeforeCommit, Step::Committed];

fn place(path: &Path, format: HistoryFormat) -> HistoryPlace {
    HistoryPlace { path: path.to_owned(), format, keep_days: None }
}

#[test]
#[ignore = "the process that is killed by the test below; it does nothing by itself"]
fn child_that_dies_while_it_stores() {
    let Ok(step) = std::env::var("GPUDRIFT_TEST_STEP") else { return };
    let path = PathBuf::from(std::env::var("GPUDRIFT_TEST_HISTORY").unwrap());
    let format = if path.extension().is_some() { HistoryFormat::Sqlite } else { HistoryFormat::Parquet };
    let mut history = History::open(&place(&path, format)).unwrap();
    let report = report(&[("a", "critical"), ("b", "ok"), ("c", "warning")]);
    let stored = history.store_observed(&night(&report, 2), &report, &mut |reached| {
        if format!("{reached:?}") == step {
            die();
        }
    });
    panic!("it lived: {stored:?}");
}

#[test]
fn kill_9_at_every_step_leaves_the_old_history_or_the_new_one() {
    for name in ["drift.db", "drift"] {
        for step in STEPS {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            let format = if name == "drift" { HistoryFormat::Parquet } else { HistoryFormat::Sqlite };
            let place = place(&path, format);
            let old = report(&[("a", "ok"), ("b", "ok")]);
            let mut history = History::open(&place).unwrap();
            history.store(&night(&old, 1), &old).unwrap();
            history.store(&night(&old, 2), &old).unwrap();
            drop(history);
            // The child replaces night 2.
            let status = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "child_that_dies_while_it_stores", "--ignored"])
                .env("GPUDRIFT_TEST_STEP", format!("{step:?}"))
                .env("GPUDRIFT_TEST_HISTORY", &path)
                .output()
                .unwrap()
                .status;
            assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{name} {step:?}: {status}");
            let mut history = History::open_existing(&place).unwrap();
            let runs = history.runs(&RunFilter::default()).unwrap();
            assert_eq!(runs.len(), 2, "{name} {step:?}");
            assert_eq!(history.report(&runs[0]).unwrap().features, old.features, "{name} {step:?}");
            let new = report(&[("a", "critical"), ("b", "ok"), ("c", "warning")]);
            let expected = if step == Step::Committed { &new } else { &old };
            assert_eq!(history.report(&runs[1]).unwrap().features, expected.features, "{name} {step:?}");
            // Running the night again ends where an undisturbed night would have.
            let again = history.store(&night(&new, 2), &new).unwrap();
            let undisturbed =
                if step == Step::Committed { Stored::Unchanged } else { Stored::Replaced { revision: 2 } };
            assert_eq!(again, undisturbed, "{name} {step:?}");
            let runs = history.runs(&RunFilter::default()).unwrap();
            assert_eq!(history.report(&runs[1]).unwrap().features, new.features);
        }
    }
}

#[test]
fn a_program_killed_at_any_time_leaves_a_history_that_works() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(scan(folder.path(), &["--history", "drift.db", "--as-of", "2026-11-01"]).status.code(), Some(0));
    let (reference, current) = (side("reference"), side("current"));
    for (index, milliseconds) in [20, 60, 100, 150, 200, 250, 300, 400].into_iter().enumerate() {
        let window = format!("2026-11-{:02}", index + 2);
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("gpudrift"))
            .current_dir(folder.path())
            .args(["scan", "--backend", "cpu", "--quiet", "--reference", &reference, "--current", &current])
            .args(["--history", "drift.db", "--as-of", &window])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        let _ = child.kill();
        child.wait().unwrap();
        let here = runs(folder.path(), "drift.db").iter().any(|run| run["window"] == window.as_str());
        let output = scan(folder.path(), &["--history", "drift.db", "--as-of", &window]);
        let said = text(&output.stderr);
        assert!(said.contains(if here { "says the same" } else { "stored in" }), "{said}");
    }
    assert_eq!(runs(folder.path(), "drift.db").len(), 9);
}

#[test]
fn two_programs_at_once_both_store() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for day in 1..=4 {
            let folder = folder.path();
            scope.spawn(move || {
                let output = scan(folder, &["--history", "drift.db", "--as-of", &format!("2026-11-0{day}")]);
                assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
            });
        }
    });
    assert_eq!(runs(folder.path(), "drift.db").len(), 4);
}

#[test]
fn a_full_disk_costs_the_night_and_neither_the_report_nor_the_past() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(scan(folder.path(), &["--history", "drift.db", "--as-of", "2026-11-01"]).status.code(), Some(0));
    let before = runs(folder.path(), "drift.db");
    let program = assert_cmd::cargo::cargo_bin("gpudrift").display().to_string();
    let (reference, current) = (side("reference"), side("current"));
    // No file may grow beyond some blocks of 512 bytes: to a program that ignores the signal, a disk without space. The
    // smaller limit is met when the history is opened, the larger one when the night is written.
    for blocks in [40, 90] {
        let script = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec {program} scan --backend cpu --format json --reference {reference} \
             --current {current} --history drift.db --as-of 2026-11-02"
        );
        let output = Command::new("sh").current_dir(folder.path()).args(["-c", &script]).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{blocks}: {said}");
        assert!(said.contains("this run is not in the history: no space is left for drift.db"), "{blocks}: {said}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["schema_version"], 1);
        assert_eq!(runs(folder.path(), "drift.db"), before);
    }
    assert_eq!(scan(folder.path(), &["--history", "drift.db", "--as-of", "2026-11-02"]).status.code(), Some(0));
}

/// Three nights in which one feature becomes critical, one recovers, one is gone and one is new.
fn three_nights(folder: &Path) {
    let mut history = History::open(&HistoryPlace::at(folder.join("gpudrift.db"))).unwrap();
    let nights = [
        report(&[("rises", "ok"), ("falls", "critical"), ("calm", "ok"), ("gone", "warning")]),
        report(&[("rises", "warning"), ("falls", "critical"), ("calm", "ok"), ("gone", "warning")]),
        report(&[("rises", "critical"), ("falls", "ok"), ("calm", "ok"), ("new", "info")]),
    ];
    for (report, day) in nights.iter().zip(1..) {
        history.store(&night(report, day), report).unwrap();
    }
}

#[test]
fn trends_show_sparklines_and_changes_of_level() {
    let folder = tempfile::tempdir().unwrap();
    three_nights(folder.path());
    let all = text(&gpudrift(folder.path(), &["history"]).stdout);
    let line = all.lines().find(|line| line.contains("rises")).unwrap();
    assert!(
        line.starts_with("CRITICAL") && line.contains("▁▃█") && line.contains("warning → critical in 2026-11-03"),
        "{all}"
    );
    assert!(!all.contains("calm") && all.contains("1 feature always ok"), "{all}");
    let one = text(&gpudrift(folder.path(), &["history", "rises"]).stdout);
    for words in ["CRITICAL now, CRITICAL at worst", "2026-11-02", "WARNING ▲", "CRITICAL ▲"] {
        assert!(one.contains(words), "{words}\n{one}");
    }
    let json = gpudrift(folder.path(), &["history", "fall*", "-f", "json"]);
    let trends: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(trends[0]["points"].as_array().unwrap().len(), 3);
    assert_eq!(trends[0]["changes"][0]["to"], "ok");
    let missing = gpudrift(folder.path(), &["history", "no_such_feature"]);
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn diff_tells_new_gone_worse_and_better_of_runs_and_of_files() {
    let folder = tempfile::tempdir().unwrap();
    three_nights(folder.path());
    let json = |args: &[&str]| -> Value {
        let output = gpudrift(folder.path(), &[&["diff", "-f", "json"], args].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let diff = json(&["latest~1", "latest"]);
    for (list, feature) in [("new", "new"), ("gone", "gone"), ("worse", "rises"), ("better", "falls")] {
        assert_eq!(diff[list].as_array().unwrap().len(), 1, "{list}: {diff}");
        assert_eq!(diff[list][0]["feature"], feature);
    }
    assert_eq!((&diff["same"], &diff["moved"]), (&1.into(), &0.into()));
    let history = History::open_existing(&HistoryPlace::at(folder.path().join("gpudrift.db"))).unwrap();
    for name in ["2026-11-02", "2026-11-03"] {
        let report = history.report(&history.find(name, &RunFilter::default()).unwrap()).unwrap();
        fs::write(folder.path().join(name).with_extension("json"), serde_json::to_string(&report).unwrap()).unwrap();
    }
    assert_eq!(json(&["2026-11-02.json", "2026-11-03.json"]), diff);
    assert_eq!(json(&["2026-11-02.json", "latest"]), diff);
    let table = text(&gpudrift(folder.path(), &["diff", "latest~1", "latest"]).stdout);
    assert!(table.contains("1 worse, 1 better, 1 new, 1 gone; 0 moved within their level, 1 the same"), "{table}");
    assert_eq!(gpudrift(folder.path(), &["diff", "latest", "latest~9"]).status.code(), Some(2));
}

#[test]
fn exports_hold_the_rows_of_the_parquet_report() {
    use arrow::array::AsArray;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let folder = tempfile::tempdir().unwrap();
    three_nights(folder.path());
    let export = |format: &str| {
        let output = gpudrift(folder.path(), &["export", "--format", format, "--output", &format!("out.{format}")]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        fs::read(folder.path().join(format!("out.{format}"))).unwrap()
    };
    let csv = text(&export("csv"));
    let names = "job,run,window,at,revision,column_name,data_type,kind,level,drift_type,metric,value,text,undefined";
    assert_eq!(csv.lines().next(), Some(names));
    assert!(
        csv.lines()
            .any(|line| line.contains(",2026-11-03T00:00:00Z,1,rises,float64,numeric,critical,BASELINE,psi,0.5,,"))
    );
    let json = text(&export("json"));
    let first: Value =
        serde_json::from_str(json.lines().find(|line| line.contains("\"metric\":\"psi\"")).unwrap()).unwrap();
    assert_eq!(
        (&first["column_name"], &first["metric"], &first["value"]),
        (&"rises".into(), &"psi".into(), &0.01.into())
    );
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(export("parquet"))).unwrap();
    let columns: Vec<_> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(columns.join(","), names);
    assert_eq!(reader.metadata().num_row_groups(), 3, "one a run");
    let rows: usize = reader
        .build()
        .unwrap()
        .map(|batch| {
            let batch = batch.unwrap();
            assert_eq!(batch.column_by_name("job").unwrap().as_string::<i32>().value(0), "default");
            batch.num_rows()
        })
        .sum();
    assert_eq!((rows, rows), (json.lines().count(), csv.lines().count() - 1));
    let few = gpudrift(
        folder.path(),
        &["export", "-f", "csv", "--features", "ris*", "--from", "2026-11-02", "--to", "2026-11-03"],
    );
    assert!(text(&few.stdout).lines().skip(1).all(|line| line.contains("rises") && line.contains("2026-11-02")));
}

#[test]
fn a_history_that_is_not_there_is_said_and_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["history"][..], &["history", "runs"], &["diff", "latest", "latest~1"], &["export", "-f", "csv"]] {
        let output = gpudrift(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains("there is no history at gpudrift.db"), "{}", text(&output.stderr));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
