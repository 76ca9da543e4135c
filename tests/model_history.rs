//! Windows of models in the history: stored once, amended when labels arrive, read as series.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its history fails")]

#[path = "support/logs.rs"]
#[allow(dead_code, reason = "the tests of the scan use the rest")]
mod logs;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, TimestampMicrosecondArray};
use assert_cmd::Command;
use gpudrift::history::{History, HistoryPlace, ModelFilter, ModelWindow, ModelsStored, model_entries};
use gpudrift::model::scan::scan;
use gpudrift::model::{ModelOptions, ModelReport, Window};

use logs::{Row, log, write, write_labels, write_log};

/// The options of the model of these tests: a window a week, two versions, a reference.
fn options(folder: &Path) -> ModelOptions {
    let path = |name: &str| Some(vec![folder.join(name).display().to_string()]);
    ModelOptions {
        input: path("log.parquet"),
        score: Some("score".to_owned()),
        label: Some("label".to_owned()),
        id: Some("id".to_owned()),
        timestamp: Some("at".to_owned()),
        version: Some("version".to_owned()),
        window: Some(Window::Week),
        reference: path("reference.parquet"),
        ..ModelOptions::default()
    }
}

fn scanned(options: ModelOptions) -> ModelReport {
    scan(&[options.resolve("loan").unwrap()], 1 << 24).unwrap()
}

fn labelled(folder: &Path) -> ModelOptions {
    ModelOptions { labels: Some(vec![folder.join("labels.parquet").display().to_string()]), ..options(folder) }
}

fn store(history: &mut History, report: &ModelReport) -> ModelsStored {
    history.store_models(&model_entries(report, None, None, chrono::Utc::now())).unwrap()
}

fn labels(folder: &Path, rows: &[Row]) {
    let labels: Vec<_> = rows.iter().map(|row| (row.id, row.label)).collect();
    write_labels(&folder.join("labels.parquet"), &labels);
}

/// Runs `test` for each form of a history, beside a log of `rows` and its reference.
fn each_format(rows: &[Row], test: impl Fn(&Path, HistoryPlace)) {
    for name in ["history.db", "history/"] {
        let folder = tempfile::tempdir().unwrap();
        write_log(&folder.path().join("log.parquet"), rows, false);
        write_log(&folder.path().join("reference.parquet"), &log(4000), true);
        test(folder.path(), HistoryPlace::at(folder.path().join(name)));
    }
}

fn windows(history: &History) -> Vec<ModelWindow> {
    history.models(&ModelFilter::default()).unwrap()
}

fn steps(new: usize, unchanged: usize, grown: usize, amended: usize, kept: usize) -> ModelsStored {
    ModelsStored { new, unchanged, grown, amended, kept }
}

#[test]
fn late_labels_amend_a_window_and_its_first_value_stays() {
    let rows = log(6000);
    each_format(&rows, |folder, place| {
        let mut history = History::open(&place).unwrap();
        let unlabelled = scanned(options(folder));
        // Five weeks that are touched, two versions.
        assert_eq!(store(&mut history, &unlabelled), steps(10, 0, 0, 0, 0));
        assert_eq!(store(&mut history, &unlabelled), steps(0, 10, 0, 0, 0), "the same again changes nothing");
        labels(folder, &rows[..3000]);
        let half = scanned(labelled(folder));
        assert_eq!(store(&mut history, &half), steps(0, 4, 0, 6, 0));
        labels(folder, &rows);
        let whole = scanned(labelled(folder));
        assert_eq!(store(&mut history, &whole), steps(0, 4, 0, 6, 0));
        drop(history);

        let mut history = History::open_existing(&place).unwrap();
        let kept = windows(&history);
        assert_eq!(kept.len(), 10);
        for window in &kept {
            let (first, latest) = (&window.first, window.latest());
            assert_eq!((first.coverage(), latest.coverage()), (0.0, 1.0), "{:?}", window.key);
            assert!(first.stored_at < latest.stored_at);
            assert_eq!(first.metric("accuracy"), None);
            let (estimate, truth) = (first.estimate("accuracy").unwrap(), latest.metric("accuracy").unwrap());
            assert_eq!(latest.estimated["accuracy"].error, Some(estimate - truth));
        }
        // Both values read back to the bit.
        let group = |report: &ModelReport, window: &ModelWindow| {
            let same =
                |start: &str, version: &Option<String>| *start == window.key.window && *version == window.key.version;
            let found = report.groups.iter().find(|group| same(&group.window.as_ref().unwrap().start, &group.version));
            found.unwrap().clone()
        };
        for window in &kept {
            let expected = group(&whole, window);
            assert_eq!(window.latest().metrics["roc_auc"], expected.metrics["roc_auc"]);
            assert_eq!(window.latest().rows, expected.rows);
            assert_eq!(window.latest().operations, expected.operations);
            assert_eq!(window.first.estimated["f1"], group(&unlabelled, window).estimated["f1"]);
        }
        // What knows less changes nothing.
        assert_eq!(store(&mut history, &unlabelled), steps(0, 0, 0, 0, 10));
        assert_eq!(windows(&history), kept);
    });
}

#[test]
fn a_window_that_was_not_over_grows_and_a_log_that_has_only_a_part_of_one_changes_nothing() {
    let rows = log(6000);
    each_format(&rows[..3100], |folder, place| {
        let mut history = History::open(&place).unwrap();
        assert_eq!(store(&mut history, &scanned(options(folder))).new, 6);
        let open = |history: &History| windows(history).into_iter().filter(|window| window.open).count();
        assert_eq!(open(&history), 2, "the week that the log ends in, of both versions");
        write_log(&folder.join("log.parquet"), &rows, false);
        assert_eq!(store(&mut history, &scanned(options(folder))), steps(4, 4, 2, 0, 0));
        assert_eq!(windows(&history).iter().filter(|window| window.amended.is_some()).count(), 0);
        write_log(&folder.join("log.parquet"), &rows[1000..], false);
        let stored = store(&mut history, &scanned(options(folder)));
        assert_eq!((stored.kept, stored.amended, stored.grown), (2, 0, 0), "{stored:?}");
    });
}

#[test]
fn shares_of_the_traffic_and_series_are_those_of_versions() {
    let rows = log(6000);
    each_format(&rows, |folder, place| {
        let mut history = History::open(&place).unwrap();
        let segments = Some(vec!["region".to_owned()]);
        store(&mut history, &scanned(ModelOptions { segments, ..options(folder) }));
        let trends = history.model_trends(&ModelFilter { whole: true, ..ModelFilter::default() }).unwrap();
        let versions: Vec<_> = trends.iter().map(|trend| trend.version.as_deref().unwrap()).collect();
        assert_eq!(versions, ["canary", "prod"]);
        for (canary, prod) in trends[0].windows.iter().zip(&trends[1].windows) {
            let shares = [canary.traffic.unwrap(), prod.traffic.unwrap()];
            assert!((shares[0] - 0.1).abs() < 0.01 && (shares[0] + shares[1] - 1.0).abs() < 1e-12, "{shares:?}");
        }
        assert!(trends[1].estimate("accuracy").iter().all(Option::is_some));
        let all = history.model_trends(&ModelFilter::default()).unwrap();
        assert_eq!(all.len(), 6, "all rows, north and south, of two versions");
        let last = ModelFilter { last: Some(2), version: Some("prod".to_owned()), ..ModelFilter::default() };
        assert!(history.model_trends(&last).unwrap().iter().all(|trend| trend.windows.len() == 2));
        let other = ModelFilter { model: Some("other".to_owned()), ..ModelFilter::default() };
        assert_eq!(history.models(&other).unwrap(), []);
    });
}

#[test]
fn another_definition_is_kept_apart_and_the_latest_one_is_read() {
    let rows = log(6000);
    each_format(&rows, |folder, place| {
        let mut history = History::open(&place).unwrap();
        store(&mut history, &scanned(options(folder)));
        let higher = ModelOptions { threshold: Some(0.6), ..options(folder) };
        assert_eq!(store(&mut history, &scanned(higher.clone())).new, 10);
        let definition = higher.resolve("loan").unwrap().definition();
        let kept = windows(&history);
        assert_eq!(kept.len(), 10);
        assert!(kept.iter().all(|window| window.key.definition == definition));
        let earlier: Vec<_> = kept.iter().flat_map(|window| &window.earlier).collect();
        assert_eq!(earlier.len(), 10);
        let before = options(folder).resolve("loan").unwrap().definition();
        assert!(earlier.iter().all(|one| one.definition == before && one.first.estimate("accuracy").is_some()));
        let (code, text) = gpudrift(folder, &["model", "history", "loan", "--history", place.path.to_str().unwrap()]);
        assert!(code == Some(0) && text.contains("found earlier, when something else was configured"), "{text}");
        assert_eq!(text.matches(&before).count(), 10, "{text}");
    });
}

#[test]
fn windows_that_are_older_than_the_days_to_keep_go() {
    let rows = log(6000);
    each_format(&rows, |folder, place| {
        let mut history = History::open(&HistoryPlace { keep_days: Some(7), ..place }).unwrap();
        store(&mut history, &scanned(options(folder)));
        let kept = windows(&history);
        assert_eq!(kept.len(), 4, "{kept:?}");
        assert_eq!(store(&mut history, &scanned(options(folder))).unchanged, 4);
        let path = history.path().display().to_string();
        drop(history);
        let (code, text) = gpudrift(folder, &["history", "prune", "--keep-days", "0", "--history", &path]);
        assert!(code == Some(0) && text.starts_with("0 runs and 2 windows of models removed from"), "{text}");
    });
}

#[test]
fn the_scan_keeps_its_windows_where_the_file_says_or_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    write_log(&folder.path().join("log.parquet"), &log(3000), true);
    let config = "[history]\npath = 'models.db'\n[model.loan]\ninput = ['log.parquet']\nscore = 'score'\nlabel = 'label'\n\
                  timestamp = 'at'\nwindow = 'week'\n";
    std::fs::write(folder.path().join("gpudrift.toml"), config).unwrap();
    let said = |arguments: &[&str]| {
        let mut command = Command::cargo_bin("gpudrift").unwrap();
        let output = command.current_dir(folder.path()).args(["model", "scan"]).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(said(&["--no-history"]), "");
    assert!(!folder.path().join("models.db").exists());
    assert_eq!(said(&[]), "5 groups in models.db: 5 new\n");
    assert_eq!(said(&[]), "5 groups in models.db: 5 as before\n");
    assert_eq!(said(&["--job", "other"]), "5 groups in models.db: 5 new\n");
    assert_eq!(said(&["--history", "folder/"]), "5 groups in folder/: 5 new\n");
    // A log without windows stands for the time that it is said to be about.
    let alone = ["--input", "log.parquet", "--score", "score", "--label", "label", "--history", "models.db"];
    assert_eq!(said(&alone), "1 group in models.db: 1 new\n");
    assert_eq!(said(&[&alone[..], &["--as-of", "2026-02-01"]].concat()), "1 group in models.db: 1 new\n");
    let history = History::open_existing(&HistoryPlace::at(folder.path().join("models.db"))).unwrap();
    let model = ModelFilter { model: Some("model".to_owned()), ..ModelFilter::default() };
    let names: Vec<_> = history.models(&model).unwrap().into_iter().map(|window| window.key.window).collect();
    assert_eq!(names, ["2026-02-01", "whole"]);
}

/// The program in `folder`: its exit code, and what it says on standard output.
fn gpudrift(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::cargo_bin("gpudrift").unwrap().current_dir(folder).args(arguments).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?}: {output:?}");
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// A folder with a model whose labels may come, three weeks of it good and two weeks bad.
fn a_model_that_becomes_worse() -> (tempfile::TempDir, Vec<Row>) {
    let folder = tempfile::tempdir().unwrap();
    let rows = log(9000);
    write_log(&folder.path().join("log.parquet"), &rows, false);
    write_log(&folder.path().join("reference.parquet"), &rows[..5000], true);
    let config = "[history]\npath = 'models.db'\n[retrain]\nperformance_drop = 0.03\n\
                  [model.loan]\ninput = ['log.parquet']\nscore = 'score'\nlabel = 'label'\nid = 'id'\n\
                  reference = ['reference.parquet']\ntimestamp = 'at'\nwindow = 'week'\n";
    std::fs::write(folder.path().join("gpudrift.toml"), config).unwrap();
    (folder, rows)
}

#[test]
fn the_history_of_models_shows_the_first_value_the_amended_one_and_how_far_the_estimate_was_off() {
    let (folder, rows) = a_model_that_becomes_worse();
    let folder = folder.path();
    gpudrift(folder, &["model", "scan"]);
    labels(folder, &rows);
    gpudrift(folder, &["model", "scan", "--labels", "labels.parquet"]);
    let (_, text) = gpudrift(folder, &["model", "history", "loan"]);
    assert!(text.contains("estimates were off by") && text.contains("over 5 windows"), "{text}");
    let row = text.lines().find(|line| line.starts_with("2026-01-26")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert!(cells.contains(&"0%") && cells.contains(&"100%"), "{row}");
    assert!(cells.iter().any(|cell| cell.starts_with("~0.")), "{row}");
    let (_, all) = gpudrift(folder, &["model", "history"]);
    assert!(all.lines().nth(2).unwrap().contains("loan") && all.contains('▁') && all.contains('█'), "{all}");
    let (_, json) = gpudrift(folder, &["model", "history", "-f", "json", "--last", "2"]);
    let trends: serde_json::Value = serde_json::from_str(&json).unwrap();
    let window = &trends[0]["windows"][1];
    assert_eq!((&window["window"], &window["first"]["rows"]["labelled"]), (&"2026-01-26".into(), &0.into()));
    let [estimate, truth] = [&window["first"]["estimated"], &window["amended"]["metrics"]]
        .map(|figures| figures["accuracy"]["value"].as_f64().unwrap());
    assert_eq!(window["amended"]["estimated"]["accuracy"]["error"].as_f64(), Some(estimate - truth));
}

#[test]
fn the_history_of_a_model_decides_about_its_training() {
    let (folder, rows) = a_model_that_becomes_worse();
    let folder = folder.path();
    gpudrift(folder, &["model", "scan"]);
    let check = || {
        let (code, text) = gpudrift(folder, &["retrain", "check", "-f", "json"]);
        (code, serde_json::from_str::<serde_json::Value>(&text).unwrap())
    };
    // The scores lie where they lay: what changed is what they mean, and without labels nobody knows.
    let (code, unlabelled) = check();
    assert_eq!((code, &unlabelled["answer"]), (Some(0), &"no".into()), "{unlabelled}");
    assert_eq!(unlabelled["evidence"]["performance"]["of"]["estimated"], true);
    assert_eq!(unlabelled["conditions"][0]["text"], "0 of 1,000 new rows with a label are there");
    labels(folder, &rows);
    gpudrift(folder, &["model", "scan", "--labels", "labels.parquet"]);
    let (code, labelled) = check();
    assert_eq!((code, &labelled["answer"]), (Some(1), &"yes".into()), "{labelled}");
    let of = &labelled["evidence"]["performance"]["of"];
    assert_eq!((&of["window"], &of["estimated"]), (&"2026-01-26".into(), &false.into()));
    assert!(labelled["summary"].as_str().unwrap().starts_with("accuracy fell by 0."), "{labelled}");
    // What a training has seen is not new.
    gpudrift(folder, &["retrain", "done", "--model-version", "v2", "--at", "2026-01-19"]);
    let (_, later) = check();
    let new = later["evidence"]["new_samples"].as_u64().unwrap();
    let expected = rows.iter().filter(|row| row.time >= logs::START + 18 * logs::DAY).count() as u64;
    assert_eq!(new, expected);
}

#[test]
fn how_a_model_was_served_is_kept_with_its_windows() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = |of: &dyn Fn(i32) -> f64| -> ArrayRef {
        Arc::new((1..=100).map(|row| Some(of(row))).collect::<Float64Array>())
    };
    let times = (1..=100).map(|row| Some(logs::START + row * 500_000)).collect::<TimestampMicrosecondArray>();
    write(
        &folder.path().join("log.parquet"),
        vec![
            ("score", numbers(&|row| f64::from(row) / 100.0)),
            ("ms", numbers(&|row| f64::from(row) * 3.0)),
            ("cpu", numbers(&|row| f64::from(row % 5))),
            ("failed", numbers(&|row| f64::from(u8::from(row <= 4)))),
            ("at", Arc::new(times)),
        ],
    );
    let args = ["model", "scan", "--input", "log.parquet", "--score", "score", "--timestamp", "at", "--window", "day"];
    let served = ["--latency", "ms", "--error", "failed", "--operations", "cpu"];
    for place in ["served.db", "served/"] {
        gpudrift(folder.path(), &[&args[..], &served, &["--history", place]].concat());
        let history = History::open_existing(&HistoryPlace::at(folder.path().join(place))).unwrap();
        let kept = windows(&history);
        let operations = kept[0].latest().operations.as_ref().unwrap();
        let latency = operations.latency.unwrap();
        // numpy.percentile of 3, 6, ..., 300.
        for (ours, theirs) in [(latency.p50, 151.5), (latency.p95, 285.15), (latency.p99, 297.03)] {
            assert!((ours.unwrap() - theirs).abs() < 1e-9, "{ours:?} is not {theirs}");
        }
        assert_eq!(operations.errors.unwrap().rate, Some(0.04));
        assert_eq!(operations.columns["cpu"].mean, Some(2.0));
        assert!((operations.throughput_per_second.unwrap() - 100.0 / 49.5).abs() < 1e-12);
        let (_, text) = gpudrift(folder.path(), &["model", "history", "model", "--history", place]);
        let row = text.lines().last().unwrap();
        assert!(row.contains("285") && row.ends_with("4%"), "{text}");
    }
}
