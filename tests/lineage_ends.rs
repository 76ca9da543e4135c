//! Lineage of runs that are ended from outside, and of targets that do not answer.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/servers.rs"]
#[allow(dead_code, reason = "the tests of alerts use the rest")]
mod servers;
#[path = "support/store.rs"]
#[allow(dead_code, reason = "the fortnight uses the rest")]
mod store;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use servers::{Answer, Http};

fn gpudrift(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpudrift"));
    command.current_dir(folder);
    command
}

fn kinds(server: &Http) -> Vec<String> {
    server.seen().iter().map(|one| one.json()["eventType"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_scan_that_is_ended_is_told_as_failed_and_ends_by_its_signal() {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    // The scan waits for an answer to START, so that it is surely at work when the signal comes.
    let server = Http::start([Answer::Silence]);
    let mut scan = gpudrift(folder.path());
    scan.arg("scan").arg("--reference").arg(data.join("reference")).arg("--current").arg(data.join("current"));
    scan.args(["--features", "all", "--lineage", &server.url("lineage")]);
    let mut scan = scan.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while kinds(&server).is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(20), "START did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
    let kill = Command::new("kill").args(["-TERM", &scan.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let status = scan.wait().unwrap();
    assert_eq!(status.signal(), Some(15), "{status:?}");
    assert_eq!(kinds(&server), ["START", "FAIL"]);
    let seen = server.seen();
    let [start, fail] = [0, 1].map(|index| seen[index].json());
    assert_eq!(start["run"]["runId"], fail["run"]["runId"]);
    assert_eq!(fail["run"]["facets"]["errorMessage"]["message"], "ended by SIGTERM");
}

#[test]
fn a_target_that_does_not_answer_is_not_asked_for_every_night_of_a_backfill() {
    let folder = tempfile::tempdir().unwrap();
    for (month, days) in [(10, 4..=10), (11, 1..=3)] {
        days.for_each(|day| store::write_day(&folder.path().join("store"), &store::Day::new(month, day)));
    }
    let server = Http::start((0..20).map(|_| Answer::Silence));
    let config = format!(
        "[source]\npaths = ['store']\n[scan]\ntimestamp = 'at'\ntime_folders = 'day'\nbackend = 'cpu'\nfeatures = ['all']\n\
         reference_window = '2026-10-04..2026-10-10'\ncurrent_window = 'yesterday'\n[history]\npath = 'gpudrift.db'\n\
         [lineage]\nendpoint = '{}'\ntimeout = '1s'\n",
        server.url("lineage")
    );
    std::fs::write(folder.path().join("gpudrift.toml"), config).unwrap();
    let args = ["backfill", "--from", "2026-11-02", "--to", "2026-11-04"];
    let output = gpudrift(folder.path()).args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(kinds(&server), ["START", "START"], "one event, tried twice, of six");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.matches("the event is lost").count(), 6, "{said}");
    let runs = gpudrift(folder.path()).args(["history", "runs", "-f", "json"]).output().unwrap();
    let runs: serde_json::Value = serde_json::from_slice(&runs.stdout).unwrap();
    assert_eq!(runs.as_array().unwrap().len(), 3);
}
