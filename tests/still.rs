//! Features that stand still from one night to the next are found from the history, whatever the reference is; those that
//! never move are not.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/store.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod store;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use store::{Day, write_day};

/// Writes a day, whose `features` have the rows of an earlier one.
fn write(folder: &Path, day: u32, features: &[&str], earlier: u32) {
    let mut rows = Day::new(11, day);
    let born = Day::new(11, 1);
    rows.freeze("user:n7", &born);
    let mut before = Day::new(11, earlier);
    before.freeze("user:n7", &born);
    features.iter().for_each(|feature| rows.freeze(feature, &before));
    write_day(&folder.join("store"), &rows);
}

/// What the night after a day says of features that stand still: feature (or nothing) and message.
fn night(folder: &Path, day: u32) -> Vec<(String, String)> {
    let output = Command::new(env!("CARGO_BIN_EXE_gpudrift"))
        .current_dir(folder)
        .args(["scan", "--as-of", &format!("2026-11-{:02}", day + 1)])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or("").to_owned();
    let findings = report["findings"].as_array().into_iter().flatten();
    findings
        .filter(|finding| finding["check"] == "frozen")
        .map(|finding| {
            assert_eq!(finding["level"], "warning");
            (text(finding, "feature"), text(finding, "message"))
        })
        .collect()
}

fn configure(folder: &Path) {
    let config = "[source]\npaths = ['store']\n\
                  [scan]\ntimestamp = 'at'\ntime_folders = 'day'\nreference_window = '2026-11-01..2026-11-02'\n\
                  current_window = 'yesterday'\nformat = 'json'\nbackend = 'cpu'\n[history]\npath = 'gpudrift.db'\n";
    std::fs::write(folder.join("gpudrift.toml"), config).unwrap();
}

#[test]
fn what_stands_still_since_last_night_is_found_and_what_never_moves_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder);
    (1..=7).for_each(|day| write(folder, day, &[], day));
    for day in 3..=7 {
        assert_eq!(night(folder, day), [], "user:n7 has never moved");
    }

    let still = ["user:n1", "user:city2", "user:visits3"];
    write(folder, 8, &still, 7);
    let said = night(folder, 8);
    let names: Vec<_> = said.iter().map(|(feature, _)| feature.as_str()).collect();
    assert_eq!(names, ["user:n1", "user:visits3", "user:city2"]);
    assert!(said[0].1.contains("all 2,000 values are those of the run before (2026-11-08)"), "{said:?}");
    assert_eq!(night(folder, 8), said, "the same night again says the same");
    write(folder, 9, &still[..1], 7);
    assert_eq!(night(folder, 9).len(), 1, "it stands still for another night");

    let all: Vec<String> = Day::new(11, 1).columns.keys().cloned().collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    write(folder, 10, &[], 10);
    assert_eq!(night(folder, 10), []);
    write(folder, 11, &all, 10);
    let said = night(folder, 11);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].0.is_empty() && said[0].1.contains("current is what the run before saw"), "{said:?}");
}

#[test]
fn a_table_that_comes_once_in_three_nights_stands_still_by_its_nature() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder);
    for day in 1..=12 {
        // The 3rd, the 6th, the 9th and the 12th are new.
        write(folder, day, &["user:n1"], (day / 3 * 3).max(1));
    }
    for day in 3..=12 {
        assert_eq!(night(folder, day), [], "the night of {day}");
    }
}
