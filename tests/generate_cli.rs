//! `gpudrift generate` in a real process.

use std::process::{Command, Stdio};

use assert_cmd::prelude::*;
use predicates::prelude::*;

fn generate() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("gpudrift"));
    command.arg("generate");
    command
}

#[test]
fn what_was_written_is_said_on_stderr_and_nothing_on_stdout() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = folder.path().join("store");
    let arguments =
        ["--rows", "100", "--features", "10", "--types", "f32,string,bool,timestamp,decimal", "--files", "2"];
    let run = |force: &[&str]| generate().arg("--output").arg(&output).args(arguments).args(force).assert();
    run(&[]).success().stdout("").stderr(predicate::str::contains("10 features, 2 of them drifted"));
    assert!(output.join("current/part-001.parquet").exists() && output.join("truth.json").exists());
    run(&[]).failure().stdout("").stderr(predicate::str::contains("--force"));
    run(&["--force"]).success();
}

#[test]
fn impossible_requests_fail_and_make_no_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = folder.path().join("store");
    for (arguments, message) in [
        (["--drifted", "1.5"], "from 0 to 1"),
        (["--types", "float"], "f32"),
        (["--drift", "sideways"], "null-spike"),
        (["--nulls", "-1"], "from 0 to 1"),
        (["--codec", "zip"], "snappy"),
        (["--files", "0"], "at least 1"),
    ] {
        let mut command = generate();
        command.arg("--output").arg(&output).arg(format!("{}={}", arguments[0], arguments[1]));
        command.assert().failure().stderr(predicate::str::contains(message));
    }
    let names_that_cannot_scale = ["--types", "string", "--drift", "scale"];
    let mut command = generate();
    command.arg("--output").arg(&output).args(names_that_cannot_scale);
    command.assert().failure().stderr(predicate::str::contains("only 0 have a type that can drift by scale"));
    assert!(!output.exists());
}

/// Two sides of 96 MB each; what is held at a time is some column chunks of half a megabyte.
#[cfg(target_os = "linux")]
#[test]
fn memory_follows_the_row_group_and_not_the_rows() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let arguments = ["--rows", "3000000", "--features", "4", "--types", "f64", "--row-group-rows", "65536"];
    let mut command = generate();
    command.arg("--output").arg(folder.path()).args(arguments).args(["--no-dictionary", "--codec", "uncompressed"]);
    let mut child = command.env("RAYON_NUM_THREADS", "2").stderr(Stdio::null()).spawn().expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let (mut peak_kib, mut readings) = (0_u64, 0);
    while child.try_wait().expect("the child can be waited for").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(kib) = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()) {
            peak_kib = peak_kib.max(kib);
            readings += 1;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(child.wait().expect("it ended").success());
    assert!(readings > 0, "it ended before it could be watched");
    assert!(peak_kib < 80 * 1024, "{peak_kib} KiB");
}
