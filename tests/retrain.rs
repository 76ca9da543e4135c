//! `gpudrift retrain` as a user meets it.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its history fails")]

#[path = "support/nights.rs"]
#[allow(dead_code, reason = "the tests of alerts and history use the rest")]
mod nights;

use std::path::Path;
use std::process::{Command, Output};

use gpudrift::history::{History, HistoryPlace};
use serde_json::Value;

use nights::{night, report};

/// A history of nights in which `drifted` of ten features drift, one night an entry.
fn history(folder: &Path, drifted: &[usize]) {
    let mut history = History::open(&HistoryPlace::at(folder.join("gpudrift.db"))).unwrap();
    for (day, &drifted) in (1..).zip(drifted) {
        let names: Vec<_> = (0..10).map(|index| format!("f{index}")).collect();
        let level = |index| if index < drifted { "warning" } else { "ok" };
        let features: Vec<_> = names.iter().enumerate().map(|(index, name)| (name.as_str(), level(index))).collect();
        let report = report(&features);
        history.store(&night(&report, day), &report).unwrap();
    }
}

fn retrain(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpudrift"));
    command.current_dir(folder).arg("retrain").args(arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn the_answer_comes_with_its_reasons_is_kept_and_is_given_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    history(folder, &[0, 1]);
    let dry = retrain(folder, &["check", "--dry-run"]);
    assert_eq!(dry.status.code(), Some(1));
    let text = String::from_utf8(dry.stdout).unwrap();
    assert!(
        text.starts_with("retrain default: yes — 10% of the features by weight drifted (f0, …); the limit is 10%"),
        "{text}"
    );
    assert!(text.contains("✓ condition samples: 2,000 of 1,000 new rows are there"), "{text}");
    assert_eq!(json(&retrain(folder, &["log", "-f", "json"])), serde_json::json!([]), "a dry run keeps nothing");

    let first = retrain(folder, &["check", "-f", "json"]);
    assert_eq!((first.status.code(), &json(&first)["answer"]), (Some(1), &"yes".into()));
    let same_night = retrain(folder, &["check", "-f", "json"]);
    assert_eq!(json(&same_night), json(&first), "the answer of a night stays");
    history(folder, &[0, 1, 5]);
    let later = retrain(folder, &["check", "-f", "json"]);
    assert_eq!((later.status.code(), &json(&later)["asked_at"]), (Some(0), &"2026-11-02T00:00:00Z".into()));

    let done = retrain(folder, &["done", "--model-version", "v2", "--at", "2026-11-02"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let again = json(&retrain(folder, &["check", "-f", "json"]));
    assert_eq!((&again["answer"], &again["evidence"]["new_samples"]), (&"yes".into(), &1000.into()));
    let log = retrain(folder, &["log"]);
    assert_eq!(String::from_utf8(log.stdout).unwrap().lines().count(), 4, "a header, a rule, two nights");
}

#[test]
fn a_drop_of_performance_that_somebody_tells_of_is_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path(), &[0, 0]);
    let fell = retrain(folder.path(), &["check", "--dry-run", "--performance", "0.91,0.84", "-f", "json"]);
    assert_eq!((fell.status.code(), &json(&fell)["reasons"][1]["met"]), (Some(1), &true.into()));
    let unknown = retrain(folder.path(), &["check", "--dry-run", "-f", "json"]);
    assert_eq!((unknown.status.code(), &json(&unknown)["reasons"][1]["value"]), (Some(0), &Value::Null));
}

#[test]
fn mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path(), &[5, 5]);
    let said = |arguments: &[&str], config: &str| {
        std::fs::write(folder.path().join("gpudrift.toml"), config).unwrap();
        let output = retrain(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said(&["check", "--job", "churn"], "").contains("no run of the job churn"));
    assert!(said(&["check", "--performance", "0.9"], "").contains("0.91,0.84"));
    assert!(said(&["check", "--policy", "budgeted"], "").contains("`cost` and `loss_per_day`"));
    let hooks = "[retrain]\nhooks = ['trainer']\n[alerts.train]\ntype = 'command'\ncommand = ['true']\n";
    assert!(said(&["check"], hooks).contains("no channel \"trainer\"; the channels are train"));
    assert!(
        said(&["check"], "[retrain]\ndrift = 3\n").contains("line 2: drift is 3, but must be above 0 and at most 1")
    );
    assert!(said(&["check"], "[retrain]\npolicy = 'budgeted'\n").contains("takes a cost and a loss_per_day"));
    assert!(said(&["check"], "[retrain]\ndrif = 0.1\n").contains("did you mean drift?"));
}
