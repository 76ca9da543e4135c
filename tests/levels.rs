//! Levels that rest on more than tonight's numbers: nights in a row, hysteresis, mutes.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/years.rs"]
#[expect(dead_code, reason = "reports are enough here")]
mod years;

use assert_cmd::Command;
use gpudrift::config::{Layer, Rank, Rules, Settings};
use gpudrift::history::{History, HistoryFormat, HistoryPlace, Stored};
use gpudrift::report::{MetricValue, Report};
use gpudrift::verdict::Level::{self, Critical, Info, Ok, Warning};
use std::fs;
use std::path::Path;

const NIGHTS: u64 = 30;

/// A report of night `r` in which the features have these levels and PSIs, under one rule for all.
fn night(r: u64, settings: &Settings, numbers: &[(Level, f64)]) -> Report {
    let mut report = years::report(numbers.len() as u64, r, NIGHTS);
    let rule = Layer {
        rank: Rank::Rule,
        origin: "gpudrift.toml:7".to_owned(),
        key: Vec::new(),
        patterns: vec!["*".to_owned()],
        settings: settings.clone(),
        shared: false,
    };
    report.run.config.rules = Rules(vec![rule]);
    for (feature, &(level, psi)) in report.features.iter_mut().zip(numbers) {
        (feature.level, feature.reasons) = (level, Vec::new());
        feature.metrics.insert("psi".to_owned(), MetricValue::from(Some(psi)));
        for q in ["ks_q_value", "chi2_q_value"] {
            feature.metrics.insert(q.to_owned(), MetricValue::from(Some(0.001)));
        }
    }
    report.settle();
    report
}

/// Holds and stores a night; the levels that it got.
fn told(history: &mut History, r: u64, settings: &Settings, numbers: &[(Level, f64)]) -> (Vec<Level>, Stored) {
    let mut report = night(r, settings, numbers);
    let identity = years::identity(&report, "churn", r, NIGHTS);
    history.hold(&identity, &mut report).unwrap();
    let stored = history.store(&identity, &report).unwrap();
    let raw: Vec<Level> = report.features.iter().map(|feature| feature.raw_level()).collect();
    assert_eq!(raw, numbers.iter().map(|(level, _)| *level).collect::<Vec<_>>(), "what the numbers say is kept");
    let shown: Vec<Level> = report.features.iter().map(|feature| feature.level).collect();
    for level in Level::ALL {
        assert_eq!(report.summary.of_level(level), shown.iter().filter(|&&one| one == level).count() as u64);
    }
    (shown, stored)
}

fn open(folder: &Path) -> History {
    History::open(&HistoryPlace { path: folder.join("drift.db"), format: HistoryFormat::Sqlite, keep_days: None })
        .unwrap()
}

#[test]
fn a_level_counts_after_so_many_nights_in_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = open(folder.path());
    let settings = Settings { nights: Some(2), ..Settings::default() };
    let nights = [
        ([(Warning, 0.15), (Critical, 0.5), (Ok, 0.0)], [Info, Info, Ok]),
        ([(Warning, 0.15), (Warning, 0.15), (Critical, 0.3)], [Warning, Warning, Info]),
        ([(Critical, 0.25), (Critical, 0.5), (Ok, 0.0)], [Warning, Warning, Ok]),
        ([(Critical, 0.25), (Ok, 0.0), (Critical, 0.3)], [Critical, Ok, Info]),
    ];
    for (r, (numbers, expected)) in (0..).zip(&nights) {
        let (shown, stored) = told(&mut history, r, &settings, numbers);
        assert_eq!((shown, stored), (expected.to_vec(), Stored::New), "night {r}");
    }
    // Any night once more, in any order: nothing changes.
    for r in [2, 0, 3, 1, 3] {
        let (numbers, expected) = &nights[r];
        let (shown, stored) = told(&mut history, r as u64, &settings, numbers);
        assert_eq!((shown, stored), (expected.to_vec(), Stored::Unchanged), "night {r}");
    }
}

#[test]
fn another_job_and_another_definition_are_another_past() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = open(folder.path());
    let settings = Settings { nights: Some(2), ..Settings::default() };
    assert_eq!(told(&mut history, 0, &settings, &[(Warning, 0.15)]).0, [Info]);
    let mut report = night(1, &settings, &[(Warning, 0.15)]);
    let other = years::identity(&report, "fraud", 1, NIGHTS);
    history.hold(&other, &mut report).unwrap();
    assert_eq!(report.features[0].level, Info);
    assert!(report.features[0].reasons[0].contains("WARNING for 1 night of the 2"), "{:?}", report.features[0].reasons);
    let stricter = Settings { psi_warning: Some(0.12), ..settings.clone() };
    assert_eq!(told(&mut history, 1, &stricter, &[(Warning, 0.15)]).0, [Info]);
    // That a feature is muted for a while is no other definition.
    let muted = Settings { muted_until: Some("2020-01-01".to_owned()), ..settings };
    assert_eq!(told(&mut history, 2, &muted, &[(Warning, 0.15)]).0, [Warning], "night 0 goes before");
}

#[test]
fn a_level_stays_near_its_limit_and_falls_beyond() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = open(folder.path());
    let settings = Settings { hysteresis: Some(0.1), ..Settings::default() };
    for (r, (level, psi, expected)) in (0..).zip([
        (Ok, 0.095, Ok),
        (Warning, 0.11, Warning),
        (Ok, 0.095, Warning),
        (Ok, 0.091, Warning),
        (Ok, 0.08, Ok),
        (Ok, 0.095, Ok),
    ]) {
        assert_eq!(told(&mut history, r, &settings, &[(level, psi)]).0, [expected], "night {r}");
    }
}

fn gpudrift(folder: &Path, args: &[&str]) -> (Option<i32>, String, serde_json::Value) {
    let output = Command::cargo_bin("gpudrift").unwrap().current_dir(folder).args(args).output().unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), String::from_utf8(output.stderr).unwrap(), json)
}

fn configured(folder: &Path, rule: &str) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let [reference, current] = ["reference", "current"].map(|side| format!("{:?}", data.join(side)));
    let text = format!(
        "[reference]\npaths = [{reference}]\n\n[current]\npaths = [{current}]\n\n[[rule]]\nmatch = \"*\"\n{rule}\n"
    );
    fs::write(folder.join("gpudrift.toml"), text).unwrap();
}

#[test]
fn what_is_muted_is_told_and_asks_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let scan = |as_of: &str| {
        gpudrift(folder.path(), &["scan", "-f", "json", "--backend", "cpu", "--fail-on", "critical", "--as-of", as_of])
    };
    configured(folder.path(), "muted_until = \"2026-12-31\"\nmute_reason = \"the move to the new feed, PLAT-7\"");
    let (code, said, report) = scan("2026-12-31");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!((&report["summary"]["warning"], &report["summary"]["critical"]), (&0.into(), &0.into()));
    let features = report["features"].as_array().unwrap();
    let critical: Vec<_> = features.iter().filter(|feature| feature["raw_level"] == "critical").collect();
    assert!(!critical.is_empty());
    for feature in critical {
        assert_eq!(feature["level"], "info");
        let reason = feature["reasons"][0].as_str().unwrap();
        assert_eq!(reason, "CRITICAL, muted until 2026-12-31: the move to the new feed, PLAT-7");
    }
    // The day after, it is as it was, and somebody should take the line out.
    let (code, _, report) = scan("2027-01-01");
    assert_eq!(code, Some(1));
    assert!(report["summary"]["critical"].as_u64().unwrap() > 0);
    let warnings = report["run"]["warnings"].to_string();
    assert!(
        warnings.contains("ended on 2026-12-31: take it out") && warnings.contains("gpudrift.toml:7"),
        "{warnings}"
    );
}

#[test]
fn what_cannot_be_meant_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for (rule, words) in [
        ("muted_until = \"soon\"", "muted_until is soon, but must be a day like 2026-12-31"),
        ("nights = 0", "nights is 0, but must be from 1 to 365"),
        ("hysteresis = 1.5", "hysteresis is 1.5, but must be from 0 to 1"),
        ("for = 2", "looks at the nights before, and there is no history: add `[history]"),
    ] {
        configured(folder.path(), rule);
        let (code, said, _) = gpudrift(folder.path(), &["scan"]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(words) && said.contains("gpudrift.toml"), "{said}");
    }
    configured(folder.path(), "for = 2");
    let (code, said, report) = gpudrift(folder.path(), &["scan", "-f", "json", "--history", "drift.db"]);
    assert_eq!((code, &report["summary"]["critical"]), (Some(0), &0.into()), "{said}");
    let (code, _, report) = gpudrift(folder.path(), &["scan", "-f", "json", "--no-history"]);
    assert_eq!(code, Some(0));
    assert!(report["summary"]["critical"].as_u64().unwrap() > 0);
}
