//! `gpudrift validate`: figures against scikit-learn, statsmodels and Fairlearn, rules, answers, exit codes.
//!
//! tests/golden/validate.json is made by tests/golden/validate.py.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

use std::fs::{self, File};
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampSecondArray};
use assert_cmd::Command;
use gpudrift::history::{History, HistoryPlace};
use gpudrift::model::validate::Decision;
use parquet::arrow::ArrowWriter;
use serde_json::Value;

fn golden(task: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/validate.json");
    let golden: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    golden[task].clone()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Writes both logs; the challenger's in the opposite order, and with a row that the champion has not.
fn write_logs(folder: &Path, case: &Value) {
    let label = numbers(&case["data"]["label"]);
    let rows = label.len();
    let groups: Vec<String> = match case["data"]["group"].as_array() {
        Some(groups) => groups.iter().map(|group| group.as_str().unwrap().to_owned()).collect(),
        None => vec![String::new(); rows],
    };
    let ids: Vec<i64> = (0..i64::try_from(rows).unwrap()).collect();
    for side in ["champion", "challenger"] {
        let scores = numbers(&case["data"][side]);
        let mut order: Vec<usize> = (0..rows).collect();
        if side == "challenger" {
            order.reverse();
        }
        let mut ids: Vec<i64> = order.iter().map(|&row| ids[row]).collect();
        let mut score: Vec<f64> = order.iter().map(|&row| scores[row]).collect();
        let mut label: Vec<f64> = order.iter().map(|&row| label[row]).collect();
        let mut group: Vec<String> = order.iter().map(|&row| groups[row].clone()).collect();
        let mut ms: Vec<f64> = (0..rows).map(|row| if row < 20 { 300.0 } else { 50.0 }).collect();
        if side == "challenger" {
            ids.push(-1);
            score.push(0.5);
            label.push(0.0);
            group.push("a".to_owned());
            ms = vec![100.0; rows + 1];
        }
        // An hour a row.
        let hours: TimestampSecondArray = ids.iter().map(|id| Some(id * 3600)).collect();
        write(
            &folder.join(format!("{side}.parquet")),
            vec![
                ("id", Arc::new(Int64Array::from(ids))),
                ("score", Arc::new(Float64Array::from(score))),
                ("label", Arc::new(Float64Array::from(label))),
                ("group", Arc::new(StringArray::from(group))),
                ("ms", Arc::new(Float64Array::from(ms))),
                ("at", Arc::new(hours)),
            ],
        );
    }
}

fn validate(folder: &Path, policy: &str, args: &[&str]) -> Output {
    fs::write(folder.join("policy.toml"), policy).unwrap();
    let paths = ["--champion", "champion.parquet", "--challenger", "challenger.parquet", "--policy", "policy.toml"];
    let mut command = Command::cargo_bin("gpudrift").unwrap();
    command.current_dir(folder).arg("validate").args(paths).args(args).output().unwrap()
}

fn report(folder: &Path, policy: &str, code: i32) -> Value {
    let output = validate(folder, policy, &["--format", "json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["run"].take();
    report
}

fn near(name: &str, ours: &Value, theirs: f64, tolerance: f64) {
    let ours = ours.as_f64().unwrap();
    assert!((ours - theirs).abs() <= tolerance, "{name}: {ours} is not {theirs}");
}

const BINARY: &str = "id = 'id'\nscore = 'score'\nlabel = 'label'\ngroups = ['group']\nlatency = 'ms'\n\
                      values = { tp = 10, fp = -20, fn = -5 }\n";

#[test]
fn figures_are_those_of_their_definitions() {
    let folder = tempfile::tempdir().unwrap();
    let case = golden("binary");
    write_logs(folder.path(), &case);
    let rule = "[[rule]]\nfigure = 'change.accuracy'\nmin = -1\n";
    let found = report(folder.path(), &format!("{BINARY}{rule}"), 0);
    let figures = &found["figures"];
    assert_eq!(
        found["rows"],
        serde_json::json!({ "champion": 500, "challenger": 501, "duplicates": 0, "matched": 500, "paired": 500 })
    );
    for side in ["champion", "challenger"] {
        for (name, value) in case[side].as_object().unwrap() {
            near(name, &figures[format!("{side}.{name}")]["value"], value.as_f64().unwrap(), 1e-12);
        }
    }
    for name in case["champion"].as_object().unwrap().keys() {
        let [a, b] = ["champion", "challenger"].map(|side| case[side][name].as_f64().unwrap());
        near(name, &figures[format!("change.{name}")]["value"], b - a, 1e-12);
    }
    near("mcnemar", &figures["change.accuracy"]["p_value"], case["mcnemar"].as_f64().unwrap(), 1e-12);
    for end in ["value", "low", "high", "p_value"] {
        near(end, &figures["change.roc_auc"][end], case["delong"][end].as_f64().unwrap(), 1e-9);
    }
    near_intervals(&case, figures);
    assert_eq!(figures["champion.latency_p95"]["value"], 50.0);
    assert_eq!(figures["change.latency_p95"]["value"], 50.0);
    let groups = found["groups"]["group"].as_array().unwrap();
    assert_eq!(groups.iter().map(|group| group["group"].as_str().unwrap()).collect::<Vec<_>>(), ["a", "b", "c"]);
}

/// Both are random: each end lies within a tenth of the width of the interval.
fn near_intervals(case: &Value, figures: &Value) {
    for (name, theirs) in case["intervals"].as_object().unwrap() {
        let theirs = numbers(theirs);
        let tolerance = 0.1 * (theirs[1] - theirs[0]);
        near(name, &figures[name]["low"], theirs[0], tolerance);
        near(name, &figures[name]["high"], theirs[1], tolerance);
    }
}

#[test]
fn regressions_are_compared_too() {
    let folder = tempfile::tempdir().unwrap();
    let case = golden("regression");
    write_logs(folder.path(), &case);
    let policy = "task = 'regression'\nid = 'id'\nprediction = 'score'\nlabel = 'label'\n[[rule]]\nfigure = 'change.mae'\nmax = 0.05\n";
    let found = report(folder.path(), policy, 0);
    for side in ["champion", "challenger"] {
        for (name, value) in case[side].as_object().unwrap() {
            near(name, &found["figures"][format!("{side}.{name}")]["value"], value.as_f64().unwrap(), 1e-12);
        }
    }
    near_intervals(&case, &found["figures"]);
    assert_eq!(found["decision"], "deploy");
}

#[test]
fn the_answer_follows_from_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    write_logs(folder.path(), &golden("binary"));
    let answer = |rules: &[&str]| {
        let rules: String = rules.iter().map(|rule| format!("[[rule]]\n{rule}\n")).collect();
        let policy = format!("{BINARY}samples = 200\n{rules}");
        let output = validate(folder.path(), &policy, &["--format", "json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (report["decision"].as_str().unwrap().to_owned(), output.status.code().unwrap())
    };
    let kept = "figure = 'change.accuracy'\nmin = -0.5";
    let unsure = "figure = 'challenger.accuracy'\nmin = 0.732";
    let broken = "figure = 'challenger.latency_p95'\nmax = 60";
    assert_eq!(answer(&[kept]), ("deploy".to_owned(), 0));
    assert_eq!(answer(&[kept, unsure]), ("hold".to_owned(), 1));
    assert_eq!(answer(&[kept, unsure, broken]), ("reject".to_owned(), 1));
    assert_eq!(answer(&[kept, &format!("{broken}\notherwise = 'hold'")]), ("hold".to_owned(), 1));
    assert_eq!(answer(&[&format!("{unsure}\ncertain = false")]).0, "deploy");
    let few = validate(folder.path(), &format!("{BINARY}min_rows = 1000\n[[rule]]\n{kept}\n"), &[]);
    let text = String::from_utf8_lossy(&few.stdout).into_owned();
    assert!(text.starts_with("# Validation: hold") && text.contains("too few pairs"), "{text}");
    // Without rules: the customary ones. Group b is helped by the challenger.
    let customary = report(folder.path(), BINARY, 1);
    assert_eq!(customary["rules"].as_array().unwrap().len(), 4);
}

#[test]
fn the_same_seed_gives_the_same_report_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    write_logs(folder.path(), &golden("binary"));
    let with = |policy: &str, threads: &str| {
        let output = validate(folder.path(), policy, &["--format", "json", "--threads", threads]);
        let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["run"].take();
        report
    };
    let policy = format!("{BINARY}samples = 300\n");
    assert_eq!(with(&policy, "1"), with(&policy, "3"));
    assert_ne!(with(&policy, "1")["figures"], with(&format!("{policy}seed = 7\n"), "1")["figures"]);
}

#[test]
fn mistakes_in_the_policy_are_told() {
    let folder = tempfile::tempdir().unwrap();
    write_logs(folder.path(), &golden("binary"));
    for (policy, words) in [
        ("score = 'score'\nlabel = 'label'\n".to_owned(), "name `id`"),
        (format!("{BINARY}colour = 1\n"), "unknown key `colour`"),
        (format!("{BINARY}[[rule]]\nfigure = 'change.acuracy'\nmin = 0\n"), "did you mean change.accuracy?"),
        (format!("{BINARY}[[rule]]\nfigure = 'change.accuracy'\n"), "neither `min` nor `max`"),
        (BINARY.replace("label = 'label'", "label = 'truth'"), "truth"),
    ] {
        let output = validate(folder.path(), &policy, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn recent_rows_are_judged_apart() {
    let folder = tempfile::tempdir().unwrap();
    let case = golden("binary");
    write_logs(folder.path(), &case);
    let policy = format!(
        "{BINARY}samples = 50\ntimestamp = 'at'\nrecent = '100h'\n[[rule]]\nfigure = 'recent.challenger.accuracy'\nmin = 0.5\n"
    );
    let found = report(folder.path(), &policy, 0);
    let [label, score] = ["label", "challenger"].map(|name| numbers(&case["data"][name]));
    let right = (400..500).filter(|&row| (score[row] >= 0.5) == (label[row] > 0.5)).count();
    let right = f64::from(u32::try_from(right).unwrap()) / 100.0;
    near("recent accuracy", &found["figures"]["recent.challenger.accuracy"]["value"], right, 1e-12);
    assert_ne!(found["figures"]["challenger.accuracy"], found["figures"]["recent.challenger.accuracy"]);
}

#[test]
fn classes_may_be_words_and_labels_may_lie_apart() {
    let folder = tempfile::tempdir().unwrap();
    let words = |words: &[&str]| -> ArrayRef { Arc::new(StringArray::from(words.to_vec())) };
    let ids = |ids: &[i64]| -> ArrayRef { Arc::new(Int64Array::from(ids.to_vec())) };
    let path = |name: &str| folder.path().join(name);
    write(&path("champion.parquet"), vec![("id", ids(&[1, 2, 3, 4])), ("said", words(&["cat", "dog", "dog", "cow"]))]);
    write(
        &path("challenger.parquet"),
        vec![("id", ids(&[4, 3, 2, 1])), ("said", words(&["cow", "cat", "dog", "cat"]))],
    );
    write(&path("labels.parquet"), vec![("id", ids(&[1, 2, 3, 9])), ("label", words(&["cat", "dog", "cat", "dog"]))]);
    let policy = "task = 'multiclass'\nid = 'id'\nprediction = 'said'\nlabel = 'label'\nlabels = ['labels.parquet']\n\
                  values = { right = 1, wrong = -2 }\nmin_rows = 1\n[[rule]]\nfigure = 'change.business'\nmin = 0\n";
    let found = report(folder.path(), policy, 0);
    assert_eq!((&found["rows"]["matched"], &found["rows"]["paired"]), (&4.into(), &3.into()));
    near("champion", &found["figures"]["champion.accuracy"]["value"], 2.0 / 3.0, 1e-15);
    near("challenger", &found["figures"]["challenger.accuracy"]["value"], 1.0, 0.0);
    near("business", &found["figures"]["change.business"]["value"], 1.0, 1e-15);
    near("p", &found["figures"]["change.accuracy"]["p_value"], 1.0, 1e-12);
}

#[test]
fn the_answer_is_a_page_too_and_is_kept_in_the_history_once() {
    let folder = tempfile::tempdir().unwrap();
    write_logs(folder.path(), &golden("binary"));
    let policy =
        format!("{BINARY}[[rule]]\nfigure = 'change.accuracy'\nmin = -1\n[[rule]]\nfigure = 'change.<b>'\nmin = 0\n");
    let wrong = validate(folder.path(), &policy, &["--format", "html", "--history", "kept.db"]);
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0), "no figure is called so");
    let policy = format!("{BINARY}[[rule]]\nfigure = 'challenger.equalized_odds.group'\nmax = 0.01\n");
    for place in ["kept.db", "kept/"] {
        let keep = ["--format", "html", "--history", place, "--model", "loan", "--job", "nightly"];
        let page = validate(folder.path(), &policy, &keep);
        let text = String::from_utf8(page.stdout).unwrap();
        assert_eq!(page.status.code(), Some(1), "{text}");
        for part in ["<p class=\"verdict critical\">reject</p>", "challenger.equalized_odds.group", "<svg", "roc_auc"] {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
        assert!(!text.contains("http"), "it needs nothing from elsewhere");
        assert!(String::from_utf8(page.stderr).unwrap().contains("reject stored in"));
        let again = validate(folder.path(), &policy, &keep);
        assert!(String::from_utf8(again.stderr).unwrap().contains("reject is in"));
        let history = History::open_existing(&HistoryPlace::at(folder.path().join(place))).unwrap();
        let kept = history.validations(Some("nightly"), Some("loan")).unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!((kept[0].decision, &kept[0].report["rules"][0]["answer"]), (Decision::Reject, &"reject".into()));
        assert_eq!(history.validations(Some("default"), None).unwrap(), []);
    }
    assert!(!folder.path().join("gpudrift.db").exists());
}

#[test]
fn training_data_that_is_not_like_tonights_features_holds_the_challenger() {
    let folder = tempfile::tempdir().unwrap();
    let case = golden("binary");
    write_logs(folder.path(), &case);
    let features = |name: &str, shift: f64| {
        let age = (0..2000).map(|row| Some(f64::from(row * 7919 % 2000) / 20.0)).collect::<Float64Array>();
        let income = (0..2000).map(|row| Some(f64::from(row * 6007 % 2000) / 20.0 + shift)).collect::<Float64Array>();
        let ids = (0..2000).map(|row| Some(row + if shift > 0.0 { 5000 } else { 0 })).collect::<Int64Array>();
        write(
            &folder.path().join(name),
            vec![("id", Arc::new(ids)), ("age", Arc::new(age)), ("income", Arc::new(income))],
        );
    };
    features("train.parquet", 0.0);
    features("tonight.parquet", 60.0);
    features("before.parquet", 0.0);
    let policy = |current: &str, more: &str| {
        format!(
            "id = 'id'\nscore = 'score'\nlabel = 'label'\ntraining = ['train.parquet']\ncurrent = ['{current}']\n{more}"
        )
    };
    // Left to themselves the rules ask for a change of accuracy, too: these are about features alone.
    let rule = "[[rule]]\nfigure = 'training.critical'\nmax = 0\notherwise = 'hold'\n";
    let held = report(folder.path(), &policy("tonight.parquet", rule), 1);
    assert_eq!((held["decision"].as_str(), held["rules"][0]["value"].as_f64()), (Some("hold"), Some(1.0)));
    let names: Vec<_> =
        held["training"].as_array().unwrap().iter().map(|one| (&one["feature"], &one["level"])).collect();
    assert_eq!(names, [(&"age".into(), &"ok".into()), (&"income".into(), &"critical".into())], "the id is no feature");
    assert!(held["figures"]["training.psi.income"]["value"].as_f64().unwrap() > 0.2);
    let text = validate(folder.path(), &policy("tonight.parquet", rule), &[]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("| income | critical |") && text.contains("1 is not at most 0"), "{text}");
    assert_eq!(report(folder.path(), &policy("before.parquet", rule), 0)["decision"], "deploy");
    let alone = "[[rule]]\nfigure = 'training.psi.age'\nmax = 0.1\n";
    assert_eq!(report(folder.path(), &policy("tonight.parquet", alone), 0)["decision"], "deploy");
    let one =
        validate(folder.path(), "id = 'id'\nscore = 'score'\nlabel = 'label'\ntraining = ['train.parquet']\n", &[]);
    assert!(one.status.code() == Some(2) && String::from_utf8_lossy(&one.stderr).contains("name both `training`"));
    let gone = validate(folder.path(), &policy("nothing.parquet", rule), &[]);
    let said = String::from_utf8_lossy(&gone.stderr).into_owned();
    assert!(gone.status.code() == Some(3) && said.contains("nothing.parquet"), "{said}");
}
